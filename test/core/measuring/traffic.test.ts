import { expect, test } from '@jest/globals';
import { trafficOf } from '../../../src/core/measuring/traffic.js';
import { at, BEAT_MS, FROM, quiet, roundsOf } from '../../helpers/rounds.js';

const pointAt = (beat: number, model = quiet(), beats = 1) =>
  trafficOf({
    from: FROM + beat * BEAT_MS,
    to: FROM + (beat + beats) * BEAT_MS,
    beatMs: BEAT_MS,
    rounds: roundsOf(model).slice(Math.max(0, beat - 3), beat + beats + 1),
  });

test('the rate of a stretch is what was counted in it, by the frontends alone', () => {
  expect(pointAt(5)).toMatchObject({ at: FROM + 5 * BEAT_MS, requestsPerSecond: 6, errorsPerSecond: 0 });
  const model = { ...quiet(), did: { [at(6, 'frontend-1')]: { errors: 5 }, [at(6, 'history-1')]: { errors: 50 } } };
  expect(pointAt(5, model)).toMatchObject({ errorsPerSecond: 0.5 });
});

test('neighbouring stretches count nothing twice and leave nothing out', () => {
  const model = { ...quiet(), did: { [at(6, 'frontend-1')]: { requests: 200 } } };
  const singly = [4, 5, 6].map((beat) => pointAt(beat, model).requestsPerSecond ?? 0);
  const whole = pointAt(4, model, 3).requestsPerSecond ?? 0;
  expect(singly.reduce((sum, rate) => sum + rate, 0) / 3).toBeCloseTo(whole);
});

test('a process that was started anew counts from zero, and nothing is negative', () => {
  const model = { ...quiet(), did: { [at(6, 'frontend-1')]: { restarts: true, requests: 10 } } };
  expect(pointAt(5, model)).toMatchObject({ requestsPerSecond: 1 });
});

test('where no page was read nothing is claimed', () => {
  const empty = { requestsPerSecond: null, errorsPerSecond: null, startP50: null, startP99: null };
  expect(trafficOf({ from: 0, to: 10_000, beatMs: BEAT_MS, rounds: [] })).toEqual({ at: 0, ...empty });
  const down = { [at(5, 'frontend-1')]: { down: true }, [at(6, 'frontend-1')]: { down: true } };
  expect(pointAt(5, { ...quiet(), did: down })).toMatchObject(empty);
});
