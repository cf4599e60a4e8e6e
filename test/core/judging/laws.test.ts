import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Bounds } from '../../../src/core/input/bounds.js';
import { judge } from '../../../src/core/judging/judge.js';
import type { LoadWindow, ProbeWindow } from '../../../src/core/ledger.js';
import type { Verdict, WindowKind } from '../../../src/core/measuring/observation.js';
import type { Round } from '../../../src/core/measuring/round.js';
import { cutWindow } from '../../../src/core/measuring/window.js';
import { BOUNDS, LOAD, PROBE } from '../../helpers/observations.js';
import { at, BEAT_MS, FROM, NODES, quiet, roundsOf, type Did, type Model } from '../../helpers/rounds.js';

/*
 * Two laws of the judgement, tried on windows of every kind with bounds of every sort. Most are quiet in all but one thing,
 * which is near its bound, and are then made worse in just that, or have just that taken away: a window with several faults
 * fails whatever is done to one of them.
 */
const LAST = 18;
const RUNS = 900;

interface Window {
  readonly kind: WindowKind;
  readonly bounds: Bounds;
  readonly singleRoles: readonly string[];
  readonly compared: boolean;
  readonly model: Model;
  readonly load: LoadWindow | undefined;
}

/** Matching shows its backlog at every beat. */
const shown = (did: Readonly<Record<string, Did>>): Readonly<Record<string, Did>> => {
  const gauge = Array.from({ length: LAST + 1 }, (_, beat) => at(beat, 'matching-1'));
  return { ...did, ...Object.fromEntries(gauge.map((key) => [key, { backlogAge: 0, ...did[key] }])) };
};
const ends = { from: FROM, to: FROM + LAST * BEAT_MS, beatMs: BEAT_MS };
const baseline = cutWindow(roundsOf({ ...quiet(), did: shown({}) }), {
  ...ends,
  kind: 'baseline',
  minRequests: 200,
  load: { ...LOAD, started: 2_000, intended: 2_000 },
});

function judged({ kind, bounds, singleRoles, compared, load }: Window, rounds: readonly Round[]): Verdict {
  const { minRequests } = bounds;
  const observation = cutWindow(rounds, { ...ends, kind, minRequests, singleRoles, load });
  return judge({ observation, baseline: compared ? baseline : undefined, bounds, expected: { singleRoles } });
}
const RANK = { fail: 0, inconclusive: 1, pass: 2 } as const;
const rankOf = (window: Window): number => RANK[judged(window, roundsOf(window.model)).verdict];
const told = (window: Window): string => JSON.stringify(judged(window, roundsOf(window.model)).lines.slice(0, 4));

type Step = (window: Window) => Window;

const beat = fc.integer({ min: 1, max: LAST });
const node = fc.constantFrom(...NODES.map(([name]) => name));
const every = <T>(value: T): T[] => Array.from({ length: LAST + 1 }, () => value);

const withModel = (given: Window, more: Partial<Model>): Window => ({ ...given, model: { ...given.model, ...more } });
const withDid = (given: Window, when: number, name: string, more: Did): Window => {
  const key = at(when, name);
  const { did } = given.model;
  return withModel(given, { did: { ...did, [key]: { ...did[key], ...more } } });
};
const didAt = ({ model: { did } }: Window, when: number, name: string): Did => did[at(when, name)] ?? {};
const withLoad = (given: Window, more: Partial<LoadWindow>): Window =>
  given.load === undefined ? given : { ...given, load: { ...given.load, ...more } };
const withProbe = (given: Window, more: Partial<ProbeWindow>): Window =>
  given.load?.probe === undefined ? given : withLoad(given, { probe: { ...given.load.probe, ...more } });
const isOf = (numbers: readonly number[] | undefined, usual: number, when: number, value: number): number[] =>
  (numbers === undefined || numbers.length === 0 ? every(usual) : numbers).map((one, index) =>
    index === when ? value : one,
  );
/** That the only process of a role is away in a roll is what explains errors: it is no worse sample there. */
const explains = ({ kind, singleRoles }: Window): boolean => kind === 'roll' && singleRoles.length > 0;

/** Requests in each beat of each of three minutes, by all processes. */
const quietly = (minutes: readonly number[]): Model => {
  const did: Record<string, Did> = {};
  for (let index = 0; index <= LAST; index += 1) {
    const requests = minutes[Math.min(2, Math.max(0, Math.floor((index - 1) / 6)))] ?? 60;
    for (const [name] of NODES) did[at(index, name)] = { requests };
  }
  return { ...quiet(), did: shown(did) };
};
const CALM = fc.constant([60, 60, 60]);
const UNEVEN = fc.array(fc.constantFrom(0, 10, 11, 60, 400), { minLength: 3, maxLength: 3 });
const due = fc.constantFrom(999, 1_000);

interface Base {
  readonly minutes?: fc.Arbitrary<readonly number[]>;
  readonly compared?: fc.Arbitrary<boolean>;
  readonly isLoaded?: fc.Arbitrary<boolean>;
  readonly minRequests?: fc.Arbitrary<number>;
}
const base = (kinds: readonly WindowKind[], more: Base = {}): fc.Arbitrary<Window> => {
  const { minutes = CALM, compared = fc.constant(true), isLoaded = fc.constant(false) } = more;
  const { minRequests = fc.constantFrom(0, 200) } = more;
  return fc
    .record({
      kind: fc.constantFrom(...kinds),
      bounds: fc.record({ minRequests, minBeatShare: fc.constantFrom(0.8, 0.8, 0.9) }),
      singleRoles: fc.constantFrom([], [], ['history'], ['frontend', 'history']),
      requests: minutes,
      ...{ compared, isLoaded, started: due, attempts: due },
    })
    .map(({ requests, isLoaded: has, started, attempts, bounds, ...rest }) => ({
      ...rest,
      bounds: { ...BOUNDS, ...bounds },
      model: quietly(requests),
      load: has ? { ...LOAD, started, intended: started, probe: { ...PROBE, attempts } } : undefined,
    }));
};
const ALL: readonly WindowKind[] = ['schema', 'roll', 'settled', 'watch'];
const TIGHT: readonly WindowKind[] = ['schema', 'settled', 'watch'];

/** What is wrong with a window, what makes that worse, and which samples could hide it. */
interface Fault {
  readonly quiet: fc.Arbitrary<Window>;
  readonly wrong: fc.Arbitrary<Step>;
  readonly worse: fc.Arbitrary<Step>;
}
const step = <T>(given: fc.Arbitrary<T>, how: (window: Window, value: T) => Window): fc.Arbitrary<Step> =>
  given.map((value) => (window) => how(window, value));

/** One more, or some more, of what one process counts. */
const counted = (key: 'errors' | 'persistenceErrors' | 'slow' | 'panics', numbers: readonly number[]) =>
  step(fc.tuple(beat, node, fc.constantFrom(...numbers)), (given, [when, name, more]) =>
    withDid(given, when, name, { [key]: (didAt(given, when, name)[key] ?? 0) + more }),
  );
const moreErrors = step(fc.tuple(beat, fc.constantFrom(1, 5)), (given, [when, more]) =>
  withDid(given, when, 'frontend-1', { errors: (didAt(given, when, 'frontend-1').errors ?? 0) + more }),
);
const away = step(fc.tuple(beat, node), (given, [when, name]) =>
  explains(given) ? given : withDid(given, when, name, { serves: false }),
);
const startedAnew = step(fc.tuple(beat, node), (given, [when, name]) =>
  explains(given) || didAt(given, when, name).down === true ? given : withDid(given, when, name, { restarts: true }),
);
const backlog = step(beat, (given, when) => withDid(given, when, 'matching-1', { backlogAge: 100 }));
const full = step(beat, (given, when) =>
  withModel(given, { connections: isOf(given.model.connections, 20, when, 96) }),
);
const slowQuery = step(beat, (given, when) => withModel(given, { queryMs: isOf(given.model.queryMs, 1, when, 1_000) }));
/** The database gives no answer. Where that would take a bad answer's place it is a sample removed, not a worse one. */
const unreached = step(beat, (given, when) => {
  const { connections, queryMs } = given.model;
  if ((connections?.[when] ?? 0) > 90 || (queryMs[when] ?? 0) > 100) return given;
  return withModel(given, { unreached: new Set([...given.model.unreached, when]) });
});

/** Errors all through one minute. */
const errorMinute = step(fc.tuple(fc.nat(2), fc.integer({ min: 3, max: 6 })), (given, [minute, errors]) => {
  const beats = Array.from({ length: 6 }, (_, index) => 1 + minute * 6 + index);
  return beats.reduce((one, when) => withDid(one, when, 'frontend-1', { errors }), given);
});
/** Something goes wrong in a process, which is started anew before anybody else hears of it. */
const beforeRestart = step(
  fc.tuple(fc.integer({ min: 1, max: LAST - 2 }), node, fc.nat(2)),
  (given, [when, name, what]) => {
    const wrong: Did = [{ errors: 40 }, { panics: 1 }, { restarts: true }][what] ?? {};
    return withDid(withDid(given, when, name, wrong), when + 1, name, { restarts: true });
  },
);
/** The only history process is replaced, and clients meet errors at other times too. */
const replaced = step(
  fc.tuple(fc.integer({ min: 2, max: LAST - 3 }), beat, fc.constantFrom(0, 40)),
  (given, [when, other, errors]) => {
    const down = withDid(given, when, 'history-1', { down: true });
    const back = withDid(down, when + 1, 'history-1', { restarts: true });
    return withDid(withDid(back, when, 'frontend-1', { errors: 40 }), other, 'frontend-1', { errors });
  },
);
const several = (one: fc.Arbitrary<Step>, most: number): fc.Arbitrary<Step> =>
  fc
    .array(one, { minLength: 1, maxLength: most })
    .map((steps) => (given) => steps.reduce((all, next) => next(all), given));

/** As it should be; slow in the middle; slow at the end. */
const percentiles = fc.constantFrom(
  { p50: 12, p99: 61, max: 70 },
  { p50: 60, p99: 61, max: 70 },
  { p50: 12, p99: 900, max: 950 },
);
const slowCalls = step(fc.tuple(percentiles, fc.boolean()), (given, [ms, isProbe]) =>
  isProbe ? withProbe(given, { latencyMs: ms }) : withLoad(given, { startLatencyMs: ms }),
);
const later = (ms: LoadWindow['startLatencyMs']) => ms && { ...ms, p50: ms.p50 + 50, p99: ms.p99 + 50 };
/** One more call, as slow as the others; one that is not confirmed; or all of them slower. */
const slowerCalls = step(fc.constantFrom(0, 1, 2, 3, 3, 3, 4, 4, 4), (given, what) => {
  const { load } = given;
  if (load?.probe === undefined) return given;
  const { attempts, latencyMs } = load.probe;
  if (what === 0) return withLoad(given, { startLatencyMs: later(load.startLatencyMs) });
  if (what === 1) return withProbe(given, { latencyMs: later(latencyMs) });
  if (what === 2) return withProbe(given, { attempts: attempts + 1 });
  if (what === 3) return withLoad(given, { started: load.started + 1, intended: load.intended + 1 });
  return withLoad(given, { started: load.started - 1 });
});
const badLoad = step(fc.nat(8), (given, what) => {
  const { load } = given;
  if (load?.probe === undefined) return given;
  const { attempts, failedAttempts, failedCalls, longestGapMs } = load.probe;
  switch (what) {
    case 0:
      return withLoad(given, { lost: load.lost + 1 });
    case 1:
      return withLoad(given, { duplicated: load.duplicated + 1 });
    case 2:
      return withLoad(given, { failedCalls: load.failedCalls + 1 });
    case 3:
      return withLoad(given, { started: load.started - 1 });
    case 4:
      return withLoad(given, { unverified: 'away', leftOutLater: ['schedules'] });
    case 5:
      return withProbe(given, { failedAttempts: failedAttempts + 1, attempts: attempts + 1 });
    case 6:
      return withProbe(given, { failedCalls: failedCalls + 1 });
    case 7:
      return withProbe(given, { longestGapMs: longestGapMs + 900 });
    default:
      return withProbe(given, { missingMs: 60_000 });
  }
});

const counts = fc.oneof(
  counted('errors', [1, 2, 40]),
  counted('persistenceErrors', [1, 12, 200]),
  counted('slow', [1, 5, 30]),
  counted('panics', [1]),
);
const anything = fc.oneof(counts, away, startedAnew, backlog, full, slowQuery, unreached, slowerCalls, badLoad);
/** One minute is still, the others are busy; what counts as evidence lies between. */
const busy = base(['roll'], {
  minutes: fc.constantFrom([400, 400, 10], [10, 400, 400], [400, 10, 400]),
  minRequests: fc.constantFrom(200, 2_000),
});
const loaded = base(TIGHT, { isLoaded: fc.constant(true) });
const sometimes = fc.boolean();
const any = base(ALL, { minutes: fc.oneof(CALM, UNEVEN), compared: sometimes, isLoaded: sometimes });
const FAULTS: readonly Fault[] = [
  { quiet: busy, wrong: errorMinute, worse: moreErrors },
  { quiet: base(['roll']), wrong: beforeRestart, worse: fc.oneof(counts, startedAnew) },
  { quiet: base(['roll']), wrong: replaced, worse: fc.oneof(moreErrors, badLoad) },
  { quiet: base(TIGHT), wrong: several(backlog, 3), worse: fc.oneof(backlog, unreached) },
  { quiet: base(TIGHT, { compared: sometimes }), wrong: several(full, 3), worse: fc.oneof(full, unreached) },
  { quiet: base(TIGHT), wrong: several(slowQuery, 12), worse: fc.oneof(slowQuery, unreached) },
  { quiet: loaded, wrong: slowCalls, worse: slowerCalls },
  { quiet: any, wrong: several(badLoad, 2), worse: badLoad },
  { quiet: any, wrong: several(anything, 3), worse: anything },
];
/** A window, and what makes it worse. */
const windows: fc.Arbitrary<readonly [Window, readonly Step[]]> = fc.oneof(
  ...FAULTS.map(({ quiet: given, wrong, worse }) =>
    fc
      .tuple(given, wrong, fc.array(worse, { minLength: 1, maxLength: 4 }))
      .map(([before, fault, steps]) => [fault(before), steps] as const),
  ),
);

test('the windows that the laws are tried on have all three verdicts, in each kind', () => {
  const found = fc.sample(windows, { numRuns: 250, seed: 6 }).map(([one]) => `${one.kind} ${rankOf(one)}`);
  expect(new Set(found).size).toBe(4 * 3);
});

test('adding a worse sample never improves a verdict', () => {
  fc.assert(
    fc.property(windows, ([given, steps]) => {
      const worsened = steps.reduce((one, next) => next(one), given);
      if (rankOf(worsened) > rankOf(given)) throw new Error(`${told(given)}\nbecame better: ${told(worsened)}`);
    }),
    { numRuns: RUNS },
  );
});

type Removal = (rounds: readonly Round[]) => readonly Round[];

/** Takes a round away, or what it has of one process, one database or the rings. */
const removed: fc.Arbitrary<Removal> = fc.tuple(fc.nat(LAST), node, fc.nat(4)).map(([when, name, what]) => (rounds) => {
  const time = FROM + when * BEAT_MS;
  if (what === 0) return rounds.filter((round) => round.at !== time);
  return rounds.map((round) => {
    if (round.at !== time) return round;
    const { processes, databases } = round;
    if (what === 1) return { ...round, processes: processes.filter((one) => one.node !== name) };
    if (what === 2) {
      return {
        ...round,
        processes: processes.map((one) => (one.node === name ? { ...one, reading: undefined } : one)),
      };
    }
    if (what === 3) return { ...round, databases: databases.slice(1) };
    return { ...round, rings: undefined };
  });
});

/** Takes just those rounds away in which something was wrong, or only the first few of them; or only the pages. */
const hidden = fc
  .tuple(fc.integer({ min: 1, max: 4 }), fc.boolean())
  .map(([most, pages]) => ({ model: { did, connections = [] } }: Window): Removal => {
    const isBad = (when: number) =>
      (connections[when] ?? 0) > 90 || NODES.some(([name]) => isTrouble(did[at(when, name)] ?? {}));
    const unread = (round: Round): Round => ({
      ...round,
      processes: round.processes.map((one) => ({ ...one, reading: undefined })),
    });
    return (rounds) => {
      const bad = rounds.filter((round) => isBad((round.at - FROM) / BEAT_MS)).slice(0, most);
      if (pages) return rounds.map((round) => (bad.includes(round) ? unread(round) : round));
      return rounds.filter((round) => !bad.includes(round));
    };
  });
const isTrouble = ({
  errors = 0,
  panics = 0,
  persistenceErrors = 0,
  slow = 0,
  backlogAge = 0,
  restarts,
}: Did): boolean => errors + panics + persistenceErrors + slow + backlogAge > 0 || restarts === true;
/** Takes away what the load confirmed. That there is a load at all is known by the baseline. */
const unconfirmed: fc.Arbitrary<Step> = step(fc.nat(3), (given, what) => {
  const { load, compared } = given;
  if (load?.probe === undefined) return given;
  if (what === 0) return withLoad(given, { started: load.started - 1 });
  if (what === 1) return withLoad(given, { startLatencyMs: null });
  if (what === 2 && compared) return { ...given, load: undefined };
  return withProbe(given, { attempts: load.probe.attempts - 1 });
});

test('removing samples never turns a verdict into a pass', () => {
  const removals = fc.record({
    some: fc.oneof(fc.constant([]), fc.array(removed, { maxLength: 2 })),
    hide: fc.option(hidden, { freq: 3 }),
    less: fc.option(unconfirmed, { freq: 1 }),
  });
  fc.assert(
    fc.property(windows, removals, ([given], { some, hide, less }) => {
      const rounds = roundsOf(given.model);
      const all: readonly Removal[] = hide === null ? some : [...some, hide(given)];
      const left = all.reduce<readonly Round[]>((rest, remove) => remove(rest), rounds);
      const after = judged(less === null ? given : less(given), left);
      if (after.verdict !== 'pass') return;
      const before = judged(given, rounds);
      if (before.verdict !== 'pass') throw new Error(`${JSON.stringify(before.lines[0])} became a pass`);
    }),
    { numRuns: RUNS },
  );
});
