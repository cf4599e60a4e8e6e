import type { CassandraStore } from '../../core/input/input.js';
import type { DatabaseReading } from '../../core/measuring/round.js';
import { openCassandra, type CassandraSession } from './cassandra-connection.js';
import { readBytes } from './cassandra-inspect.js';

/** The quickest counts: an answer also waits while this process reads pages of metrics, which is not the database's doing. */
const QUESTIONS = 3;

/**
 * Looks at a keyspace again and again, in one session: to open one takes longer than all that is asked. The driver finds nodes
 * that were away again by itself.
 */
export class CassandraMeasure {
  #session: Promise<CassandraSession> | undefined;

  constructor(private readonly input: CassandraStore) {}

  /** One look. Cassandra has no bound of connections that it would tell. @throws PreconditionError */
  async look(timeoutMs: number): Promise<DatabaseReading> {
    const opening = (this.#session ??= openCassandra(this.input, timeoutMs));
    let session: CassandraSession;
    try {
      session = await opening;
    } catch (error) {
      if (this.#session === opening) this.#session = undefined; // the next look tries again
      throw error;
    }
    return session.use(async (client) => {
      let queryMs = Infinity;
      for (let number = 0; number < QUESTIONS; number += 1) {
        const begin = performance.now();
        await client.ask('select key from system.local');
        queryMs = Math.min(queryMs, performance.now() - begin);
      }
      return { queryMs: Math.round(queryMs * 100) / 100, bytes: await readBytes(client) };
    });
  }

  async close(): Promise<void> {
    const session = await this.#session?.catch(() => undefined);
    this.#session = undefined;
    await session?.close();
  }
}
