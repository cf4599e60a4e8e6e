import type { DatabaseReading } from '../../core/measuring/round.js';
import type { PostgresStore } from '../../core/input/input.js';
import { IS_CLIENT, RESERVED } from './connection-count.js';
import { withPostgres } from './postgres-connection.js';

/** The quickest counts: an answer also waits while this process reads pages of metrics, which is not the database's doing. */
const QUESTIONS = 3;

/** One look at a database, on a connection of its own: an upgrade may leave no room for one. @throws PreconditionError */
export async function measurePostgres(input: PostgresStore, timeoutMs: number): Promise<DatabaseReading> {
  return withPostgres(
    input,
    async (client) => {
      let queryMs = Infinity;
      for (let number = 0; number < QUESTIONS; number += 1) {
        const begin = performance.now();
        await client.query('select 1');
        queryMs = Math.min(queryMs, performance.now() - begin);
      }
      // Connections of all databases of the server: its limit is one for all.
      const { rows } = await client.query<{ bytes: string; used: string; allowed: number }>(
        `select pg_database_size(current_database()) as bytes,
                (select count(*) from pg_stat_activity where ${IS_CLIENT}) as used,
                current_setting('max_connections')::int - (${RESERVED}) as allowed`,
      );
      const row = rows[0];
      if (row === undefined) throw new Error('PostgreSQL answered without a row');
      const connections = { inUse: Number(row.used), allowed: row.allowed };
      return { queryMs: Math.round(queryMs * 100) / 100, bytes: Number(row.bytes), connections };
    },
    timeoutMs,
  );
}
