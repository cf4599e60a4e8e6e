import type { MysqlStore } from '../../core/input/input.js';
import type { StoredRun, VisibleRun } from '../../core/restoring/compare-runs.js';
import { bringInStep, RESET, type InStep } from '../store-parts/in-step.js';
import type { Work } from '../store.js';
import { withMysql, type MysqlClient } from './mysql-connection.js';
import { tablesOf } from './mysql-inspect.js';
import { columnsOf, readVisibleRuns } from './stored-runs.js';

/** Search attributes of the operator's own stand in a table of their own, a row for each run. */
const CUSTOM = 'custom_search_attributes';

/** See {@link bringInStep}. */
export async function bringVisibilityInStep(
  input: MysqlStore,
  list: { readonly runs: AsyncIterable<StoredRun>; readonly listFile: string },
  work: Work,
): Promise<InStep> {
  return withMysql(input, (reader) =>
    withMysql(input, async (writer) => {
      const reset = [...(await columnsOf(writer, Object.keys(RESET)))];
      const tables = ['executions_visibility', ...(await tablesOf(writer, [CUSTOM]))];
      const visible = {
        rows: readVisibleRuns(reader),
        remove: (runs: readonly (StoredRun | VisibleRun)[]) => removeRows(writer, runs, tables),
        correct: (runs: readonly StoredRun[]) => correctRows(writer, runs, reset),
      };
      return bringInStep(visible, list, work);
    }),
  );
}

async function removeRows(
  client: MysqlClient,
  runs: readonly (StoredRun | VisibleRun)[],
  tables: readonly string[],
): Promise<number> {
  let removed = 0;
  // The row of visibility last: a try that was killed in between finds the run again.
  for (const table of tables.toReversed())
    removed = await client.act(`delete from ${client.name(table)} where (namespace_id, run_id) in (?)`, [keysOf(runs)]);
  return removed;
}

async function correctRows(client: MysqlClient, runs: readonly StoredRun[], reset: readonly string[]): Promise<number> {
  const more = reset.map((column) => `, ${client.name(column)} = ${RESET[column] ?? 'null'}`).join('');
  let corrected = 0;
  for (const status of new Set(runs.map((run) => run.status))) {
    const own = runs.filter((run) => run.status === status);
    corrected += await client.act(
      `update executions_visibility set status = ?${more} where (namespace_id, run_id) in (?)`,
      [status, keysOf(own)],
    );
  }
  return corrected;
}

function keysOf(runs: readonly { readonly namespaceId: string; readonly runId: string }[]): [string, string][] {
  return runs.map(({ namespaceId, runId }) => [namespaceId, runId]);
}
