import { describe, expect, test } from '@jest/globals';
import { Duration, formatDuration } from '../../src/core/duration.js';

describe('a span of time', () => {
  test.each([
    [0, 0],
    [1_500, 1_500],
    ['90s', 90_000],
    ['10m', 600_000],
    ['2 days', 172_800_000],
    [' 1.5h ', 5_400_000],
    ['250', 250],
  ])('%j is %i ms', (text, expected) => {
    expect(Duration.parse(text)).toBe(expected);
  });

  test.each([
    '',
    ' ',
    'soon',
    '-5m',
    '10 parsecs',
    '1m 30s',
    `${'9'.repeat(120)}s`,
    -1,
    1.5,
    NaN,
    Infinity,
    null,
    {},
    true,
  ])('%j is none, and is told, not thrown', (text) => {
    expect(Duration.safeParse(text).success).toBe(false);
  });
});

test.each([
  [0, '0ms'],
  [999, '999ms'],
  [1_000, '1s'],
  [95_000, '1m 35s'],
  [600_000, '10m'],
  [3_600_000, '1h'],
  [3_661_000, '1h 1m'],
  [172_800_000, '2d'],
])('%i ms reads %s', (milliseconds, text) => {
  expect(formatDuration(milliseconds)).toBe(text);
});
