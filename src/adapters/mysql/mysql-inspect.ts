import { PreconditionError } from '../../core/errors.js';
import type { MysqlStore } from '../../core/input/input.js';
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
export async function readVersionRow(
  client: MysqlClient,
  input: Pick<MysqlStore, 'database' | 'host' | 'port' | 'user'>,
): Promise<string> {
  const where = `database "${input.database}" at ${input.host}:${input.port}`;
  const facts = { host: input.host, port: input.port, database: input.database };
  if (!(await tablesOf(client, ['schema_version'])).has('schema_version')) {
    throw new PreconditionError(
      `${where} has no table schema_version that user "${input.user}" can see, so it holds no Temporal schema; correct ` +
        '"database" or "user" (an upgrade never sets up a schema)',
      { ...facts, reason: 'no-schema-version' },
    );
  }
  const rows = await client.ask<{ db_name: string; curr_version: string }>(
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

/** Which kinds of Temporal tables a database holds. */
export async function readKinds(client: MysqlClient): Promise<Readonly<Record<StoreRole, boolean>>> {
  const found = await tablesOf(client, ['shards', 'executions', 'executions_visibility']);
  return {
    default: found.has('shards') && found.has('executions'),
    visibility: found.has('executions_visibility'),
  };
}

/**
 * Checks by its tables that the database is the one meant: scripts of one kind would harm the other.
 * @throws PreconditionError when default and visibility are mixed up or share one database
 */
export async function checkKind(client: MysqlClient, input: MysqlStore, kind: StoreRole): Promise<void> {
  const found = await readKinds(client);
  const other: StoreRole = kind === 'default' ? 'visibility' : 'default';
  if (found[kind] && !found[other]) return;
  const where = `database "${input.database}" at ${input.host}:${input.port}, given as the ${kind} store,`;
  const facts = { host: input.host, port: input.port, database: input.database, kind, found };
  if (found[kind]) {
    throw new PreconditionError(
      `${where} holds the tables of both stores; one schema_version row cannot keep two versions, so such a database ` +
        'cannot be upgraded. Separate the two stores first',
      { ...facts, reason: 'shared-database' },
    );
  }
  if (found[other]) {
    throw new PreconditionError(`${where} has the tables of the ${other} store; are the two databases mixed up?`, {
      ...facts,
      reason: 'wrong-kind',
    });
  }
  throw new PreconditionError(
    `${where} has none of the tables of a Temporal store (shards, executions, executions_visibility); correct "database"`,
    { ...facts, reason: 'no-schema' },
  );
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
