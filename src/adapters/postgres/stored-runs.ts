import type pg from 'pg';
import type { StoredRun, VisibleRun } from '../../core/restoring/compare-runs.js';
import { statusOf } from '../store-parts/execution-state.js';
import { readPages } from './postgres-rows.js';

/** Ids are 16 bytes in the default store and text in visibility; as bytes and as text they have the same order. */
const STORED_RUNS = `
  select encode(e.namespace_id, 'hex')::uuid::text as namespace_id, encode(e.run_id, 'hex')::uuid::text as run_id,
         e.workflow_id, e.state, e.state_encoding, s.range_id
    from executions e join shards s on s.shard_id = e.shard_id
   order by e.namespace_id, e.run_id`;

interface RawRun extends pg.QueryResultRow {
  readonly namespace_id: string;
  readonly run_id: string;
  readonly workflow_id: string;
  readonly state: Uint8Array;
  readonly state_encoding: string;
  readonly range_id: string;
}

/** Every run that a default store has, by namespace id and run id; holds a page of them at a time. */
export async function* readStoredRuns(client: pg.Client): AsyncGenerator<StoredRun> {
  for await (const page of readPages<RawRun>(client, STORED_RUNS)) {
    for (const row of page) {
      yield {
        namespaceId: row.namespace_id,
        runId: row.run_id,
        workflowId: row.workflow_id,
        status: statusOf(row),
        rangeId: BigInt(row.range_id),
      };
    }
  }
}

interface RawRow extends pg.QueryResultRow {
  readonly namespace_id: string;
  readonly run_id: string;
  readonly status: number;
  readonly version: string | null;
}

/** Every row of a visibility store, in the same order. */
export async function* readVisibleRuns(client: pg.Client): AsyncGenerator<VisibleRun> {
  const question = `
    select rtrim(namespace_id) as namespace_id, rtrim(run_id) as run_id, status,
           ${(await hasVersion(client)) ? '_version' : 'null::bigint'} as version
      from executions_visibility order by rtrim(namespace_id) collate "C", rtrim(run_id) collate "C"`;
  for await (const page of readPages<RawRow>(client, question)) {
    for (const { namespace_id, run_id, status, version } of page) {
      yield { namespaceId: namespace_id, runId: run_id, status, version: version === null ? null : BigInt(version) };
    }
  }
}

/** Whether rows of this visibility store have the id of the task that wrote them; older schemas have not. */
async function hasVersion(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query(
    `select 1 from pg_attribute
      where attrelid = 'executions_visibility'::regclass and attname = '_version' and not attisdropped`,
  );
  return rows.length > 0;
}
