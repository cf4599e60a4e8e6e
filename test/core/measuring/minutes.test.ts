import { describe, expect, test } from '@jest/globals';
import { judge } from '../../../src/core/judging/judge.js';
import { cutWindow } from '../../../src/core/measuring/window.js';
import { BOUNDS } from '../../helpers/observations.js';
import { at, BEAT_MS, FROM, quiet, roundsOf, type Did } from '../../helpers/rounds.js';

const BEATS = 18;

/** Three minutes in which the frontend did `busy` in the second one, and `still` in the others. */
function judged(busy: Did, still: Did, { minRequests, more = {} }: { minRequests: number; more?: Did }) {
  const did = Object.fromEntries(
    Array.from({ length: BEATS + 1 }, (_, beat) => {
      const own = beat > 6 && beat <= 12 ? busy : still;
      return [at(beat, 'frontend-1'), beat === 15 ? { ...own, ...more } : own];
    }),
  );
  const rounds = roundsOf({ ...quiet(BEATS + 1), did });
  const bounds = { ...BOUNDS, minRequests };
  const window = { from: FROM, to: FROM + BEATS * BEAT_MS, beatMs: BEAT_MS, minRequests };
  const observation = cutWindow(rounds, { kind: 'roll', ...window });
  const { checks } = judge({ observation, bounds });
  return { observation, check: checks.find(({ id }) => id === 'error-minute') };
}

describe('the worst minute', () => {
  const busy = { requests: 400, errors: 5 };
  const still = { requests: 10 };

  test('is the one that is judged worst, however many requests count as evidence', () => {
    const { observation, check } = judged(busy, still, { minRequests: 2_000 });
    expect(observation.worstMinute).toMatchObject({ errors: 30, requests: 2_430 });
    expect(check).toMatchObject({ verdict: 'fail' });
  });

  test('errors in a quiet minute do not hide those of a busy one', () => {
    const { observation, check } = judged(busy, still, { minRequests: 2_000, more: { errors: 5 } });
    expect(observation.worstMinute).toMatchObject({ errors: 30, requests: 2_430 });
    expect(check).toMatchObject({ verdict: 'fail' });
  });

  test('where no request is evidence, an error without any other call is the worst share', () => {
    const { observation, check } = judged({ requests: 0, errors: 1 }, { requests: 60 }, { minRequests: 0 });
    expect(observation.worstMinute).toMatchObject({ errors: 6, requests: 6 });
    expect(check).toMatchObject({ verdict: 'fail' });
  });
});
