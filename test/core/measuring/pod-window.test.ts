import { expect, test } from '@jest/globals';
import { cutWindow } from '../../../src/core/measuring/window.js';
import type { ProcessSample, Round } from '../../../src/core/measuring/round.js';

const BEAT_MS = 1_000;
const FIRST = 1_764_500_000_000;
const BEATS = 10;

const reading = (requests: number): NonNullable<ProcessSample['reading']> => ({
  values: { requests },
  histograms: {},
  spelling: { prefix: '' },
});
interface Life {
  readonly node: string;
  readonly from: number;
  readonly to: number;
  /** Counted at each beat. */
  readonly each: number;
  /** What it had counted before the window. */
  readonly had?: number;
  /** Beats at its beginning and end at which it does not serve. */
  readonly quiet?: number;
  readonly version?: string;
}
/** Rounds in which pods live, each a frontend. */
function rounds(lives: readonly Life[]): Round[] {
  return Array.from({ length: BEATS + 1 }, (_, beat) => ({
    at: FIRST + beat * BEAT_MS,
    beatMs: BEAT_MS,
    databases: [],
    processes: lives
      .filter(({ from, to }) => beat >= from && beat <= to)
      .map(({ node, from, to, each, had = 0, quiet = 0, version = '1.31.2' }): ProcessSample => {
        const serves = beat >= from + (from > 0 ? quiet : 0) && beat <= to - (to < BEATS ? quiet : 0);
        return {
          node,
          pod: true,
          role: 'frontend',
          running: true,
          instance: `${node}/run`,
          binaryVersion: version,
          health: serves ? 'SERVING' : 'NOT_SERVING',
          ...(serves ? { reading: reading(had + (beat - from + (from > 0 ? 1 : 0)) * each) } : {}),
        };
      }),
  }));
}
const cut = (lives: readonly Life[], kind: 'roll' | 'settled' = 'roll') =>
  cutWindow(rounds(lives), {
    kind,
    from: FIRST,
    to: FIRST + BEATS * BEAT_MS,
    beatMs: BEAT_MS,
    minRequests: 1,
  });

test('a pod that takes the place of another: what both counted, each beat once, and no restart of a roll', () => {
  const observation = cut([
    { node: 'old', from: 0, to: 5, each: 10, had: 500 },
    { node: 'new', from: 4, to: BEATS, each: 10 },
  ]);
  expect(observation.totals.requests).toBe(5 * 10 + 7 * 10);
  expect(observation.processes.map(({ node, restarts, pod }) => [node, restarts, pod])).toEqual([
    ['old', 0, true],
    ['new', 0, true],
  ]);
  for (const { metrics, health } of observation.processes) {
    expect(metrics).toMatchObject({ ends: true, due: metrics.seen });
    expect(health).toMatchObject({ worst: { bad: 0 }, open: { bad: 0 } });
  }
});

test('while it starts or drains it has no page, and none is missed', () => {
  const observation = cut([
    { node: 'old', from: 0, to: 6, each: 10, quiet: 2 },
    { node: 'new', from: 3, to: BEATS, each: 10, quiet: 2 },
  ]);
  for (const { metrics, health } of observation.processes) {
    expect(metrics.ends).toBe(true);
    expect(health.open).toEqual({ beats: 0, bad: 0 });
  }
});

test('one that fails its health while it drains, its page still there, and then goes, did not fail to the end of the roll', () => {
  const list = rounds([
    { node: 'old', from: 0, to: 7, each: 10 },
    { node: 'new', from: 2, to: BEATS, each: 10 },
  ]).map((round, beat) => ({
    ...round,
    processes: round.processes.map((one): ProcessSample =>
      one.node === 'old' && beat >= 4 ? { ...one, health: 'NOT_SERVING' } : one,
    ),
  }));
  const observation = cutWindow(list, {
    kind: 'roll',
    from: FIRST,
    to: FIRST + BEATS * BEAT_MS,
    beatMs: BEAT_MS,
    minRequests: 1,
  });
  expect(observation.processes.map(({ node, health: { worst, open } }) => [node, worst.bad, open.bad])).toEqual([
    ['old', 4, 0],
    ['new', 0, 0],
  ]);
});

test('one that does not serve to the end of the window is told', () => {
  const list = rounds([{ node: 'old', from: 0, to: BEATS, each: 10 }]).map((round, beat) => ({
    ...round,
    processes: round.processes.map((one): ProcessSample =>
      beat < 7 ? one : { ...one, health: 'NOT_SERVING', reading: undefined },
    ),
  }));
  const [found] = cutWindow(list, {
    kind: 'roll',
    from: FIRST,
    to: FIRST + BEATS * BEAT_MS,
    beatMs: BEAT_MS,
    minRequests: 1,
  }).processes;
  expect(found?.health.open).toEqual({ beats: 4, bad: 4 });
});

test('but in a roll, a pod that comes or goes is a restart', () => {
  const observation = cut(
    [
      { node: 'stays', from: 0, to: BEATS, each: 1 },
      { node: 'goes', from: 0, to: 5, each: 1 },
      { node: 'comes', from: 6, to: BEATS, each: 1 },
    ],
    'settled',
  );
  expect(observation.processes.map(({ restarts }) => restarts)).toEqual([0, 1, 1]);
});

test('a beat at which nobody could list the pods is no end of a life', () => {
  const lives = [{ node: 'stays', from: 0, to: BEATS, each: 1 }] as const;
  const list = rounds(lives).map((round, beat) => (beat === 5 ? { ...round, processes: [], problem: 'away' } : round));
  const observation = cutWindow(list, {
    kind: 'settled',
    from: FIRST,
    to: FIRST + BEATS * BEAT_MS,
    beatMs: BEAT_MS,
    minRequests: 1,
  });
  expect(observation.processes).toMatchObject([{ restarts: 0, metrics: { due: BEATS + 1, seen: BEATS, ends: true } }]);
});
