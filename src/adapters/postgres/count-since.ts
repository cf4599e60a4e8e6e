import type { PostgresStore } from '../../core/input/input.js';
import type { CountedSince } from '../store-restore.js';
import { withPostgres } from './postgres-connection.js';
import { askLong, withoutTimeLimit } from './postgres-rows.js';

/** What was started, closed and running since `at` (ISO 8601), by namespace id, from the rows of visibility. */
export async function countVisibleSince(input: PostgresStore, at: string): Promise<CountedSince[]> {
  return withPostgres(input, async (client) => {
    await withoutTimeLimit(client);
    const rows = await askLong<{ namespace_id: string; started: string; closed: string; running: string }>(
      client,
      // Moments are stored as those of UTC, without saying so.
      `select rtrim(namespace_id) as namespace_id, count(*) filter (where start_time > t.at) as started,
              count(*) filter (where start_time <= t.at and close_time > t.at) as closed,
              count(*) filter (where start_time <= t.at and close_time is null) as running
         from executions_visibility cross join (select $1::timestamptz at time zone 'UTC' as at) t
        where start_time > t.at or close_time > t.at or close_time is null
        group by 1`,
      [at],
    );
    return rows.map(({ namespace_id, started, closed, running }) => ({
      namespaceId: namespace_id,
      started: Number(started),
      closed: Number(closed),
      running: Number(running),
    }));
  });
}

/** Names of all namespaces of a default store, by id. */
export async function readNamespaceNames(input: PostgresStore): Promise<ReadonlyMap<string, string>> {
  return withPostgres(input, async (client) => {
    const { rows } = await client.query<{ id: string; name: string }>(
      `select encode(id, 'hex')::uuid::text as id, name from namespaces`,
    );
    return new Map(rows.map(({ id, name }) => [id, name]));
  });
}
