import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { judge } from '../../../src/core/judging/judge.js';
import { cutWindow } from '../../../src/core/measuring/window.js';
import type { Round } from '../../../src/core/measuring/round.js';
import type { Observation, Verdict, WindowKind } from '../../../src/core/measuring/observation.js';
import { BOUNDS } from '../../helpers/observations.js';
import { at, BEAT_MS, FROM, NODES, quiet, roundsOf, type Did, type Model } from '../../helpers/rounds.js';

const LAST = 18;
const cut = (rounds: readonly Round[], kind: WindowKind = 'settled', beats = LAST): Observation =>
  cutWindow(rounds, { kind, from: FROM, to: FROM + beats * BEAT_MS, beatMs: BEAT_MS, minRequests: 200 });
const baseline = cut(roundsOf(quiet()), 'baseline');
const judged = (rounds: readonly Round[]): Verdict => judge({ observation: cut(rounds), baseline, bounds: BOUNDS });

describe('a window', () => {
  test('counts what was added between its ends, of the frontends or of all', () => {
    const { totals, histograms, beats } = baseline;
    expect(beats).toEqual({ due: 19, seen: 19, ends: true });
    expect(totals).toMatchObject({ requests: 18 * 60, errors: 0, persistenceRequests: 2 * 18 * 300, panics: 0 });
    expect(histograms.persistenceLatency?.at(-1)).toEqual([null, 2 * 18 * 60]);
    expect(judged(roundsOf(quiet())).verdict).toBe('pass');
  });

  test('is widened to whole beats, and leaves aside what lies outside', () => {
    const narrow = cutWindow(roundsOf(quiet()), {
      kind: 'roll',
      from: FROM + 12_000,
      to: FROM + 31_000,
      beatMs: BEAT_MS,
      minRequests: 200,
    });
    expect(narrow.beats).toEqual({ due: 4, seen: 4, ends: true });
    expect(narrow.totals.requests).toBe(180);
  });

  test('rounds of another grid are not of it', () => {
    const shifted = roundsOf(quiet()).map((round) => ({ ...round, at: round.at + 1 }));
    expect(cut(shifted).beats).toEqual({ due: 19, seen: 0, ends: false });
  });

  test('a restart begins the counters anew: it is told by the run of the process, and what was counted since is kept', () => {
    const model: Model = { ...quiet(), did: { [at(9, 'frontend-1')]: { restarts: true } } };
    const observation = cut(roundsOf(model));
    expect(observation.totals.requests).toBe(18 * 60);
    expect(observation.processes.find(({ node }) => node === 'frontend-1')).toMatchObject({ restarts: 1 });
    expect(observation.processes.some(({ fell }) => fell !== undefined)).toBe(false);
    const line = judged(roundsOf(model)).lines[0];
    expect(line).toMatch(/^fail: restarts: 1, .*frontend-1; its counters were begun anew/);
  });

  test('a counter that falls within one run of a process is not taken for a restart', () => {
    const rounds = roundsOf({ ...quiet(), did: { [at(9, 'frontend-1')]: { requests: -300 } } });
    expect(cut(rounds).processes).toContainEqual(expect.objectContaining({ fell: 'requests', restarts: 0 }));
    expect(judged(rounds).lines[0]).toMatch(/^inconclusive: counters-whole: .*frontend-1: requests/);
  });

  test('where nobody knows the run of a process, numbers that fall tell it', () => {
    const model: Model = { ...quiet(), did: { [at(9, 'frontend-1')]: { restarts: true } } };
    const rounds = roundsOf(model).map((round) => ({
      ...round,
      processes: round.processes.map((one) => ({ ...one, instance: undefined, running: null })),
    }));
    expect(cut(rounds).processes.find(({ node }) => node === 'frontend-1')).toMatchObject({ restarts: 1 });
    expect(cut(rounds).totals.requests).toBe(18 * 60);
  });

  test('finds the minute with the most errors', () => {
    const observation = cut(roundsOf({ ...quiet(), did: { [at(9, 'frontend-1')]: { errors: 20 } } }));
    expect(observation.worstMinute).toMatchObject({
      at: new Date(FROM + 60_000).toISOString(),
      errors: 20,
      requests: 380,
    });
  });

  test('a name that is spelled otherwise is told', () => {
    const rounds = roundsOf(quiet()).map((round, beat) => ({
      ...round,
      processes: round.processes.map((one) =>
        one.node === 'frontend-1' && beat > 9 && one.reading !== undefined
          ? {
              ...one,
              reading: { ...one.reading, spelling: { prefix: 'temporal_', counters: '_total', timers: '_seconds' } },
            }
          : one,
      ),
    }));
    const line = judged(rounds).lines.find((one) => one.includes(' names:'));
    expect(line).toMatch(
      /^pass: .*service_requests, service_latency → temporal_service_requests_total, temporal_service_latency_seconds/,
    );
  });
});

const RANK = { fail: 0, inconclusive: 1, pass: 2 } as const;
const rank = (rounds: readonly Round[]) => RANK[judged(rounds).verdict];

const beat = fc.integer({ min: 1, max: LAST });
const node = fc.constantFrom(...NODES.map(([name]) => name));
const did: fc.Arbitrary<Did> = fc.record(
  {
    errors: fc.constantFrom(0, 1, 2, 40),
    persistenceErrors: fc.constantFrom(0, 1, 12, 200),
    slow: fc.constantFrom(0, 1, 5, 30),
    panics: fc.constantFrom(0, 0, 1),
    serves: fc.boolean(),
    restarts: fc.constant(false),
  },
  { requiredKeys: [] },
);
/** Mostly near the bounds: what is far beyond them says little. */
const model: fc.Arbitrary<Model> = fc
  .record({
    requests: fc.constantFrom(60, 60, 12, 11, 0),
    bad: fc.array(fc.tuple(beat, node, did), { maxLength: 4 }),
    unreached: fc.uniqueArray(beat, { maxLength: 2 }),
    slowQueries: fc.uniqueArray(beat, { maxLength: 12 }),
  })
  .map(({ requests, bad, unreached, slowQueries }) => ({
    beats: LAST + 1,
    did: {
      ...Object.fromEntries(
        Array.from({ length: LAST + 1 }, (_, index) =>
          NODES.map(([name]) => [at(index, name), { requests }] as const),
        ).flat(),
      ),
      ...Object.fromEntries(bad.map(([when, name, what]) => [at(when, name), { requests, ...what }])),
    },
    unreached: new Set(unreached),
    queryMs: Array.from({ length: LAST + 1 }, (_, index) => (slowQueries.includes(index) ? 100 : 1)),
  }));

/** Makes one beat of one process, or of a database, worse than it was. */
const worse: fc.Arbitrary<(model: Model) => Model> = fc
  .tuple(beat, node, fc.nat(6))
  .map(([when, name, what]) => (given) => {
    const key = at(when, name);
    const old = given.did[key] ?? {};
    const changed = (more: Did): Model => ({ ...given, did: { ...given.did, [key]: { ...old, ...more } } });
    switch (what) {
      case 0:
        return changed({ errors: (old.errors ?? 0) + 1 });
      case 1:
        return changed({ persistenceErrors: (old.persistenceErrors ?? 0) + 5 });
      case 2:
        return changed({ slow: (old.slow ?? 0) + 3 });
      case 3:
        return changed({ panics: 1 });
      case 4:
        return changed({ serves: false });
      case 5:
        return { ...given, queryMs: given.queryMs.map((ms, index) => (index === when ? 1_000 : ms)) };
      default:
        return { ...given, unreached: new Set([...given.unreached, when]) };
    }
  });

test('the windows that the laws are tried on have all three verdicts', () => {
  const verdicts = new Set(fc.sample(model, { numRuns: 200, seed: 6 }).map((one) => judged(roundsOf(one)).verdict));
  expect([...verdicts].sort()).toEqual(['fail', 'inconclusive', 'pass']);
});

test('adding a worse sample never improves a verdict', () => {
  fc.assert(
    fc.property(model, fc.array(worse, { minLength: 1, maxLength: 4 }), (given, steps) => {
      const worsened = steps.reduce((one, step) => step(one), given);
      expect(rank(roundsOf(worsened))).toBeLessThanOrEqual(rank(roundsOf(given)));
    }),
    { numRuns: 400 },
  );
});

/** Takes a round away, or what it has of one process, one database or the rings. */
const removal: fc.Arbitrary<(rounds: readonly Round[]) => Round[]> = fc
  .tuple(fc.nat(LAST), node, fc.nat(4))
  .map(([when, name, what]) => (rounds) => {
    const time = FROM + when * BEAT_MS;
    if (what === 0) return rounds.filter((round) => round.at !== time);
    return rounds.map((round) => {
      if (round.at !== time) return round;
      if (what === 1) return { ...round, processes: round.processes.filter((one) => one.node !== name) };
      if (what === 2) {
        return {
          ...round,
          processes: round.processes.map((one) => (one.node === name ? { ...one, reading: undefined } : one)),
        };
      }
      if (what === 3) return { ...round, databases: round.databases.slice(1) };
      return { ...round, rings: undefined };
    });
  });

test('removing samples never turns a verdict into a pass', () => {
  fc.assert(
    fc.property(model, fc.array(removal, { minLength: 1, maxLength: 6 }), (given, removals) => {
      const rounds = roundsOf(given);
      const before = judged(rounds).verdict;
      const after = judged(removals.reduce<readonly Round[]>((left, remove) => remove(left), rounds)).verdict;
      if (before !== 'pass') expect(after).not.toBe('pass');
    }),
    { numRuns: 400 },
  );
});

test('nothing at all is never a pass', () => {
  expect(judged([]).verdict).toBe('inconclusive');
});
