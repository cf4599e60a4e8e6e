import type { ColumnShape, SchemaShape, TableShape } from './schema-shape.js';
import { POSTGRES_DIALECT, type SchemaDialect } from './schema-dialect.js';
import { difference, type ShapeDifference, type ShapeDifferenceKind } from './shape-difference.js';
import { compareIndexes } from './shape-indexes.js';

/**
 * Every place where `found` is not as `expected`, by table; empty when the shapes are the same. Each with the statements of
 * `dialect` that mend it.
 */
export function compareShapes(
  expected: SchemaShape,
  found: SchemaShape,
  dialect: SchemaDialect = POSTGRES_DIALECT,
): ShapeDifference[] {
  const known = Object.entries(expected).flatMap(([table, shape]) => {
    const other = found[table];
    if (other === undefined) return [missingTable(table, shape, dialect)];
    return [
      ...compareColumns({ table, dialect }, shape.columns, other.columns),
      ...comparePrimaryKey({ table, dialect }, shape, other),
      ...compareIndexes({ table, dialect }, shape.indexes, other.indexes),
    ];
  });
  const extra = Object.keys(found)
    .filter((table) => expected[table] === undefined)
    .map((table) => difference('table-extra', table, { harmless: true }));
  return [...known, ...extra];
}

function missingTable(table: string, shape: TableShape, dialect: SchemaDialect): ShapeDifference {
  return difference('table-missing', table, { mend: dialect.createTable(table, shape) });
}

/** A table, and how it is mended. */
interface Place {
  readonly table: string;
  readonly dialect: SchemaDialect;
}

function compareColumns(place: Place, expected: TableShape['columns'], found: TableShape['columns']) {
  const { table, dialect } = place;
  const known = Object.entries(expected).flatMap(([name, column]): ShapeDifference[] => {
    const other = found[name];
    if (other !== undefined) return compareColumn({ ...place, name }, column, other);
    const mend = [dialect.addColumn(table, name, column)];
    return [difference('column-missing', table, { name, expected: column.type, mend })];
  });
  const extra = Object.entries(found)
    .filter(([name]) => expected[name] === undefined)
    .map(([name, column]) => {
      // The server does not know the column, so it writes nothing into it.
      const refusesRows = column.notNull === true && column.default === undefined && column.generated === undefined;
      return difference('column-extra', table, { name, found: column.type, harmless: !refusesRows });
    });
  return [...known, ...extra];
}

function compareColumn(
  { table, name, dialect }: Place & { readonly name: string },
  expected: ColumnShape,
  found: ColumnShape,
): ShapeDifference[] {
  const differences: ShapeDifference[] = [];
  const note = (kind: ShapeDifferenceKind, values: { expected: string; found: string; mend?: string | undefined }) =>
    differences.push(
      difference(kind, table, { name, ...values, mend: values.mend === undefined ? [] : [values.mend] }),
    );
  if (expected.type !== found.type) note('column-type', { expected: expected.type, found: found.type });
  if (expected.generated !== found.generated) {
    note('column-generated', {
      expected: expected.generated ?? 'not generated',
      found: found.generated ?? 'not generated',
    });
  }
  if (expected.notNull !== found.notNull) {
    const words = (notNull: true | undefined) => (notNull === true ? 'not null' : 'nullable');
    const mend = dialect.alterColumn(table, name, expected, 'nullability');
    note('column-nullability', { expected: words(expected.notNull), found: words(found.notNull), mend });
  }
  if (expected.default !== found.default) {
    note('column-default', {
      expected: expected.default ?? 'no default',
      found: found.default ?? 'no default',
      mend: dialect.alterColumn(table, name, expected, 'default'),
    });
  }
  return differences;
}

function comparePrimaryKey({ table, dialect }: Place, expected: TableShape, found: TableShape): ShapeDifference[] {
  const words = (columns: readonly string[]) => (columns.length === 0 ? 'none' : `(${columns.join(', ')})`);
  const values = { expected: words(expected.primaryKey), found: words(found.primaryKey) };
  if (values.expected === values.found) return [];
  const isMissing = found.primaryKey.length === 0;
  const mend = isMissing ? [dialect.addPrimaryKey(table, expected.primaryKey)] : [];
  return [difference('primary-key', table, { ...values, mend })];
}
