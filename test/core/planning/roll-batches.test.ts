import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { rollBatches } from '../../../src/core/planning/roll-batches.js';

const steps = (...names: readonly string[]) => names.map((node) => ({ node, role: node.replace(/-\d+$/, '') }));
const told = (batches: ReturnType<typeof rollBatches>) =>
  batches.map(({ nodes, isCanary }) => `${nodes.join(' ')}${isCanary ? ' canary' : ''}`);
const ROLL = steps('matching-1', 'history-1', 'history-2', 'history-3', 'history-4', 'frontend-1', 'frontend-2');

test('one at a time; the first of each role that has more than one is a canary', () => {
  expect(told(rollBatches(ROLL, { batch: 1, canary: true }))).toEqual([
    'matching-1',
    'history-1 canary',
    'history-2',
    'history-3',
    'history-4',
    'frontend-1 canary',
    'frontend-2',
  ]);
});

test('the canary goes alone, the rest of its role in batches', () => {
  expect(told(rollBatches(ROLL, { batch: 2, canary: true }))).toEqual([
    'matching-1',
    'history-1 canary',
    'history-2 history-3',
    'history-4',
    'frontend-1 canary',
    'frontend-2',
  ]);
});

test('without canaries a role is never away altogether', () => {
  expect(told(rollBatches(ROLL, { batch: 9, canary: false }))).toEqual([
    'matching-1',
    'history-1 history-2 history-3',
    'history-4',
    'frontend-1',
    'frontend-2',
  ]);
});

test('a role that is not in one piece, as when some of its nodes are down, keeps the order', () => {
  const order = steps('frontend-2', 'history-2', 'matching-1', 'history-1', 'frontend-1');
  expect(told(rollBatches(order, { batch: 2, canary: true }))).toEqual([
    'frontend-2 canary',
    'history-2 canary',
    'matching-1',
    'history-1',
    'frontend-1',
  ]);
});

test('whatever the order: no node is lost, doubled or moved, and no batch is of two roles or all of one', () => {
  const step = fc.record({ node: fc.uuid(), role: fc.constantFrom('history', 'matching', 'frontend') });
  fc.assert(
    fc.property(fc.array(step), fc.integer({ min: 1, max: 9 }), fc.boolean(), (order, batch, canary) => {
      const batches = rollBatches(order, { batch, canary });
      expect(batches.flatMap(({ nodes }) => nodes)).toEqual(order.map(({ node }) => node));
      for (const { nodes, role, isCanary } of batches) {
        const ofRole = order.filter((one) => one.role === role).map(({ node }) => node);
        expect(ofRole).toEqual(expect.arrayContaining([...nodes]));
        expect(nodes.length).toBeLessThanOrEqual(isCanary ? 1 : batch);
        if (ofRole.length > 1) expect(nodes.length).toBeLessThan(ofRole.length);
      }
    }),
  );
});
