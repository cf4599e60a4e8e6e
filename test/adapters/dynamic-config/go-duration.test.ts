import { expect, test } from '@jest/globals';
import { readGoDuration } from '../../../src/adapters/dynamic-config/go-duration.js';

test.each<[unknown, number | undefined]>([
  ['10s', 10_000],
  ['1m30s', 90_000],
  ['1.5h', 5_400_000],
  ['250ms', 250],
  [10_000_000_000, 10_000],
  ['10', undefined],
  ['{{ .Env.POLL }}', undefined],
  [undefined, undefined],
])('%p', (value, expected) => {
  expect(readGoDuration(value)).toBe(expected);
});
