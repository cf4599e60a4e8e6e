import type { SchemaDialect } from './schema-dialect.js';
import type { IndexShape, TableShape } from './schema-shape.js';
import { difference, type ShapeDifference } from './shape-difference.js';

/** A table, and how it is mended. */
interface Place {
  readonly table: string;
  readonly dialect: SchemaDialect;
}

/** Where the indexes of a table are not as expected: by name, or by what they are on where the name is another. */
export function compareIndexes(place: Place, expected: TableShape['indexes'], found: TableShape['indexes']) {
  const { table, dialect } = place;
  const stands = new Set<string>();
  const known = Object.entries(expected).flatMap(([name, index]): ShapeDifference[] => {
    const other = found[name];
    if (other !== undefined) return compareIndex({ ...place, name }, index, other);
    const twin = Object.entries(found).find(
      ([twinName, it]) => expected[twinName] === undefined && !stands.has(twinName) && isSameIndex(index, it),
    );
    if (twin === undefined) {
      const mend = [dialect.buildIndex(table, name, index)];
      return [difference('index-missing', table, { name, expected: describeIndex(index), mend })];
    }
    stands.add(twin[0]);
    const mend = [dialect.renameIndex(table, twin[0], name)];
    return [difference('index-renamed', table, { name, expected: name, found: twin[0], harmless: true, mend })];
  });
  const extra = Object.entries(found)
    .filter(([name]) => expected[name] === undefined && !stands.has(name))
    .map(([name, index]) => extraIndex({ ...place, name }, index));
  return [...known, ...extra];
}

function compareIndex(
  { table, name, dialect }: Place & { readonly name: string },
  expected: IndexShape,
  found: IndexShape,
): ShapeDifference[] {
  const values = { name, expected: describeIndex(expected), found: describeIndex(found) };
  const anew = [dialect.dropIndex(table, name), dialect.buildIndex(table, name, expected)];
  if (expected.on !== found.on) return [difference('index-differs', table, { ...values, mend: anew })];
  if (expected.unique !== found.unique) {
    const kind = expected.unique === true ? 'index-not-unique' : 'index-differs';
    return [difference(kind, table, { ...values, mend: anew })];
  }
  if (found.invalid !== true) return [];
  return [difference('index-invalid', table, { ...values, mend: [dialect.rebuildIndex(table, name)] })];
}

function extraIndex({ table, name, dialect }: Place & { readonly name: string }, index: IndexShape): ShapeDifference {
  const found = describeIndex(index);
  // What a broken REINDEX CONCURRENTLY leaves: it costs every write, and the schema phase stops at it.
  if (index.invalid === true) {
    return difference('index-invalid', table, { name, found, mend: [dialect.dropIndex(table, name)] });
  }
  // A unique index that the server does not know may refuse its rows.
  return difference('index-extra', table, { name, found, harmless: index.unique !== true });
}

function isSameIndex(a: IndexShape, b: IndexShape): boolean {
  return a.on === b.on && a.unique === b.unique && b.invalid !== true;
}

function describeIndex({ on, unique, invalid }: IndexShape): string {
  return `${unique === true ? 'unique ' : ''}${on}${invalid === true ? ', not built to the end' : ''}`;
}
