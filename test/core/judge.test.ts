import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { judge } from '../../src/core/judge.js';
import { type Bounds, NEVER_EXPECTED, type Observation, type Verdict } from '../../src/core/observation.js';

const bounds: Bounds = { minRequests: 200, maxErrorRatioRise: 0.001 };
const load = { started: 360, failedCalls: 0, lost: 0, duplicated: 0, wrong: 0, failed: 0 };

function observed(changes: Partial<Observation> = {}): Observation {
  const requests = changes.requests ?? 10_000;
  const errors = changes.errors ?? 0;
  return {
    windowMs: 180_000,
    startedAt: '2026-11-21T10:00:00.000Z',
    endedAt: '2026-11-21T10:03:00.000Z',
    samples: 10,
    nodes: [
      { node: 'frontend-1', up: 10, of: 10 },
      { node: 'history-1', up: 10, of: 10 },
    ],
    restarts: 0,
    unexpected: {},
    ...changes,
    requests,
    errors,
    errorRatio: changes.errorRatio === undefined && requests > 0 ? errors / requests : (changes.errorRatio ?? null),
  };
}

const verdictOf = (
  observation: Observation,
  baseline: Observation | undefined = observed(),
  changed: Partial<Bounds> = {},
): Verdict => judge({ observation, baseline, bounds: { ...bounds, ...changed } });
const check = (verdict: Verdict, name: string) => verdict.checks.find((one) => one.name === name);

test('a calm window with enough evidence passes, and says on what', () => {
  const verdict = verdictOf(observed({ load }), observed({ load }));
  expect(verdict.verdict).toBe('pass');
  expect(verdict.summary).toMatch(/^pass: \d+ checks, 10 samples, 10000 requests, 0 unexpected errors$/);
  expect(verdict.checks.map((one) => one.verdict).filter((one) => one !== 'pass')).toEqual([]);
  expect(verdict.lines).toHaveLength(verdict.checks.length);
});

describe('fails', () => {
  test.each<[string, Partial<Observation>, string]>([
    ['a node that never was up', { nodes: [{ node: 'history-1', up: 0, of: 10 }] }, 'up history-1'],
    ['a restart nobody asked for', { restarts: 1 }, 'restarts'],
    ['an error ratio above the bound', { errors: 11 }, 'error-ratio'],
    ['a counter that nobody listed', { unexpected: { something_corrupt: 2 } }, 'something_corrupt'],
    ...NEVER_EXPECTED.map((name): [string, Partial<Observation>, string] => [
      name,
      { unexpected: { [name]: 1 } },
      name,
    ]),
    ...(['lost', 'duplicated', 'wrong', 'failed', 'failedCalls'] as const).map(
      (name): [string, Partial<Observation>, string] => [
        `load ${name}`,
        { load: { ...load, [name]: 1 } },
        `load ${name}`,
      ],
    ),
  ])('%s', (_, changes, name) => {
    const verdict = verdictOf(observed(changes));
    expect(verdict.verdict).toBe('fail');
    expect(check(verdict, name)).toMatchObject({ verdict: 'fail' });
    expect(verdict.lines[0]).toMatch(new RegExp(`^fail: ${name}: `));
    expect(verdict.summary).toContain(check(verdict, name)?.why);
  });

  test('one fail outweighs everything that is missing', () => {
    expect(verdictOf(observed({ requests: 0, samples: 0, nodes: [], restarts: 1 })).verdict).toBe('fail');
  });
});

describe('is inconclusive for want of evidence', () => {
  test.each<[string, Partial<Observation>, string]>([
    ['too few requests', { requests: 199 }, 'error-ratio'],
    ['no requests', { requests: 0 }, 'error-ratio'],
    ['a ratio that could not be measured', { errorRatio: NaN }, 'error-ratio'],
    ['no sample', { samples: 0 }, 'enough-samples'],
    ['one sample', { samples: 1 }, 'enough-samples'],
    ['a window cut short', { endedAt: '2026-11-21T10:01:00.000Z' }, 'enough-samples'],
    ['an end that is no time', { endedAt: '' }, 'enough-samples'],
    ['no nodes', { nodes: [] }, 'nodes-up'],
    ['a node asked once', { nodes: [{ node: 'history-1', up: 1, of: 1 }] }, 'up history-1'],
    ['a node never asked', { nodes: [{ node: 'history-1', up: 0, of: 0 }] }, 'up history-1'],
    ['a node that was up at times', { nodes: [{ node: 'history-1', up: 9, of: 10 }] }, 'up history-1'],
    ['metrics of a node missing', { nodes: [{ node: 'history-1', up: 9, of: 10 }] }, 'service_panics'],
    ['no canary started', { load: { ...load, started: 0 } }, 'enough-load'],
  ])('%s', (_, changes, name) => {
    const changed = 'errorRatio' in changes ? { ...observed(changes), errorRatio: null } : observed(changes);
    const verdict = verdictOf(changed);
    expect(check(verdict, name)).toMatchObject({ verdict: 'inconclusive' });
    expect(verdict.verdict).toBe('inconclusive');
  });

  test('a baseline with too few requests, or that could not be measured', () => {
    expect(verdictOf(observed(), observed({ requests: 100 })).verdict).toBe('inconclusive');
    expect(verdictOf(observed(), { ...observed(), errorRatio: null }).verdict).toBe('inconclusive');
  });

  test('load on the baseline and no account of it now', () => {
    const verdict = verdictOf(observed(), observed({ load }));
    expect(check(verdict, 'load')).toMatchObject({ verdict: 'inconclusive' });
    expect(verdict.verdict).toBe('inconclusive');
  });
});

describe('the error ratio', () => {
  test.each([
    [0, 10, 'pass'], // 0.1 points above 0
    [0, 11, 'fail'],
    [50, 60, 'pass'], // the baseline's own errors are not held against the upgrade
    [50, 61, 'fail'],
    [50, 0, 'pass'],
  ])('%i errors in 10000 before, %i after: %s', (before, after, expected) => {
    expect(verdictOf(observed({ errors: after }), observed({ errors: before })).verdict).toBe(expected);
  });

  test('without a baseline it is held against zero', () => {
    const given = (errors: number) => judge({ observation: observed({ errors }), bounds });
    expect(given(10).verdict).toBe('pass');
    expect(given(11).verdict).toBe('fail');
    expect(check(given(10), 'error-ratio')).toMatchObject({ bound: 0.001, baseline: undefined });
  });

  test('minRequests 0 accepts a window without requests, but not one without samples', () => {
    const quiet = observed({ requests: 0 });
    const verdict = verdictOf(quiet, quiet, { minRequests: 0 });
    expect(verdict.verdict).toBe('pass');
    expect(check(verdict, 'error-ratio')).toMatchObject({ verdict: 'not-judged', value: null });
    expect(check(verdict, 'error-ratio')?.why).toContain('minRequests is 0');
    const down = observed({ requests: 0, nodes: [{ node: 'frontend-1', up: 9, of: 10 }] });
    expect(verdictOf(down, quiet, { minRequests: 0 }).verdict).toBe('inconclusive');
  });

  test('with minRequests 0 the few requests there were are judged', () => {
    expect(verdictOf(observed({ requests: 3, errors: 1 }), observed({ requests: 0 }), { minRequests: 0 }).verdict).toBe(
      'fail',
    );
    expect(verdictOf(observed({ requests: 3 }), observed({ requests: 0 }), { minRequests: 0 }).verdict).toBe('pass');
  });
});

test('more samples may be asked for', () => {
  expect(verdictOf(observed(), observed(), { minSamples: 10 }).verdict).toBe('pass');
  expect(verdictOf(observed(), observed(), { minSamples: 11 }).verdict).toBe('inconclusive');
});

test('nothing that is missing or broken ever passes', () => {
  const broken = fc.oneof(
    fc.record({ samples: fc.constant(0) }),
    fc.record({ nodes: fc.constant([]) }),
    fc.record({ endedAt: fc.constantFrom('', 'x', '2026-11-21T09:00:00Z') }),
    fc.record({ requests: fc.constantFrom(NaN, 0, 199) }),
    fc.record({ errors: fc.constantFrom(NaN, -1, Infinity) }),
    fc.record({ restarts: fc.constant(NaN) }),
    fc.record({ unexpected: fc.constant({ service_panics: NaN }) }),
    fc.record({ load: fc.constantFrom({ ...load, lost: NaN }, { ...load, started: NaN }) }),
  );
  fc.assert(
    fc.property(broken, fc.option(fc.constant(observed({ load })), { nil: undefined }), (changes, baseline) => {
      expect(judge({ observation: observed({ load, ...changes }), baseline, bounds }).verdict).not.toBe('pass');
    }),
  );
});
