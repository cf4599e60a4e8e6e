import { expect, test } from '@jest/globals';
import { sameHours } from '../../../src/core/judging/same-hours.js';
import type { Round } from '../../../src/core/measuring/round.js';
import { BOUNDS } from '../../helpers/observations.js';
import { at, BEAT_MS, FROM, quiet, roundsOf, type Model } from '../../helpers/rounds.js';

const DAY_MS = 24 * 3_600_000;
const WINDOW_MS = 18 * BEAT_MS;

/** So many days before the window it was like this. */
const before = (days: number, model: Model): Round[] =>
  roundsOf(model).map((round) => ({ ...round, at: round.at - days * DAY_MS }));
const bad = (): Model => ({ ...quiet(), did: { [at(9, 'history-1')]: { panics: 1 } } });

function chosen(...days: readonly (readonly Round[])[]): string | undefined {
  const rounds = days.flat();
  return sameHours({
    cut: ({ from, to }) => rounds.filter((round) => round.at >= from && round.at <= to),
    from: FROM,
    to: FROM + WINDOW_MS,
    beatMs: BEAT_MS,
    until: new Date(FROM - 1).toISOString(),
    bounds: BOUNDS,
  })?.startedAt;
}
const daysAgo = (days: number): string => new Date(FROM - days * DAY_MS).toISOString();

test('is the same time of the day before', () => {
  expect(chosen(before(2, quiet()), before(1, quiet()))).toBe(daysAgo(1));
});

test('a day on which that time was bad, or of which too little is known, is nothing to compare with', () => {
  expect(chosen(before(2, quiet()), before(1, bad()))).toBe(daysAgo(2));
  expect(chosen(before(2, quiet()), before(1, quiet()).slice(0, 16))).toBe(daysAgo(2));
  expect(chosen(before(1, bad()))).toBeUndefined();
});

test('none is of the time since something was changed', () => {
  const rounds = before(1, quiet());
  const until = new Date(FROM - DAY_MS).toISOString();
  const ends = { from: FROM, to: FROM + WINDOW_MS, beatMs: BEAT_MS };
  expect(sameHours({ cut: () => rounds, ...ends, until, bounds: BOUNDS })).toBeUndefined();
  expect(sameHours({ cut: () => rounds, ...ends, until: undefined, bounds: BOUNDS })).toBeUndefined();
});
