import type pg from 'pg';
import type {
  CollationVersions,
  ConnectionCount,
  ConnectionUse,
  TableKinds,
  WriteMode,
} from '../../core/survey/store-survey.js';
import { IS_CLIENT, RESERVED } from './connection-count.js';

/** What the first question after connecting tells. */
export interface ServerFacts extends WriteMode {
  /** Such as `15.18`. */
  readonly version: string;
  readonly major: number;
  /** Namespace of the table schema_version as the server finds it, or where a table would be created. */
  readonly schema: string;
  readonly database: string;
  readonly tables: TableKinds;
  readonly hasQueueMessages: boolean;
}

/** What this database is. */
export async function readServerFacts(client: pg.Client): Promise<ServerFacts> {
  const { rows } = await client.query<ServerFacts & { readonly number: number }>(
    `select current_setting('server_version') as version, current_setting('server_version_num')::int as number,
            pg_is_in_recovery() as "inRecovery", current_setting('default_transaction_read_only')::bool as "readOnly",
            coalesce((select n.nspname from pg_class c join pg_namespace n on n.oid = c.relnamespace
                       where c.oid = to_regclass('schema_version')), current_schema(), '') as schema,
            current_database() as database,
            json_build_object(
              'default', to_regclass('shards') is not null and to_regclass('executions') is not null,
              'visibility', to_regclass('executions_visibility') is not null) as tables,
            to_regclass('queue_messages') is not null as "hasQueueMessages"`,
  );
  const row = rows[0];
  if (row === undefined) throw new Error('PostgreSQL answered without a row');
  const { number, ...facts } = row;
  // Debian writes "15.18 (Debian 15.18-0+deb12u1)". The number is 150018, since version 10.
  return { ...facts, version: row.version.split(' ')[0] ?? row.version, major: Math.floor(number / 10_000) };
}

/** Identity of the database server that initdb gave it: the same by whatever address it is reached, and of its standbys. */
export async function readSystemIdentifier(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ id: string }>('select system_identifier::text as id from pg_control_system()');
  return rows[0]?.id ?? '';
}

/** Size of the database in bytes. */
export async function readBytes(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ bytes: string }>('select pg_database_size(current_database()) as bytes');
  return Number(rows[0]?.bytes);
}

/** Limits of connections, and who has how many. */
export async function readConnections(client: pg.Client): Promise<ConnectionUse> {
  const { rows } = await client.query<{
    user: string;
    database: string;
    max: number;
    reserved: number;
    user_limit: number;
    database_limit: number;
    in_use: ConnectionCount[];
  }>(
    `select r.rolname as user, d.datname as database, current_setting('max_connections')::int as max,
            ${RESERVED} as reserved,
            r.rolconnlimit as user_limit, d.datconnlimit as database_limit,
            coalesce((select json_agg(row_to_json(used) order by used.count desc) from (
              select coalesce(usename, '') as user, coalesce(datname, '') as database,
                     coalesce(application_name, '') as application, count(*)::int as count
                from pg_stat_activity
               where ${IS_CLIENT} and pid <> pg_backend_pid()
               group by 1, 2, 3) as used), '[]') as in_use
       from pg_roles r, pg_database d where r.rolname = current_user and d.datname = current_database()`,
  );
  const row = rows[0];
  if (row === undefined) throw new Error('PostgreSQL does not say who is connected');
  const { user, database, max, reserved, in_use } = row;
  return {
    user,
    database,
    max,
    reserved,
    ...(row.user_limit < 0 ? {} : { userLimit: row.user_limit }),
    ...(row.database_limit < 0 ? {} : { databaseLimit: row.database_limit }),
    inUse: in_use,
  };
}

/** Versions of the sort order of the database's default collation. From PostgreSQL 15 on. */
export async function readCollation(client: pg.Client): Promise<CollationVersions> {
  const { rows } = await client.query<{ recorded: string | null; actual: string | null }>(
    `select datcollversion as recorded, pg_database_collation_actual_version(oid) as actual
       from pg_database where datname = current_database()`,
  );
  const { recorded, actual } = rows[0] ?? {};
  return { recorded: recorded ?? undefined, actual: actual ?? undefined };
}
