import type { StoreRights, TableRights } from '../../core/survey/store-survey.js';
import type { MysqlClient } from './mysql-connection.js';

/** What MySQL asks for before it alters, creates or drops a table, and before it reads and writes rows. */
const ALTER = ['ALTER', 'CREATE', 'DROP', 'INDEX', 'INSERT'];
const WRITE = ['INSERT', 'UPDATE', 'DELETE'];

/** Rights of this user, with those of the roles that it has on, on the tables of the database. */
export async function readRights(client: MysqlClient): Promise<StoreRights> {
  const [me] = await client.ask<{ user: string; database: string }>(
    'select current_user() as user, database() as `database`',
  );
  if (me === undefined) throw new Error('MySQL answered without a row');
  const grants = parseGrants(await readGrants(client));
  const tables = await client.ask<{ name: string }>(
    `select table_name as name from information_schema.tables
      where table_schema = database() and table_type = 'BASE TABLE' order by table_name`,
  );
  const has = (table: string, wanted: readonly string[]) =>
    wanted.every((privilege) => grants.some((grant) => covers(grant, { database: me.database, table, privilege })));
  return {
    user: me.user,
    schema: me.database,
    canCreateInSchema: has('*', ['CREATE']),
    tables: tables.map(({ name }): TableRights => ({
      table: name,
      owner: me.user, // MySQL's tables belong to nobody
      canAlter: has(name, ALTER),
      canRead: has(name, ['SELECT']),
      canWrite: has(name, WRITE),
    })),
    unreadableSequences: [],
  };
}

/** What this user is granted, a statement each. */
export async function readGrants(client: MysqlClient): Promise<string[]> {
  const rows = await client.ask<Record<string, string>>('show grants');
  return rows.flatMap((row) => Object.values(row));
}

/** Privileges on a database and table; `*` is any, and names of databases have `%` and `_` as wildcards. */
export interface Grant {
  readonly privileges: readonly string[];
  readonly database: string;
  readonly table: string;
}

/** Of lines such as "GRANT SELECT, INSERT (`a`) ON `temporal`.* TO `temporal`@`%`"; those of roles and proxies have no ON. */
export function parseGrants(lines: readonly string[]): Grant[] {
  return lines.flatMap((line) => {
    const [, list, database, table] = /^GRANT (.+?) ON (\*|`(?:[^`]|``)*`)\.(\*|`(?:[^`]|``)*`) TO /.exec(line) ?? [];
    if (list === undefined || database === undefined || table === undefined) return [];
    const privileges = list
      .replace(/\([^)]*\)/g, '(columns)') // a right on some columns is none on the table
      .split(',')
      .map((each) => each.trim().toUpperCase());
    return [{ privileges, database: unquote(database), table: unquote(table) }];
  });
}

function unquote(name: string): string {
  return name === '*' ? '*' : name.slice(1, -1).replaceAll('``', '`');
}

interface Wanted {
  readonly database: string;
  readonly table: string;
  readonly privilege: string;
}

export function covers(grant: Grant, { database, table, privilege }: Wanted): boolean {
  if (!grant.privileges.some((each) => each === privilege || each === 'ALL PRIVILEGES')) return false;
  if (grant.table !== '*' && grant.table !== table) return false;
  return grant.database === '*' || matches(grant.database, database);
}

/** A pattern of LIKE, as MySQL reads the names of databases in grants. */
function matches(pattern: string, database: string): boolean {
  const expression = pattern.replace(/\\(.)|([%_])|([.*+?^${}()|[\]\\])/g, (_all, escaped, wildcard, special) => {
    if (escaped !== undefined) return String(escaped).replace(/[.*+?^${}()|[\]\\]/, '\\$&');
    if (wildcard !== undefined) return wildcard === '%' ? '.*' : '.';
    return `\\${String(special)}`;
  });
  return new RegExp(`^${expression}$`).test(database);
}
