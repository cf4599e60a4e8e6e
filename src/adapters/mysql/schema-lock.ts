import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Work } from '../store.js';
import type { MysqlClient } from './mysql-connection.js';

const POLL_MS = 1_000;
/** Between two statements of a tool there are milliseconds, in which it cannot be told from a server's connection. */
const LOOK_MS = 250;
const LOOKS_WITHOUT = 3;
/** Of names of locks, which hold for the whole server. */
const MOST_CHARACTERS = 64;

/** Statements of this database by which the schema tool changes it, but those of the connection that asks. */
const CHANGES = `from information_schema.processlist
  where db = database() and command = 'Query' and id <> connection_id()
    and info regexp '^[[:space:]]*((alter|create|drop|rename)[[:space:]]|(insert into|replace into|update)[[:space:]]+schema_)'`;

/**
 * Takes the lock under which schemas of this database are changed, and waits while another holds it. MySQL gives it back by
 * itself when this connection ends, so nothing stays locked after a kill.
 */
export async function lockSchema(client: MysqlClient, database: string, work: Work): Promise<void> {
  for (;;) {
    const [row] = await client.ask<{ locked: number | null }>('select get_lock(?, 0) as locked', [lockName(database)]);
    if (Number(row?.locked) === 1) return;
    work.onProgress?.('waiting: another roll-out or an earlier attempt is changing the schema of this database');
    await sleep(POLL_MS, undefined, { signal: work.signal });
  }
}

function lockName(database: string): string {
  const name = `temporal-upgrade ${database}`;
  if (name.length <= MOST_CHARACTERS) return name;
  return `temporal-upgrade ${createHash('sha256').update(database).digest('hex').slice(0, 40)}`;
}

/**
 * Waits until no statement of an earlier attempt changes a table. MySQL goes on with the statement of a client that was killed,
 * and a second tool beside it would find half of a version.
 */
export async function waitForEarlierTool(client: MysqlClient, work: Work): Promise<void> {
  for (let unseen = 0; unseen < LOOKS_WITHOUT;) {
    const text = await describeTool(client);
    unseen = text === undefined ? unseen + 1 : 0;
    if (text !== undefined) work.onProgress?.(`waiting for the statement of an earlier attempt: ${text}`);
    await sleep(text === undefined ? LOOK_MS : POLL_MS, undefined, { signal: work.signal });
  }
}

/** Which statement changes a table of the database now, and since how many seconds; undefined when there is none. */
export async function describeTool(client: MysqlClient): Promise<string | undefined> {
  const [row] = await client.ask<{ statement: string; seconds: number; state: string | null }>(
    `select left(info, 1000) as statement, time as seconds, state as state ${CHANGES} limit 1`,
  );
  if (row === undefined) return undefined;
  const state = row.state === null || row.state === '' ? '' : `, ${row.state}`;
  const statement = row.statement.replace(/\s+/g, ' ').trim().slice(0, 120);
  return `${statement} (${row.seconds} s${state})`;
}
