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
