import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, PreconditionError } from '../../core/errors.js';
import type { Work } from '../store.js';
import type { CassandraClient } from './cassandra-connection.js';
import { readNodes } from './cassandra-inspect.js';

const POLL_MS = 1_000;
/** A row that nobody renews any more is gone after this. */
const HELD_SECONDS = 60;
const RENEW_MS = 15_000;
/** A statement by which tables change takes less. */
const STILL_MS = 2_000;

/**
 * Name of the row of `schema_version` that is the lock. Cassandra has none of its own; servers and tools read the row of their
 * keyspace alone, so that one of another name changes nothing for them, and no table has to be made for it.
 */
const LOCK = 'temporal-upgrade holds the schema';

/** Runs `work` while no other roll-out changes the schema of the keyspace; waits while another does. */
export async function withSchemaLock<T>(client: CassandraClient, work: Work, act: () => Promise<T>): Promise<T> {
  const holder = randomUUID();
  while (!(await take(client, holder))) {
    work.onProgress?.('waiting: another roll-out or an earlier attempt is changing the schema of this keyspace');
    await sleep(POLL_MS, undefined, { signal: work.signal });
  }
  const timer = setInterval(() => {
    renew(client, holder).catch((error: unknown) =>
      work.onProgress?.(`the lock of the schema was not renewed: ${messageOf(error)}`),
    );
  }, RENEW_MS);
  try {
    return await act();
  } finally {
    clearInterval(timer);
    await client
      .actIf('delete from schema_version where keyspace_name = ? if curr_version = ?', [LOCK, holder])
      .catch(() => undefined); // it goes by itself
  }
}

function take(client: CassandraClient, holder: string): Promise<boolean> {
  return client.actIf(
    `insert into schema_version (keyspace_name, creation_time, curr_version, min_compatible_version)
     values (?, toTimestamp(now()), ?, '') if not exists using ttl ${HELD_SECONDS}`,
    [LOCK, holder],
  );
}

async function renew(client: CassandraClient, holder: string): Promise<void> {
  const held = await client.actIf(
    `update schema_version using ttl ${HELD_SECONDS} set curr_version = ?, min_compatible_version = '' where keyspace_name = ? if curr_version = ?`,
    [holder, LOCK, holder],
  );
  if (!held) throw new PreconditionError('somebody else holds it');
}

/**
 * Waits until all nodes have one schema and it has not changed for two seconds: a tool that a killed worker left behind goes on, and
 * cannot be told from a server by its session.
 */
export async function waitForStillSchema(client: CassandraClient, work: Work): Promise<void> {
  for (let before = await schemaOf(client); ;) {
    await sleep(STILL_MS, undefined, { signal: work.signal });
    const now = await schemaOf(client);
    if (now === before && now !== undefined) return;
    work.onProgress?.(
      now === undefined
        ? 'waiting: the nodes do not agree on the schema yet'
        : 'waiting: the schema is being changed by an earlier attempt, or by somebody else',
    );
    before = now;
  }
}

/** What the nodes that are up agree on; undefined while they do not. */
async function schemaOf(client: CassandraClient): Promise<string | undefined> {
  const schemas = new Set((await readNodes(client)).filter(({ up }) => up).map(({ schema }) => schema));
  const [only] = schemas;
  const [row] = await client.ask<{ curr_version: string }>(
    'select curr_version from schema_version where keyspace_name = ?',
    [client.keyspace],
  );
  return schemas.size === 1 ? `${only ?? ''} ${row?.curr_version ?? ''}` : undefined;
}
