import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { dueAfterMs, firstDueAt } from '../../src/load/ramp.js';

const ramps = fc.record({
  startsPerSecond: fc.double({ min: 0.1, max: 1_000, noNaN: true }),
  rampUpMs: fc.integer({ min: 0, max: 600_000 }),
});
const indexes = fc.integer({ min: 0, max: 1_000_000 });

test('each start falls due after the one before, and the first at once', () => {
  fc.assert(
    fc.property(ramps, indexes, (ramp, index) => {
      expect(dueAfterMs(ramp, 0)).toBeCloseTo(0);
      expect(dueAfterMs(ramp, index + 1)).toBeGreaterThan(dueAfterMs(ramp, index));
    }),
  );
});

test('starts never come faster than the rate, and at the rate once it has risen', () => {
  fc.assert(
    fc.property(ramps, indexes, (ramp, index) => {
      const gap = dueAfterMs(ramp, index + 1) - dueAfterMs(ramp, index);
      const interval = 1_000 / ramp.startsPerSecond;
      expect(gap).toBeGreaterThan(interval * 0.999);
      if (dueAfterMs(ramp, index) >= ramp.rampUpMs) expect(gap).toBeLessThan(interval * 1.001);
    }),
  );
});

test('who comes later goes on where the clock is: no start twice, none left out', () => {
  fc.assert(
    fc.property(ramps, indexes, (ramp, index) => {
      const elapsed = dueAfterMs(ramp, index);
      // A little of arithmetic aside, the first one due at its own moment is itself, and just after it the next one.
      const interval = 1_000 / ramp.startsPerSecond;
      expect(firstDueAt(ramp, elapsed - interval / 1_000)).toBeLessThanOrEqual(index);
      expect(firstDueAt(ramp, elapsed + interval / 1_000)).toBeGreaterThan(index - 1);
      expect(firstDueAt(ramp, elapsed + interval)).toBeGreaterThan(index);
    }),
  );
});

test('half of what the rate gives falls due while it rises', () => {
  const ramp = { startsPerSecond: 10, rampUpMs: 60_000 };
  expect(firstDueAt(ramp, 60_000)).toBe(300);
  expect(firstDueAt(ramp, 120_000)).toBe(900);
  expect(firstDueAt({ ...ramp, rampUpMs: 0 }, 60_000)).toBe(600);
});
