import type { SchemaDialect } from './schema-dialect.js';

/**
 * How a visibility index is mended: by requests in place of statements. Its one table are its documents; fields can be added to it, and
 * neither be taken away nor become of another type.
 */
export const SEARCH_DIALECT: SchemaDialect = {
  createTable: () => ['# make the index anew, from the template of the server version'],
  dropTable: (table) => `# ${table} is no part of an index`,
  addColumn: (_table, name, { type }) =>
    `PUT /<index>/_mapping {"properties": {"${name}": ${JSON.stringify(fieldOf(type))}}}`,
  dropColumn: (_table, name) => `# field ${name} stays: a field cannot be taken away`,
  alterColumn: () => undefined,
  addPrimaryKey: () => '# an index has no key',
  buildIndex: (_table, name) => `# ${name}: an index has none of its own`,
  dropIndex: (_table, name) => `# ${name}: an index has none of its own`,
  renameIndex: (_table, from) => `# ${from}: an index has none of its own`,
  rebuildIndex: (_table, name) => `# ${name}: an index has none of its own`,
  rewritesRows: () => false,
};

/** Of `scaled_float(10000)`. */
function fieldOf(type: string): object {
  const [, base = type, factor] = /^(\w+)\((\d+)\)$/.exec(type) ?? [];
  return factor === undefined ? { type: base } : { type: base, scaling_factor: Number(factor) };
}
