import { expect, test } from '@jest/globals';
import { LoadPolicy } from '../../src/core/input/input.js';
import { cutDown } from '../../src/load/capabilities.js';

const ALL = { schedules: null, updates: null, searchAttributes: null };

test('a target that can do all does all', () => {
  const policy = LoadPolicy.parse({ mix: 'everything', scheduleEvery: '10s' });
  expect(cutDown(policy, ALL)).toMatchObject({ schedule: true, leftOut: [], mix: { updates: 1, searchAttributes: 1 } });
});

test('what it cannot do is left out, and said with the reason', () => {
  const policy = LoadPolicy.parse({ mix: 'everything', scheduleEvery: '10s' });
  const feasible = cutDown(policy, { schedules: 'none here', updates: 'switched off', searchAttributes: null });
  expect(feasible.schedule).toBe(false);
  expect(feasible.mix).not.toHaveProperty('updates');
  expect(feasible.mix).toHaveProperty('queries');
  expect(feasible.leftOut).toEqual(['updates (switched off)', 'scheduleEvery (none here)']);
});

test('what nobody asked for is not said to be missing', () => {
  const feasible = cutDown(LoadPolicy.parse({}), { schedules: 'a', updates: 'b', searchAttributes: 'c' });
  expect(feasible).toEqual({ mix: { steps: 1 }, schedule: false, leftOut: [] });
});

test('a load of which nothing is left does what every server can, and says so', () => {
  const feasible = cutDown(LoadPolicy.parse({ mix: { updates: 1 } }), { ...ALL, updates: 'off' });
  expect(feasible.mix).toEqual({ steps: 1 });
  expect(feasible.leftOut).toHaveLength(2);
});
