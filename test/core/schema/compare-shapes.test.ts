import { expect, test } from '@jest/globals';
import { compareShapes } from '../../../src/core/schema/compare-shapes.js';
import type { SchemaShape, TableShape } from '../../../src/core/schema/schema-shape.js';
import { describeDifference } from '../../../src/core/schema/shape-difference.js';

const TASKS: TableShape = {
  columns: {
    id: { type: 'bigint', notNull: true },
    data: { type: 'bytea' },
    encoding: { type: 'character varying(16)', notNull: true, default: "''::character varying" },
    kind: { type: 'text', generated: "(attributes ->> 'Kind'::text)" },
    attributes: { type: 'jsonb' },
  },
  primaryKey: ['id'],
  indexes: {
    by_data: { on: 'btree (data, id DESC)' },
    tasks_data_key: { on: 'btree (data)', unique: true },
  },
};
const EXPECTED: SchemaShape = { tasks: TASKS };

/** What is said of a table that is TASKS but for `change`: kind, whether it is harmless, statements. */
function said(change: Partial<TableShape>) {
  return compareShapes(EXPECTED, { tasks: { ...TASKS, ...change } }).map(({ kind, harmless, mend }) => ({
    kind,
    harmless,
    mend,
  }));
}

function without<T>(all: Readonly<Record<string, T>>, name: string): Record<string, T> {
  return Object.fromEntries(Object.entries(all).filter(([other]) => other !== name));
}

test('finds nothing between a shape and itself, whatever the order of columns and indexes', () => {
  const turned = (all: object) => Object.fromEntries(Object.entries(all).reverse());
  expect(said({ columns: turned(TASKS.columns), indexes: turned(TASKS.indexes) })).toEqual([]);
});

test('a missing table, with the statements that make it', () => {
  expect(compareShapes(EXPECTED, {})).toEqual([
    {
      kind: 'table-missing',
      table: 'tasks',
      harmless: false,
      mend: [
        'CREATE TABLE tasks (id bigint NOT NULL, data bytea, ' +
          "encoding character varying(16) DEFAULT ''::character varying NOT NULL, " +
          "kind text GENERATED ALWAYS AS ((attributes ->> 'Kind'::text)) STORED, attributes jsonb, PRIMARY KEY (id));",
        'CREATE INDEX CONCURRENTLY by_data ON tasks USING btree (data, id DESC);',
        'CREATE UNIQUE INDEX CONCURRENTLY tasks_data_key ON tasks USING btree (data);',
      ],
    },
  ]);
});

test('a table of somebody else is only noted', () => {
  const found = compareShapes(EXPECTED, { ...EXPECTED, notes: { columns: {}, primaryKey: [], indexes: {} } });
  expect(found).toEqual([{ kind: 'table-extra', table: 'notes', harmless: true, mend: [] }]);
});

test('columns', () => {
  const { columns } = TASKS;
  expect(said({ columns: without(columns, 'data') })).toEqual([
    { kind: 'column-missing', harmless: false, mend: ['ALTER TABLE tasks ADD COLUMN data bytea;'] },
  ]);
  expect(said({ columns: { ...columns, data: { type: 'text' } } })).toEqual([
    { kind: 'column-type', harmless: false, mend: [] },
  ]);
  expect(said({ columns: { ...columns, data: { type: 'bytea', notNull: true } } })).toEqual([
    { kind: 'column-nullability', harmless: false, mend: ['ALTER TABLE tasks ALTER COLUMN data DROP NOT NULL;'] },
  ]);
  expect(said({ columns: { ...columns, id: { type: 'bigint' } } })).toEqual([
    { kind: 'column-nullability', harmless: false, mend: ['ALTER TABLE tasks ALTER COLUMN id SET NOT NULL;'] },
  ]);
  expect(said({ columns: { ...columns, kind: { type: 'text' } } })).toEqual([
    { kind: 'column-generated', harmless: false, mend: [] },
  ]);
  expect(
    said({ columns: { ...columns, encoding: { type: 'character varying(16)', notNull: true } } }).map((d) => d.mend),
  ).toEqual([["ALTER TABLE tasks ALTER COLUMN encoding SET DEFAULT ''::character varying;"]]);
});

test('an extra column is harmless unless it refuses rows that do not name it', () => {
  const extra = (column: TableShape['columns'][string]) => said({ columns: { ...TASKS.columns, more: column } });
  expect(extra({ type: 'text' })).toEqual([{ kind: 'column-extra', harmless: true, mend: [] }]);
  expect(extra({ type: 'text', notNull: true, default: "'x'::text" })).toEqual([
    { kind: 'column-extra', harmless: true, mend: [] },
  ]);
  expect(extra({ type: 'text', notNull: true })).toEqual([{ kind: 'column-extra', harmless: false, mend: [] }]);
});

test('primary keys', () => {
  expect(said({ primaryKey: [] })).toEqual([
    { kind: 'primary-key', harmless: false, mend: ['ALTER TABLE tasks ADD PRIMARY KEY (id);'] },
  ]);
  expect(said({ primaryKey: ['id', 'data'] })).toEqual([{ kind: 'primary-key', harmless: false, mend: [] }]);
});

test('indexes', () => {
  const { indexes } = TASKS;
  expect(said({ indexes: without(indexes, 'by_data') })).toEqual([
    {
      kind: 'index-missing',
      harmless: false,
      mend: ['CREATE INDEX CONCURRENTLY by_data ON tasks USING btree (data, id DESC);'],
    },
  ]);
  expect(said({ indexes: { ...indexes, by_data: { on: 'btree (data, id DESC)', invalid: true } } })).toEqual([
    { kind: 'index-invalid', harmless: false, mend: ['REINDEX INDEX CONCURRENTLY by_data;'] },
  ]);
  expect(said({ indexes: { ...indexes, tasks_data_key: { on: 'btree (data)' } } })).toEqual([
    {
      kind: 'index-not-unique',
      harmless: false,
      mend: [
        'DROP INDEX CONCURRENTLY tasks_data_key;',
        'CREATE UNIQUE INDEX CONCURRENTLY tasks_data_key ON tasks USING btree (data);',
      ],
    },
  ]);
  expect(said({ indexes: { ...indexes, by_data: { on: 'btree (data, id)' } } }).map(({ kind }) => kind)).toEqual([
    'index-differs',
  ]);
});

test('an index of another name is as good, and each stands for one', () => {
  const { by_data, ...rest } = TASKS.indexes;
  if (by_data === undefined) throw new Error('the table of this test has an index by_data');
  expect(said({ indexes: { ...rest, older_name: by_data } })).toEqual([
    { kind: 'index-renamed', harmless: true, mend: ['ALTER INDEX older_name RENAME TO by_data;'] },
  ]);
  const kinds = said({ indexes: { ...rest, older_name: { ...by_data, invalid: true } } }).map(({ kind }) => kind);
  expect(kinds).toEqual(['index-missing', 'index-invalid']);
});

test('an extra index is harmless unless it is unique or half-built', () => {
  const extra = (index: TableShape['indexes'][string]) => said({ indexes: { ...TASKS.indexes, mine: index } });
  expect(extra({ on: 'btree (id)' })).toEqual([{ kind: 'index-extra', harmless: true, mend: [] }]);
  expect(extra({ on: 'btree (id)', unique: true })).toEqual([{ kind: 'index-extra', harmless: false, mend: [] }]);
  expect(extra({ on: 'btree (id)', invalid: true })).toEqual([
    { kind: 'index-invalid', harmless: false, mend: ['DROP INDEX CONCURRENTLY mine;'] },
  ]);
});

test('names that need quotes get them', () => {
  const indexes = { ...TASKS.indexes, 'Mine "x"': { on: 'btree (id)', invalid: true } as const };
  expect(said({ indexes }).map(({ mend }) => mend)).toEqual([['DROP INDEX CONCURRENTLY "Mine ""x""";']]);
});

test('a difference in words', () => {
  const columns = { ...TASKS.columns, data: { type: 'text' } };
  const found = compareShapes(EXPECTED, { tasks: { ...TASKS, columns, indexes: {} } }).map(describeDifference);
  expect(found).toEqual([
    'table "tasks": type of column data is text, expected bytea',
    'table "tasks": index by_data on btree (data, id DESC) is missing',
    'table "tasks": index tasks_data_key on unique btree (data) is missing',
  ]);
});
