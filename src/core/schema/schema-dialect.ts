import type { ColumnShape, IndexShape, TableShape } from './schema-shape.js';
import { buildIndex, createTable, defineColumn, quoteName } from './shape-statements.js';

/**
 * The statements by which a database product mends its tables. Shown to people; carried out only to take back what an unfinished
 * step of the schema left.
 */
export interface SchemaDialect {
  createTable(table: string, shape: TableShape): string[];
  dropTable(table: string): string;
  addColumn(table: string, name: string, column: ColumnShape): string;
  dropColumn(table: string, name: string): string;
  /** Makes a column as it should be in one respect; undefined where no single statement does. */
  alterColumn(table: string, name: string, to: ColumnShape, what: 'nullability' | 'default'): string | undefined;
  addPrimaryKey(table: string, columns: readonly string[]): string;
  buildIndex(table: string, name: string, index: IndexShape): string;
  dropIndex(table: string, name: string): string;
  renameIndex(table: string, from: string, to: string): string;
  rebuildIndex(table: string, name: string): string;
  /** Whether a new column, or one that was `old` before, takes every row of its table anew. */
  rewritesRows(old: ColumnShape | undefined, column: ColumnShape): boolean;
}

/** Indexes are built and dropped without blocking writes. */
export const POSTGRES_DIALECT: SchemaDialect = {
  createTable,
  buildIndex,
  dropTable: (table) => `DROP TABLE ${quoteName(table)};`,
  addColumn: (table, name, column) => `ALTER TABLE ${quoteName(table)} ADD COLUMN ${defineColumn(name, column)};`,
  dropColumn: (table, name) => `ALTER TABLE ${quoteName(table)} DROP COLUMN ${quoteName(name)};`,
  alterColumn: (table, name, to, what) => {
    const alter = `ALTER TABLE ${quoteName(table)} ALTER COLUMN ${quoteName(name)}`;
    if (what === 'nullability') return `${alter} ${to.notNull === true ? 'SET' : 'DROP'} NOT NULL;`;
    if (to.default === undefined) return `${alter} DROP DEFAULT;`;
    return to.default === 'sequence' ? undefined : `${alter} SET DEFAULT ${to.default};`;
  },
  addPrimaryKey: (table, columns) =>
    `ALTER TABLE ${quoteName(table)} ADD PRIMARY KEY (${columns.map(quoteName).join(', ')});`,
  dropIndex: (_table, name) => `DROP INDEX CONCURRENTLY ${quoteName(name)};`,
  renameIndex: (_table, from, to) => `ALTER INDEX ${quoteName(from)} RENAME TO ${quoteName(to)};`,
  rebuildIndex: (_table, name) => `REINDEX INDEX CONCURRENTLY ${quoteName(name)};`,
  // A stored column, or a column of another type; a column that may be null or has a constant default does not (PostgreSQL
  // documentation, ALTER TABLE, Notes).
  rewritesRows: (old, column) => (old === undefined ? column.generated !== undefined : old.type !== column.type),
};

/** A statement that MySQL cannot carry out beside reads and writes says so by an error, instead of blocking them. */
export const MYSQL_DIALECT: SchemaDialect = {
  createTable: (table, { columns, primaryKey, indexes }) => {
    const parts = [
      ...Object.entries(columns).map(([name, column]) => defineMysqlColumn(name, column)),
      ...(primaryKey.length === 0 ? [] : [`PRIMARY KEY (${primaryKey.map(quoteForMysql).join(', ')})`]),
      ...Object.entries(indexes).map(([name, index]) => defineMysqlIndex(name, index)),
    ];
    return [`CREATE TABLE ${quoteForMysql(table)} (${parts.join(', ')});`];
  },
  dropTable: (table) => `DROP TABLE ${quoteForMysql(table)};`,
  dropColumn: (table, name) => `ALTER TABLE ${quoteForMysql(table)} DROP COLUMN ${quoteForMysql(name)};`,
  addColumn: (table, name, column) =>
    `ALTER TABLE ${quoteForMysql(table)} ADD COLUMN ${defineMysqlColumn(name, column)};`,
  alterColumn: (table, name, to) => `ALTER TABLE ${quoteForMysql(table)} MODIFY COLUMN ${defineMysqlColumn(name, to)};`,
  addPrimaryKey: (table, columns) =>
    `ALTER TABLE ${quoteForMysql(table)} ADD PRIMARY KEY (${columns.map(quoteForMysql).join(', ')});`,
  buildIndex: (table, name, index) =>
    `ALTER TABLE ${quoteForMysql(table)} ADD ${defineMysqlIndex(name, index)}, LOCK=NONE;`,
  dropIndex: (table, name) => `ALTER TABLE ${quoteForMysql(table)} DROP INDEX ${quoteForMysql(name)}, LOCK=NONE;`,
  renameIndex: (table, from, to) =>
    `ALTER TABLE ${quoteForMysql(table)} RENAME INDEX ${quoteForMysql(from)} TO ${quoteForMysql(to)};`,
  // None is ever left half-built: an index is there, or it is not.
  rebuildIndex: (table) => `ALTER TABLE ${quoteForMysql(table)} ENGINE=InnoDB;`,
  // Columns are generated as they are read, unless they say STORED (MySQL manual, Online DDL Operations).
  rewritesRows: (old, column) =>
    old === undefined ? column.generated?.endsWith(STORED) === true : old.type !== column.type,
};

/** Ends the expression of a generated column of MySQL that is not computed as it is read. */
export const STORED = ' STORED';

function defineMysqlColumn(name: string, { type, generated, default: fallback, notNull }: ColumnShape): string {
  const parts = [quoteForMysql(name), type];
  if (generated !== undefined) {
    const isStored = generated.endsWith(STORED);
    parts.push(`GENERATED ALWAYS AS (${isStored ? generated.slice(0, -STORED.length) : generated})`);
    if (isStored) parts.push('STORED');
  }
  if (notNull === true) parts.push('NOT NULL');
  if (fallback === 'sequence') parts.push('AUTO_INCREMENT');
  else if (fallback !== undefined) parts.push(`DEFAULT ${defaultForMysql(fallback)}`);
  return parts.join(' ');
}

/** MySQL tells the constant without its quotes. */
function defaultForMysql(value: string): string {
  return /^(-?\d+(\.\d+)?|b'[01]+'|null|current_timestamp(\(\d*\))?)$/i.test(value)
    ? value
    : `'${value.replaceAll("'", "''")}'`;
}

/** `btree (a, b DESC)` as it stands in CREATE TABLE. */
function defineMysqlIndex(name: string, { on, unique }: IndexShape): string {
  const [, method = '', keys = ''] = /^(\w+) \((.*)\)$/.exec(on) ?? [];
  const kind = method === 'fulltext' ? 'FULLTEXT INDEX' : unique === true ? 'UNIQUE INDEX' : 'INDEX';
  return `${kind} ${quoteForMysql(name)} (${keys})`;
}

/** A name as MySQL takes it for exactly that name. */
export function quoteForMysql(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `\`${name.replaceAll('`', '``')}\``;
}
