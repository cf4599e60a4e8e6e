import { expect, test } from '@jest/globals';
import { judge } from '../../src/core/judging/judge.js';
import { SavedObservation } from '../../src/core/judging/saved-observation.js';
import { observationJson, observationText } from '../../src/report/observation.js';
import { BOUNDS, LOAD, observed, withProcess, withTotals } from '../helpers/observations.js';

const bad = withProcess(
  { restarts: 1, problem: 'x' },
  'history-1',
  withTotals({ errors: 1_234, requests: 12_345_678 }),
);
const judged = (observation = bad, baseline = observed()) => ({
  target: 'prod',
  observation,
  verdict: judge({ observation, baseline, bounds: BOUNDS }),
  compared: true,
});

test('a table that fits into 80 columns, and a line for what did not pass', () => {
  const text = observationText(judged({ ...bad, load: LOAD }));
  expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
  expect(text).toMatch(/^prod: fail\. 3m 10s up to 2026-11-21T10:03:10\.000Z, 20 of 20 samples, one each/);
  expect(text).toMatch(/^✗ {2}restarts +1 +≤ 0 +- +20$/m);
  expect(text).toMatch(/^✗ restarts: history-1; its counters were begun anew\. Why it matters: /m);
  expect(text).toMatch(/^✓ {2}error-ratio +0\.010 % +≤ 0\.10 % +0\.00 % +12345678$/m);
});

test('without a baseline it says so', () => {
  expect(observationText({ ...judged(), compared: false })).toContain('No baseline: absolute bounds alone hold');
});

test('JSON has every check with why it matters', () => {
  const json = observationJson(judged());
  expect(json).toMatchObject({ target: 'prod', verdict: 'fail', compared: true });
  expect(json.checks.filter(({ why }) => why === '')).toEqual([]);
});

test('what is saved can be read again, and half of it cannot', () => {
  const saved = { format: 2, target: 'prod', verdict: 'pass', observation: observed() };
  expect(SavedObservation.parse(JSON.parse(JSON.stringify(saved)))).toEqual(saved);
  const half = { ...saved, observation: { ...observed(), processes: undefined } };
  expect(SavedObservation.safeParse(half).success).toBe(false);
  expect(SavedObservation.safeParse({ ...saved, format: 1 }).success).toBe(false);
  expect(SavedObservation.safeParse({ ...saved, verdict: undefined }).success).toBe(false);
});
