import { PreconditionError } from '../../core/errors.js';
import type { MysqlStore } from '../../core/input/input.js';
import { checkFoundKinds, versionOf, type FoundKinds, type Place, type VersionRow } from '../sql/store-identity.js';
import type { StoreRole } from '../store.js';
import type { MysqlClient } from './mysql-connection.js';

/** What a server says that it is. */
export interface MysqlServer {
  /** `MySQL`, or `MariaDB`, which speaks as it does and is another database. */
  readonly product: string;
  /** Such as `8.0.31`. */
  readonly version: string;
}

/** Product and version, of `8.0.31`, `8.0.31-23` or `10.11.19-MariaDB-1:10.11.19+maria~deb12`. */
export async function readServer(client: MysqlClient): Promise<MysqlServer> {
  const [row] = await client.ask<{ version: string }>('select version() as version');
  const text = row?.version ?? '';
  return { product: /mariadb/i.test(text) ? 'MariaDB' : 'MySQL', version: /^[\d.]+/.exec(text)?.[0] ?? text };
}

/** Size of the database in bytes, as its storage engine estimates it. */
export async function readBytes(client: MysqlClient): Promise<number> {
  await freshStatistics(client);
  const [row] = await client.ask<{ bytes: string | null }>(
    'select sum(data_length + index_length) as bytes from information_schema.tables where table_schema = database()',
  );
  return Number(row?.bytes ?? 0);
}

/** MySQL 8 tells sizes that may be a day old, unless asked not to; older ones know no such setting, and need none. */
export async function freshStatistics(client: MysqlClient): Promise<void> {
  await client.act('set session information_schema_stats_expiry = 0').catch(() => undefined);
}

/** Which of some tables the database has. */
export async function tablesOf(client: MysqlClient, names: readonly string[]): Promise<Set<string>> {
  const rows = await client.ask<{ name: string }>(
    'select table_name as name from information_schema.tables where table_schema = database() and table_name in (?)',
    [names],
  );
  return new Set(rows.map(({ name }) => name));
}

/** Schema version of the database, as the server reads it at its start. @throws PreconditionError when there is none */
export async function readVersionRow(client: MysqlClient, place: Place): Promise<string> {
  if (!(await tablesOf(client, ['schema_version'])).has('schema_version')) return versionOf(place, undefined);
  return versionOf(
    place,
    await client.ask<VersionRow>('select db_name, curr_version from schema_version where version_partition = 0'),
  );
}

/** Which kinds of Temporal tables a database holds. */
export async function readKinds(client: MysqlClient): Promise<FoundKinds> {
  const found = await tablesOf(client, ['shards', 'executions', 'executions_visibility']);
  return {
    default: found.has('shards') && found.has('executions'),
    visibility: found.has('executions_visibility'),
  };
}

/** Checks by its tables that the database is the one meant. @throws PreconditionError */
export async function checkKind(client: MysqlClient, place: Place, kind: StoreRole): Promise<void> {
  checkFoundKinds(place, kind, await readKinds(client));
}

/**
 * MariaDB has no operator of MySQL's JSON that the scripts of visibility use, and the server finds no isolation level by
 * the name that MySQL gives it.
 * @throws PreconditionError that says what can be done with MariaDB, and what cannot
 */
export async function checkProduct(client: MysqlClient, input: MysqlStore, kind: StoreRole): Promise<MysqlServer> {
  const server = await readServer(client);
  if (server.product === 'MySQL') return server;
  const where = `database "${input.database}" at ${input.host}:${input.port} is ${server.product} ${server.version}, not MySQL`;
  const facts = { host: input.host, port: input.port, database: input.database, ...server, reason: 'mariadb' };
  if (kind === 'visibility') {
    throw new PreconditionError(
      `${where}: the scripts of visibility fail on it at their first generated column (error 1064). Move visibility to MySQL 8, PostgreSQL 12 or Elasticsearch`,
      facts,
    );
  }
  return server;
}
