import { expect, test } from '@jest/globals';
import { Bounds } from '../../../src/core/input/bounds.js';
import { judge } from '../../../src/core/judging/judge.js';
import { singleRoles } from '../../../src/core/planning/roll-order.js';
import { LOAD, observed, PROBE } from '../../helpers/observations.js';

const bounds = Bounds.parse({});
const baseline = observed({ kind: 'baseline' });
/** A roll in which nothing answered for some seconds. */
const gap = observed({
  kind: 'roll',
  load: { ...LOAD, probe: { ...PROBE, failedAttempts: 60, longestGapMs: 9_000, byCode: { UNAVAILABLE: 60 } } },
});
const verdicts = (singleRoles: readonly string[], observation = gap) =>
  new Map(judge({ observation, baseline, bounds, expected: { singleRoles } }).checks.map((one) => [one.id, one]));

test('a gap in a roll is judged where every role has a second process', () => {
  const checks = verdicts([]);
  expect(checks.get('probe-gap')?.verdict).toBe('fail');
  expect(checks.get('probe-failed-attempts')?.verdict).toBe('fail');
});

test('where one has not, it is shown with the reason', () => {
  const checks = verdicts(['history']);
  for (const id of ['probe-gap', 'probe-failed-attempts']) {
    expect(checks.get(id)).toMatchObject({
      verdict: 'not-judged',
      about: expect.stringMatching(/history: one process each, so nothing answers/),
    });
  }
});

test('a call that failed in spite of its retries fails the roll all the same', () => {
  const lost = observed({ kind: 'roll', load: { ...LOAD, probe: { ...PROBE, failedCalls: 1 } } });
  expect(verdicts(['history'], lost).get('probe-failed-calls')?.verdict).toBe('fail');
});

test('outside of a roll nothing is excused', () => {
  expect(verdicts(['history'], { ...gap, kind: 'settled' }).get('probe-gap')?.verdict).toBe('fail');
});

test('a record of the probe with a hole is no evidence', () => {
  const hole = observed({ kind: 'settled', load: { ...LOAD, probe: { ...PROBE, missingMs: 60_000 } } });
  expect(verdicts([], hole).get('probe-recorded')?.verdict).toBe('inconclusive');
  const end = observed({ kind: 'settled', load: { ...LOAD, probe: { ...PROBE, missingMs: 5_000 } } });
  expect(verdicts([], end).get('probe-recorded')?.verdict).toBe('pass');
});

test('roles that clients depend on and that have one process', () => {
  const nodes = (['frontend', 'frontend', 'history', 'matching', 'worker'] as const).map((role) => ({ role }));
  expect(singleRoles(nodes)).toEqual(['history', 'matching']);
});
