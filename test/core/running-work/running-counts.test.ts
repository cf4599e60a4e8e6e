import { expect, test } from '@jest/globals';
import { largestCounts } from '../../../src/core/running-work/running-counts.js';

test('the largest namespaces and types are kept, with the sums of all', () => {
  const counts = {
    small: { running: 1, types: { a: 1 } },
    large: { running: 60, types: { a: 10, b: 30, c: 20 } },
    middle: { running: 5, types: {} },
  };
  expect(largestCounts(counts, { namespaces: 2, types: 2 })).toEqual({
    large: { running: 60, types: { b: 30, c: 20 } },
    middle: { running: 5, types: {} },
  });
});
