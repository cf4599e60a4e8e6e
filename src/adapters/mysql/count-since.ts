import type { MysqlStore } from '../../core/input/input.js';
import type { CountedSince } from '../store-restore.js';
import { withMysql } from './mysql-connection.js';
import { uuidOf } from './stored-runs.js';

/** What was started, closed and running since `at` (ISO 8601), by namespace id, from the rows of visibility. */
export async function countVisibleSince(input: MysqlStore, at: string): Promise<CountedSince[]> {
  return withMysql(input, async (client) => {
    // Moments are stored as those of UTC.
    const moment = new Date(at).toISOString().replace('T', ' ').replace('Z', '');
    const rows = await client.askLong<{ namespace_id: string; started: string; closed: string; running: string }>(
      `select namespace_id, sum(start_time > ?) as started, sum(start_time <= ? and close_time > ?) as closed,
              sum(start_time <= ? and close_time is null) as running
         from executions_visibility where start_time > ? or close_time > ? or close_time is null
        group by namespace_id`,
      Array<string>(6).fill(moment),
    );
    return rows.map(({ namespace_id, started, closed, running }) => ({
      namespaceId: namespace_id,
      started: Number(started),
      closed: Number(closed ?? 0),
      running: Number(running),
    }));
  });
}

/** Names of all namespaces of a default store, by id. */
export async function readNamespaceNames(input: MysqlStore): Promise<ReadonlyMap<string, string>> {
  return withMysql(input, async (client) => {
    const rows = await client.ask<{ id: string; name: string }>('select lower(hex(id)) as id, name from namespaces');
    return new Map(rows.map(({ id, name }) => [uuidOf(id), name]));
  });
}
