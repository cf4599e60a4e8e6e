import type { ShardRow } from '../../core/cluster.js';
import { decodeShardRow } from '../store-parts/shard-row.js';
import type { CassandraClient } from './cassandra-connection.js';

/**
 * Where a shard's own row stands among those of its executions (common/persistence/cassandra/execution_store.go of the server):
 * the row type is 0, the ids and the task id are constants, the time is the first of 2000.
 */
const SHARD_ROW = `select shard_id, shard, shard_encoding, range_id from executions
  where shard_id = ? and type = 0 and namespace_id = 10000000-1000-f000-f000-000000000000
    and workflow_id = '20000000-1000-f000-f000-000000000000' and run_id = 30000000-1000-f000-f000-000000000000
    and visibility_ts = '2000-01-01T00:00:00.000Z' and task_id = -11`;
const AT_ONCE = 64;

interface Row {
  readonly shard_id: number;
  readonly shard: Buffer;
  readonly shard_encoding: string;
  readonly range_id: { toString(): string };
}

/** The row of every shard, in order. Each shard is a partition, so their ids are those of the partitions. */
export async function readCassandraShards(client: CassandraClient): Promise<ShardRow[]> {
  const ids = await readShardIds(client);
  const rows = await client.askEach<number, Row>(ids, SHARD_ROW, (id) => [id], AT_ONCE);
  return rows.flatMap((row) =>
    // A partition without that row has tasks or executions alone: nobody ever owned such a shard.
    row === undefined || row.shard === null
      ? []
      : decodeShardRow({
          shard_id: row.shard_id,
          range_id: String(row.range_id),
          data: row.shard,
          data_encoding: row.shard_encoding,
        }),
  );
}

/** Ids of all shards, in order. */
export async function readShardIds(client: CassandraClient): Promise<number[]> {
  const ids: number[] = [];
  for await (const { shard_id } of client.stream<{ shard_id: number }>('select distinct shard_id from executions'))
    ids.push(shard_id);
  return ids.sort((a, b) => a - b);
}
