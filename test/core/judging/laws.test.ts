import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Bounds } from '../../../src/core/input/bounds.js';
import { judge } from '../../../src/core/judging/judge.js';
import type { LoadWindow, ProbeWindow } from '../../../src/core/ledger.js';
import type { Verdict, WindowKind } from '../../../src/core/measuring/observation.js';
import type { Round } from '../../../src/core/measuring/round.js';
import { cutWindow } from '../../../src/core/measuring/window.js';
import { BOUNDS, LOAD } from '../../helpers/observations.js';
import { at, BEAT_MS, FROM, NODES, quiet, roundsOf, type Did, type Model } from '../../helpers/rounds.js';

/*
 * Two laws of the judgement, tried on windows of every kind, with bounds of every sort, near what is just good enough: what
 * is far beyond says little.
 */
const LAST = 18;
const RUNS = 500;

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

const beat = fc.integer({ min: 1, max: LAST });
const node = fc.constantFrom(...NODES.map(([name]) => name));
const did: fc.Arbitrary<Did> = fc.record(
  {
    errors: fc.constantFrom(0, 1, 2, 40),
    persistenceErrors: fc.constantFrom(0, 1, 12, 200),
    slow: fc.constantFrom(0, 1, 5, 30),
    panics: fc.constantFrom(0, 0, 0, 1),
    serves: fc.constantFrom(true, true, false),
    restarts: fc.constantFrom(false, false, true),
  },
  { requiredKeys: [] },
);

const model: fc.Arbitrary<Model> = fc
  .record({
    requests: fc.constantFrom(60, 60, 60, 400, 12, 11, 0),
    bad: fc.array(fc.tuple(beat, node, did), { maxLength: 3 }),
    replaced: fc.option(fc.tuple(fc.integer({ min: 2, max: LAST - 2 }), node)),
    unreached: fc.uniqueArray(beat, { maxLength: 1 }),
    slowQueries: fc.uniqueArray(beat, { maxLength: 11 }),
    full: fc.uniqueArray(beat, { maxLength: 3 }),
    backlog: fc.uniqueArray(beat, { maxLength: 3 }),
  })
  .map(({ requests, bad, replaced, unreached, slowQueries, full, backlog }) => {
    const all: Record<string, Did> = {};
    for (let index = 0; index <= LAST; index += 1) for (const [name] of NODES) all[at(index, name)] = { requests };
    const change = (key: string, more: Did) => (all[key] = { ...all[key], ...more });
    for (const [when, name, what] of bad) change(at(when, name), what);
    for (const when of backlog) change(at(when, 'matching-1'), { backlogAge: 60 });
    if (replaced !== null) {
      const [when, name] = replaced;
      change(at(when, name), { down: true });
      change(at(when + 1, name), { restarts: true });
    }
    return {
      beats: LAST + 1,
      did: shown(all),
      unreached: new Set(unreached),
      queryMs: Array.from({ length: LAST + 1 }, (_, index) => (slowQueries.includes(index) ? 100 : 1)),
      connections: Array.from({ length: LAST + 1 }, (_, index) => (full.includes(index) ? 95 : 20)),
    };
  });

const percentiles = fc.record({
  p50: fc.constantFrom(12, 60),
  p99: fc.constantFrom(61, 900),
  max: fc.constant(950),
});
const probe: fc.Arbitrary<ProbeWindow> = fc.record({
  attempts: fc.constantFrom(200, 999, 1_000, 1_800),
  failedAttempts: fc.constantFrom(0, 0, 1, 2),
  calls: fc.constant(1_800),
  failedCalls: fc.constantFrom(0, 0, 0, 1),
  latencyMs: fc.option(percentiles, { freq: 9 }),
  longestGapMs: fc.constantFrom(180, 180, 1_001, 5_001),
  missingMs: fc.constantFrom(0, 0, 60_000),
  byCode: fc.constant({}),
});
const load: fc.Arbitrary<LoadWindow> = fc
  .record({
    due: fc.constantFrom(20, 999, 1_000, 1_001),
    lost: fc.constantFrom(0, 0, 0, 1),
    failedCalls: fc.constantFrom(0, 0, 0, 1),
    startLatencyMs: fc.option(percentiles, { freq: 9 }),
    probe,
  })
  .map(({ due, ...rest }) => ({ ...LOAD, ...rest, started: due, intended: due }));

/** Half of them as quiet as can be in all but one thing: else most would fail for more than one reason. */
const window: fc.Arbitrary<Window> = fc.record({
  kind: fc.constantFrom('schema', 'roll', 'roll', 'settled', 'watch'),
  bounds: fc
    .record({ minRequests: fc.constantFrom(0, 200, 200, 2_000), minBeatShare: fc.constantFrom(0.8, 0.9) })
    .map((bounds) => ({ ...BOUNDS, ...bounds })),
  singleRoles: fc.constantFrom([], ['history'], ['frontend', 'history']),
  compared: fc.constantFrom(true, true, false),
  model: fc.oneof(model, fc.constant<Model>({ ...quiet(), did: shown({}) })),
  load: fc.oneof(fc.constant(LOAD), fc.constant({ ...LOAD, started: 999, intended: 999 }), load),
});

type Step = (window: Window) => Window;

/** Makes one beat of one process, or of a database, worse than it was. */
const worseBeat: fc.Arbitrary<Step> = fc.tuple(beat, node, fc.nat(9)).map(([when, name, what]) => (given) => {
  const key = at(when, name);
  const { model: before, kind, singleRoles } = given;
  const old = before.did[key] ?? {};
  const changed = (more: Partial<Model>): Window => ({ ...given, model: { ...before, ...more } });
  const doing = (more: Did, where = key) =>
    changed({ did: { ...before.did, [where]: { ...before.did[where], ...more } } });
  // That the only process of a role is away is what explains errors in a roll.
  const explains = kind === 'roll' && singleRoles.length > 0;
  const replaced = (numbers: readonly number[], to: number) => numbers.map((one, index) => (index === when ? to : one));
  const every = (value: number) => Array.from({ length: LAST + 1 }, () => value);
  switch (what) {
    case 0:
      return doing({ errors: (old.errors ?? 0) + 1 });
    case 1:
      return doing({ persistenceErrors: (old.persistenceErrors ?? 0) + 5 });
    case 2:
      return doing({ slow: (old.slow ?? 0) + 3 });
    case 3:
      return doing({ panics: 1 });
    case 4:
      return explains ? given : doing({ serves: false });
    case 5:
      return explains || old.down === true ? given : doing({ restarts: true });
    case 6:
      return doing({ backlogAge: 100 }, at(when, 'matching-1'));
    case 7:
      return changed({ queryMs: replaced(before.queryMs.length === 0 ? every(1) : before.queryMs, 1_000) });
    case 8:
      return changed({ connections: replaced(before.connections ?? every(20), 96) });
    default:
      return changed({ unreached: new Set([...before.unreached, when]) });
  }
});

/** Makes the account of the load worse. */
const worseLoad: fc.Arbitrary<Step> = fc.nat(11).map((what) => (given) => {
  const { load: before } = given;
  const own = before?.probe;
  if (before === undefined || own === undefined) return given;
  const changed = (more: Partial<LoadWindow>): Window => ({ ...given, load: { ...before, ...more } });
  const probing = (more: Partial<ProbeWindow>) => changed({ probe: { ...own, ...more } });
  const slower = (ms: LoadWindow['startLatencyMs']) => ms && { ...ms, p50: ms.p50 + 50, p99: ms.p99 + 50 };
  switch (what) {
    case 0:
      return changed({ lost: before.lost + 1 });
    case 1:
      return changed({ duplicated: before.duplicated + 1 });
    case 2:
      return changed({ failedCalls: before.failedCalls + 1 });
    case 3:
      return changed({ started: before.started - 1 });
    // One more start, as slow as the others.
    case 4:
      return changed({ started: before.started + 1, intended: before.intended + 1 });
    case 5:
      return changed({ startLatencyMs: slower(before.startLatencyMs) });
    case 6:
      return changed({ unverified: 'away', leftOutLater: ['schedules'] });
    case 7:
      return probing({ failedAttempts: own.failedAttempts + 1, attempts: own.attempts + 1 });
    case 8:
      return probing({ failedCalls: own.failedCalls + 1 });
    case 9:
      return probing({ longestGapMs: own.longestGapMs + 6_000 });
    case 10:
      return probing({ latencyMs: slower(own.latencyMs) });
    default:
      return probing({ missingMs: 100_000 });
  }
});
const worse = fc.array(fc.oneof(worseBeat, worseBeat, worseLoad), { minLength: 1, maxLength: 4 });

test('the windows that the laws are tried on have all three verdicts, in each kind', () => {
  const found = fc.sample(window, { numRuns: 400, seed: 6 }).map((one) => `${one.kind} ${rankOf(one)}`);
  expect(new Set(found).size).toBe(4 * 3);
});

test('adding a worse sample never improves a verdict', () => {
  fc.assert(
    fc.property(window, worse, (given, steps) => {
      const worsened = steps.reduce((one, step) => step(one), given);
      if (rankOf(worsened) > rankOf(given)) throw new Error(`${told(given)}\nbecame better: ${told(worsened)}`);
    }),
    { numRuns: RUNS },
  );
});

type Removal = (rounds: readonly Round[]) => readonly Round[];

/** Takes a round away, or what it has of one process, one database or the rings. */
const removed: fc.Arbitrary<Removal> = fc.tuple(fc.nat(LAST), node, fc.nat(5)).map(([when, name, what]) => (rounds) => {
  const time = FROM + when * BEAT_MS;
  if (what === 0) return rounds.filter((round) => round.at !== time);
  return rounds.map((round) => {
    if (round.at !== time) return round;
    const { processes, databases } = round;
    if (what === 1) return { ...round, processes: processes.filter((one) => one.node !== name) };
    if (what === 2 || what === 3) {
      return {
        ...round,
        processes: processes.map((one) => (one.node === name ? { ...one, reading: undefined } : one)),
      };
    }
    if (what === 4) return { ...round, databases: databases.slice(1) };
    return { ...round, rings: undefined };
  });
});
/** Takes the rounds away in which something was wrong with one process: what is removed by chance rarely is that. */
const hidden: fc.Arbitrary<(given: Window) => Removal> = node.map((name) => ({ model: { did: done } }) => (rounds) => {
  const isBad = ({ errors, panics, backlogAge, persistenceErrors, slow }: Did) =>
    [errors, panics, backlogAge, persistenceErrors, slow].some((one) => one !== undefined && one > 0);
  return rounds.filter((_, index) => !isBad(done[at(index, name)] ?? {}));
});
/** Takes away what the load confirmed. That there is a load at all is known by the baseline. */
const unconfirmed: fc.Arbitrary<Step> = fc.nat(3).map((what) => (given) => {
  const { load: before, compared } = given;
  if (before?.probe === undefined) return given;
  if (what === 0) return { ...given, load: { ...before, started: before.started - 1 } };
  if (what === 1) return { ...given, load: { ...before, startLatencyMs: null } };
  if (what === 2 && compared) return { ...given, load: undefined };
  const { attempts } = before.probe;
  return { ...given, load: { ...before, probe: { ...before.probe, attempts: attempts - 1 } } };
});

test('removing samples never turns a verdict into a pass', () => {
  const removals = fc.tuple(
    fc.array(removed, { maxLength: 4 }),
    fc.option(hidden),
    fc.option(unconfirmed, { freq: 1 }),
  );
  fc.assert(
    fc.property(window, removals, (given, [some, hide, lessLoad]) => {
      const rounds = roundsOf(given.model);
      const all: readonly Removal[] = hide === null ? some : [...some, hide(given)];
      const left = all.reduce<readonly Round[]>((rest, remove) => remove(rest), rounds);
      const after = judged(lessLoad === null ? given : lessLoad(given), left);
      const before = judged(given, rounds);
      if (before.verdict !== 'pass' && after.verdict === 'pass') throw new Error(JSON.stringify(before.lines[0]));
    }),
    { numRuns: RUNS },
  );
});
