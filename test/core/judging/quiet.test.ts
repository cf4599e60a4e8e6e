import { describe, expect, test } from '@jest/globals';
import { Bounds } from '../../../src/core/input/bounds.js';
import { WHY } from '../../../src/core/judging/check-texts.js';
import { judge } from '../../../src/core/judging/judge.js';
import type { LoadWindow, ProbeWindow } from '../../../src/core/ledger.js';
import type { CheckVerdict, Expected, Observation, Verdict } from '../../../src/core/measuring/observation.js';
import type { ProcessSample, Round } from '../../../src/core/measuring/round.js';
import type { SeriesKey } from '../../../src/core/measuring/series.js';
import { cutWindow } from '../../../src/core/measuring/window.js';
import { QUIET_WINDOW_MS, readQuietRecord, resample } from '../../helpers/quiet-record.js';

/* A real cluster in which nothing was wrong, as test/fixtures/record-quiet.ts recorded it; and with one thing wrong. */
const BOUNDS = Bounds.parse({});
const { rounds, loads, beatMs } = readQuietRecord();
const begin = rounds[0]?.at ?? NaN;

interface Cut {
  readonly rounds: readonly Round[];
  readonly load: LoadWindow | undefined;
}
/** The window that begins so long after the record does. */
const cut = (given: Cut, sinceMs: number, kind: Observation['kind'] = 'settled'): Observation => {
  const from = begin + sinceMs;
  const { minRequests } = BOUNDS;
  const ends = { from, to: from + QUIET_WINDOW_MS, beatMs };
  return cutWindow(given.rounds, { kind, ...ends, minRequests, load: given.load });
};
const baseline = cut({ rounds, load: loads[0] }, 0, 'baseline');
const judged = (observation: Observation, expected: Expected = { versions: ['1.31.2'] }, before = baseline): Verdict =>
  judge({ observation, baseline: before, bounds: BOUNDS, expected });
const alarms = ({ lines }: Verdict): string[] => lines.filter((line) => /^(fail|inconclusive)/.test(line));
const loadOf = (index: number): LoadWindow | undefined => loads[1 + (index % (loads.length - 1))];

describe('a quiet cluster gives no false alarm', () => {
  test('in the windows as they were', () => {
    for (const [index, load] of loads.entries())
      expect(alarms(judged(cut({ rounds, load }, index * QUIET_WINDOW_MS)))).toEqual([]);
  });

  test('in twenty windows, one a few seconds after the other', () => {
    for (let index = 0; index < 20; index += 1)
      expect(alarms(judged(cut({ rounds, load: loadOf(index) }, QUIET_WINDOW_MS + index * 6_000)))).toEqual([]);
  });

  test.each(Array.from({ length: 20 }, (_, index) => index + 1))('drawn anew, seed %i', (seed) => {
    const drawn = resample(rounds, seed);
    const windows = [0, 1, 2, 3, 4].map((index) =>
      cut({ rounds: drawn, load: loadOf(index) }, index * QUIET_WINDOW_MS),
    );
    expect(windows.flatMap((one) => alarms(judged(one)))).toEqual([]);
  });
});

/** What is wrong from the middle of the second window on. */
const MIDDLE = begin + 1.5 * QUIET_WINDOW_MS;
const isLate = ({ at }: Round): boolean => at >= MIDDLE;
const sample = (of: RegExp, how: (one: ProcessSample) => ProcessSample, when: (round: Round) => boolean = isLate) =>
  ({
    rounds: rounds.map((round) =>
      when(round) ? { ...round, processes: round.processes.map((one) => (of.test(one.node) ? how(one) : one)) } : round,
    ),
  }) as const;
/** From then on a counter is so much higher, or a gauge that high. */
const higher = (of: RegExp, key: SeriesKey, more: number, and: readonly SeriesKey[] = []) =>
  sample(of, (one) => ({
    ...one,
    reading: one.reading && {
      ...one.reading,
      values: [key, ...and].reduce(
        (values, name) => ({ ...values, [name]: (values[name] ?? 0) + more }),
        one.reading.values,
      ),
    },
  }));
/** From then on a histogram has so many more that took longer than all its bounds. */
const slower = (of: RegExp, key: SeriesKey, more: number) =>
  sample(of, (one) => {
    const histogram = one.reading?.histograms[key];
    if (one.reading === undefined || histogram === undefined) return one;
    const last = histogram.at(-1)?.[1] ?? 0;
    const bounds = histogram.filter(([upTo]) => upTo !== null);
    const changed = [...bounds, [3_600_000, last] as const, [null, last + more] as const];
    return { ...one, reading: { ...one.reading, histograms: { ...one.reading.histograms, [key]: changed } } };
  });
/** Servers show this lag every five minutes, which the record has none of: five of 10 at each beat, and then more. */
const lagging = (key: SeriesKey, more: number) => {
  const shown = (of: Cut['rounds'], late: number) =>
    of.map((round, index) => ({
      ...round,
      processes: round.processes.map((one) => {
        const count = 5 * (index + 1) + (isLate(round) ? late : 0);
        const lag = [
          [5, 0],
          [10, 5 * (index + 1)],
          [100_000, 5 * (index + 1)],
          [null, count],
        ] as const;
        return {
          ...one,
          reading: one.reading && { ...one.reading, histograms: { ...one.reading.histograms, [key]: lag } },
        };
      }),
    }));
  return {
    rounds: shown(rounds, more),
    before: cut({ rounds: shown(rounds, 0), load: loads[0] }, 0, 'baseline'),
  };
};
const store = (how: object, when: (round: Round) => boolean = isLate) => ({
  rounds: rounds.map((round) =>
    when(round)
      ? {
          ...round,
          databases: round.databases.map((one) => (one.store === 'default' ? { ...one, ...how } : one)),
        }
      : round,
  ),
});
const facts = (more: object) => store({ facts: { ...rounds[0]?.databases[0]?.facts, ...more } });
const load = (more: Partial<LoadWindow>) => ({ load: loads[1] && { ...loads[1], ...more } });
const probe = (more: Partial<ProbeWindow>) => load({ probe: loads[1]?.probe && { ...loads[1].probe, ...more } });
const slow = { p50: 400, p99: 5_000, max: 9_000 };

interface Fault extends Partial<Cut> {
  readonly expected?: Expected;
  readonly before?: Observation;
}

/** One thing that is wrong, for each check. */
const FAULTS: readonly (readonly [id: string, verdict: CheckVerdict, fault: Fault])[] = [
  ['window', 'inconclusive', { rounds: rounds.filter((_, index) => index % 5 !== 0) }],
  ['process-samples', 'inconclusive', sample(/^history-1$/, (one) => ({ ...one, reading: undefined }))],
  [
    'database-samples',
    'inconclusive',
    { rounds: rounds.map((one) => (isLate(one) ? { ...one, databases: [] } : one)) },
  ],
  ['baseline-evidence', 'inconclusive', { before: { ...baseline, beats: { due: 21, seen: 9, ends: true } } }],
  [
    'names',
    'inconclusive',
    sample(
      /./,
      (one) => ({
        ...one,
        reading: one.reading && { ...one.reading, values: { ...one.reading.values, persistenceRequests: undefined } },
      }),
      () => true,
    ),
  ],
  ['counters-whole', 'inconclusive', higher(/^history-1$/, 'persistenceRequests', -50_000_000)],
  [
    'requests',
    'inconclusive',
    sample(
      /^frontend/,
      (one) => ({
        ...one,
        reading: one.reading && { ...one.reading, values: { ...one.reading.values, requests: 1_000 } },
      }),
      () => true,
    ),
  ],
  ['health', 'fail', sample(/^matching/, (one) => ({ ...one, health: 'NOT_SERVING' }))],
  ['restarts', 'fail', sample(/^worker/, (one) => ({ ...one, instance: 'another' }))],
  ['versions', 'fail', { expected: { versions: ['1.30.7'] } }],
  ['rings', 'fail', { rounds: rounds.map((one) => (one.rings ? { ...one, rings: { equal: false } } : one)) }],
  ['never-expected', 'fail', higher(/^history-2$/, 'panics', 1)],
  ['error-ratio', 'fail', higher(/^frontend-1$/, 'errors', 100, ['requests'])],
  ['error-minute', 'fail', higher(/^frontend-1$/, 'errors', 100, ['requests'])],
  ['persistence-errors', 'fail', higher(/^history/, 'persistenceTimeouts', 500)],
  ['visibility-errors', 'fail', higher(/^history/, 'visibilityErrors', 100)],
  ['workflows-failing', 'fail', higher(/^history-1$/, 'workflowFailed', 30)],
  ['latency-start', 'fail', slower(/^frontend/, 'startLatency', 20)],
  ['latency-signal', 'fail', slower(/^frontend/, 'signalLatency', 20)],
  ['latency-respond', 'fail', slower(/^frontend/, 'respondLatency', 20)],
  ['database-latency', 'fail', slower(/^history/, 'persistenceLatency', 2_000)],
  ['queue-lag-immediate', 'fail', lagging('immediateQueueLag', 20)],
  ['queue-lag-scheduled', 'fail', lagging('scheduledQueueLag', 20)],
  ['backlog-age', 'fail', higher(/^matching/, 'backlogAgeSeconds', 60)],
  ['database-reached', 'fail', store({ facts: undefined, problem: 'no answer' })],
  ['database-query', 'fail', facts({ queryMs: 900 })],
  ['database-connections', 'fail', facts({ connections: { inUse: 490, allowed: 497 } })],
  ['load', 'inconclusive', { load: undefined }],
  ['load-started', 'inconclusive', load({ started: 1 })],
  ['load-verified', 'inconclusive', load({ unverified: 'no frontend answered' })],
  ['load-left-out', 'inconclusive', load({ leftOutLater: ['schedules'] })],
  ['load-lost', 'fail', load({ lost: 1 })],
  ['load-duplicated', 'fail', load({ duplicated: 1 })],
  ['load-wrong', 'fail', load({ wrong: 1 })],
  ['load-failed', 'fail', load({ failed: 1 })],
  ['load-failed-calls', 'fail', load({ failedCalls: 1 })],
  ['load-latency', 'fail', load({ startLatencyMs: slow })],
  ['probe-attempts', 'inconclusive', load({ probe: undefined })],
  ['probe-recorded', 'inconclusive', probe({ missingMs: 20_000 })],
  ['probe-failed-calls', 'fail', probe({ failedCalls: 1 })],
  ['probe-failed-attempts', 'fail', probe({ failedAttempts: 1 })],
  ['probe-gap', 'fail', probe({ longestGapMs: 4_000 })],
  ['probe-latency', 'fail', probe({ latencyMs: slow })],
];

describe('one thing that is wrong is caught by the check for it', () => {
  test.each(FAULTS)('%s: %s', (id, verdict, { expected, before, ...fault }) => {
    const observation = cut({ rounds, load: loads[1], ...fault }, QUIET_WINDOW_MS);
    const found = judged(observation, expected, before);
    expect(found.checks.find((one) => one.id.split('/')[0] === id)).toMatchObject({ verdict });
    expect(found.verdict).not.toBe('pass');
  });

  test('every check has one, but those that only show', () => {
    const shown = ['cpu', 'memory', 'database-size'];
    expect([...FAULTS.map(([id]) => id), ...shown].sort()).toEqual(Object.keys(WHY).sort());
  });
});
