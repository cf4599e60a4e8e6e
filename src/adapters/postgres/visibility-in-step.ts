import type pg from 'pg';
import type { PostgresStore } from '../../core/input/input.js';
import type { StoredRun, VisibleRun } from '../../core/restoring/compare-runs.js';
import { bringInStep, RESET, type InStep } from '../store-parts/in-step.js';
import type { Work } from '../store.js';
import { withPostgres } from './postgres-connection.js';
import { askLong, withoutTimeLimit } from './postgres-rows.js';
import { readVisibleRuns } from './stored-runs.js';

/** See {@link bringInStep}. */
export async function bringVisibilityInStep(
  input: PostgresStore,
  list: { readonly runs: AsyncIterable<StoredRun>; readonly listFile: string },
  work: Work,
): Promise<InStep> {
  return withPostgres(input, (reader) =>
    withPostgres(input, async (writer) => {
      await withoutTimeLimit(reader);
      await withoutTimeLimit(writer);
      const reset = await resetColumns(writer);
      const visible = {
        rows: readVisibleRuns(reader),
        remove: (runs: readonly (StoredRun | VisibleRun)[]) => removeRows(writer, runs),
        correct: (runs: readonly StoredRun[]) => correctRows(writer, runs, reset),
      };
      return bringInStep(visible, list, work);
    }),
  );
}

async function removeRows(client: pg.Client, runs: readonly (StoredRun | VisibleRun)[]): Promise<number> {
  const rows = await askLong(
    client,
    `delete from executions_visibility v using ${KEYS} where ${SAME_KEYS} returning 1 as gone`,
    keysOf(runs),
  );
  return rows.length;
}

async function correctRows(client: pg.Client, runs: readonly StoredRun[], reset: string): Promise<number> {
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
