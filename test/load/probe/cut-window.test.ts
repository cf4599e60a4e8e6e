import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { cutWindow, type Span } from '../../../src/load/probe/cut-window.js';
import { Latencies } from '../../../src/load/probe/latency.js';
import type { KindTally, ProbeFailure, ProbeInterval } from '../../../src/load/probe/probe-interval.js';

function tally(first: number | null, last: number | null, longestGapMs = 0): KindTally {
  return { attempts: 10, calls: 5, firstSuccessAt: first, lastSuccessAt: last, longestGapMs };
}

function interval(startedAt: number, frontend: KindTally, more: Partial<ProbeInterval> = {}): ProbeInterval {
  const kinds = { frontend };
  return { stretch: 'one', startedAt, endedAt: startedAt + 5_000, kinds, failures: [], latency: null, ...more };
}

/** Success each 500 ms, from shortly after the start to shortly before the end. */
const steady = (startedAt: number) => interval(startedAt, tally(startedAt + 100, startedAt + 4_900, 500));

function cut(intervals: readonly ProbeInterval[], span: Span) {
  return cutWindow({ intervals, failures: intervals.flatMap(({ failures }) => failures) }, span);
}

test('nothing recorded: all time is missing, and nothing is said of the target', () => {
  expect(cut([], { from: 0, to: 60_000 })).toEqual({
    attempts: 0,
    failedAttempts: 0,
    calls: 0,
    failedCalls: 0,
    latencyMs: null,
    longestGapMs: 0,
    longestGapKind: null,
    byCode: {},
    byKind: {},
    failures: [],
    missingMs: 60_000,
  });
});

test('a steady target: the gap is that between two calls, across intervals too', () => {
  const seen = cut([steady(0), steady(5_000), steady(10_000)], { from: 0, to: 15_000 });
  expect(seen).toMatchObject({ attempts: 30, calls: 15, longestGapMs: 500, missingMs: 0 });
  const apart = [interval(0, tally(100, 3_000, 400)), interval(5_000, tally(6_200, 9_900, 400))];
  expect(cut(apart, { from: 0, to: 10_000 })).toMatchObject({ longestGapMs: 3_200, longestGapKind: 'frontend' });
});

test.each<[string, ProbeInterval[], Span, number]>([
  ['has not ended', [interval(0, tally(0, 2_000)), interval(5_000, tally(null, null))], { from: 0, to: 10_000 }, 8_000],
  ['began with the record', [interval(0, tally(4_000, 4_900))], { from: 0, to: 5_000 }, 4_000],
  ['never was a success', [interval(0, tally(null, null))], { from: 0, to: 5_000 }, 5_000],
  ['counts as far as it lies in the window', [interval(0, tally(null, null))], { from: 1_000, to: 3_000 }, 2_000],
  ['ends where the record ends', [interval(0, tally(100, 1_000))], { from: 0, to: 60_000 }, 4_000],
  ['lies before the window', [interval(0, tally(3_900, 4_900, 100)), steady(5_000)], { from: 4_500, to: 10_000 }, 500],
])('a gap that %s', (_, intervals, span, longestGapMs) => {
  expect(cut(intervals, span).longestGapMs).toBe(longestGapMs);
});

test('one kind of call without success is a gap, whatever the others do', () => {
  const kinds = { frontend: tally(100, 4_900, 500), 'history-read': tally(100, 1_000, 500) };
  const seen = cut([interval(0, tally(0, 0), { kinds })], { from: 0, to: 5_000 });
  expect(seen).toMatchObject({ longestGapMs: 4_000, longestGapKind: 'history-read' });
});

test('time between two processes is missing, not a gap', () => {
  const [before, after] = [steady(0), { ...steady(35_000), stretch: 'two' }];
  expect(cut([before, after], { from: 0, to: 40_000 })).toMatchObject({ longestGapMs: 500, missingMs: 30_000 });
});

test('two records of the same time count it once', () => {
  const seen = cut([steady(0), { ...steady(2_000), stretch: 'two' }], { from: 0, to: 10_000 });
  expect(seen.missingMs).toBe(3_000);
});

test('failures are counted by code and kind when they are raw, and by themselves after retries', () => {
  const told = { reason: 'shard closed', ms: 12 };
  const failures: ProbeFailure[] = [
    { at: 1, kind: 'matching', way: 'raw', code: 'UNAVAILABLE', ...told },
    { at: 2, kind: 'frontend', way: 'raw', code: 'UNAVAILABLE', ...told },
    { at: 3, kind: 'matching', way: 'raw', code: 'DEADLINE_EXCEEDED', ...told },
    { at: 4, kind: 'matching', way: 'retried', code: 'UNAVAILABLE', ...told },
  ];
  expect(cut([{ ...steady(0), failures }], { from: 0, to: 5_000 })).toMatchObject({
    failedAttempts: 3,
    failedCalls: 1,
    byCode: { UNAVAILABLE: 2, DEADLINE_EXCEEDED: 1 },
    byKind: { matching: 2, frontend: 1 },
    failures,
  });
});

test('the first three failures of each way are told, however many there are', () => {
  const failures = Array.from({ length: 100 }, (_, at): ProbeFailure => ({
    at,
    kind: 'namespace',
    way: at < 90 ? 'raw' : 'retried',
    code: 'INTERNAL',
    reason: '',
    ms: 1,
  }));
  const seen = cut([{ ...steady(0), failures }], { from: 0, to: 5_000 });
  expect(seen).toMatchObject({ failedAttempts: 90, failedCalls: 10 });
  expect(seen.failures?.map(({ at }) => at)).toEqual([0, 1, 2, 90, 91, 92]);
});

test('latencies of all intervals are put together', () => {
  const encoded = (values: readonly number[]) => {
    const latencies = new Latencies();
    for (const value of values) latencies.record(value);
    return latencies.encode();
  };
  const fast = { ...steady(0), latency: encoded(Array.from({ length: 99 }, () => 4)) };
  const slow = { ...steady(5_000), latency: encoded([2_500]) };
  const { latencyMs } = cut([fast, slow], { from: 0, to: 10_000 });
  expect(latencyMs?.p50).toBeCloseTo(4, 1);
  expect(latencyMs?.p99).toBeCloseTo(4, 1);
  expect((latencyMs?.max ?? 0) / 2_500).toBeCloseTo(1, 1);
});

test('taking a record away never makes less time missing, nor a gap longer than what is left', () => {
  const starts = fc.uniqueArray(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(starts, fc.nat(), fc.integer({ min: 0, max: 60 }), (numbers, which, length) => {
      const span = { from: 7_000, to: 7_000 + length * 1_000 };
      const all = numbers.toSorted((a, b) => a - b).map((number) => steady(number * 5_000));
      const fewer = all.filter((_, index) => index !== which % all.length);
      const [whole, part] = [cut(all, span), cut(fewer, span)];
      expect(part.missingMs).toBeGreaterThanOrEqual(whole.missingMs);
      expect(part.attempts).toBeLessThanOrEqual(whole.attempts);
      expect(part.longestGapMs + part.missingMs).toBeGreaterThanOrEqual(Math.min(whole.longestGapMs, length * 1_000));
    }),
  );
});
