import { expect, test } from '@jest/globals';
import { sustained } from '../../../src/core/measuring/streak.js';

/** Of twenty beats: so many with that number, so many without any, and the rest with 1. */
const beats = (high: number, missing: number): (number | undefined)[] =>
  Array.from({ length: 20 }, (_, beat) => (beat < high ? 9 : beat < high + missing ? undefined : 1));

test.each([
  // Two of twenty may be worse.
  [0, 0, 1, false],
  [2, 0, 1, false],
  [3, 0, 9, false],
  // What is missing counts as worse.
  [1, 1, 1, false],
  [1, 2, 9, false],
  // Too much is missing: what it was for sure.
  [0, 3, 1, true],
  [2, 3, 1, true],
  [3, 3, 9, true],
  [0, 18, 0, true],
  [1, 19, 0, true],
])('%i high and %i missing of twenty', (high, missing, value, unclear) => {
  expect(sustained(beats(high, missing))).toEqual({ value, unclear });
});

test('nothing is nothing', () => {
  expect(sustained([undefined, undefined])).toBeUndefined();
  expect(sustained([])).toBeUndefined();
});
