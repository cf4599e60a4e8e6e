import { join } from 'node:path';
import { withCassandra } from '../adapters/cassandra/cassandra-connection.js';
import { withMysql } from '../adapters/mysql/mysql-connection.js';
import { withPostgres } from '../adapters/postgres/postgres-connection.js';
import { createStore } from '../adapters/stores.js';
import type { ShardRow } from '../core/cluster.js';
import type { StoreInput } from '../core/input/input.js';
import { startStores } from '../lab/start-database.js';
import type { ToolResolver } from '../adapters/tools/tools.js';

/** A row of a shard, as it is to be written. */
export interface WrittenShard {
  readonly shardId: number;
  readonly rangeId: number;
  readonly blob: Buffer;
}

/** Shards that the bench writes itself, and reads as a settle does. */
export interface ShardSource {
  readonly product: string;
  write(rows: readonly WrittenShard[]): Promise<void>;
  readShards(): Promise<ShardRow[]>;
  readonly stop: () => Promise<void>;
}

export type ShardStore = 'postgres' | 'mysql' | 'cassandra';
const PRODUCTS: Readonly<Record<ShardStore, string>> = {
  postgres: 'PostgreSQL',
  mysql: 'MySQL',
  cassandra: 'Cassandra',
};
const DATABASE = 'shards';
const ROWS_AT_ONCE = 2_000;
const STATEMENTS_AT_ONCE = 64;

/** Starts a database of its own below `directory`, with the tables of `version`. */
export async function startShardTable(
  store: ShardStore,
  { directory, version, tools }: { readonly directory: string; readonly version: string; readonly tools: ToolResolver },
): Promise<ShardSource> {
  const { stores, stop } = await startStores(store, join(directory, 'stores'));
  try {
    await stores.default.setUp('default', DATABASE, { version, tools });
    const input = stores.default.inputOf(DATABASE);
    const opened = createStore(input, 'default', tools);
    return {
      product: PRODUCTS[store],
      write: (rows) => writeRows(input, rows),
      readShards: () => opened.readShards(),
      stop: async () => {
        await opened.close();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function writeRows(input: StoreInput, rows: readonly WrittenShard[]): Promise<void> {
  switch (input.type) {
    case 'postgresql':
      return withPostgres(input, async (client) => {
        await client.query('truncate shards');
        await client.query(
          `insert into shards (shard_id, range_id, data, data_encoding)
           select shard_id, range_id, data, 'Proto3'
             from unnest($1::int[], $2::bigint[], $3::bytea[]) as written (shard_id, range_id, data)`,
          [rows.map(({ shardId }) => shardId), rows.map(({ rangeId }) => rangeId), rows.map(({ blob }) => blob)],
        );
      });
    case 'mysql':
      return withMysql(input, async (client) => {
        await client.act('delete from shards');
        for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
          const values = rows
            .slice(from, from + ROWS_AT_ONCE)
            .map((row) => [row.shardId, row.rangeId, row.blob, 'Proto3']);
          await client.act('insert into shards (shard_id, range_id, data, data_encoding) values ?', [values]);
        }
      });
    case 'cassandra':
      return withCassandra(input, async (client) => {
        await client.askEach(
          rows,
          `insert into executions (shard_id, type, namespace_id, workflow_id, run_id, visibility_ts, task_id, shard, shard_encoding, range_id)
           values (?, 0, 10000000-1000-f000-f000-000000000000, '20000000-1000-f000-f000-000000000000',
                   30000000-1000-f000-f000-000000000000, '2000-01-01T00:00:00.000Z', -11, ?, 'Proto3', ?)`,
          ({ shardId, rangeId, blob }) => [shardId, blob, String(rangeId)],
          STATEMENTS_AT_ONCE,
        );
      });
    case 'elasticsearch':
      throw new TypeError('a search server has no shards of a cluster');
  }
}
