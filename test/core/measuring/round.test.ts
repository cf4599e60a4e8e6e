import { expect, test } from '@jest/globals';
import { MetricsSource } from '../../../src/core/input/input.js';
import { beatFor } from '../../../src/core/measuring/round.js';

test('a beat is a twentieth of the window, between one second and ten', () => {
  expect([1_000, 20_000, 60_000, 180_000, 3_600_000].map((ms) => beatFor(ms, {}))).toEqual([
    ...[1_000, 1_000, 3_000, 9_000, 10_000],
  ]);
});

test('it is never shorter than the time between two scrapes of a Prometheus, 30 s unless the input says', () => {
  const metrics = MetricsSource.parse({ prometheus: 'http://prometheus:9090' });
  expect(beatFor(60_000, { metrics })).toBe(30_000);
  expect(beatFor(60_000, { metrics: { ...metrics, every: 60_000 } })).toBe(60_000);
  expect(beatFor(180_000, { metrics: { ...metrics, every: 5_000 } })).toBe(9_000);
});
