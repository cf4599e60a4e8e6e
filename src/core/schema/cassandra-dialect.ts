import type { IndexShape, TableShape } from './schema-shape.js';
import type { SchemaDialect } from './schema-dialect.js';

/** A table whose name begins like that is a type of its own (`readShape` of the Cassandra store). */
const TYPE = 'type ';

/** Nothing of it blocks reads or writes: Cassandra changes what it knows of a table, and not its rows. */
export const CASSANDRA_DIALECT: SchemaDialect = {
  createTable: (table, shape) => {
    if (table.startsWith(TYPE)) {
      const fields = Object.entries(shape.columns).map(([name, { type }]) => `${quoteForCassandra(name)} ${type}`);
      return [`CREATE TYPE ${quoteForCassandra(table.slice(TYPE.length))} (${fields.join(', ')});`];
    }
    return [defineTable(table, shape), ...indexesOf(table, shape)];
  },
  dropTable: (table) =>
    table.startsWith(TYPE)
      ? `DROP TYPE ${quoteForCassandra(table.slice(TYPE.length))};`
      : `DROP TABLE ${quoteForCassandra(table)};`,
  addColumn: (table, name, { type }) =>
    `ALTER TABLE ${quoteForCassandra(table)} ADD ${quoteForCassandra(name)} ${type};`,
  dropColumn: (table, name) => `ALTER TABLE ${quoteForCassandra(table)} DROP ${quoteForCassandra(name)};`,
  // Its columns may all be null, and have no defaults.
  alterColumn: () => undefined,
  addPrimaryKey: (table) => `-- the key of ${table} cannot be changed: it has to be made anew`,
  buildIndex: (table, name, index) => defineIndex(table, name, index),
  dropIndex: (_table, name) => `DROP INDEX ${quoteForCassandra(name)};`,
  renameIndex: (_table, from, to) => `-- index ${from} cannot be renamed ${to}: drop it and make it anew`,
  rebuildIndex: (table, name) => `-- on each node: nodetool rebuild_index <keyspace> ${table} ${name}`,
  rewritesRows: () => false,
};

function defineTable(table: string, { columns, primaryKey }: TableShape): string {
  const parts = Object.entries(columns).map(([name, { type }]) => `${quoteForCassandra(name)} ${type}`);
  const keys = primaryKey.map((key) => key.replace(/ desc$/, ''));
  const order = primaryKey.slice(1);
  const clustering = order.some((key) => key.endsWith(' desc'))
    ? ` WITH CLUSTERING ORDER BY (${order.map((key) => (key.endsWith(' desc') ? `${key.slice(0, -5)} DESC` : `${key} ASC`)).join(', ')})`
    : '';
  return `CREATE TABLE ${quoteForCassandra(table)} (${parts.join(', ')}, PRIMARY KEY (${keys.join(', ')}))${clustering};`;
}

function indexesOf(table: string, { indexes }: TableShape): string[] {
  return Object.entries(indexes).map(([name, index]) => defineIndex(table, name, index));
}

/** Of `index (last_heartbeat)`. */
function defineIndex(table: string, name: string, { on }: IndexShape): string {
  return `CREATE INDEX ${quoteForCassandra(name)} ON ${quoteForCassandra(table)} ${on.replace(/^index /, '')};`;
}

/** A name as CQL takes it for exactly that name. */
export function quoteForCassandra(name: string): string {
  return /^[a-z][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}
