import { describe, expect, test } from '@jest/globals';
import { judge } from '../../../src/core/judging/judge.js';
import { comingWindow, cutWindow } from '../../../src/core/measuring/window.js';
import type { Round } from '../../../src/core/measuring/round.js';
import type { Observation, Verdict, WindowKind } from '../../../src/core/measuring/observation.js';
import { BOUNDS } from '../../helpers/observations.js';
import { at, BEAT_MS, FROM, NODES, quiet, roundsOf, type Model } from '../../helpers/rounds.js';

const LAST = 18;
const cut = (rounds: readonly Round[], kind: WindowKind = 'settled', beats = LAST): Observation =>
  cutWindow(rounds, { kind, from: FROM, to: FROM + beats * BEAT_MS, beatMs: BEAT_MS, minRequests: 200 });
const baseline = cut(roundsOf(quiet()), 'baseline');
const judged = (rounds: readonly Round[]): Verdict => judge({ observation: cut(rounds), baseline, bounds: BOUNDS });

test.each([
  ['from now on', { now: 100_001 }, [102_000, 132_000]],
  ['from when it began', { now: 110_500, since: 100_001 }, [102_000, 132_000]],
  ['one that began long ago ends now', { now: 200_000, since: 100_001 }, [171_000, 201_000]],
  ['a clock that is behind begins nothing in the future', { now: 99_000, since: 105_000 }, [99_000, 129_000]],
])('the ends of a coming window: %s', (_, times, [from, to]) => {
  expect(comingWindow({ ...times, windowMs: 30_000, beatMs: 3_000 })).toEqual({ from, to });
});

describe('a window', () => {
  test('counts what was added between its ends, of the frontends or of all', () => {
    const { totals, histograms, beats } = baseline;
    expect(beats).toEqual({ due: 19, seen: 19, ends: true });
    expect(totals).toMatchObject({
      requests: 18 * 60,
      errors: 0,
      persistenceRequests: NODES.length * 18 * 300,
      panics: 0,
    });
    expect(histograms.persistenceLatency?.at(-1)).toEqual([null, NODES.length * 18 * 60]);
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

  test('of backlogs only those count that began after the time they are held against', () => {
    const rounds = (queued: readonly number[]): Round[] =>
      roundsOf(quiet()).map((round) => ({
        ...round,
        processes: round.processes.map((one) => {
          const ages = queued.map((began) => (round.at - began) / 1_000).filter((age) => age >= 1);
          if (one.role !== 'matching' || one.reading === undefined) return one;
          const values = { ...one.reading.values, backlogAgeSeconds: Math.max(0, ...ages) };
          return { ...one, reading: { ...one.reading, values, backlogAges: ages.toSorted((a, b) => a - b) } };
        }),
      }));
    const request = {
      kind: 'schema',
      from: FROM,
      to: FROM + LAST * BEAT_MS,
      beatMs: BEAT_MS,
      minRequests: 200,
    } as const;
    const ageOf = (queued: readonly number[], queuedSince?: number) =>
      cutWindow(rounds(queued), { ...request, queuedSince }).totals.backlogAgeSeconds;
    const abandoned = FROM - 86_400_000;
    expect(ageOf([abandoned])).toBe(0);
    expect(ageOf([abandoned, FROM - 20_000], FROM - 60_000)).toBeGreaterThanOrEqual(20);
    expect(ageOf([abandoned, FROM - 20_000], FROM - 60_000)).toBeLessThan(300);
    expect(ageOf([abandoned, FROM - 20_000], FROM)).toBe(0);
    expect(ageOf([FROM + 30_000])).toBeGreaterThan(30);
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

test('rings of which nobody knows are neither equal nor unequal', () => {
  const unknown = roundsOf(quiet()).map((round) =>
    round.rings === undefined ? round : { ...round, rings: { problem: 'no answer' } },
  );
  const { rings } = cut(unknown);
  expect(rings.due).toBeGreaterThan(0);
  expect(rings).toEqual({ due: rings.due, asked: 0, unequal: 0, problem: 'no answer' });
});

test('nothing at all is never a pass', () => {
  expect(judged([]).verdict).toBe('inconclusive');
});
