import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { SchemaShape } from '../../../src/core/schema/schema-shape.js';
import { applyChange, changeBetween, parseShapeFile, shapeAt } from '../../../src/core/schema/shape-file.js';

const name = fc.constantFrom('a', 'b', 'c');
const column = fc
  .record({ type: fc.constantFrom('bigint', 'text'), notNull: fc.constant(true as const) }, { requiredKeys: ['type'] })
  .map((shape) => ({ ...shape }));
const index = fc
  .record(
    { on: fc.constantFrom('btree (a)', 'btree (b)'), unique: fc.constant(true as const) },
    { requiredKeys: ['on'] },
  )
  .map((shape) => ({ ...shape }));
const shape: fc.Arbitrary<SchemaShape> = fc
  .dictionary(
    name,
    fc.record({
      columns: fc.dictionary(name, column, { noNullPrototype: true }),
      primaryKey: fc.uniqueArray(name),
      indexes: fc.dictionary(name, index, { noNullPrototype: true }),
    }),
    { noNullPrototype: true },
  )
  .map((tables) => ({ ...tables }));

test('a change leads from any shape to any other, and is empty between equal ones', () => {
  fc.assert(
    fc.property(shape, shape, (before, after) => {
      expect(applyChange(before, changeBetween(before, after))).toEqual(after);
      expect(changeBetween(before, before)).toEqual({});
    }),
  );
});

const FILE = {
  store: 'postgresql/v12/temporal',
  scriptsOf: '1.32.2',
  reportedBy: 'PostgreSQL 17.10',
  shapes: {
    '1.10': { tasks: { columns: { data: null, more: { type: 'text' } } }, gone: null },
    '1.9': {
      tasks: { columns: { id: { type: 'bigint', notNull: true }, data: { type: 'bytea' } }, primaryKey: ['id'] },
      gone: { columns: {}, primaryKey: [] },
    },
  },
};

test('puts the changes together in the order of the numbers', () => {
  const file = parseShapeFile(FILE);
  expect(shapeAt(file, '1.10')).toEqual({
    tasks: {
      columns: { id: { type: 'bigint', notNull: true }, more: { type: 'text' } },
      primaryKey: ['id'],
      indexes: {},
    },
  });
  expect(Object.keys(shapeAt(file, '1.9') ?? {})).toEqual(['tasks', 'gone']);
});

test('knows nothing of a version that stands between two of its own', () => {
  const file = parseShapeFile({ ...FILE, shapes: { '1.2': {}, '1.4': {} } });
  expect(shapeAt(file, '1.3')).toBeUndefined();
  expect(shapeAt(file, '1.5')).toBeUndefined();
});

test('names the place that is wrong', () => {
  const shapes = { '1.9': { tasks: { columns: { id: { typ: 'bigint' } } } } };
  expect(() => parseShapeFile({ ...FILE, shapes })).toThrow(/shapes\.1\.9\.tasks\.columns\.id/);
});
