import { expect, test } from '@jest/globals';
import { roleOverheads } from '../../src/bench/role-overhead.js';

const STEPS = [
  { role: 'matching', from: 0, to: 3_000 },
  { role: 'history', from: 5_000, to: 9_000 },
  { role: 'history', from: 20_000, to: 22_500 },
];
const PODS = [
  { role: 'history', seenAt: -60_000, readyAt: -58_000 }, // of before
  { role: 'matching', seenAt: 500, readyAt: 2_500 },
  { role: 'history', seenAt: 5_500, readyAt: 7_500 },
  { role: 'history', seenAt: 20_200, readyAt: 22_200 },
];

test('what a role took, without the time its pods needed and without the pauses between its steps', () => {
  expect(roleOverheads(STEPS, PODS)).toEqual([
    { role: 'matching', pods: 1, seconds: 3, readySeconds: 2, overhead: 1 },
    { role: 'history', pods: 2, seconds: 6.5, readySeconds: 4, overhead: 2.5 },
  ]);
});

test('a step whose pod was not seen to become ready is no measurement', () => {
  const unready = PODS.map((pod) => (pod.seenAt === 20_200 ? { ...pod, readyAt: undefined } : pod));
  expect(() => roleOverheads(STEPS, unready)).toThrow('step 2 of history has made no pod that became ready');
  expect(() => roleOverheads(STEPS, PODS.slice(0, 1))).toThrow('step 1 of matching');
});
