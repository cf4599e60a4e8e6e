import { expect, test } from '@jest/globals';
import { markIn, markOfRun } from '../../src/core/run-mark.js';

/** Of one server, begun 20 seconds one after the other: time first, then what is drawn by lot. */
const RUNS = ['01a22dd0-439e-7e5a-a215-9695d457f0e5', '01a22dd0-91be-7b11-8c03-52ab0e5f7714'] as const;

test('runs that were begun within a minute have marks of their own', () => {
  expect(RUNS.map(markOfRun)).toEqual(['d457f0e5', '0e5f7714']);
  expect(RUNS.map((run) => markIn({ lastDigits: true }, run))).toEqual(['d457f0e5', '0e5f7714']);
});

test('a roll-out that an earlier release began keeps the mark that it had', () => {
  expect(markIn({}, RUNS[0])).toBe('01a22dd0');
});
