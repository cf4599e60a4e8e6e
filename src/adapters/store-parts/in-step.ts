import { appendFile } from 'node:fs/promises';
import {
  differencesBetween,
  type Difference,
  type StoredRun,
  type VisibleRun,
} from '../../core/restoring/compare-runs.js';
import type { Work } from '../store.js';

const AT_ONCE = 1_000;

export interface InStep {
  readonly removed: number;
  readonly corrected: number;
}

/** Rows of a visibility store, and what changes them; each gives how many rows it changed. */
export interface VisibleRows {
  readonly rows: AsyncIterable<VisibleRun>;
  remove(runs: readonly (StoredRun | VisibleRun)[]): Promise<number>;
  /** Makes them tell that their runs are as the default store says; the rest of them is written anew by the servers. */
  correct(runs: readonly StoredRun[]): Promise<number>;
}

/** What only a closed run has, and the id of the task that wrote the row: 0, so that whatever the servers write is newer. */
export const RESET: Readonly<Record<string, string>> = {
  close_time: 'null',
  history_length: 'null',
  history_size_bytes: 'null',
  execution_duration: 'null',
  state_transition_count: 'null',
  _version: '0',
};

interface Batch {
  readonly remove: (StoredRun | VisibleRun)[];
  readonly correct: StoredRun[];
  readonly write: StoredRun[];
}

/**
 * Makes the rows of a visibility database show what `runs`, those of the default store, say. It was dumped a moment later, so it
 * may know of starts and closes that the default store does not. Run again, it finds what is still to be done.
 */
export async function bringInStep(
  visible: VisibleRows,
  { runs, listFile }: { readonly runs: AsyncIterable<StoredRun>; readonly listFile: string },
  work: Work,
): Promise<InStep> {
  const done = { removed: 0, corrected: 0 };
  let batch: Batch = { remove: [], correct: [], write: [] };
  const flush = async () => {
    await appendToList(listFile, [...batch.correct, ...batch.write]);
    if (batch.remove.length > 0) done.removed += await visible.remove(batch.remove);
    if (batch.correct.length > 0) done.corrected += await visible.correct(batch.correct);
    batch = { remove: [], correct: [], write: [] };
    work.onProgress?.(`visibility: ${done.removed} rows removed, ${done.corrected} corrected`);
  };
  for await (const { what, run } of differencesBetween(runs, visible.rows)) {
    work.signal?.throwIfAborted();
    add(batch, what, run);
    if (batch.remove.length + batch.correct.length + batch.write.length >= AT_ONCE) await flush();
  }
  await flush();
  return done;
}

function add(batch: Batch, what: Difference, run: StoredRun | VisibleRun): void {
  if (what === 'remove') batch.remove.push(run);
  else if ('workflowId' in run) batch[what].push(run);
}

/** Before the rows are changed: afterwards they would not be found again. A line of a killed try may be cut off. */
async function appendToList(file: string, runs: readonly StoredRun[]): Promise<void> {
  if (runs.length === 0) return;
  const lines = runs.map(({ namespaceId, workflowId, runId }) => JSON.stringify({ namespaceId, workflowId, runId }));
  await appendFile(file, `\n${lines.join('\n')}\n`, { mode: 0o600, flush: true });
}
