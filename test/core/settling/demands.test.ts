import { expect, test } from '@jest/globals';
import { settleDemands } from '../../../src/core/settling/demands.js';

const MINUTE = 60_000;
const ofSettle = (settle: Partial<Parameters<typeof settleDemands>[0]>) =>
  settleDemands({ atLeast: 10 * MINUTE, proofTimeout: 10 * MINUTE, ...settle });

test.each<[string, Parameters<typeof ofSettle>[0], ReturnType<typeof settleDemands>]>([
  ['ten minutes', {}, { steadyMs: 2 * MINUTE, updates: 2 }],
  ['an hour', { atLeast: 60 * MINUTE }, { steadyMs: 2 * MINUTE, updates: 2 }],
  ['shortened', { atLeast: 5 * MINUTE, reason: 'r' }, { steadyMs: 2 * MINUTE, updates: 0 }],
  ['shortened to less than the quiet time', { atLeast: 5_000, reason: 'r' }, { steadyMs: 5_000, updates: 0 }],
  ['none at all', { atLeast: 0, reason: 'r' }, { steadyMs: 0, updates: 0 }],
  ['shortened, but the policy asks', { atLeast: 0, steady: MINUTE, updates: 1 }, { steadyMs: MINUTE, updates: 1 }],
  ['the policy asks for more', { steady: 5 * MINUTE, updates: 3 }, { steadyMs: 5 * MINUTE, updates: 3 }],
])('%s', (_, settle, demands) => {
  expect(ofSettle(settle)).toEqual(demands);
});
