import { expect, test } from '@jest/globals';
import { mergeValues, valueAt, withoutValue, withValue } from '../../../src/core/charts/values.js';

test('files are laid over each other as helm does it: maps merged, lists and the rest replaced, null kept', () => {
  const first = { a: { b: 1, c: [1, 2], d: { e: 1 } }, f: 1 };
  expect(mergeValues(first, { a: { c: [3], d: null }, f: { g: 1 } }, { h: 1 })).toEqual({
    a: { b: 1, c: [3], d: null },
    f: { g: 1 },
    h: 1,
  });
  expect(first).toEqual({ a: { b: 1, c: [1, 2], d: { e: 1 } }, f: 1 });
});

test('a path is read, written and taken out, with the maps that are empty then', () => {
  const values = { a: { b: { c: false } }, d: 1 };
  expect(valueAt(values, 'a.b.c')).toBe(false);
  expect(valueAt(values, 'd.x')).toBeUndefined();
  expect(withValue(values, 'a.x.y', 2)).toEqual({ a: { b: { c: false }, x: { y: 2 } }, d: 1 });
  expect(withoutValue(values, 'a.b.c')).toEqual({ d: 1 });
  expect(withoutValue(values, 'a.x')).toEqual(values);
});
