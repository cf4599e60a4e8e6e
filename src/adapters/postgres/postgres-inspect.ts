import type pg from 'pg';
import { PreconditionError } from '../../core/errors.js';
import type { PostgresStore } from '../../core/input/input.js';
import { checkFoundKinds, versionOf, type FoundKinds, type Place, type VersionRow } from '../sql/store-identity.js';
import type { StoreRole } from '../store.js';

/** Schema version of the database, as the server reads it at its start. @throws PreconditionError when there is none */
export async function readVersionRow(client: pg.Client, place: Place): Promise<string> {
  const { rows: tables } = await client.query<{ found: boolean }>(
    `select to_regclass('schema_version') is not null as found`,
  );
  if (tables[0]?.found !== true) return versionOf(place, undefined);
  const { rows } = await client.query<VersionRow>(
    'select db_name, curr_version from schema_version where version_partition = 0',
  );
  return versionOf(place, rows);
}

/** Which kinds of Temporal tables a database holds. */
export async function readKinds(client: pg.Client): Promise<FoundKinds> {
  const { rows } = await client.query<FoundKinds>(
    `select to_regclass('shards') is not null and to_regclass('executions') is not null as "default",
            to_regclass('executions_visibility') is not null as visibility`,
  );
  return rows[0] ?? { default: false, visibility: false };
}

/** Checks by its tables that the database is the one meant. @throws PreconditionError */
export async function checkKind(client: pg.Client, place: Place, kind: StoreRole): Promise<void> {
  checkFoundKinds(place, kind, await readKinds(client));
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
