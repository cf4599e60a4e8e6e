import { expect, test } from '@jest/globals';
import { medianOf, sustained } from '../../../src/core/measuring/streak.js';

/** Of twenty beats: so many with that number, so many without any, and the rest with 1. */
const beats = (high: number, missing: number): (number | undefined)[] =>
  Array.from({ length: 20 }, (_, beat) => (beat < high ? 9 : beat < high + missing ? undefined : 1));

test.each([
  // Two of twenty may be worse.
  [0, 0, 1, 1],
  [2, 0, 1, 1],
  [3, 0, 9, 9],
  // What is missing may have been worse, and is not said to have been.
  [1, 1, 1, 1],
  [1, 2, 1, 9],
  [3, 2, 9, 9],
  // Too much is missing to know.
  [0, 3, 1, null],
  [2, 3, 1, null],
  [3, 3, 9, null],
  [0, 19, 0, null],
  [1, 19, 0, null],
])('%i high and %i missing of twenty', (high, missing, value, upTo) => {
  expect(sustained(beats(high, missing))).toEqual({ value, upTo });
});

test.each([
  [[1, 2, 9], 2, 2],
  [[1, 2, 3, 9], 3, 3],
  [[1, undefined, 3], 1, 3],
  [[undefined, undefined, 3], 0, null],
])('the middle of %j', (values, value, upTo) => {
  expect(medianOf(values)).toEqual({ value, upTo });
});

test('nothing is nothing', () => {
  expect(sustained([undefined, undefined])).toBeUndefined();
  expect(sustained([])).toBeUndefined();
});
