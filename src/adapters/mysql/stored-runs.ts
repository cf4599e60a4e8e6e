import type { StoredRun, VisibleRun } from '../../core/restoring/compare-runs.js';
import { statusOf } from '../store-parts/execution-state.js';
import type { MysqlClient } from './mysql-connection.js';

/** Ids are 16 bytes in the default store and text in visibility; as bytes and as text they have the same order. */
const STORED_RUNS = `
  select lower(hex(e.namespace_id)) as namespace_id, lower(hex(e.run_id)) as run_id, e.workflow_id, e.state, e.state_encoding,
         s.range_id
    from executions e join shards s on s.shard_id = e.shard_id
   order by e.namespace_id, e.run_id`;

interface RawRun {
  readonly namespace_id: string;
  readonly run_id: string;
  readonly workflow_id: string;
  readonly state: Uint8Array;
  readonly state_encoding: string;
  readonly range_id: string | number;
}

/** Every run that a default store has, by namespace id and run id; holds a few of them at a time. */
export async function* readStoredRuns(client: MysqlClient): AsyncGenerator<StoredRun> {
  for await (const row of client.stream<RawRun>(STORED_RUNS)) {
    yield {
      namespaceId: uuidOf(row.namespace_id),
      runId: uuidOf(row.run_id),
      workflowId: row.workflow_id,
      status: statusOf(row),
      rangeId: BigInt(row.range_id),
    };
  }
}

/** 32 digits with the dashes of an id. */
export function uuidOf(hex: string): string {
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

interface RawRow {
  readonly namespace_id: string;
  readonly run_id: string;
  readonly status: number | string;
  readonly version: string | number | null;
}

/** Every row of a visibility store, in the same order. */
export async function* readVisibleRuns(client: MysqlClient): AsyncGenerator<VisibleRun> {
  const version = (await columnsOf(client, ['_version'])).has('_version') ? '_version' : 'null';
  const question = `select namespace_id, run_id, status, ${version} as version from executions_visibility
    order by cast(namespace_id as binary), cast(run_id as binary)`;
  for await (const row of client.stream<RawRow>(question)) {
    yield {
      namespaceId: row.namespace_id,
      runId: row.run_id,
      status: Number(row.status),
      version: row.version === null ? null : BigInt(row.version),
    };
  }
}

/** Which of some columns the rows of this visibility store have: older schemas lack some. */
export async function columnsOf(client: MysqlClient, names: readonly string[]): Promise<Set<string>> {
  const rows = await client.ask<{ name: string }>(
    `select column_name as name from information_schema.columns
      where table_schema = database() and table_name = 'executions_visibility' and column_name in (?)`,
    [names],
  );
  return new Set(rows.map(({ name }) => name));
}
