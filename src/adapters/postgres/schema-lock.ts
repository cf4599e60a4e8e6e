import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { SCHEMA_TOOL_NAME } from '../sql/sql-tool.js';
import type { Work } from '../store.js';

/** Key of the advisory lock, within one database: the first bytes of "temporal-upgrade", so that it can be recognised. */
const LOCK_KEY = BigInt(`0x${Buffer.from('temporal').toString('hex')}`).toString();
const POLL_MS = 1_000;
/** A schema tool is between two statements for milliseconds; one that is idle this long has lost its host. */
const ABANDONED_AFTER_SECONDS = 60;

/**
 * Takes the lock under which schemas of this database are changed, and waits while another holds it. The database gives it
 * back by itself when this connection ends, so nothing stays locked after a kill.
 */
export async function lockSchema(client: pg.Client, work: Work): Promise<void> {
  for (;;) {
    const { rows } = await client.query<{ locked: boolean }>('select pg_try_advisory_lock($1) as locked', [LOCK_KEY]);
    if (rows[0]?.locked === true) return;
    work.onProgress?.('waiting: another roll-out or an earlier attempt is changing the schema of this database');
    await sleep(POLL_MS, undefined, { signal: work.signal });
  }
}

/**
 * Waits until no schema tool of an earlier attempt is at work. PostgreSQL goes on with the statement of a client that was
 * killed, and a second tool beside it could deadlock with it or fail on its half-built index.
 */
export async function waitForEarlierTool(client: pg.Client, work: Work): Promise<void> {
  for (;;) {
    const { rows } = await client.query<{ pid: number; abandoned: boolean }>(
      `select pid, state = 'idle' and state_change < now() - make_interval(secs => $2) as abandoned
         from pg_stat_activity where application_name = $1 and datname = current_database()`,
      [SCHEMA_TOOL_NAME, ABANDONED_AFTER_SECONDS],
    );
    if (rows.length === 0) return;
    for (const { pid } of rows.filter(({ abandoned }) => abandoned)) {
      await client.query('select pg_terminate_backend($1)', [pid]);
    }
    work.onProgress?.(
      `waiting for the statement of an earlier attempt: ${(await describeTool(client)) ?? 'it is ending'}`,
    );
    await sleep(POLL_MS, undefined, { signal: work.signal });
  }
}

/** What the schema tool is doing in the database now, and since how many seconds; undefined when it is not there. */
export async function describeTool(client: pg.Client): Promise<string | undefined> {
  const { rows } = await client.query<{ query: string; seconds: number; waiting: string | null }>(
    `select left(regexp_replace(query, '\\s+', ' ', 'g'), 120) as query,
            extract(epoch from now() - query_start)::int as seconds,
            case when wait_event_type = 'Lock' then wait_event end as waiting
       from pg_stat_activity where application_name = $1 and datname = current_database() and state <> 'idle' limit 1`,
    [SCHEMA_TOOL_NAME],
  );
  const row = rows[0];
  if (row === undefined) return undefined;
  const lock = row.waiting === null ? '' : `, waiting for a lock (${row.waiting})`;
  return `${row.query} (${row.seconds} s${lock})`;
}
