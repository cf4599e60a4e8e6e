import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ticksBetween } from '../../src/load/schedules.js';

test('ticks are at whole intervals, the first one among them', () => {
  expect(ticksBetween({ everyMs: 10_000, fromAt: 100_000, notedTo: null }, 125_000)).toEqual([
    100_000, 110_000, 120_000,
  ]);
  expect(ticksBetween({ everyMs: 10_000, fromAt: 100_000, notedTo: 110_000 }, 120_000)).toEqual([120_000]);
  expect(ticksBetween({ everyMs: 10_000, fromAt: 100_000, notedTo: 125_000 }, 125_000)).toEqual([]);
  // Confirmed late: what was due before that was not promised.
  expect(ticksBetween({ everyMs: 10_000, fromAt: 100_000, notedTo: 109_999 }, 110_000)).toEqual([110_000]);
});

test('however often they are written down, each tick is there once', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60 }),
      fc.array(fc.integer({ min: 0, max: 50_000 }), { maxLength: 20 }),
      (seconds, steps) => {
        const everyMs = seconds * 1_000;
        const fromAt = 7 * everyMs;
        let end = fromAt - 1;
        let notedTo: number | null = null;
        const ticks: number[] = [];
        for (const step of steps) {
          end += step;
          ticks.push(...ticksBetween({ everyMs, fromAt, notedTo }, end));
          notedTo = end;
        }
        expect(ticks).toEqual(ticksBetween({ everyMs, fromAt, notedTo: null }, end));
      },
    ),
  );
});
