import { describe, expect, test } from '@jest/globals';
import type { Bounds } from '../../../src/core/input/bounds.js';
import { judge } from '../../../src/core/judging/judge.js';
import { WHY } from '../../../src/core/judging/check-texts.js';
import type { LoadWindow, ProbeWindow } from '../../../src/core/ledger.js';
import type { Expected, Observation, Verdict } from '../../../src/core/measuring/observation.js';
import {
  BOUNDS,
  good,
  latencies,
  LOAD,
  observed,
  processWindow,
  withProcess,
  withTotals,
} from '../../helpers/observations.js';

interface Also {
  readonly baseline?: Observation | undefined;
  readonly bounds?: Partial<Bounds>;
  readonly expected?: Expected;
}

function verdictOf(observation: Observation, also: Also = {}): Verdict {
  const baseline = 'baseline' in also ? also.baseline : observed({ kind: 'baseline' });
  return judge({ observation, baseline, bounds: { ...BOUNDS, ...also.bounds }, expected: also.expected });
}
/** Rows of one length: jest takes a parameter that a row has nothing for as its callback. */
const rows = (given: readonly (readonly [string, string, Observation, Also?])[]) =>
  given.map(([what, id, observation, also = {}]) => ({ what, id, observation, also }));
const check = (verdict: Verdict, id: string) => verdict.checks.find((one) => one.id === id);
const roll = (changes: Partial<Observation> = {}) => observed({ kind: 'roll', ...changes });
const withLoad = (changes: Partial<LoadWindow> = {}, from = observed()) => ({ ...from, load: { ...LOAD, ...changes } });
const withProbe = (changes: Partial<ProbeWindow>, from = observed()) =>
  withLoad({ probe: { ...(LOAD.probe ?? fail()), ...changes } }, from);
const fail = (): never => {
  throw new Error('the load has a probe');
};
const database = (changes: object) =>
  observed({ databases: observed().databases.map((one) => (one.store === 'default' ? { ...one, ...changes } : one)) });

test('a calm window with enough evidence passes, and says on what', () => {
  const verdict = verdictOf(withLoad(), { baseline: withLoad() });
  expect(verdict.lines.filter((line) => !line.startsWith('pass'))).toEqual(
    [
      expect.stringContaining('not-judged: cpu'),
      expect.stringContaining('not-judged: memory'),
      expect.stringContaining('not-judged: queue-lag-immediate'),
      expect.stringContaining('not-judged: queue-lag-scheduled'),
      expect.stringContaining('not-judged: database-size/default'),
      expect.stringContaining('not-judged: database-size/visibility'),
    ].map((one): unknown => one),
  );
  expect(verdict.summary).toMatch(/^pass: \d+ checks, 20 samples, 10000 requests, 0 unexpected errors$/);
  expect(verdict.lines).toHaveLength(verdict.checks.length);
});

test('shards tell their lag every few minutes alone: a short window without it is no worse, a long one says too little', () => {
  const told = latencies();
  const baseline = observed({ kind: 'baseline', histograms: { ...observed().histograms, immediateQueueLag: told } });
  const silent = { histograms: { ...observed().histograms, immediateQueueLag: [[null, 0] as const] } };
  const short = verdictOf(observed(silent), { baseline });
  expect(check(short, 'queue-lag-immediate')).toMatchObject({
    verdict: 'not-judged',
    about: 'shards tell it every 5 minutes, and none did in this window',
  });
  expect(short.verdict).toBe('pass');
  // A process that began a moment ago has no such series yet.
  expect(check(verdictOf(observed(), { baseline }), 'queue-lag-immediate')).toMatchObject({ verdict: 'not-judged' });
  const { startedAt } = observed();
  const endedAt = new Date(Date.parse(startedAt) + 11 * 60_000).toISOString();
  const long = verdictOf(observed({ ...silent, endedAt }), { baseline });
  expect(check(long, 'queue-lag-immediate')).toMatchObject({ verdict: 'inconclusive' });
});

test('every check has a line that says why it matters, and no line without a check', () => {
  const all = [verdictOf(withLoad(), { baseline: withLoad() }), verdictOf(observed(), { baseline: withLoad() })];
  const ids = new Set(all.flatMap(({ checks }) => checks.map(({ id }) => id.split('/')[0])));
  expect([...ids].sort()).toEqual(Object.keys(WHY).sort());
});

test('what is carried in a history stays small', () => {
  const verdict = verdictOf(withLoad(), { baseline: withLoad() });
  expect(JSON.stringify(withLoad()).length).toBeLessThan(6_000);
  expect(JSON.stringify(verdict).length).toBeLessThan(15_000);
});

describe('fails', () => {
  const bad = { beats: 4, bad: 3 };
  test.each(
    rows([
      ['errors above the bound', 'error-ratio', withTotals({ errors: 11 })],
      ['errors in a few requests', 'error-ratio', withTotals({ requests: 100, errors: 50 })],
      [
        'a minute full of errors',
        'error-minute',
        observed({
          worstMinute: { at: '2026-11-21T10:01:00.000Z', errors: 31, requests: 3_000, atMost: 31, atLeast: 2_000 },
        }),
      ],
      ['errors of the database', 'persistence-errors', withTotals({ persistenceErrors: 41 })],
      ['time-outs of the database', 'persistence-errors', withTotals({ persistenceTimeouts: 41 })],
      ['errors of visibility', 'visibility-errors', withTotals({ visibilityErrors: 2 })],
      ['workflows that fail', 'workflows-failing', withTotals({ workflowFailed: 30 })],
      ['a panic', 'never-expected', withTotals({ panics: 1 })],
      ['a dead letter', 'never-expected', withTotals({ dlqWrites: 2 })],
      [
        'slow starts',
        'latency-start',
        observed({ histograms: { ...observed().histograms, startLatency: latencies(25) } }),
      ],
      [
        'a slow database',
        'database-latency',
        observed({ histograms: { ...observed().histograms, persistenceLatency: latencies(25) } }),
      ],
      ['a backlog', 'backlog-age', withTotals({ backlogAgeSeconds: 6 })],
      [
        'a process that does not serve',
        'health',
        withProcess({ health: { good: 16, worst: bad, open: { beats: 0, bad: 0 } } }),
      ],
      ['a restart', 'restarts', withProcess({ restarts: 1 })],
      ['a wrong version', 'versions', withProcess({ versions: ['1.30.7'] }), { expected: { versions: ['1.31.2'] } }],
      ['two versions in a role', 'versions', withProcess({ versions: ['1.30.7'] })],
      ['rings that differ', 'rings', observed({ rings: { due: 4, asked: 4, unequal: 2, problem: 'x' } })],
      [
        'a database that is away',
        'database-reached/default',
        database({ reached: { good: 18, worst: { beats: 2, bad: 2 }, open: { beats: 0, bad: 0 } } }),
      ],
      ['a database that answers slowly', 'database-query/default', database({ queryMs: 30 })],
      [
        'a backlog, also where it was not shown often enough',
        'backlog-age',
        { ...withTotals({ backlogAgeSeconds: 6 }), upTo: { backlogAgeSeconds: null } },
      ],
      [
        'a database without room, also where that was not shown often enough',
        'database-connections/default',
        database({ connections: { inUse: 95, allowed: 97 }, upTo: { inUse: null } }),
      ],
      [
        'a database without room',
        'database-connections/default',
        database({ connections: { inUse: 95, allowed: 97 } }),
      ],
      ...(['lost', 'duplicated', 'wrong', 'failed'] as const).map((what): [string, string, Observation] => [
        `canaries ${what}`,
        `load-${what}`,
        withLoad({ [what]: 1 }),
      ]),
      ['calls of the load', 'load-failed-calls', withLoad({ failedCalls: 1 })],
      [
        'slow starts of canaries',
        'load-latency',
        withLoad({ startLatencyMs: { p50: 40, p99: 90, max: 100 } }),
        { baseline: withLoad() },
      ],
      ['a failed call of the probe', 'probe-failed-calls', withProbe({ failedCalls: 1 })],
      [
        'a failed attempt of the probe',
        'probe-failed-attempts',
        withProbe({ failedAttempts: 1, byCode: { UNAVAILABLE: 1 } }),
      ],
      ['a gap', 'probe-gap', withProbe({ longestGapMs: 1_001 })],
      [
        'a slow probe',
        'probe-latency',
        withProbe({ latencyMs: { p50: 8, p99: 70, max: 80 } }),
        { baseline: withLoad() },
      ],
    ]),
  )('$what', ({ id, observation, also }) => {
    const verdict = verdictOf(observation, also);
    expect(check(verdict, id)).toMatchObject({ verdict: 'fail' });
    expect(verdict.checks.filter((one) => one.verdict === 'fail')).toHaveLength(1);
    expect(verdict.verdict).toBe('fail');
    expect(verdict.lines[0]).toMatch(new RegExp(`^fail: ${id}: .*Why: `));
    expect(verdict.summary).toContain(id);
  });

  test('one fail outweighs everything that is missing', () => {
    expect(verdictOf({ ...withTotals({ panics: 1 }), processes: [], databases: [] }).verdict).toBe('fail');
  });
});

describe('is inconclusive for want of evidence', () => {
  const { totals } = withTotals({ requests: undefined });
  test.each(
    rows([
      ['too few requests', 'requests', withTotals({ requests: 199 })],
      [
        'too few good requests',
        'requests',
        withTotals({ requests: 200, errors: 1 }),
        { bounds: { errorRatioRise: 0.05 } },
      ],
      ['no requests', 'error-ratio', withTotals({ requests: 0 })],
      ['requests that are no number', 'error-ratio', withTotals({ requests: NaN })],
      ['a name that was not found', 'names', observed({ totals })],
      ['a name that went away', 'names', { ...observed(), histograms: {} }],
      ['too few samples', 'window', observed({ beats: { due: 20, seen: 17, ends: true } })],
      ['four samples', 'window', observed({ beats: { due: 4, seen: 4, ends: true } })],
      ['an end that was not seen', 'window', observed({ beats: { due: 20, seen: 19, ends: false } })],
      ['no processes', 'process-samples', observed({ processes: [] })],
      ['a page that was gone', 'process-samples', withProcess({ metrics: { due: 20, seen: 17, ends: true } })],
      [
        'a page that is gone at the end',
        'process-samples',
        withProcess({ metrics: { due: 20, seen: 19, ends: false } }),
      ],
      ['no databases', 'database-samples', observed({ databases: [] })],
      ['one database', 'database-samples', observed({ databases: observed().databases.slice(0, 1) })],
      ['a database that was not asked', 'database-samples', database({ beats: { due: 20, seen: 10, ends: true } })],
      [
        'a process not heard of for long',
        'health',
        withProcess({ health: { good: 17, worst: { beats: 3, bad: 1 }, open: { beats: 0, bad: 0 } } }),
      ],
      ['no version', 'versions', withProcess({ versions: [] })],
      ['rings never asked for', 'rings', observed({ rings: { due: 4, asked: 0, unequal: 0 } })],
      ['rings that differed once', 'rings', observed({ rings: { due: 4, asked: 4, unequal: 1 } })],
      ['a counter that fell', 'counters-whole', withProcess({ fell: 'requests' })],
      [
        'what a process that was started anew had counted',
        'counters-whole',
        withProcess({ lost: true, restarts: 1 }, 'history-1', roll()),
      ],
      [
        'a process that is not there any more',
        'process-samples',
        observed({ processes: observed().processes.slice(1) }),
      ],
      ['workflows that ended before, and none here', 'workflows-failing', withTotals({ workflowSuccess: 0 })],
      [
        'a backlog that was shown too rarely',
        'backlog-age',
        { ...withTotals({ backlogAgeSeconds: undefined }), upTo: { backlogAgeSeconds: null } },
      ],
      [
        'a backlog of the baseline that was shown too rarely',
        'backlog-age',
        withTotals({ backlogAgeSeconds: 100 }),
        { baseline: { ...withTotals({ backlogAgeSeconds: undefined }), upTo: { backlogAgeSeconds: null } } },
      ],
      [
        'connections that were shown too rarely',
        'database-connections/default',
        database({ connections: { inUse: 20, allowed: 97 }, upTo: { inUse: null } }),
        { baseline: undefined },
      ],
      [
        'connections that may have been too many',
        'database-connections/default',
        database({ connections: { inUse: 20, allowed: 97 }, upTo: { inUse: 95 } }),
      ],
      ['a backlog that may have been too old', 'backlog-age', { ...observed(), upTo: { backlogAgeSeconds: 6 } }],
      [
        'answers that may have been too slow',
        'database-query/default',
        database({ queryMs: 1, upTo: { queryMs: 1_000 } }),
      ],
      ['no minute', 'error-minute', observed({ worstMinute: undefined })],
      [
        'a minute that may have been full of errors',
        'error-minute',
        observed({
          worstMinute: { at: '2026-11-21T10:01:00.000Z', errors: 9, requests: 1_000, atMost: 15, atLeast: 500 },
        }),
      ],
      ['load that did not arrive', 'load-started', withLoad({ started: 300 })],
      ['no load at all', 'load-started', withLoad({ started: 0, intended: 0 })],
      ['no account of the load', 'load', observed(), { baseline: withLoad() }],
      ['a probe that hardly called', 'probe-attempts', withProbe({ attempts: 100 })],
      [
        'no account of the probe',
        'probe-attempts',
        { ...observed(), load: { ...LOAD, probe: undefined } },
        { baseline: withLoad() },
      ],
      [
        'a baseline cut short',
        'baseline-evidence',
        observed(),
        { baseline: observed({ beats: { due: 20, seen: 10, ends: true } }) },
      ],
      ['a baseline of few requests', 'baseline-evidence', observed(), { baseline: withTotals({ requests: 150 }) }],
    ]),
  )('$what', ({ id, observation, also }) => {
    const verdict = verdictOf(observation, also);
    expect(check(verdict, id)).toMatchObject({ verdict: 'inconclusive' });
    expect(verdict.verdict).toBe('inconclusive');
    expect(verdict.lines[0]).toMatch(/^inconclusive: .*Why: /);
  });
});

test('a gauge that nobody shows is not judged, whatever the baseline was', () => {
  const none = withTotals({ backlogAgeSeconds: undefined });
  expect(check(verdictOf(none), 'backlog-age')).toMatchObject({ verdict: 'not-judged' });
  expect(check(verdictOf(withTotals({ backlogAgeSeconds: 100 }), { baseline: none }), 'backlog-age')).toMatchObject({
    verdict: 'not-judged',
  });
});

test('no workflow ended here, nor on the baseline', () => {
  const none = withTotals({ workflowSuccess: 0 });
  expect(check(verdictOf(none, { baseline: none }), 'workflows-failing')).toMatchObject({ verdict: 'not-judged' });
});

describe('the error ratio', () => {
  test.each([
    [0, 10, 'pass'], // 0.1 points above 0
    [0, 11, 'fail'],
    [50, 60, 'pass'], // the baseline's own errors are not held against the upgrade
    [50, 61, 'fail'],
    [50, 0, 'pass'],
  ])('%i errors in 10000 before, %i after: %s', (before, after, expected) => {
    const verdict = verdictOf(withTotals({ errors: after }), { baseline: withTotals({ errors: before }) });
    expect(check(verdict, 'error-ratio')).toMatchObject({ verdict: expected });
  });

  test('without a baseline it is held against zero, and the verdict says so', () => {
    const given = (errors: number) => verdictOf(withTotals({ errors }), { baseline: undefined });
    expect(given(10).verdict).toBe('pass');
    expect(given(10).summary).toContain('absolute bounds alone');
    expect(given(11).verdict).toBe('fail');
    expect(check(given(10), 'error-ratio')).toMatchObject({ bound: 0.001, baseline: null });
  });

  test('no bound is looser than the guide', () => {
    const bounds = { errorRatioRise: 0.5, persistenceErrorRatioRise: 0.5, workflowFailureRise: 0.9 };
    expect(verdictOf(withTotals({ errors: 510 }), { bounds }).verdict).toBe('fail');
    expect(verdictOf(withTotals({ persistenceErrors: 2_100 }), { bounds }).verdict).toBe('fail');
    expect(verdictOf(withTotals({ workflowFailed: 30 }), { bounds }).verdict).toBe('fail');
  });

  test('minRequests 0 accepts a window without requests, but not one without samples', () => {
    const quiet = { ...withTotals({ requests: 0 }), histograms: {} };
    const also = { baseline: quiet, bounds: { minRequests: 0 } };
    expect(verdictOf(quiet, also).verdict).toBe('pass');
    expect(check(verdictOf(quiet, also), 'error-ratio')).toMatchObject({ verdict: 'not-judged', value: null });
    expect(
      verdictOf(withProcess({ metrics: { due: 20, seen: 0, ends: false } }, 'frontend-1', quiet), also).verdict,
    ).toBe('inconclusive');
    expect(verdictOf({ ...quiet, totals: { ...quiet.totals, requests: 3, errors: 1 } }, also).verdict).toBe('fail');
  });
});

describe('during a roll', () => {
  const down = {
    explained: 6,
    metrics: { due: 20, seen: 14, ends: true },
    restarts: 1,
    versions: ['1.30.7', '1.31.2'],
  };
  const expected = { versions: ['1.30.7', '1.31.2'] };
  const rolled = withProcess(
    { ...down, health: { good: 14, worst: { beats: 6, bad: 6 }, open: { beats: 0, bad: 0 } } },
    'history-1',
    roll(),
  );

  test('a process that is replaced is down for a while, and restarts once', () => {
    expect(verdictOf(rolled, { expected }).verdict).toBe('pass');
  });

  test('a process that does not come back fails', () => {
    const open = { beats: 6, bad: 6 };
    const verdict = verdictOf(withProcess({ health: { good: 14, worst: open, open } }, 'history-1', rolled), {
      expected,
    });
    expect(check(verdict, 'health')).toMatchObject({ verdict: 'fail' });
  });

  test('a process that starts again and again fails', () => {
    expect(check(verdictOf(withProcess({ restarts: 2 }, 'history-1', rolled), { expected }), 'restarts')).toMatchObject(
      {
        verdict: 'fail',
      },
    );
  });

  test('a process that the roll itself put back and replaced again may have started so often', () => {
    const threeTimes = withProcess({ restarts: 3 }, 'history-1', rolled);
    const retried = { expected: { ...expected, restarts: 3 } };
    expect(check(verdictOf(threeTimes, retried), 'restarts')).toMatchObject({ verdict: 'pass', bound: 3 });
    const more = withProcess({ restarts: 4 }, 'history-1', rolled);
    expect(check(verdictOf(more, retried), 'restarts')).toMatchObject({ verdict: 'fail' });
  });

  test('latency is shown, and never fails', () => {
    const histograms = { ...observed().histograms, startLatency: latencies(500) };
    expect(check(verdictOf({ ...rolled, histograms }, { expected }), 'latency-start')).toMatchObject({
      verdict: 'not-judged',
      value: expect.any(Number),
    });
  });

  test('raw failures of the probe are allowed up to a bound, a gap up to five seconds', () => {
    const at = (changes: Partial<ProbeWindow>) =>
      verdictOf(withProbe(changes, rolled), { expected, baseline: withLoad() });
    expect(at({ failedAttempts: 1, longestGapMs: 4_900 }).verdict).toBe('pass');
    expect(at({ failedAttempts: 2 }).verdict).toBe('fail');
    expect(at({ longestGapMs: 5_100 }).verdict).toBe('fail');
    expect(at({ failedCalls: 1 }).verdict).toBe('fail');
  });

  test('errors are allowed up to one in a hundred of any minute', () => {
    const minute = (errors: number) => ({
      at: '2026-11-21T10:01:00.000Z',
      errors,
      requests: 3_000,
      atMost: errors,
      atLeast: 3_000,
    });
    const totals = { ...rolled.totals, errors: 30 };
    expect(verdictOf({ ...rolled, totals, worstMinute: minute(30) }, { expected }).verdict).toBe('pass');
    expect(verdictOf({ ...rolled, totals, worstMinute: minute(31) }, { expected }).verdict).toBe('fail');
  });
});

test('a latency is judged no finer than its histogram tells, and not by a handful of calls', () => {
  const given = (slow: number, bounds = {}) =>
    check(
      verdictOf(observed({ histograms: { ...observed().histograms, startLatency: latencies(slow) } }), { bounds }),
      'latency-start',
    );
  expect(given(4)).toMatchObject({ verdict: 'pass' });
  // One in a hundred of a thousand, and what chance may add to ten.
  expect(given(19)).toMatchObject({ verdict: 'pass' });
  expect(given(20)).toMatchObject({ verdict: 'fail', bound: 30, baseline: 10 });
  expect(given(20, { latencyRiseMs: 2_000 })).toMatchObject({ verdict: 'pass' });
});

test('a restart is not hidden among many processes', () => {
  const many = Array.from({ length: 50 }, (_, index) => processWindow(`history-${index}`, { health: good(20) }));
  const processes = [...many, processWindow('frontend-1', { restarts: 1 })];
  expect(check(verdictOf(observed({ processes })), 'restarts')?.about).toContain('frontend-1');
});

test('the first failures of the probe are told with moment, kind and reason, those with retries by themselves', () => {
  const failure = { at: 1_000, kind: 'history-write', code: 'UNAVAILABLE', reason: 'shard closed', ms: 12 };
  const verdict = verdictOf(
    withProbe({
      failedAttempts: 1,
      failedCalls: 1,
      byCode: { UNAVAILABLE: 1 },
      failures: [
        { ...failure, way: 'raw' },
        { ...failure, way: 'retried', at: 2_000, reason: '' },
      ],
    }),
  );
  const line = 'history-write UNAVAILABLE after 12 ms';
  expect(check(verdict, 'probe-failed-attempts')?.about).toBe(
    `1 UNAVAILABLE; 1970-01-01T00:00:01.000Z ${line}: shard closed`,
  );
  expect(check(verdict, 'probe-failed-calls')?.about).toBe(`1970-01-01T00:00:02.000Z ${line}`);
});
