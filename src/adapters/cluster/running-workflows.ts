import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { forEachAtOnce } from '../at-once.js';
import { writeWhole } from '../write-whole.js';
import { LOCK_NAMESPACE } from './cluster-lock.js';
import type { Work } from '../store.js';
import type { RunningCount, StuckRun } from '../../core/running-work/running-counts.js';
import { countRunningByType } from './count-by-type.js';
import { readRun } from './read-run.js';
import { StuckRunFinder, type StuckRunsOptions } from './stuck-runs.js';
import { listNamespaces, listRunning, type RunStatus } from './target-cluster.js';
import type { TargetConnection } from './target-connection.js';

const PER_NAMESPACE = 2_000;
const AT_ONCE = 8;
const EXAMPLES = 5;
/** Nothing to look at. */
const WELL: readonly string[] = ['running', 'completed', 'continuedAsNew'];

const Header = z.object({
  takenAt: z.iso.datetime(),
  namespaces: z.array(
    z.object({ name: z.string(), running: z.int(), recorded: z.int(), retentionSeconds: z.number() }),
  ),
});
const Entry = z.object({ namespace: z.string(), workflowId: z.string(), runId: z.string() });
type Entry = z.infer<typeof Entry>;

export interface RunningSnapshot {
  readonly file: string;
  readonly takenAt: string;
  /** By namespace, how many visibility counts, and how many of them are in the file. */
  readonly namespaces: Readonly<Record<string, RunningCount & { readonly recorded: number }>>;
}

export interface SnapshotOptions {
  readonly file: string;
  /** Most workflows to record of each namespace. */
  readonly perNamespace?: number;
  /** Namespaces to leave out, such as the one of the load, which has its own ledger. */
  readonly exclude?: readonly string[];
}

/**
 * Writes which workflows are running into a file of JSON lines, a header first. `temporal-system` is left out: its
 * workflows are the server's own and the lock of the roll-out; the server starts and ends them as it sees fit.
 */
export async function snapshotRunning(
  target: TargetConnection,
  { file, perNamespace = PER_NAMESPACE, exclude = [] }: SnapshotOptions,
  work: Work = {},
): Promise<RunningSnapshot> {
  const takenAt = new Date().toISOString();
  const header: z.infer<typeof Header>['namespaces'] = [];
  const counts: Record<string, RunningCount & { readonly recorded: number }> = {};
  const entries: Entry[] = [];
  for (const { name, retentionSeconds } of await listNamespaces(target)) {
    if (name === LOCK_NAMESPACE || exclude.includes(name)) continue;
    work.signal?.throwIfAborted();
    work.onProgress?.(`listing running workflows of ${name}`);
    const runs = await listRunning(target, name, perNamespace);
    const counted = await countRunningByType(target, name);
    const running = Math.max(counted.running, runs.length);
    counts[name] = { running, types: counted.types, recorded: runs.length };
    header.push({ name, running, recorded: runs.length, retentionSeconds });
    entries.push(...runs.map((run) => ({ namespace: name, ...run })));
  }
  await mkdir(dirname(file), { recursive: true });
  const lines = [{ takenAt, namespaces: header }, ...entries].map((line) => JSON.stringify(line));
  await writeWhole(file, `${lines.join('\n')}\n`);
  return { file, takenAt, namespaces: counts };
}

/** Counts running workflows by namespace and type; `temporal-system` and those of `exclude` are left out. */
export async function countAllRunning(
  target: TargetConnection,
  exclude: readonly string[] = [],
): Promise<Record<string, RunningCount>> {
  const counts: Record<string, RunningCount> = {};
  for (const { name } of await listNamespaces(target)) {
    if (name !== LOCK_NAMESPACE && !exclude.includes(name)) counts[name] = await countRunningByType(target, name);
  }
  return counts;
}

/** `retained`: gone, but it may have closed and been deleted by the retention of its namespace since. */
export type RunFate = RunStatus | 'retained';

export interface RunningComparison {
  readonly takenAt: string;
  readonly checked: number;
  readonly counts: Readonly<Partial<Record<RunFate, number>>>;
  /** The first few of each fate that a look may be worth: not those that run, completed or continued as new. */
  readonly examples: readonly (Entry & { readonly fate: RunFate })[];
  /** All that should have gone on by now and did not. */
  readonly stuck: readonly StuckRun[];
  /** How many running ones have a history that is too long to look for timers in it. */
  readonly historiesUnread: number;
}

/**
 * Asks the history store what became of each workflow of a snapshot. `missing` means lost: it was running, and the target
 * has no such run, or no successor of one that continued as new, though its retention is not over.
 */
export async function compareRunning(
  target: TargetConnection,
  file: string,
  work: Work = {},
  options: StuckRunsOptions = {},
): Promise<RunningComparison> {
  const { takenAt, namespaces, entries } = await readSnapshot(file);
  const retention = new Map(namespaces.map(({ name, retentionSeconds }) => [name, retentionSeconds]));
  const mayBeDeleted = (namespace: string) =>
    Date.now() - Date.parse(takenAt) >= (retention.get(namespace) ?? 0) * 1_000;
  const fates: { readonly entry: Entry; readonly fate: RunFate }[] = [];
  const finder = new StuckRunFinder(target, options);
  await forEachAtOnce(entries, { atOnce: AT_ONCE, signal: work.signal }, async (entry) => {
    const status = await followRun(target, finder, entry);
    fates.push({ entry, fate: status === 'missing' && mayBeDeleted(entry.namespace) ? 'retained' : status });
    if (fates.length % 50 === 0) work.onProgress?.(`${fates.length} of ${entries.length} workflows looked up`);
  });
  const counts: Partial<Record<RunFate, number>> = {};
  const examples: (Entry & { readonly fate: RunFate })[] = [];
  for (const { entry, fate } of fates) {
    const count = (counts[fate] ?? 0) + 1;
    counts[fate] = count;
    if (count <= EXAMPLES && !WELL.includes(fate)) examples.push({ ...entry, fate });
  }
  const stuck = await finder.confirm(work);
  return { takenAt, checked: fates.length, counts, examples, stuck, historiesUnread: finder.historiesUnread };
}

/**
 * What became of a recorded run. Of one that continued as new its newest successor is asked for too, without a run id: what
 * it handed on may be lost, stuck or failed as well.
 */
async function followRun(
  target: TargetConnection,
  finder: StuckRunFinder,
  { namespace, workflowId, runId }: Entry,
): Promise<RunStatus> {
  const recorded = await readRun(target, namespace, { workflowId, runId });
  const continued = recorded.status === 'continuedAsNew';
  const run = continued ? await readRun(target, namespace, { workflowId, runId: '' }) : recorded;
  await finder.look(namespace, { workflowId, runId: run.runId }, run);
  return continued && WELL.includes(run.status) ? 'continuedAsNew' : run.status;
}

async function readSnapshot(file: string): Promise<z.infer<typeof Header> & { readonly entries: readonly Entry[] }> {
  const [first, ...rest] = (await readFile(file, 'utf8')).trimEnd().split('\n');
  if (first === undefined) throw new Error(`${file} is no snapshot of running workflows`);
  const header = Header.parse(JSON.parse(first));
  return { ...header, entries: rest.map((line) => Entry.parse(JSON.parse(line))) };
}
