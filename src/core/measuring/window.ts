import type { LoadWindow } from '../ledger.js';
import { addHistograms } from './histogram.js';
import { worstMinute } from './minutes.js';
import { histogramOver, segmentsOf, sumOf, type Segment, type Timed } from './rises.js';
import { isRingsBeat, type DatabaseSample, type Round } from './round.js';
import { SERIES, type Histogram, type SeriesKey } from './series.js';
import { countBeats, medianOf, streakOf, sustained, type Answer } from './streak.js';
import type { DatabaseWindow, Observation, ProcessWindow, RingsWindow, WindowKind } from './observation.js';

export interface WindowRequest {
  readonly kind: WindowKind;
  /** Ends, milliseconds since 1970; widened to whole beats. */
  readonly from: number;
  readonly to: number;
  readonly beatMs: number;
  /** Of the bounds that it will be judged by. */
  readonly minRequests: number;
  readonly load?: LoadWindow | undefined;
}

const KEYS = Object.keys(SERIES) as readonly SeriesKey[];

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
  const processes = nodes.map((node) => cutProcess(inside, node, beatMs));
  const frontends = processes.filter(({ window }) => window.role === 'frontend').flatMap(({ segments }) => segments);
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
    totals: totalsOf(processes),
    histograms: histogramsOf(processes),
    worstMinute: worstMinute(frontends, { from: first, to: last, minRequests }),
    respelled: respelled?.respelled && { node: respelled.window.node, ...respelled.respelled },
    load,
  };
}

interface Cut {
  readonly window: ProcessWindow;
  readonly segments: readonly Segment[];
  /** One for each beat of the window. */
  readonly samples: readonly (Timed | undefined)[];
  readonly respelled?: Pick<NonNullable<Observation['respelled']>, 'before' | 'after'> | undefined;
}

function cutProcess(rounds: readonly (Round | undefined)[], node: string, beatMs: number): Cut {
  const samples = rounds.map((round): Timed | undefined => {
    const sample = round?.processes.find((one) => one.node === node);
    return round === undefined || sample === undefined ? undefined : { ...sample, at: round.at };
  });
  const seen = samples.filter((sample) => sample !== undefined);
  const segments = segmentsOf(seen);
  const fell = segments.find((one) => one.fell !== undefined)?.fell;
  const versions = seen.flatMap(({ reading, binaryVersion }) => reading?.version ?? binaryVersion ?? []);
  const problem = seen.findLast((sample) => sample.problem !== undefined)?.problem;
  const window: ProcessWindow = {
    node,
    role: seen[0]?.role ?? '',
    metrics: countBeats(samples.map((sample) => sample?.reading !== undefined)),
    explained: samples.filter(isExplained).length,
    health: streakOf(samples.map(healthOf)),
    restarts: countRestarts(seen, segments),
    ...(fell === undefined ? {} : { fell }),
    versions: [...new Set(versions)],
    ...usageOf(seen, beatMs),
    ...(problem === undefined ? {} : { problem }),
  };
  return { window, segments, samples, respelled: respelling(seen) };
}

/** A page is not expected of a process that does not run, or is not ready yet. */
function isExplained(sample: Timed | undefined): boolean {
  if (sample === undefined || sample.reading !== undefined) return false;
  return sample.running === false || (sample.health !== undefined && sample.health !== 'SERVING');
}

function healthOf(sample: Timed | undefined): Answer {
  if (sample === undefined) return undefined;
  if (sample.running === false) return 'bad';
  if (sample.health !== undefined) return sample.health === 'SERVING' ? 'good' : 'bad';
  return sample.reading === undefined ? undefined : 'good';
}

/** By the run of the process where it is known; also between samples whose page could not be read. */
function countRestarts(samples: readonly Timed[], segments: readonly Segment[]): number {
  const runs = samples.flatMap(({ instance }) => instance ?? []);
  if (runs.length === 0) return segments.filter(({ restarted }) => restarted).length;
  return runs.filter((run, index) => index > 0 && run !== runs[index - 1]).length;
}

function usageOf(samples: readonly Timed[], beatMs: number): Pick<ProcessWindow, 'cores' | 'residentBytes'> {
  const last = samples.findLast(({ cpuSeconds }) => cpuSeconds !== undefined);
  const first = samples.find(({ cpuSeconds, instance }) => cpuSeconds !== undefined && instance === last?.instance);
  const resident = samples.flatMap(({ residentBytes }) => residentBytes ?? []);
  const seconds = ((last?.at ?? 0) - (first?.at ?? 0)) / 1_000;
  const used = (last?.cpuSeconds ?? 0) - (first?.cpuSeconds ?? 0);
  return {
    ...(seconds * 1_000 < beatMs ? {} : { cores: Math.round((used / seconds) * 1_000) / 1_000 }),
    ...(resident.length === 0 ? {} : { residentBytes: Math.max(...resident) }),
  };
}

function respelling(samples: readonly Timed[]): Cut['respelled'] {
  const before = samples.find(({ reading }) => reading !== undefined)?.reading?.spelling;
  const after = samples.findLast(({ reading }) => reading !== undefined)?.reading?.spelling;
  if (before === undefined || after === undefined) return undefined;
  const differs = (a: string | undefined, b: string | undefined) => a !== undefined && b !== undefined && a !== b;
  const changed =
    differs(before.prefix, after.prefix) ||
    differs(before.counters, after.counters) ||
    differs(before.timers, after.timers);
  return changed ? { before, after } : undefined;
}

/** Requests and errors are those that clients met: the frontends'. All else is of every process. */
const OF_FRONTENDS: readonly SeriesKey[] = ['requests', 'errors', 'startLatency', 'signalLatency', 'respondLatency'];

function concerned(processes: readonly Cut[], key: SeriesKey): readonly Cut[] {
  return OF_FRONTENDS.includes(key) ? processes.filter(({ window }) => window.role === 'frontend') : processes;
}

function totalsOf(processes: readonly Cut[]): Observation['totals'] {
  const totals = KEYS.flatMap((key) => {
    const own = concerned(processes, key);
    const value =
      SERIES[key].kind === 'counter'
        ? sumOf(
            own.flatMap((one) => one.segments),
            key,
          )
        : gaugeOf(own, key);
    return value === undefined ? [] : [[key, value] as const];
  });
  return Object.fromEntries(totals);
}

/** A gauge as it was of the worst process. One whose page was read and does not have it shows 0. */
function gaugeOf(processes: readonly Cut[], key: SeriesKey): number | undefined {
  const showing = processes.filter(({ samples }) => samples.some((one) => one?.reading?.values[key] !== undefined));
  const values = showing.map(({ samples }) =>
    sustained(samples.map((one) => one?.reading && (one.reading.values[key] ?? 0))),
  );
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 || known.length < values.length ? undefined : Math.max(...known);
}

function histogramsOf(processes: readonly Cut[]): Observation['histograms'] {
  const found = KEYS.flatMap((key) => {
    const parts = concerned(processes, key).flatMap(({ segments }): Histogram[] => {
      const one = histogramOver(segments, key);
      return one === undefined ? [] : [one];
    });
    return parts.length === 0 ? [] : [[key, addHistograms(parts)] as const];
  });
  return Object.fromEntries(found);
}

function cutDatabase(rounds: readonly (Round | undefined)[], store: DatabaseSample['store']): DatabaseWindow {
  const samples = rounds.map((round) => round?.databases.find((one) => one.store === store));
  const facts = samples.map((sample) => sample?.facts);
  const known = facts.filter((one) => one !== undefined);
  const queryMs = medianOf(facts.map((one) => one?.queryMs));
  const [first, last] = [known[0], known.at(-1)];
  // Where a product has no bound on connections, there is nothing to see; else a beat without an answer is a full one.
  const allowed = known.find(({ connections }) => connections !== undefined)?.connections?.allowed;
  const inUse = sustained(facts.map((one) => one?.connections?.inUse));
  const problem = samples.findLast((sample) => sample?.problem !== undefined)?.problem;
  return {
    store,
    beats: countBeats(samples.map((sample) => sample !== undefined)),
    reached: streakOf(samples.map((sample) => sample && (sample.facts === undefined ? 'bad' : 'good'))),
    ...(queryMs === undefined ? {} : { queryMs }),
    ...(first === undefined || last === undefined ? {} : { bytes: { first: first.bytes, last: last.bytes } }),
    ...(allowed === undefined || inUse === undefined ? {} : { connections: { inUse, allowed } }),
    ...(problem === undefined ? {} : { problem }),
  };
}

function cutRings(rounds: readonly (Round | undefined)[], beats: readonly boolean[]): RingsWindow {
  const asked = rounds.flatMap((round) => round?.rings ?? []);
  const problem = asked.findLast((one) => one.problem !== undefined)?.problem;
  return {
    due: beats.filter(Boolean).length,
    asked: asked.length,
    unequal: asked.filter(({ equal }) => !equal).length,
    ...(problem === undefined ? {} : { problem }),
  };
}
