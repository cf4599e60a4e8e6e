import { expect, test } from '@jest/globals';
import { sliceRoll, type MeasuredRoll } from '../../src/bench/roll/measured-roll.js';
import { plotRolls } from '../../src/bench/roll/plot-rolls.js';
import type { Span } from '../../src/bench/roll/ways.js';
import type { LoadWindow } from '../../src/core/ledger.js';

/** Of a second of time as many milliseconds; nothing in the second slice, a failure in the third. */
const seen = ({ from, to }: Span) =>
  ({
    probe: {
      latencyMs: from === 11_000 ? null : { p50: 1, p99: to - from, max: 2 * (to - from) },
      failedAttempts: from === 21_000 ? 3 : 0,
    },
  }) as LoadWindow;

test('a roll is cut into slices of ten seconds; the last is shorter, one without a success is left out', () => {
  expect(sliceRoll({ from: 1_000, to: 25_000 }, seen)).toEqual([
    { second: 0, p99: 10_000, max: 20_000, failed: 0 },
    { second: 20, p99: 4_000, max: 8_000, failed: 3 },
  ]);
});

test('the first roll of each way gets a panel, in which failures are marked', () => {
  const measured = (way: MeasuredRoll['way'], seconds: number, failed: number) =>
    ({ way, seconds, series: [{ second: 0, p99: 20, max: 300, failed }] }) as unknown as MeasuredRoll;
  const svg = plotRolls([measured('documented', 31, 1), measured('careful', 518, 0), measured('documented', 77, 0)]);
  expect(svg).toMatch(/^<svg /);
  expect(svg).toContain('documented: 31 s');
  expect(svg).toContain('careful: 518 s');
  expect(svg).not.toContain('77 s');
  const marks = (text: string) => text.split('fill="#dc2626"').length;
  // One more than in a drawing without a failure; the legend has its own.
  expect(marks(svg)).toBe(marks(plotRolls([measured('documented', 31, 0)])) + 1);
});
