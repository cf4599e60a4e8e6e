import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Role } from '../../../src/core/input/input.js';
import { rollOrder, startOrder } from '../../../src/core/planning/roll-order.js';

test('matching, history, internal-frontend, frontend, worker, each in the order of the input', () => {
  const nodes = (['worker', 'frontend', 'internal-frontend', 'history', 'matching'] as const).flatMap((role) => [
    { name: `${role}-b`, role },
    { name: `${role}-a`, role },
  ]);
  expect(rollOrder(nodes, 'forward')).toEqual([
    'matching-b',
    'matching-a',
    'history-b',
    'history-a',
    'internal-frontend-b',
    'internal-frontend-a',
    'frontend-b',
    'frontend-a',
    'worker-b',
    'worker-a',
  ]);
});

test('a cluster without servers is started in the order of a roll, whatever runs', () => {
  const nodes = (['worker', 'frontend', 'internal-frontend', 'history', 'matching'] as const).map((role) => ({
    name: role,
    role,
    running: role === 'history',
  }));
  expect(startOrder(nodes)).toEqual(['matching', 'history', 'internal-frontend', 'frontend', 'worker']);
});

test('back is the reverse of forward, and no node is left out', () => {
  const node = fc.record({ name: fc.string(), role: fc.constantFrom(...Role.options) });
  fc.assert(
    fc.property(fc.array(node), (nodes) => {
      const forward = rollOrder(nodes, 'forward');
      expect(rollOrder(nodes, 'back')).toEqual(forward.toReversed());
      expect(forward.toSorted()).toEqual(nodes.map(({ name }) => name).toSorted());
    }),
  );
});

test.each(['forward', 'back'] as const)('%s, nodes that do not run come first, frontends before all', (direction) => {
  const nodes = (['matching', 'history', 'frontend', 'worker'] as const).flatMap((role) => [
    { name: `${role}-up`, role, running: true },
    { name: `${role}-down`, role, running: false },
  ]);
  const up = nodes.filter(({ running }) => running);
  const order = rollOrder(nodes, direction);
  expect(order[0]).toBe('frontend-down');
  expect(order.slice(1, 4).toSorted()).toEqual(['history-down', 'matching-down', 'worker-down']);
  expect(order.slice(4)).toEqual(rollOrder(up, direction));
});
