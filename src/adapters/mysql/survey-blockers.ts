import type { Blockers, OpenTransaction } from '../../core/survey/store-survey.js';
import { withoutValues } from '../sql/query-text.js';
import type { MysqlClient } from './mysql-connection.js';

/** A Temporal server's own transactions last milliseconds. */
const LONG_TRANSACTION_SECONDS = 5;

interface Row {
  readonly id: string;
  readonly user: string;
  readonly host: string | null;
  readonly state: string | null;
  readonly age: string;
  readonly query: string | null;
  readonly since: string | null;
}

/**
 * Transactions that are older than those of a Temporal server, oldest first: a change of a table waits for everyone who has
 * touched it within a transaction, and makes all others wait behind it. Seeing them takes the right PROCESS.
 */
export async function readBlockers(client: MysqlClient): Promise<Blockers> {
  const rows = await client.ask<Row>(
    `select t.trx_mysql_thread_id as id, p.user as user, p.host as host, p.command as state,
            timestampdiff(second, t.trx_started, now()) as age, coalesce(t.trx_query, p.info, '') as query,
            date_format(convert_tz(date_sub(now(), interval p.time second), @@session.time_zone, '+00:00'),
                        '%Y-%m-%dT%H:%i:%s.000Z') as since
       from information_schema.innodb_trx t join information_schema.processlist p on p.id = t.trx_mysql_thread_id
      where t.trx_mysql_thread_id <> connection_id() and (p.db = database() or p.db is null)
        and t.trx_started < date_sub(now(), interval ${LONG_TRANSACTION_SECONDS} second)
      order by t.trx_started`,
  );
  const locks = await readLocks(client);
  const transactions = rows.map((row) => ({
    ...openTransaction(row),
    locks: locks.filter(({ id }) => String(id) === String(row.id)).map(({ table, mode }) => ({ table, mode })),
  }));
  return { transactions, hidden: 0 };
}

/** Which tables each session has touched in its transaction; nothing where performance_schema is off or closed to this user. */
async function readLocks(client: MysqlClient): Promise<{ id: string; table: string; mode: string }[]> {
  return client
    .ask<{ id: string; table: string; mode: string }>(
      `select distinct t.processlist_id as id, m.object_name as \`table\`, m.lock_type as mode
         from performance_schema.metadata_locks m join performance_schema.threads t on t.thread_id = m.owner_thread_id
        where m.object_type = 'TABLE' and m.object_schema = database() and m.lock_status = 'GRANTED'`,
    )
    .catch(() => []);
}

function openTransaction({ id, user, host, state, age, query, since }: Row): Omit<OpenTransaction, 'locks'> {
  return {
    who: `session ${id}`,
    user,
    application: host ?? '',
    state: state === 'Sleep' ? 'idle in transaction' : (state ?? ''),
    ageMs: Number(age) * 1_000,
    query: withoutValues(query ?? ''),
    ...(since === null ? {} : { queryStartedAt: since }),
    end: `kill ${id};`,
  };
}
