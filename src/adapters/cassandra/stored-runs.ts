import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { StoredRun } from '../../core/restoring/compare-runs.js';
import { statusOf } from '../store-parts/execution-state.js';
import type { CassandraClient } from './cassandra-connection.js';
import { readCassandraShards } from './read-shards.js';

/** Row type of an execution, and the run id under which a row tells which run of a workflow is the present one. */
const RUNS = `select namespace_id, workflow_id, run_id, execution_state, execution_state_encoding from executions
  where shard_id = ? and type = 1`;
const PRESENT_RUN = '30000000-0000-f000-f000-000000000001';

interface Row {
  readonly namespace_id: { toString(): string };
  readonly workflow_id: string;
  readonly run_id: { toString(): string };
  readonly execution_state: Buffer | null;
  readonly execution_state_encoding: string;
}

/**
 * Gives `use` every run of a default store in order of namespace id and run id. Cassandra has them by shard, so they are sorted in a
 * file of the worker first.
 */
export async function withStoredRuns<T>(
  client: CassandraClient,
  use: (runs: AsyncIterable<StoredRun>) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'temporal-upgrade-runs-'));
  const sorted = new DatabaseSync(join(folder, 'runs.sqlite'));
  try {
    // A file that is thrown away: nothing has to survive.
    sorted.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;');
    sorted.exec(
      'CREATE TABLE run (namespace TEXT, run TEXT, workflow TEXT, status INTEGER, range TEXT, PRIMARY KEY (namespace, run)) STRICT, WITHOUT ROWID',
    );
    const insert = sorted.prepare('INSERT INTO run VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING');
    for (const { shardId, rangeId } of await readCassandraShards(client)) {
      sorted.exec('BEGIN');
      for await (const row of client.stream<Row>(RUNS, [shardId])) {
        const runId = String(row.run_id);
        if (runId === PRESENT_RUN || row.execution_state === null) continue;
        const state = { state: row.execution_state, state_encoding: row.execution_state_encoding, run_id: runId };
        insert.run(String(row.namespace_id), runId, row.workflow_id, statusOf(state), rangeId);
      }
      sorted.exec('COMMIT');
    }
    return await use(inOrder(sorted));
  } finally {
    sorted.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function* inOrder(sorted: DatabaseSync): AsyncGenerator<StoredRun> {
  for (const row of sorted.prepare('SELECT * FROM run ORDER BY namespace, run').iterate()) {
    yield await Promise.resolve({
      namespaceId: String(row['namespace']),
      runId: String(row['run']),
      workflowId: String(row['workflow']),
      status: Number(row['status']),
      rangeId: BigInt(String(row['range'])),
    });
  }
}
