import { exportRunning } from '../adapters/cluster/export-running.js';
import {
  compareRunning,
  countAllRunning,
  snapshotRunning,
  type RunningComparison,
} from '../adapters/cluster/running-workflows.js';
import { withTarget as withFrontend } from '../adapters/cluster/target-connection.js';
import { writeWhole } from '../adapters/write-whole.js';
import type { HopPlace, RunningResult, SnapshotResult } from '../contract/activities.js';
import {
  largestCounts,
  type RunningCounts,
  type StuckRun,
  type StuckRuns,
} from '../core/running-work/running-counts.js';
import { OVERDUE_MS } from '../core/running-work/stuck.js';
import { currentWork } from './guard.js';
import { keepOrMake, type SnapshotFiles } from './snapshot-files.js';

/** Names in a result; all are in its file. */
const STUCK_EXAMPLES = 10;

/** Writes down which workflows of the target's own run before a hop; before live's first one, the ids of all of them. */
export async function recordRunning(
  place: HopPlace,
  files: SnapshotFiles,
): Promise<Pick<SnapshotResult, 'running' | 'byType' | 'runningIds'>> {
  const exclude = canaryNamespaces(place);
  return withFrontend(place.target.connection, async (frontend) => {
    const { namespaces } = await keepOrMake(files.runningSummary, () =>
      snapshotRunning(frontend, { file: files.running, exclude }, currentWork()),
    );
    const all =
      place.environment === 'live'
        ? await keepOrMake(files.runningIdsSummary, () =>
            exportRunning(frontend, { file: files.runningIds, exclude }, currentWork()),
          )
        : undefined;
    return {
      running: Object.fromEntries(Object.entries(namespaces).map(([name, { running }]) => [name, running])),
      byType: largestCounts(withTypes(namespaces)),
      ...(all === undefined ? {} : { runningIds: { file: all.file, total: all.total } }),
    };
  });
}

/** A summary that an earlier release wrote has none. */
function withTypes(namespaces: RunningCounts): RunningCounts {
  return Object.fromEntries(
    Object.entries(namespaces).map(([name, count]) => [name, { ...count, types: count.types ?? {} }]),
  );
}

/** What became of the recorded workflows, how many run now, and which of the recorded ones should have gone on. */
export async function compareWithRecorded(place: HopPlace, files: SnapshotFiles): Promise<RunningResult> {
  const { compared, counts } = await withFrontend(place.target.connection, async (frontend) => ({
    compared: await compareRunning(frontend, files.running, currentWork()),
    counts: await countAllRunning(frontend, canaryNamespaces(place)),
  }));
  await writeWhole(files.runningAfter, JSON.stringify({ ...compared, namespaces: counts }));
  const { checked, counts: outcomes, examples } = compared;
  return {
    examined: checked,
    outcomes,
    missing: examples
      .filter(({ fate }) => fate === 'missing')
      .map(({ namespace, workflowId, runId }) => `${namespace}/${workflowId}/${runId}`),
    byType: largestCounts(counts),
    stuck: await stuckRuns(compared, files.stuck),
  };
}

async function stuckRuns({ takenAt, stuck, historiesUnread }: RunningComparison, file: string): Promise<StuckRuns> {
  if (stuck.length > 0) await writeWhole(file, `${stuck.map((run) => JSON.stringify(run)).join('\n')}\n`);
  // Overdue when the snapshot was taken: not the doing of what came after it.
  const wasOverdue = Date.parse(takenAt) - OVERDUE_MS;
  const before = ({ since }: StuckRun) => Date.parse(since) < wasOverdue;
  return {
    count: stuck.length,
    sinceBefore: stuck.filter(before).length,
    // Those of this hop first: the others were known before it.
    examples: [...stuck.filter((run) => !before(run)), ...stuck.filter(before)].slice(0, STUCK_EXAMPLES),
    historiesUnread,
    ...(stuck.length > 0 ? { file } : {}),
  };
}

/** The load keeps books of its own, so its namespaces are not counted among the workflows of others. */
function canaryNamespaces(place: HopPlace): readonly string[] {
  return place.canaryNamespaces ?? [];
}
