import type { CassandraStore } from '../../core/input/input.js';
import type { DatabaseReading } from '../../core/measuring/round.js';
import { withCassandra } from './cassandra-connection.js';
import { readBytes } from './cassandra-inspect.js';

/** The quickest counts: an answer also waits while this process reads pages of metrics, which is not the database's doing. */
const QUESTIONS = 3;

/** One look at a keyspace. Cassandra has no bound of connections that it would tell. @throws PreconditionError */
export async function measureCassandra(input: CassandraStore, timeoutMs: number): Promise<DatabaseReading> {
  return withCassandra(
    input,
    async (client) => {
      let queryMs = Infinity;
      for (let number = 0; number < QUESTIONS; number += 1) {
        const begin = performance.now();
        await client.ask('select key from system.local');
        queryMs = Math.min(queryMs, performance.now() - begin);
      }
      return { queryMs: Math.round(queryMs * 100) / 100, bytes: await readBytes(client) };
    },
    timeoutMs,
  );
}
