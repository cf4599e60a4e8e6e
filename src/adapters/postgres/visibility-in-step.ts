import { appendFile } from 'node:fs/promises';
import type pg from 'pg';
import type { PostgresStore } from '../../core/input/input.js';
import {
  differencesBetween,
  type Difference,
  type StoredRun,
  type VisibleRun,
} from '../../core/restoring/compare-runs.js';
import type { Work } from '../store.js';
import { withPostgres } from './postgres-connection.js';
import { askLong, withoutTimeLimit } from './postgres-rows.js';
import { readVisibleRuns } from './stored-runs.js';

const AT_ONCE = 1_000;

export interface InStep {
  readonly removed: number;
  readonly corrected: number;
}

interface Batch {
  readonly remove: (StoredRun | VisibleRun)[];
  readonly correct: StoredRun[];
  readonly write: StoredRun[];
}

/**
 * Makes the rows of a visibility database show what `runs`, those of the default store, say. It was dumped a moment later, so it
 * may know of starts and closes that the default store does not. Run again, it finds what is still to be done.
 */
export async function bringVisibilityInStep(
  input: PostgresStore,
  { runs, listFile }: { readonly runs: AsyncIterable<StoredRun>; readonly listFile: string },
  work: Work,
): Promise<InStep> {
  return withPostgres(input, (reader) =>
    withPostgres(input, async (writer) => {
      await withoutTimeLimit(reader);
      await withoutTimeLimit(writer);
      const reset = await resetColumns(writer);
      const done = { removed: 0, corrected: 0 };
      let batch: Batch = { remove: [], correct: [], write: [] };
      const flush = async () => {
        await appendToList(listFile, [...batch.correct, ...batch.write]);
        done.removed += await removeRows(writer, batch.remove);
        done.corrected += await correctRows(writer, batch.correct, reset);
        batch = { remove: [], correct: [], write: [] };
        work.onProgress?.(`visibility: ${done.removed} rows removed, ${done.corrected} corrected`);
      };
      for await (const { what, run } of differencesBetween(runs, readVisibleRuns(reader))) {
        work.signal?.throwIfAborted();
        add(batch, what, run);
        if (batch.remove.length + batch.correct.length + batch.write.length >= AT_ONCE) await flush();
      }
      await flush();
      return done;
    }),
  );
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

async function removeRows(client: pg.Client, runs: readonly (StoredRun | VisibleRun)[]): Promise<number> {
  if (runs.length === 0) return 0;
  const rows = await askLong(
    client,
    `delete from executions_visibility v using ${KEYS} where ${SAME_KEYS} returning 1 as gone`,
    keysOf(runs),
  );
  return rows.length;
}

/** What only a closed run has, and the id of the task that wrote the row: 0, so that whatever the servers write is newer. */
const RESET: Readonly<Record<string, string>> = {
  close_time: 'null',
  history_length: 'null',
  history_size_bytes: 'null',
  execution_duration: 'null',
  state_transition_count: 'null',
  _version: '0',
};

/** Makes rows tell that their runs are as the default store says; the rest of them is written anew by the servers. */
async function correctRows(client: pg.Client, runs: readonly StoredRun[], reset: string): Promise<number> {
  if (runs.length === 0) return 0;
  const rows = await askLong(
    client,
    `update executions_visibility v set status = k.status${reset}
       from unnest($1::text[], $2::text[], $3::int[]) as k (namespace_id, run_id, status)
      where ${SAME_KEYS} returning 1 as changed`,
    [...keysOf(runs), runs.map(({ status }) => status)],
  );
  return rows.length;
}

/** The columns of {@link RESET} that this schema has. */
async function resetColumns(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ column: string }>(
    `select attname as column from pg_attribute
      where attrelid = 'executions_visibility'::regclass and attname = any ($1) and not attisdropped`,
    [Object.keys(RESET)],
  );
  return rows.map(({ column }) => `, ${column} = ${RESET[column] ?? 'null'}`).join('');
}

const KEYS = 'unnest($1::text[], $2::text[]) as k (namespace_id, run_id)';
/** As the columns are: of a fixed width, filled up with blanks that do not count. */
const SAME_KEYS = 'v.namespace_id = k.namespace_id::char(64) and v.run_id = k.run_id::char(64)';

function keysOf(runs: readonly { readonly namespaceId: string; readonly runId: string }[]): [string[], string[]] {
  return [runs.map(({ namespaceId }) => namespaceId), runs.map(({ runId }) => runId)];
}
