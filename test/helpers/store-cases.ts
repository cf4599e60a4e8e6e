import { once } from 'node:events';
import pg from 'pg';
import { withMysql, type MysqlClient } from '../../src/adapters/mysql/mysql-connection.js';
import type { SqlStore } from '../../src/core/input/input.js';
import type { LabDatabase } from '../../src/lab/lab-database.js';
import { startMysql } from '../../src/lab/mysql.js';
import { startPostgres } from '../../src/lab/postgres.js';

/** Every store that the SQL tool brings to its schema, each on a real server of its own: what the contract is tried on. */
export const STORE_CASES: readonly StoreCase[] = [
  {
    name: 'PostgreSQL',
    product: /^PostgreSQL \d+\.\d+/,
    start: () => startPostgres(),
    ask: askPostgres,
    hold: holdInPostgres,
    waiting: (database) =>
      `select 1 as n from pg_stat_activity where datname = '${database}' and wait_event_type = 'Lock'`,
    ownConnections: `select 1 as n from pg_stat_activity where application_name like 'temporal-upgrade%'`,
    addUser: ({ user, password }) => [`create role ${user} login password '${password}'`],
    giveTables: ({ user, database }) => [
      `alter database ${database} owner to ${user}`,
      `do $$ declare t text; begin
         for t in select tablename from pg_tables where schemaname = 'public' loop
           execute format('alter table %I owner to ${user}', t);
         end loop; end $$`,
    ],
    missingProgram: /pg_dump.*none was found\. Install the package postgresql-client/s,
    tlsRefused: /TLS settings.*does not support SSL/,
  },
  {
    name: 'MySQL',
    product: /^MySQL 8\.0\.\d+/,
    start: () => startMysql(),
    ask: (server, database, sql) => inMysql(server, database, (client) => client.ask(sql)),
    hold: holdInMysql,
    waiting: (database) =>
      `select 1 as n from information_schema.processlist where db = '${database}' and state like 'Waiting for table%'`,
    // All others here are of Temporal's programs, which have ended.
    ownConnections: `select 1 as n from information_schema.processlist where user = 'temporal' and id <> connection_id()`,
    addUser: ({ user, password }) => [
      `create user '${user}'@'%' identified with mysql_native_password by '${password}'`,
    ],
    giveTables: ({ user, database }) => [`grant all on \`${database}\`.* to '${user}'@'%'`],
    missingProgram: /mysqldump.*none was found\. Install the package mysql-client or mariadb-client/s,
    tlsRefused: /is named by its address, and a certificate is held against a name/,
  },
];

/** Database of the server itself, where there is none of Temporal's. */
export const SYSTEM_DATABASE: Readonly<Record<SqlStore['type'], string>> = { postgresql: 'postgres', mysql: 'mysql' };

export interface StoreCase {
  readonly name: string;
  /** What {@link Store.describe} calls it. */
  readonly product: RegExp;
  start(): Promise<LabDatabase>;
  /** Rows of a question. */
  ask(server: LabDatabase, database: string, sql: string): Promise<object[]>;
  /**
   * Holds `executions_visibility` as a busy database would: `reading`, so that it cannot be changed; `locked`, so that it cannot
   * be read either. @returns what lets it go
   */
  hold(server: LabDatabase, database: string, how: 'reading' | 'locked'): Promise<() => Promise<void>>;
  /** Question that has a row for each statement in a database that waits for a table. */
  waiting(database: string): string;
  /** Question that has a row for each connection of this program. */
  readonly ownConnections: string;
  addUser(user: { readonly user: string; readonly password: string }): string[];
  /** Statements that give a user the tables of a database, and nothing besides; run in that database. */
  giveTables(of: { readonly user: string; readonly database: string }): string[];
  readonly missingProgram: RegExp;
  /** What is said where the input asks for TLS and the server of the lab has none. */
  readonly tlsRefused: RegExp;
}

async function askPostgres(server: LabDatabase, database: string, sql: string): Promise<object[]> {
  const client = await postgresClient(server, database);
  try {
    return (await client.query<object>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function postgresClient({ host, port, user, password }: LabDatabase, database: string): Promise<pg.Client> {
  const client = new pg.Client({ host, port, user, password, database });
  await client.connect();
  return client;
}

async function holdInPostgres(
  server: LabDatabase,
  database: string,
  how: 'reading' | 'locked',
): Promise<() => Promise<void>> {
  const client = await postgresClient(server, database);
  const mode = how === 'reading' ? 'access share' : 'access exclusive';
  await client.query(`begin; lock table executions_visibility in ${mode} mode`);
  return () => client.end();
}

function inMysql<T>(
  { type, host, port, user, passwordFile }: LabDatabase,
  database: string,
  work: (client: MysqlClient) => Promise<T>,
): Promise<T> {
  if (type !== 'mysql') throw new TypeError(`asked as MySQL, and it is ${type}`);
  return withMysql({ type, plugin: 'mysql8', host, port, user, password: { file: passwordFile }, database }, work);
}

async function holdInMysql(
  server: LabDatabase,
  database: string,
  how: 'reading' | 'locked',
): Promise<() => Promise<void>> {
  const letGo = new AbortController();
  const held = Promise.withResolvers<undefined>();
  const session = inMysql(server, database, async (client) => {
    if (how === 'locked') await client.act('lock tables executions_visibility write');
    else {
      await client.act('start transaction');
      await client.ask('select * from executions_visibility limit 1');
    }
    held.resolve(undefined);
    if (!letGo.signal.aborted) await once(letGo.signal, 'abort');
  });
  await Promise.race([held.promise, session]);
  return () => {
    letGo.abort();
    return session;
  };
}
