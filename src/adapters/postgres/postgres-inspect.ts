import type pg from 'pg';
import { PreconditionError } from '../../core/errors.js';
import type { PostgresStore } from '../../core/input/input.js';
import type { StoreRole } from '../store.js';

/** Schema version of the database, as the server reads it at its start. @throws PreconditionError when there is none */
export async function readVersionRow(client: pg.Client, input: PostgresStore): Promise<string> {
  const where = `database "${input.database}" at ${input.host}:${input.port}`;
  const facts = { host: input.host, port: input.port, database: input.database };
  const { rows: tables } = await client.query<{ found: boolean }>(
    `select to_regclass('schema_version') is not null as found`,
  );
  if (tables[0]?.found !== true) {
    throw new PreconditionError(
      `${where} has no table schema_version that user "${input.user}" can see, so it holds no Temporal schema; correct ` +
        '"database" or "user" (an upgrade never sets up a schema)',
      { ...facts, reason: 'no-schema-version' },
    );
  }
  const { rows } = await client.query<{ db_name: string; curr_version: string }>(
    'select db_name, curr_version from schema_version where version_partition = 0',
  );
  const row = rows.find(({ db_name }) => db_name === input.database);
  if (row !== undefined) return row.curr_version;
  const others = rows.map(({ db_name }) => `"${db_name}"`).join(', ') || 'none';
  throw new PreconditionError(
    `table schema_version of ${where} has no row for that name (names there: ${others}); the server would not start on it ` +
      'either. A database that was restored under another name needs its row renamed',
    { ...facts, reason: 'no-schema-version' },
  );
}

/**
 * Checks by its tables that the database is the one meant: scripts of one kind would harm the other.
 * @throws PreconditionError when default and visibility are mixed up or share one database
 */
export async function checkKind(client: pg.Client, input: PostgresStore, kind: StoreRole): Promise<void> {
  const { rows } = await client.query<{ core: boolean; visibility: boolean }>(
    `select to_regclass('shards') is not null and to_regclass('executions') is not null as core,
            to_regclass('executions_visibility') is not null as visibility`,
  );
  const found = { core: rows[0]?.core === true, visibility: rows[0]?.visibility === true };
  const expected = { core: kind === 'default', visibility: kind === 'visibility' };
  if (found.core === expected.core && found.visibility === expected.visibility) return;
  const where = `database "${input.database}" at ${input.host}:${input.port}, given as the ${kind} store,`;
  const facts = { host: input.host, port: input.port, database: input.database, kind, ...found };
  if (found.core && found.visibility) {
    throw new PreconditionError(
      `${where} holds the tables of both stores; one schema_version row cannot keep two versions, so such a database ` +
        'cannot be upgraded. Separate the two stores first',
      { ...facts, reason: 'shared-database' },
    );
  }
  if (found.core || found.visibility) {
    throw new PreconditionError(
      `${where} has the tables of the ${found.core ? 'default' : 'visibility'} store; are the two databases mixed up?`,
      { ...facts, reason: 'wrong-kind' },
    );
  }
  throw new PreconditionError(
    `${where} has none of the tables of a Temporal store (shards, executions, executions_visibility); correct "database"`,
    { ...facts, reason: 'no-schema' },
  );
}

/** Version of the server, and size of the database in bytes. */
export async function readServer(client: pg.Client): Promise<{ version: string; major: number; bytes: number }> {
  const { rows } = await client.query<{ version: string; number: number; bytes: string }>(
    `select current_setting('server_version') as version, current_setting('server_version_num')::int as number,
            pg_database_size(current_database()) as bytes`,
  );
  const row = rows[0];
  if (row === undefined) throw new Error('PostgreSQL answered without a row');
  // Debian writes "15.18 (Debian 15.18-0+deb12u1)". The number is 150018, since version 10.
  return {
    version: row.version.split(' ')[0] ?? row.version,
    major: Math.floor(row.number / 10_000),
    bytes: Number(row.bytes),
  };
}

/**
 * Checks that no index was left half-built. `CREATE INDEX CONCURRENTLY` of a connection that broke leaves one that is never
 * used; the schema tool then connects anew, passes over it (`IF NOT EXISTS`) and writes the version all the same.
 * @throws PreconditionError with the statement that repairs it
 */
export async function checkIndexes(client: pg.Client, input: PostgresStore): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `select quote_ident(c.relname) as name from pg_index i join pg_class c on c.oid = i.indexrelid
      where not i.indisvalid and pg_table_is_visible(i.indrelid) and c.relnamespace = current_schema()::regnamespace
      order by 1`,
  );
  if (rows.length === 0) return;
  const repair = rows.map(({ name }) => `REINDEX INDEX CONCURRENTLY ${name};`).join(' ');
  throw new PreconditionError(
    `database "${input.database}" at ${input.host}:${input.port} has indexes that were not built to the end; the schema ` +
      `tool passes over them. Repair them and try again: ${repair}`,
    { reason: 'invalid-index', database: input.database, indexes: rows.map(({ name }) => name) },
  );
}
