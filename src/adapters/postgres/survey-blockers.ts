import type pg from 'pg';
import type { Blockers, OpenTransaction } from '../../core/survey/store-survey.js';
import { withoutValues } from '../sql/query-text.js';

/** A Temporal server's own transactions last milliseconds. */
export const LONG_TRANSACTION_MS = 5_000;

/** Locks on tables of one PostgreSQL schema, of the owner that `%` names, as JSON. */
const LOCKS = `coalesce((select json_agg(distinct jsonb_build_object('table', c.relname, 'mode', l.mode))
  from pg_locks l join pg_class c on c.oid = l.relation
 where l.granted and l.database = (select oid from pg_database where datname = current_database())
   and c.relnamespace = $1::text::regnamespace and c.relkind in ('r', 'p') and %), '[]')`;

interface Row {
  readonly who: string;
  readonly user: string;
  readonly application: string;
  readonly state: string;
  readonly age: number;
  readonly query_start: Date | null;
  readonly query: string;
  readonly locks: OpenTransaction['locks'];
  readonly end: string;
}

/**
 * Transactions in this database that are older than {@link LONG_TRANSACTION_MS}, oldest first: a change of a table waits for
 * those that hold a lock on it, and makes all others wait behind it; an index that is built concurrently waits for all.
 */
export async function readBlockers(client: pg.Client, schema: string): Promise<Blockers> {
  const seconds = LONG_TRANSACTION_MS / 1_000;
  const { rows: sessions } = await client.query<Row>(
    // Autovacuum gives way by itself, but for the one that keeps transaction numbers from running out.
    `select 'session ' || a.pid as who, coalesce(a.usename, '') as user, coalesce(a.application_name, '') as application,
            coalesce(a.state, a.backend_type) as state, a.query_start, a.query,
            extract(epoch from clock_timestamp() - a.xact_start)::float8 as age,
            ${LOCKS.replace('%', 'l.pid = a.pid')} as locks, 'select pg_terminate_backend(' || a.pid || ');' as end
       from pg_stat_activity a
      where a.datname = current_database() and a.pid <> pg_backend_pid()
        and a.xact_start < clock_timestamp() - make_interval(secs => $2)
        and (a.backend_type = 'client backend' or a.query like '%to prevent wraparound%')
      order by a.xact_start`,
    [quoteSchema(schema), seconds],
  );
  const { rows: prepared } = await client.query<Row>(
    `select format('prepared transaction %L', p.gid) as who, p.owner as user, '' as application, 'prepared' as state,
            null as query_start, '' as query, extract(epoch from clock_timestamp() - p.prepared)::float8 as age,
            ${LOCKS.replace('%', `l.virtualtransaction = '-1/' || p.transaction`)} as locks,
            format('rollback prepared %L;', p.gid) as end
       from pg_prepared_xacts p
      where p.database = current_database() and p.prepared < clock_timestamp() - make_interval(secs => $2)
      order by p.prepared`,
    [quoteSchema(schema), seconds],
  );
  const { rows: hidden } = await client.query<{ count: number }>(
    `select count(distinct l.pid)::int as count
       from pg_locks l join pg_class c on c.oid = l.relation join pg_stat_activity a on a.pid = l.pid
      where l.database = (select oid from pg_database where datname = current_database()) and l.granted
        and c.relnamespace = $1::text::regnamespace and c.relkind in ('r', 'p')
        and a.xact_start is null and a.backend_type is null`,
    [quoteSchema(schema)],
  );
  return { transactions: [...sessions, ...prepared].map(openTransaction), hidden: hidden[0]?.count ?? 0 };
}

function openTransaction({ age, query_start, query, ...row }: Row): OpenTransaction {
  return {
    ...row,
    ageMs: Math.round(age * 1_000),
    query: withoutValues(query),
    ...(query_start === null ? {} : { queryStartedAt: query_start.toISOString() }),
  };
}

function quoteSchema(schema: string): string {
  return `"${schema.replaceAll('"', '""')}"`;
}
