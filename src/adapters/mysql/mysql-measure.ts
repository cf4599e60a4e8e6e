import type { DatabaseReading } from '../../core/measuring/round.js';
import type { MysqlStore } from '../../core/input/input.js';
import { withMysql } from './mysql-connection.js';
import { readBytes } from './mysql-inspect.js';

/** The quickest counts: an answer also waits while this process reads pages of metrics, which is not the database's doing. */
const QUESTIONS = 3;

/** One look at a database, on a connection of its own: an upgrade may leave no room for one. @throws PreconditionError */
export async function measureMysql(input: MysqlStore, timeoutMs: number): Promise<DatabaseReading> {
  return withMysql(
    input,
    async (client) => {
      let queryMs = Infinity;
      for (let number = 0; number < QUESTIONS; number += 1) {
        const begin = performance.now();
        await client.ask('select 1');
        queryMs = Math.min(queryMs, performance.now() - begin);
      }
      // Connections of all databases of the server: its limit is one for all. Everybody may read this counter.
      const [used] = await client.ask<{ Value: string }>(`show global status like 'Threads_connected'`);
      const [limit] = await client.ask<{ allowed: string }>('select @@max_connections as allowed');
      return {
        queryMs: Math.round(queryMs * 100) / 100,
        bytes: await readBytes(client),
        connections: { inUse: Number(used?.Value ?? 0), allowed: Number(limit?.allowed ?? 0) },
      };
    },
    timeoutMs,
  );
}
