import { expect, test } from '@jest/globals';
import { probePoints } from '../../../src/load/probe/probe-points.js';
import { ProbeTally } from '../../../src/load/probe/probe-tally.js';

const STEP = 10_000;
const FAILURE = { code: 'UNAVAILABLE', reason: 'shard closed', ms: 12 };

/** Five seconds with a success each `everyMs`, in the stretch `stretch`. */
function interval(
  startedAt: number,
  { everyMs = 500, stretch = 's', failedAt }: { everyMs?: number; stretch?: string; failedAt?: number } = {},
) {
  const tally = new ProbeTally(['frontend']);
  for (let at = startedAt; at < startedAt + 5_000; at += everyMs)
    tally.succeeded({ kind: 'frontend', way: 'raw', at }, 4);
  if (failedAt !== undefined) tally.failed({ kind: 'frontend', way: 'raw', at: failedAt }, FAILURE);
  return tally.interval({ stretch, startedAt, endedAt: startedAt + 5_000 });
}

const pointsOf = (intervals: readonly ReturnType<typeof interval>[], to: number) =>
  probePoints({ intervals, failures: intervals.flatMap(({ failures }) => failures) }, { from: 0, to, stepMs: STEP });

test('rate and latency of each piece, and no interval counts twice', () => {
  const intervals = [0, 5_000, 10_000, 15_000].map((startedAt) => interval(startedAt));
  expect(pointsOf(intervals, 20_000)).toEqual([
    {
      at: 0,
      perSecond: 2,
      failedAttempts: 0,
      failedCalls: 0,
      p50: expect.closeTo(4, 1),
      p99: expect.closeTo(4, 1),
      longestGapMs: 500,
    },
    {
      at: STEP,
      perSecond: 2,
      failedAttempts: 0,
      failedCalls: 0,
      p50: expect.closeTo(4, 1),
      p99: expect.closeTo(4, 1),
      longestGapMs: 500,
    },
  ]);
});

test('what failed stands in the piece in which it failed', () => {
  const intervals = [interval(0), interval(5_000), interval(10_000, { failedAt: 12_000 })];
  expect(pointsOf(intervals, 20_000).map(({ failedAttempts }) => failedAttempts)).toEqual([0, 1]);
});

test('a gap that goes on through an interval without a success is seen in its whole length', () => {
  const silent = new ProbeTally(['frontend']).interval({ stretch: 's', startedAt: 5_000, endedAt: 10_000 });
  const gaps = pointsOf([interval(0), silent, interval(10_000)], 20_000).map(({ longestGapMs }) => longestGapMs);
  expect(gaps).toEqual([5_500, 5_500]);
});

test('time without a record is not known, and no gap', () => {
  const intervals = [interval(0), interval(25_000, { stretch: 'another' })];
  expect(pointsOf(intervals, 30_000).map(({ perSecond, longestGapMs }) => [perSecond, longestGapMs])).toEqual([
    [2, 500],
    [null, null],
    [2, 500],
  ]);
});
