import { describe, expect, test } from '@jest/globals';
import { judge } from '../../../src/core/judging/judge.js';
import type { LoadWindow, ProbeWindow } from '../../../src/core/ledger.js';
import type { Check } from '../../../src/core/measuring/observation.js';
import { BOUNDS, LOAD, observed, PROBE } from '../../helpers/observations.js';

/** The check `id` of a window with this load, against a baseline with that one. */
function checkOf(id: string, own: Partial<LoadWindow>, before: Partial<LoadWindow> = {}): Check | undefined {
  const baseline = observed({ kind: 'baseline', load: { ...LOAD, ...before } });
  const observation = observed({ load: { ...LOAD, ...own } });
  return judge({ observation, baseline, bounds: BOUNDS }).checks.find((one) => one.id === id);
}
const slow = { p50: 60, p99: 61, max: 62 };
const tail = { p50: 10, p99: 900, max: 950 };
const quick = { p50: 10, p99: 60, max: 90 };

describe('the latency of starts', () => {
  const many = { started: 2_000, intended: 2_000, startLatencyMs: quick };
  const verdict = (own: Partial<LoadWindow>, before: Partial<LoadWindow> = many) =>
    checkOf('load-latency', own, before)?.verdict;

  test.each([999, 1_000, 5_000])('with %i starts a slow half of them fails', (started) => {
    expect(verdict({ started, intended: started, startLatencyMs: slow })).toBe('fail');
  });

  test('a slow hundredth fails where a thousand were due', () => {
    expect(verdict({ started: 1_000, intended: 1_000, startLatencyMs: tail })).toBe('fail');
    expect(verdict({ started: 999, intended: 999, startLatencyMs: tail })).toBe('pass');
    expect(verdict({ started: 1_000, intended: 1_000, startLatencyMs: tail }, { ...many, started: 999 })).toBe('pass');
  });

  test('starts that were not confirmed do not take the slow hundredth away', () => {
    expect(verdict({ started: 950, intended: 1_000, startLatencyMs: tail })).toBe('fail');
  });

  test('shows what is further from its bound, and tells both', () => {
    const check = checkOf('load-latency', { started: 1_000, intended: 1_000, startLatencyMs: tail }, many);
    expect(check).toMatchObject({ value: 900, bound: 80, baseline: 60 });
    expect(check?.about).toMatch(/^p50 10, p99 900, max 950 ms; p50 and p99 compared/);
  });

  test('no number is never a pass', () => {
    expect(verdict({ startLatencyMs: null })).toBe('inconclusive');
    expect(verdict({ started: 1_000, intended: 1_000, startLatencyMs: { ...quick, p99: NaN } })).toBe('inconclusive');
  });
});

describe('the latency of the probe', () => {
  const verdict = (own: Partial<ProbeWindow>, before: Partial<ProbeWindow> = {}) =>
    checkOf('probe-latency', { probe: { ...PROBE, ...own } }, { probe: { ...PROBE, latencyMs: quick, ...before } })
      ?.verdict;

  test.each([999, 1_000])('with %i attempts a slow half of them fails', (attempts) => {
    expect(verdict({ attempts, latencyMs: slow })).toBe('fail');
  });

  test('a slow hundredth fails by the attempts that were due, not by those that ended', () => {
    expect(verdict({ attempts: 1_800, latencyMs: tail })).toBe('fail');
    expect(verdict({ attempts: 999, latencyMs: tail })).toBe('fail');
    expect(verdict({ attempts: 999, latencyMs: tail }, { attempts: 999 })).toBe('pass');
  });
});

describe('the example of a bad canary', () => {
  const lost = { workflowId: 'a', reason: 'the target does not know it', outcome: 'lost' } as const;
  const twice = { workflowId: 'b', reason: 'two runs under its id', outcome: 'duplicated' } as const;
  const untold = ({ workflowId, reason }: typeof lost | typeof twice) => ({ workflowId, reason });

  test('is of its own outcome', () => {
    const load = { lost: 1, duplicated: 1, wrong: 1, examples: [twice, lost] };
    expect(checkOf('load-lost', load)?.about).toBe('such as a: the target does not know it');
    expect(checkOf('load-duplicated', load)?.about).toBe('such as b: two runs under its id');
    expect(checkOf('load-wrong', load)?.about).toBeUndefined();
    expect(checkOf('load-failed', load)?.about).toBeUndefined();
  });

  test('is left out where an older build did not say which outcome it is of', () => {
    expect(checkOf('load-lost', { lost: 1, examples: [untold(lost)] })?.about).toMatch(/^such as a/);
    expect(checkOf('load-lost', { lost: 1, failed: 1, examples: [untold(twice)] })?.about).toBeUndefined();
  });
});

describe('an account of the load that is not whole', () => {
  test('a ledger that could not be verified proves nothing, and what it shows fails all the same', () => {
    const unverified = 'no frontend answered: UNAVAILABLE';
    expect(checkOf('load-verified', { unverified })).toMatchObject({ verdict: 'inconclusive', about: unverified });
    expect(checkOf('load-verified', {})).toMatchObject({ verdict: 'pass' });
    expect(checkOf('load-lost', { unverified, lost: 1 })).toMatchObject({ verdict: 'fail' });
  });

  test('what the load has left out since is named', () => {
    const leftOutLater = ['schedules: PERMISSION_DENIED', 'updates: UNIMPLEMENTED'];
    expect(checkOf('load-left-out', { leftOutLater })).toMatchObject({
      verdict: 'inconclusive',
      value: 2,
      about: 'schedules: PERMISSION_DENIED; updates: UNIMPLEMENTED',
    });
    expect(checkOf('load-left-out', { leftOutLater: [] })).toMatchObject({ verdict: 'pass' });
  });

  test('calls that failed are told with their reasons', () => {
    const failedCallReasons = ['start: DEADLINE_EXCEEDED'];
    expect(checkOf('load-failed-calls', { failedCalls: 1, failedCallReasons })).toMatchObject({
      verdict: 'fail',
      about: 'start: DEADLINE_EXCEEDED',
    });
    expect(checkOf('load-failed-calls', { failedCallReasons })?.about).toBeUndefined();
  });
});
