import type { CassandraStore } from '../../core/input/input.js';
import type { DatabaseReading } from '../../core/measuring/round.js';
import { openCassandra, type CassandraClient, type CassandraSession } from './cassandra-connection.js';
import { readBytes } from './cassandra-inspect.js';

/** The quickest counts: an answer also waits while this process reads pages of metrics, which is not the database's doing. */
const QUESTIONS = 3;

/**
 * Looks at a keyspace again and again, in one session: to open one takes longer than all that is asked. After a look that failed
 * the next one opens another: the secret, or all addresses, may have changed since.
 */
export class CassandraMeasure {
  #session: Promise<CassandraSession> | undefined;

  constructor(private readonly input: CassandraStore) {}

  /** One look. Cassandra has no bound of connections that it would tell. @throws PreconditionError */
  async look(timeoutMs: number): Promise<DatabaseReading> {
    const opening = (this.#session ??= openCassandra(this.input, timeoutMs));
    try {
      return await (await opening).use(measure);
    } catch (error) {
      await this.#giveUp(opening);
      throw error;
    }
  }

  async close(): Promise<void> {
    if (this.#session !== undefined) await this.#giveUp(this.#session);
  }

  /** Gives a session up; looks that are under way in it fail, as this one did. */
  async #giveUp(opening: Promise<CassandraSession>): Promise<void> {
    if (this.#session === opening) this.#session = undefined;
    const session = await opening.catch(() => undefined);
    await session?.close();
  }
}

async function measure(client: CassandraClient): Promise<DatabaseReading> {
  let queryMs = Infinity;
  for (let number = 0; number < QUESTIONS; number += 1) {
    const begin = performance.now();
    await client.ask('select key from system.local');
    queryMs = Math.min(queryMs, performance.now() - begin);
  }
  return { queryMs: Math.round(queryMs * 100) / 100, bytes: await readBytes(client) };
}
