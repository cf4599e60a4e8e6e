import { describe, expect, test } from '@jest/globals';
import { Bounds } from '../../../src/core/input/bounds.js';
import { judge } from '../../../src/core/judging/judge.js';
import type { LoadWindow, ProbeWindow } from '../../../src/core/ledger.js';
import type { Check, WindowKind } from '../../../src/core/measuring/observation.js';
import type { Round } from '../../../src/core/measuring/round.js';
import { cutWindow } from '../../../src/core/measuring/window.js';
import { singleRoles } from '../../../src/core/planning/roll-order.js';
import { LOAD, PROBE } from '../../helpers/observations.js';
import { at, BEAT_MS, FROM, quiet, roundsOf, type Did } from '../../helpers/rounds.js';

const bounds = Bounds.parse({});
const window = { from: FROM, to: FROM + 18 * BEAT_MS, beatMs: BEAT_MS, minRequests: bounds.minRequests };
const baseline = cutWindow(roundsOf(quiet()), { kind: 'baseline', ...window, load: LOAD });

/** The only history process is down at beats 8 and 9, and serves again from 10 on. */
const REPLACED: Readonly<Record<string, Did>> = {
  [at(8, 'history-1')]: { down: true },
  [at(9, 'history-1')]: { down: true },
  [at(10, 'history-1')]: { restarts: true },
};
const roll = (more: Readonly<Record<string, Did>> = {}, replaced = REPLACED): Round[] =>
  roundsOf({ ...quiet(), did: { ...replaced, ...more } });
const errorsAt = (errors: number, ...beats: readonly number[]): Readonly<Record<string, Did>> =>
  Object.fromEntries(beats.map((beat) => [at(beat, 'frontend-1'), { errors }]));
const IN_GAP = errorsAt(40, 8, 9, 10);

interface Given {
  readonly roles?: readonly string[];
  readonly kind?: WindowKind;
  readonly load?: LoadWindow;
}

function checksOf(rounds: readonly Round[], { roles = ['history'], kind = 'roll', load }: Given = {}) {
  const observation = cutWindow(rounds, { kind, ...window, singleRoles: roles, load: load ?? LOAD });
  const { checks } = judge({ observation, baseline, bounds, expected: { singleRoles: roles } });
  return new Map(checks.map((one): [string, Check] => [one.id, one]));
}

describe('errors while the only process of a role is replaced', () => {
  const ERRORS = ['error-ratio', 'error-minute'] as const;
  const verdicts = (rounds: readonly Round[], given: Given = {}) => {
    const checks = checksOf(rounds, given);
    return ERRORS.map((id) => checks.get(id)?.verdict);
  };

  test('fail where the role has a second one', () => {
    expect(verdicts(roll(IN_GAP), { roles: [] })).toEqual(['fail', 'fail']);
  });

  test('are left out, with the reason', () => {
    expect(verdicts(roll(IN_GAP))).toEqual(['pass', 'pass']);
    expect(checksOf(roll(IN_GAP)).get('error-ratio')).toMatchObject({
      value: 0,
      samples: 14 * 60,
      about: expect.stringMatching(/without 40\.0 s in which a role had no process; history: one process each$/),
    });
  });

  test('fail when there are as many in the rest of the roll', () => {
    expect(verdicts(roll(errorsAt(25, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16, 17)))).toEqual(['fail', 'fail']);
    expect(verdicts(roll({ ...IN_GAP, ...errorsAt(40, 14) }))).toEqual(['fail', 'fail']);
  });

  test('fail when the process was away without being replaced', () => {
    const away = { [at(8, 'history-1')]: { serves: false }, [at(9, 'history-1')]: { serves: false } };
    expect(verdicts(roll(IN_GAP, away))).toEqual(['fail', 'fail']);
  });

  test('are not known where the pages of the frontend do not tell them from those before', () => {
    const rounds = roll(IN_GAP).map((round) =>
      round.at > FROM + 5 * BEAT_MS && round.at < FROM + 9 * BEAT_MS
        ? {
            ...round,
            processes: round.processes.map((one) =>
              one.role === 'frontend' ? { ...one, reading: undefined, problem: 'time-out' } : one,
            ),
          }
        : round,
    );
    expect(verdicts(rounds)).not.toContain('pass');
  });

  test('are found also when no beat fell into the time of the restart', () => {
    const quick = { [at(9, 'history-1')]: { restarts: true } };
    expect(verdicts(roll(errorsAt(40, 9), quick))).toEqual(['pass', 'pass']);
    expect(verdicts(roll(errorsAt(40, 9), quick), { roles: ['matching'] })).toEqual(['fail', 'fail']);
  });

  describe('that nobody saw', () => {
    const unseen = (rounds: readonly Round[], ...beats: readonly number[]) =>
      rounds.filter((_, beat) => !beats.includes(beat));

    test('may all have been of that time: not known', () => {
      expect(verdicts(unseen(roll(IN_GAP), 8, 9, 10, 11))).toEqual(['inconclusive', 'inconclusive']);
      expect(verdicts(unseen(roll(IN_GAP), 8, 9, 10, 11), { roles: ['matching'] })).toEqual(['fail', 'fail']);
    });

    test('at its end, or at its beginning, may have been of the time that was seen', () => {
      expect(verdicts(unseen(roll(IN_GAP), 9, 10, 11))).toEqual(['inconclusive', 'inconclusive']);
      expect(verdicts(unseen(roll(IN_GAP), 6, 7, 8))).toEqual(['inconclusive', 'inconclusive']);
    });

    test('hide none of another time', () => {
      expect(verdicts(unseen(roll({ ...IN_GAP, ...errorsAt(40, 14) }), 8, 9, 10, 11))).toEqual(['fail', 'fail']);
    });

    test('are no reason to let the probe pass', () => {
      const gapOf = (longestGapMs: number) => ({ load: { ...LOAD, probe: { ...PROBE, longestGapMs } } });
      const gap = (longestGapMs: number, ...beats: readonly number[]) =>
        checksOf(unseen(roll(), ...beats), gapOf(longestGapMs)).get('probe-gap')?.verdict;
      expect(gap(44_000)).toBe('pass');
      expect(gap(54_000)).toBe('fail');
      expect(gap(54_000, 8, 9, 10, 11)).toBe('inconclusive');
      expect(gap(80_000, 8, 9, 10, 11)).toBe('fail');
    });
  });

  test('outside of a roll nothing is excused', () => {
    expect(verdicts(roll(IN_GAP), { kind: 'settled' })).toEqual(['fail', 'fail']);
  });
});

test('trouble with a database fails, whoever is replaced', () => {
  const trouble = Object.fromEntries(
    [8, 9, 10].map((beat) => [at(beat, 'matching-1'), { persistenceErrors: 200 }] as const),
  );
  expect(checksOf(roll(trouble)).get('persistence-errors')?.verdict).toBe('fail');
});

test('what is not known stays so', () => {
  const rounds = roll().filter((_, beat) => beat < 16);
  expect(checksOf(rounds).get('window')?.verdict).toBe('inconclusive');
  const beats = Array.from({ length: 19 }, (_, beat) => beat);
  const few = Object.fromEntries(beats.map((beat) => [at(beat, 'frontend-1'), { requests: 5 }]));
  expect(checksOf(roll(few)).get('error-ratio')?.verdict).toBe('inconclusive');
});

describe('the probe while the only process of a role is replaced', () => {
  const verdict = (id: string, probe: Partial<ProbeWindow>, given: Given = {}) =>
    checksOf(roll(), { ...given, load: { ...LOAD, probe: { ...PROBE, ...probe } } }).get(id)?.verdict;

  test('may have a gap that is so much longer', () => {
    expect(verdict('probe-gap', { longestGapMs: 9_000 }, { roles: [] })).toBe('fail');
    expect(verdict('probe-gap', { longestGapMs: 44_000 })).toBe('pass');
    expect(verdict('probe-gap', { longestGapMs: 46_000 })).toBe('fail');
  });

  test('may fail for so long', () => {
    // 40 s of 180 s, and one in a thousand.
    const failing = (failedAttempts: number) => ({ failedAttempts, byCode: { UNAVAILABLE: failedAttempts } });
    expect(verdict('probe-failed-attempts', failing(60), { roles: [] })).toBe('fail');
    expect(verdict('probe-failed-attempts', failing(401))).toBe('pass');
    expect(verdict('probe-failed-attempts', failing(403))).toBe('fail');
  });

  test('fails by a call that failed in spite of its retries', () => {
    expect(verdict('probe-failed-calls', { failedCalls: 1 })).toBe('fail');
  });

  test('a record with a hole is no evidence', () => {
    expect(verdict('probe-recorded', { missingMs: 60_000 }, { roles: [] })).toBe('inconclusive');
    expect(verdict('probe-recorded', { missingMs: 5_000 }, { roles: [] })).toBe('pass');
  });
});

test('roles that clients depend on and that have one process', () => {
  const nodes = (['frontend', 'frontend', 'history', 'matching', 'worker'] as const).map((role) => ({ role }));
  expect(singleRoles(nodes)).toEqual(['history', 'matching']);
});
