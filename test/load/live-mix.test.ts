import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { weighByCounts } from '../../src/load/live-mix.js';

const own = (...types: readonly string[]) => types.map((workflowType) => ({ workflowType }));

test('weights are the shares among the types that can be started; the others are named, the most frequent first', () => {
  expect(weighByCounts({ order: 75, refund: 25, audit: 20, secret: 80 }, own('order', 'refund', 'rare'))).toEqual({
    weights: { order: 0.75, refund: 0.25 },
    leftOut: [
      'secret (40.0 % of the copied mix; `own` has no start for it)',
      'audit (10.0 % of the copied mix; `own` has no start for it)',
      'rare (not started in the copied mix in the last day)',
    ],
  });
});

test('weights add up to one, and every type is either weighed or named', () => {
  const names: fc.Arbitrary<string> = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'toString');
  fc.assert(
    fc.property(
      fc.dictionary(names, fc.integer({ min: 0, max: 1_000_000 })),
      fc.uniqueArray(names),
      (counts, types) => {
        const { weights, leftOut } = weighByCounts(counts, own(...types));
        const sum = Object.values(weights).reduce((total, weight) => total + weight, 0);
        if (Object.keys(weights).length > 0) expect(sum).toBeCloseTo(1);
        for (const type of types) {
          expect(Object.hasOwn(weights, type) !== leftOut.some((line) => line.startsWith(`${type} (not started`))).toBe(
            true,
          );
        }
        for (const [type, count] of Object.entries(counts)) {
          if (count > 0 && !types.includes(type))
            expect(leftOut.some((line) => line.startsWith(`${type} (`))).toBe(true);
        }
      },
    ),
  );
});
