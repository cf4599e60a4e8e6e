import type { ColumnShape, SchemaShape, TableShape } from './schema-shape.js';
import { difference, type ShapeDifference, type ShapeDifferenceKind } from './shape-difference.js';
import { compareIndexes } from './shape-indexes.js';
import { createTable, defineColumn, quoteName } from './shape-statements.js';

/** Every place where `found` is not as `expected`, by table; empty when the shapes are the same. */
export function compareShapes(expected: SchemaShape, found: SchemaShape): ShapeDifference[] {
  const known = Object.entries(expected).flatMap(([table, shape]) => {
    const other = found[table];
    if (other === undefined) return [missingTable(table, shape)];
    return [
      ...compareColumns(table, shape.columns, other.columns),
      ...comparePrimaryKey(table, shape, other),
      ...compareIndexes(table, shape.indexes, other.indexes),
    ];
  });
  const extra = Object.keys(found)
    .filter((table) => expected[table] === undefined)
    .map((table) => difference('table-extra', table, { harmless: true }));
  return [...known, ...extra];
}

function missingTable(table: string, shape: TableShape): ShapeDifference {
  return difference('table-missing', table, { mend: createTable(table, shape) });
}

function compareColumns(table: string, expected: TableShape['columns'], found: TableShape['columns']) {
  const known = Object.entries(expected).flatMap(([name, column]): ShapeDifference[] => {
    const other = found[name];
    if (other !== undefined) return compareColumn({ table, name }, column, other);
    const mend = [`ALTER TABLE ${quoteName(table)} ADD COLUMN ${defineColumn(name, column)};`];
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
  { table, name }: { readonly table: string; readonly name: string },
  expected: ColumnShape,
  found: ColumnShape,
): ShapeDifference[] {
  const alter = `ALTER TABLE ${quoteName(table)} ALTER COLUMN ${quoteName(name)}`;
  const differences: ShapeDifference[] = [];
  const note = (kind: ShapeDifferenceKind, values: { expected: string; found: string; mend?: string }) =>
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
    const mend = `${alter} ${expected.notNull === true ? 'SET' : 'DROP'} NOT NULL;`;
    note('column-nullability', { expected: words(expected.notNull), found: words(found.notNull), mend });
  }
  if (expected.default !== found.default) {
    const values = { expected: expected.default ?? 'no default', found: found.default ?? 'no default' };
    if (expected.default === undefined) note('column-default', { ...values, mend: `${alter} DROP DEFAULT;` });
    else if (expected.default === 'sequence') note('column-default', values);
    else note('column-default', { ...values, mend: `${alter} SET DEFAULT ${expected.default};` });
  }
  return differences;
}

function comparePrimaryKey(table: string, expected: TableShape, found: TableShape): ShapeDifference[] {
  const words = (columns: readonly string[]) => (columns.length === 0 ? 'none' : `(${columns.join(', ')})`);
  const values = { expected: words(expected.primaryKey), found: words(found.primaryKey) };
  if (values.expected === values.found) return [];
  const isMissing = found.primaryKey.length === 0;
  const mend = isMissing ? [`ALTER TABLE ${quoteName(table)} ADD PRIMARY KEY ${values.expected};`] : [];
  return [difference('primary-key', table, { ...values, mend })];
}
