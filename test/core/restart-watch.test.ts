import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { RestartWatch, type RestartVerdict } from '../../src/core/restart-watch.js';
import type { RestartLook } from '../../src/core/restart-proof.js';
import { restartLook } from '../helpers/restart-looks.js';

const START_MS = 60_000;
const QUIET_MS = 10_000;
const GOOD = restartLook();
const GONE = restartLook({ node: { running: false } });
const NOT_SERVING = restartLook({ health: 'NOT_SERVING' });
const STRAY = restartLook({ views: { a: { matching: ['m:1', 'm:9'] } } });
const OTHERS = restartLook({ other: { instance: '99:9' } });

/** Looks every half second: what is seen at each of these seconds holds until the next. Times of the answer are in seconds. */
function follow(seen: readonly (readonly [atSeconds: number, look: RestartLook])[], untilSeconds: number) {
  const watch = new RestartWatch(0, { version: '1.31.2' }, { startMs: START_MS, quietMs: QUIET_MS });
  for (let at = 0; at <= untilSeconds * 1_000; at += 500) {
    const look = seen.findLast(([from]) => from * 1_000 <= at)?.[1] ?? GOOD;
    const verdict = watch.see(at, look);
    const since = verdict.is === 'quiet' ? { since: verdict.since / 1_000 } : {};
    if (verdict.is !== 'waiting') return { at: at / 1_000, ...verdict, ...since };
  }
  return { is: 'waiting' };
}

test('is proved when nothing was missing and nobody came or went for the quiet time', () => {
  expect(follow([[0, GOOD]], 30)).toEqual({ at: 10, is: 'quiet', since: 0 });
  expect(
    follow(
      [
        [0, NOT_SERVING],
        [4, GOOD],
      ],
      30,
    ),
  ).toEqual({ at: 14, is: 'quiet', since: 4 });
});

test('from when nothing is lacking it says how long that has to last, so that it need not be looked at all the time', () => {
  const watch = new RestartWatch(0, { version: '1.31.2' }, { startMs: START_MS, quietMs: QUIET_MS });
  const seen = [NOT_SERVING, GOOD, GOOD, STRAY, GOOD].map((look, second) => watch.see(second * 1_000, look));
  expect(seen.map((verdict) => 'calmMs' in verdict && verdict.calmMs)).toEqual([
    ...[false, QUIET_MS, QUIET_MS - 1_000],
    // What is not as it has to be is looked at as often as before.
    ...[false, QUIET_MS],
  ]);
});

test.each([
  ['not serving', NOT_SERVING],
  ['a stray member', STRAY],
  ['a restart of another process', OTHERS],
])('%s begins the quiet time anew', (_, look) => {
  expect(
    follow(
      [
        [0, GOOD],
        [8, look],
        [8.5, GOOD],
      ],
      40,
    ),
  ).toEqual({ at: 18.5, is: 'quiet', since: 8.5 });
});

test('one that merely needs long is waited for to the last second of its patience', () => {
  for (const upAt of [1, 30, 60])
    expect(
      follow(
        [
          [0, NOT_SERVING],
          [upAt, GOOD],
        ],
        200,
      ),
    ).toEqual({ at: upAt + 10, is: 'quiet', since: upAt });
});

test('one that is not ready in its time is down, with what it lacks', () => {
  expect(follow([[0, NOT_SERVING]], 200)).toEqual({
    at: 60.5,
    is: 'down',
    why: 'it is not ready after 1m: its health service says NOT_SERVING',
  });
});

test('one that came up and fails a look after its time is not down at once', () => {
  const flicker = [
    [0, GOOD],
    [5, STRAY],
    [61, NOT_SERVING],
    [65, GOOD],
  ] as const;
  expect(follow(flicker, 200)).toEqual({ at: 75, is: 'quiet', since: 65 });
});

test('one that ended is down after three seconds; a supervisor that starts it anew may be quicker', () => {
  expect(follow([[0, GONE]], 30)).toEqual({ at: 3, is: 'down', why: 'it ended after it was started' });
  expect(
    follow(
      [
        [0, GOOD],
        [2, GONE],
        [4.5, GOOD],
      ],
      60,
    ),
  ).toEqual({ at: 14.5, is: 'quiet', since: 4.5 });
});

test('what is around it never takes it down: it is unsettled when all patience is over', () => {
  expect(follow([[0, STRAY]], 200)).toEqual({
    at: 70.5,
    is: 'unsettled',
    why: 'frontend f:1 sees m:9 in the ring of matching, where no such process runs',
  });
});

test('members that come and go for ever are unsettled too', () => {
  const coming = Array.from({ length: 40 }, (_, index) => [index * 5, index % 2 === 0 ? GOOD : OTHERS] as const);
  expect(follow(coming, 200)).toMatchObject({ is: 'unsettled', why: 'the rings to be quiet for 10s' });
});

test('whatever is seen: proved only after a whole quiet time in which every look was good', () => {
  const look = fc.constantFrom(GOOD, GOOD, GOOD, GONE, NOT_SERVING, STRAY, OTHERS);
  fc.assert(
    fc.property(fc.array(look, { minLength: 1, maxLength: 400 }), (looks) => {
      const watch = new RestartWatch(0, { version: '1.31.2' }, { startMs: START_MS, quietMs: QUIET_MS });
      const verdicts: RestartVerdict[] = looks.map((one, index) => watch.see(index * 500, one));
      for (const [index, { is }] of verdicts.entries()) {
        const lately = looks.slice(Math.max(0, index - QUIET_MS / 500), index + 1);
        if (is === 'quiet') expect(new Set(lately).size).toBe(1);
        if (is === 'quiet') expect([GOOD, OTHERS]).toContain(lately[0]);
        if (is === 'down') expect([GONE, NOT_SERVING]).toContain(looks[index]);
      }
    }),
  );
});
