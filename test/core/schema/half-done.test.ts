import { describe, expect, test } from '@jest/globals';
import { CASSANDRA_DIALECT } from '../../../src/core/schema/cassandra-dialect.js';
import { leftOvers } from '../../../src/core/schema/half-done.js';
import { MYSQL_DIALECT, type SchemaDialect } from '../../../src/core/schema/schema-dialect.js';
import type { SchemaShape, TableShape } from '../../../src/core/schema/schema-shape.js';

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

const left = (found: SchemaShape) => leftOvers({ before: BEFORE, after: AFTER, found }, MYSQL_DIALECT);
const orders = (over: Partial<TableShape>): SchemaShape => ({ orders: { ...ORDERS, ...over } });

test('nothing is left where no step was begun, or one that changed nothing yet', () => {
  expect(left(BEFORE)).toEqual([]);
});

test('a table that the step drops, and that is gone already, is made anew', () => {
  const dropped = (found: SchemaShape, dialect: SchemaDialect) =>
    leftOvers({ before: { ...BEFORE, items: ITEMS }, after: BEFORE, found }, dialect);
  expect(dropped(BEFORE, MYSQL_DIALECT)).toEqual([
    {
      ...{ table: 'items', tableGone: true, what: 'table items is gone already', holdsValues: false, isOther: false },
      takeBack: 'CREATE TABLE items (id bigint NOT NULL, late int, PRIMARY KEY (id), INDEX by_late (late));',
    },
  ]);
  expect(dropped({ ...BEFORE, items: ITEMS }, MYSQL_DIALECT)).toEqual([]);
  // Two statements there: people do them, or restore the backup.
  expect(dropped(BEFORE, CASSANDRA_DIALECT)).toEqual([]);
  const plain = { ...ITEMS, indexes: {} };
  const again = leftOvers({ before: { items: plain }, after: {}, found: {} }, CASSANDRA_DIALECT);
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
