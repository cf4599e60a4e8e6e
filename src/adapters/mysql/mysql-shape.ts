import { STORED } from '../../core/schema/schema-dialect.js';
import type { ColumnShape, IndexShape, SchemaShape } from '../../core/schema/schema-shape.js';
import { constantOfMariadb } from './mariadb-words.js';
import type { MysqlClient } from './mysql-connection.js';
import { readServer } from './mysql-inspect.js';

/** Made by the schema tool itself, not by the scripts; what stands in them is looked at elsewhere. */
const TABLES_OF_THE_TOOL = ['schema_version', 'schema_update_history'];

/**
 * Tables, columns, keys and indexes of the database of the connection, as MySQL 5.7 to 9 and MariaDB tell them. What later versions
 * print otherwise is brought to one form.
 */
export async function readShape(client: MysqlClient): Promise<SchemaShape> {
  const tables = await client.ask<{ name: string }>(
    `select table_name as name from information_schema.tables
      where table_schema = database() and table_type = 'BASE TABLE' and table_name not in (?) order by table_name`,
    [TABLES_OF_THE_TOOL],
  );
  const columns = await readColumns(client);
  const indexes = await readIndexes(client);
  return Object.fromEntries(
    tables.map(({ name }) => {
      const own = indexes.filter(({ table }) => table === name);
      return [
        name,
        {
          columns: Object.fromEntries(
            columns.filter(({ table }) => table === name).map((row) => [row.name, row.shape]),
          ),
          primaryKey: own.find((index) => index.name === 'PRIMARY')?.keys ?? [],
          indexes: Object.fromEntries(
            own.filter((index) => index.name !== 'PRIMARY').map((index) => [index.name, indexShape(index)]),
          ),
        },
      ];
    }),
  );
}

interface ColumnRow {
  readonly table: string;
  readonly name: string;
  readonly type: string;
  readonly nullable: 'YES' | 'NO';
  readonly fallback: string | null;
  readonly extra: string;
  readonly expression: string | null;
}

// Names of columns are given everywhere: MySQL 8 tells those of its own tables in capitals.
async function readColumns(client: MysqlClient) {
  const rows = await client.ask<ColumnRow>(
    `select table_name as \`table\`, column_name as name, column_type as type, is_nullable as nullable,
            column_default as fallback, extra as extra, generation_expression as expression
       from information_schema.columns where table_schema = database() order by ordinal_position`,
  );
  const isMariadb = (await readServer(client)).product === 'MariaDB';
  return rows.map((row) => {
    const fallback = isMariadb ? constantOfMariadb(row.fallback) : row.fallback;
    return { table: row.table, name: row.name, shape: columnShape({ ...row, fallback }) };
  });
}

function columnShape({ type, nullable, fallback, extra, expression }: ColumnRow): ColumnShape {
  const isSequence = /auto_increment/i.test(extra);
  const isGenerated = /(virtual|stored) generated/i.test(extra);
  const stored = /stored generated/i.test(extra) ? STORED : '';
  const defaultOf = isSequence ? 'sequence' : isGenerated ? undefined : (fallback ?? undefined);
  return {
    type: plainType(type),
    ...(nullable === 'NO' ? { notNull: true } : {}),
    ...(defaultOf === undefined ? {} : { default: plainExpression(defaultOf) }),
    ...(isGenerated ? { generated: `${plainExpression(expression ?? '')}${stored}` } : {}),
  };
}

/** Without the width for display, which MySQL prints up to 8.0.18. */
function plainType(type: string): string {
  return type.replace(/^(tinyint|smallint|mediumint|int|bigint)\(\d+\)/, '$1');
}

/** Without the character set of constants, and with quotes as they are written: versions differ in both. */
function plainExpression(expression: string): string {
  return expression
    .replaceAll("\\'", "'")
    .replace(/\b_utf8(mb[34])?(?=')/g, '')
    .replace(/\s+/g, ' ')
    .trim();
}

interface Index {
  readonly table: string;
  readonly name: string;
  readonly unique: boolean;
  readonly method: string;
  readonly keys: readonly string[];
}

interface IndexRow {
  readonly table: string;
  readonly name: string;
  readonly not_unique: number | string;
  readonly method: string;
  readonly column: string | null;
  readonly part: number | string | null;
  readonly sorted: string | null;
  readonly expression: string | null;
}

async function readIndexes(client: MysqlClient): Promise<Index[]> {
  const rows = await client.ask<IndexRow>(
    `select table_name as \`table\`, index_name as name, non_unique as not_unique, index_type as method,
            column_name as \`column\`, sub_part as part, collation as sorted,
            ${(await hasExpressions(client)) ? 'expression' : 'null'} as expression
       from information_schema.statistics where table_schema = database()
      order by table_name, index_name, seq_in_index`,
  );
  const indexes = new Map<string, { -readonly [K in keyof Index]: Index[K] } & { keys: string[] }>();
  for (const row of rows) {
    const id = `${row.table}.${row.name}`;
    const index = indexes.get(id) ?? {
      table: row.table,
      name: row.name,
      unique: Number(row.not_unique) === 0,
      method: row.method.toLowerCase(),
      keys: [],
    };
    index.keys.push(keyOf(row));
    indexes.set(id, index);
  }
  return [...indexes.values()];
}

/** Indexes over expressions are there from MySQL 8.0.13 on. */
async function hasExpressions(client: MysqlClient): Promise<boolean> {
  const rows = await client.ask(
    `select 1 from information_schema.columns
      where table_schema = 'information_schema' and table_name = 'STATISTICS' and column_name = 'EXPRESSION'`,
  );
  return rows.length > 0;
}

function keyOf({ column, part, sorted, expression }: IndexRow): string {
  const key = column ?? `(${plainExpression(expression ?? '')})`;
  return `${key}${part === null ? '' : `(${part})`}${sorted === 'D' ? ' DESC' : ''}`;
}

function indexShape({ method, keys, unique }: Index): IndexShape {
  return { on: `${method} (${keys.join(', ')})`, ...(unique ? { unique: true } : {}) };
}
