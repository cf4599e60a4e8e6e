import { describe, expect, test } from '@jest/globals';
import { CASSANDRA_DIALECT } from '../../../src/core/schema/cassandra-dialect.js';
import { leftOvers } from '../../../src/core/schema/half-done.js';
import { MYSQL_DIALECT, POSTGRES_DIALECT, type SchemaDialect } from '../../../src/core/schema/schema-dialect.js';
import type { ColumnShape, SchemaShape, TableShape } from '../../../src/core/schema/schema-shape.js';

const ORDERS: TableShape = {
  columns: { id: { type: 'bigint', notNull: true }, note: { type: 'varchar(255)' } },
  primaryKey: ['id'],
  indexes: { by_note: { on: 'btree (note)' }, by_both: { on: 'btree (id, note)' } },
};
const ITEMS: TableShape = {
  columns: { id: { type: 'bigint', notNull: true }, late: { type: 'int' } },
  primaryKey: ['id'],
  indexes: { by_late: { on: 'btree (late)' } },
};
const BEFORE: SchemaShape = { orders: ORDERS };
/** The step drops an index and a column, adds a plain and a computed column, an index, and a table. */
const AFTER: SchemaShape = {
  orders: {
    ...ORDERS,
    columns: {
      id: { type: 'bigint', notNull: true },
      score: { type: 'int' },
      twice: { type: 'int', generated: '(`score` * 2)' },
    },
    indexes: { by_both: { on: 'btree (id)' }, by_score: { on: 'btree (score)' } },
  },
  items: ITEMS,
};

const left = (found: SchemaShape) => leftOvers({ before: BEFORE, steps: [AFTER], found }, MYSQL_DIALECT);
const orders = (over: Partial<TableShape>): SchemaShape => ({ orders: { ...ORDERS, ...over } });

test('nothing is left where no step was begun, or one that changed nothing yet', () => {
  expect(left(BEFORE)).toEqual([]);
});

test('a table that the step drops, and that is gone already, is made anew', () => {
  const dropped = (found: SchemaShape, dialect: SchemaDialect) =>
    leftOvers({ before: { ...BEFORE, items: ITEMS }, steps: [BEFORE], found }, dialect);
  expect(dropped(BEFORE, MYSQL_DIALECT)).toEqual([
    {
      ...{ table: 'items', gone: true, what: 'table items is gone already', holdsValues: false, isOther: false },
      takeBack: 'CREATE TABLE items (id bigint NOT NULL, late int, PRIMARY KEY (id), INDEX by_late (late));',
    },
  ]);
  expect(dropped({ ...BEFORE, items: ITEMS }, MYSQL_DIALECT)).toEqual([]);
  // Two statements there: people do them, or restore the backup.
  expect(dropped(BEFORE, CASSANDRA_DIALECT)).toEqual([]);
  const plain = { ...ITEMS, indexes: {} };
  const again = leftOvers({ before: { items: plain }, steps: [{}], found: {} }, CASSANDRA_DIALECT);
  expect(again.map(({ takeBack }) => takeBack)).toEqual([
    'CREATE TABLE items (id bigint, late int, PRIMARY KEY (id));',
  ]);
});

describe('what is there before its time', () => {
  test('a column: one that is computed holds no values of its own', () => {
    const columns = { ...ORDERS.columns, ...AFTER['orders']?.columns };
    expect(left(orders({ columns }))).toMatchObject([
      { column: 'score', takeBack: 'ALTER TABLE orders DROP COLUMN score;', holdsValues: true, isOther: false },
      { column: 'twice', takeBack: 'ALTER TABLE orders DROP COLUMN twice;', holdsValues: false, isOther: false },
    ]);
  });

  test('an index, before the column that it is on', () => {
    const found = orders({
      columns: { ...ORDERS.columns, score: { type: 'int' } },
      indexes: { ...ORDERS.indexes, by_score: { on: 'btree (score)' } },
    });
    expect(left(found).map(({ takeBack }) => takeBack)).toEqual([
      'ALTER TABLE orders DROP INDEX by_score, LOCK=NONE;',
      'ALTER TABLE orders DROP COLUMN score;',
    ]);
  });

  test('a table, whose indexes and later columns may not be there yet', () => {
    const items = { ...ITEMS, columns: { id: { type: 'bigint', notNull: true } }, indexes: {} } as const;
    expect(left({ ...BEFORE, items })).toMatchObject([
      { table: 'items', takeBack: 'DROP TABLE items;', holdsValues: true, isOther: false },
    ]);
  });
});

describe('what is gone before its time is brought back, for the step to take away', () => {
  test('an index; also one that is only made anew', () => {
    expect(left(orders({ indexes: {} })).map(({ takeBack }) => takeBack)).toEqual([
      'ALTER TABLE orders ADD INDEX by_note (note), LOCK=NONE;',
      'ALTER TABLE orders ADD INDEX by_both (id, note), LOCK=NONE;',
    ]);
  });

  test('a column', () => {
    const found = orders({ columns: { id: { type: 'bigint', notNull: true } } });
    expect(left(found)).toMatchObject([
      {
        what: 'column note of table orders is gone already',
        takeBack: 'ALTER TABLE orders ADD COLUMN note varchar(255);',
      },
    ]);
  });
});

describe('what is not what the scripts make is somebody else’s', () => {
  test.each<[string, SchemaShape]>([
    ['a column', orders({ columns: { ...ORDERS.columns, score: { type: 'text' } } })],
    ['an index', orders({ indexes: { ...ORDERS.indexes, by_score: { on: 'btree (note)' } } })],
    ['a table', { ...BEFORE, items: { ...ITEMS, columns: { other: { type: 'int' } } } }],
  ])('%s', (_, found) => {
    expect(left(found)).toMatchObject([{ isOther: true }]);
  });

  test('what the scripts do not make at all stays', () => {
    const found = orders({
      columns: { ...ORDERS.columns, mine: { type: 'int' } },
      indexes: { ...ORDERS.indexes, mine: { on: 'btree (note)' } },
    });
    expect(left({ ...found, mine: ITEMS })).toEqual([]);
  });
});

/** As visibility 1.6 does it, of server 1.24.1: a column is dropped with its index, and both are made anew. */
describe('a step that drops a column and adds it anew', () => {
  const COLUMN = { type: 'varchar(255)' } as const;
  const on = 'btree (space, root, (COALESCE(closed)) DESC)';
  const runs = (root: ColumnShape): SchemaShape => ({
    runs: {
      columns: { space: { type: 'bytea', notNull: true }, closed: { type: 'int' }, root },
      primaryKey: ['space'],
      indexes: { by_root: { on }, by_closed: { on: 'btree (closed)' } },
    },
  });
  const before = runs(COLUMN);
  const after = runs({ ...COLUMN, notNull: true, default: "''::character varying" });
  const others = Object.fromEntries(Object.entries(before['runs']?.columns ?? {}).filter(([name]) => name !== 'root'));
  const found = (over: Partial<TableShape>): SchemaShape => ({
    runs: { ...(after['runs'] ?? ORDERS), indexes: { by_closed: { on: 'btree (closed)' } }, ...over },
  });
  const statements = (shape: SchemaShape, steps = [after]) =>
    leftOvers({ before, steps, found: shape }, POSTGRES_DIALECT).map(({ takeBack }) => takeBack);
  const INDEX = `CREATE INDEX CONCURRENTLY by_root ON runs USING ${on};`;

  test('its index is brought back while it is gone, as it was; one on other columns is none of the step’s', () => {
    expect(statements(found({ columns: before['runs']?.columns ?? {} }))).toEqual([INDEX]);
    const without = { runs: { ...(before['runs'] ?? ORDERS), indexes: { by_root: { on } } } };
    expect(statements(without)).toEqual([]);
  });

  test('the column is brought back before its index', () => {
    expect(statements(found({ columns: others }))).toEqual(['ALTER TABLE runs ADD COLUMN root varchar(255);', INDEX]);
  });

  test('one that was added anew stays: the step drops it again', () => {
    expect(statements(found({}))).toEqual([INDEX]);
    expect(statements(found({ indexes: after['runs']?.indexes ?? {} }))).toEqual([]);
  });

  test('also when a later version is on its way, or the column is new in the one before', () => {
    expect(statements(found({ columns: others }), [after, after])).toHaveLength(2);
    const start = {
      runs: { ...(before['runs'] ?? ORDERS), columns: others, indexes: { by_closed: { on: 'btree (closed)' } } },
    };
    const half = { before: start, steps: [before, after], found: { ...before } };
    expect(leftOvers(half, POSTGRES_DIALECT)).toMatchObject([
      { index: 'by_root', isOther: false },
      { column: 'root', isOther: false },
    ]);
  });
});

test('a column that may not be empty comes back as one that may: its rows have nothing for it, and the step drops it again', () => {
  const columns = { ...ORDERS.columns, old: { type: 'bytea', notNull: true } } as const;
  const before = { orders: { ...ORDERS, columns } };
  expect(leftOvers({ before, steps: [BEFORE], found: BEFORE }, POSTGRES_DIALECT)).toMatchObject([
    { gone: true, takeBack: 'ALTER TABLE orders ADD COLUMN old bytea;' },
  ]);
});

test('an index that was not built to the end is the step’s all the same', () => {
  const found = orders({
    columns: { ...ORDERS.columns, score: { type: 'int' } },
    indexes: { ...ORDERS.indexes, by_score: { on: 'btree (score)', invalid: true } },
  });
  expect(left(found)).toMatchObject([{ index: 'by_score', isOther: false }, { column: 'score' }]);
});
