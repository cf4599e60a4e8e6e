import type { LoadWindow } from '../ledger.js';
import { gapsOf, merge, type Span } from './gaps.js';
import { piecesOf, sumPieces, worstMinute } from './minutes.js';
import { cutPod } from './pod-window.js';
import { cutProcess, slotsOf, type Cut } from './process-window.js';
import type { Segment } from './rises.js';
import { isRingsBeat, nextBeat, type DatabaseSample, type Round } from './round.js';
import { countBeats, medianOf, streakOf, sustained, type Sustained } from './streak.js';
import { histogramsOf, totalsOf } from './totals.js';
import type { DatabaseWindow, Observation, RingsWindow, WindowKind } from './observation.js';

export interface WindowRequest {
  readonly kind: WindowKind;
  /** Ends, milliseconds since 1970; widened to whole beats. */
  readonly from: number;
  readonly to: number;
  readonly beatMs: number;
  /** Of the bounds that it will be judged by. */
  readonly minRequests: number;
  /** Roles that have one process alone: a roll cannot be without a gap there. */
  readonly singleRoles?: readonly string[] | undefined;
  readonly load?: LoadWindow | undefined;
  /**
   * Backlogs that began before this are left aside: a queue that nobody polls has a task that grows older by itself. Milliseconds
   * since 1970; the beginning of the window when left out.
   */
  readonly queuedSince?: number | undefined;
}

/**
 * The ends of a window that is observed from `now` on, or from `since`, each on a beat. One that began long ago (the worker was
 * away) is moved up, so that it ends now: what the cluster does at present is part of it, whatever happened in between.
 */
export function comingWindow({
  now,
  since = now,
  windowMs,
  beatMs,
}: {
  readonly now: number;
  readonly since?: number | undefined;
  readonly windowMs: number;
  readonly beatMs: number;
}): Pick<WindowRequest, 'from' | 'to'> {
  const from = nextBeat(Math.max(Math.min(since, now), now - windowMs), beatMs);
  return { from, to: nextBeat(from + windowMs, beatMs) };
}

/** First and last beat of a window: it lies between them. */
export function beatsOfWindow({
  from,
  to,
  beatMs,
}: Pick<WindowRequest, 'from' | 'to' | 'beatMs'>): readonly [number, number] {
  return [Math.floor(from / beatMs) * beatMs, Math.ceil(to / beatMs) * beatMs];
}

/** Cuts a window out of rounds, after the fact. Rounds outside of it, or on another grid of beats, are left aside. */
export function cutWindow(rounds: readonly Round[], request: WindowRequest): Observation {
  const { kind, from, to, beatMs, minRequests, load } = request;
  const [first, last] = beatsOfWindow(request);
  const byBeat = new Map(rounds.map((round) => [round.at, round]));
  const due = Array.from({ length: Math.floor((last - first) / beatMs) + 1 }, (_, index) => first + index * beatMs);
  const inside = due.map((at) => byBeat.get(at));
  const nodes = [...new Set(inside.flatMap((round) => round?.processes.map(({ node }) => node) ?? []))];
  const stores = [...new Set(inside.flatMap((round) => round?.databases.map(({ store }) => store) ?? []))];
  const processes = nodes.map((node) => {
    const slots = slotsOf(due, inside, node);
    const isPod = slots.some(({ sample }) => sample?.pod === true);
    return isPod ? cutPod(slots, node, { kind, beatMs, rounds: inside }) : cutProcess(slots, node, beatMs);
  });
  const respelled = processes.find(({ respelled: change }) => change !== undefined);
  return {
    kind,
    startedAt: new Date(from).toISOString(),
    endedAt: new Date(to).toISOString(),
    beatMs,
    beats: countBeats(inside.map((round) => round !== undefined)),
    processes: processes.map(({ window }) => window),
    databases: stores.map((store) => cutDatabase(inside, store)),
    rings: cutRings(
      inside,
      due.map((at) => isRingsBeat(at, beatMs)),
    ),
    ...totalsOf(processes, request.queuedSince ?? from),
    histograms: histogramsOf(processes),
    worstMinute: worstMinute(piecesOf(frontendsOf(processes)), { from: first, to: last, minRequests }),
    ...cutGaps(processes, request),
    respelled: respelled?.respelled && { node: respelled.window.node, ...respelled.respelled },
    load,
  };
}

/** Gaps that a roll cannot be without. */
function cutGaps(processes: readonly Cut[], request: WindowRequest): Pick<Observation, 'gaps'> {
  const { kind, beatMs, minRequests, singleRoles = [] } = request;
  if (kind !== 'roll' || singleRoles.length === 0) return {};
  const [from, to] = beatsOfWindow(request);
  const single = processes.filter(({ window: { role } }) => singleRoles.includes(role));
  const found = single.map(({ slots }) => gapsOf(slots, beatMs));
  const sure = merge(found.flatMap((gaps) => gaps.sure));
  const possible = merge(found.flatMap((gaps) => gaps.possible));
  const lengthOf = (spans: readonly Span[]) => {
    const lengths = spans.map((gap) => Math.min(gap.to, to) - Math.max(gap.from, from));
    return { ms: lengths.reduce((sum, length) => sum + length, 0), longestMs: Math.max(0, ...lengths) };
  };
  const pieces = piecesOf(frontendsOf(processes), { sure, possible });
  return {
    gaps: {
      ...lengthOf(sure),
      possible: lengthOf(possible),
      outside: sumPieces(pieces),
      worstMinute: worstMinute(pieces, { from, to, minRequests }),
    },
  };
}

function frontendsOf(processes: readonly Cut[]): Segment[] {
  return processes.filter(({ window }) => window.role === 'frontend').flatMap(({ segments }) => [...segments]);
}

function cutDatabase(rounds: readonly (Round | undefined)[], store: DatabaseSample['store']): DatabaseWindow {
  const samples = rounds.map((round) => round?.databases.find((one) => one.store === store));
  const facts = samples.map((sample) => sample?.facts);
  const known = facts.filter((one) => one !== undefined);
  const queryMs = medianOf(facts.map((one) => one?.queryMs));
  const [first, last] = [known[0], known.at(-1)];
  // Where a product has no bound on connections, there is nothing to see; else a beat without an answer may be a full one.
  const allowed = known.find(({ connections }) => connections !== undefined)?.connections?.allowed;
  const inUse = sustained(facts.map((one) => one?.connections?.inUse));
  const problem = samples.findLast((sample) => sample?.problem !== undefined)?.problem;
  return {
    store,
    beats: countBeats(samples.map((sample) => sample !== undefined)),
    reached: streakOf(samples.map((sample) => sample && (sample.facts === undefined ? 'bad' : 'good'))),
    ...(queryMs === undefined ? {} : { queryMs: queryMs.value }),
    ...(first === undefined || last === undefined ? {} : { bytes: { first: first.bytes, last: last.bytes } }),
    ...(allowed === undefined || inUse === undefined ? {} : { connections: { inUse: inUse.value, allowed } }),
    ...upToOf({ queryMs, inUse }),
    ...(problem === undefined ? {} : { problem }),
  };
}

/** Only where samples are missing and may have been worse. */
function upToOf(all: Readonly<Record<'queryMs' | 'inUse', Sustained | undefined>>): Pick<DatabaseWindow, 'upTo'> {
  const wider = Object.entries(all).flatMap(([key, one]) =>
    one === undefined || one.upTo === one.value ? [] : [[key, one.upTo] as const],
  );
  return wider.length === 0 ? {} : { upTo: Object.fromEntries(wider) };
}

function cutRings(rounds: readonly (Round | undefined)[], beats: readonly boolean[]): RingsWindow {
  const asked = rounds.flatMap((round) => round?.rings ?? []);
  const problem = asked.findLast((one) => one.problem !== undefined)?.problem;
  return {
    due: beats.filter(Boolean).length,
    asked: asked.filter(({ equal }) => equal !== undefined).length,
    unequal: asked.filter(({ equal }) => equal === false).length,
    ...(problem === undefined ? {} : { problem }),
  };
}
