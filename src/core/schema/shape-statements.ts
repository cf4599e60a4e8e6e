import type { ColumnShape, IndexShape, TableShape } from './schema-shape.js';

/** The statements that make a table with its indexes. */
export function createTable(table: string, { columns, primaryKey, indexes }: TableShape): string[] {
  const parts = Object.entries(columns).map(([name, column]) => defineColumn(name, column));
  if (primaryKey.length > 0) parts.push(`PRIMARY KEY (${primaryKey.map(quoteName).join(', ')})`);
  return [
    `CREATE TABLE ${quoteName(table)} (${parts.join(', ')});`,
    ...Object.entries(indexes).map(([name, index]) => buildIndex(table, name, index)),
  ];
}

/** A column as it stands in CREATE TABLE or after ADD COLUMN. */
export function defineColumn(name: string, column: ColumnShape): string {
  const isSequence = column.default === 'sequence';
  const parts = [quoteName(name), isSequence ? serialOf(column.type) : column.type];
  if (column.generated !== undefined) parts.push(`GENERATED ALWAYS AS (${column.generated}) STORED`);
  if (column.default !== undefined && !isSequence) parts.push(`DEFAULT ${column.default}`);
  if (column.notNull === true) parts.push('NOT NULL');
  return parts.join(' ');
}

/** Builds an index without blocking writes; outside a transaction, as PostgreSQL demands. */
export function buildIndex(table: string, name: string, { on, unique }: IndexShape): string {
  const create = unique === true ? 'CREATE UNIQUE INDEX' : 'CREATE INDEX';
  return `${create} CONCURRENTLY ${quoteName(name)} ON ${quoteName(table)} USING ${on};`;
}

/** A name as PostgreSQL takes it for exactly that name. */
export function quoteName(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

function serialOf(type: string): string {
  return type === 'integer' ? 'serial' : 'bigserial';
}
