import type { Observation, ProcessWindow } from './observation.js';
import { segmentsOf, type Segment, type Slot } from './rises.js';
import type { ProcessSample, Round } from './round.js';
import { countBeats, streakOf, type Answer } from './streak.js';

/** A process in a window, with what its counts are made of. */
export interface Cut {
  readonly window: ProcessWindow;
  readonly segments: readonly Segment[];
  readonly slots: readonly Slot[];
  readonly respelled?: Pick<NonNullable<Observation['respelled']>, 'before' | 'after'> | undefined;
}

/** What there is of a process, one for each beat of the window. */
export function slotsOf(due: readonly number[], rounds: readonly (Round | undefined)[], node: string): Slot[] {
  return due.map((at, index) => ({ at, sample: rounds[index]?.processes.find((one) => one.node === node) }));
}

/** A process in a window of these beats. */
export function cutProcess(slots: readonly Slot[], node: string, beatMs: number): Cut {
  const samples = slots.map(({ sample }) => sample);
  const seen = samples.filter((sample) => sample !== undefined);
  const segments = segmentsOf(slots, beatMs);
  const fell = segments.find((one) => one.fell !== undefined)?.fell;
  const versions = seen.flatMap(({ reading, binaryVersion }) => reading?.version ?? binaryVersion ?? []);
  const metrics = countBeats(samples.map((sample) => sample?.reading !== undefined));
  const stale = [slots[0], slots.at(-1)].flatMap((slot) => staleness(slot, beatMs))[0];
  const problem = stale ?? seen.findLast((sample) => sample.problem !== undefined)?.problem;
  const window: ProcessWindow = {
    node,
    role: seen[0]?.role ?? '',
    metrics: { ...metrics, ends: metrics.ends && stale === undefined },
    explained: samples.filter(isExplained).length,
    health: streakOf(samples.map(healthOf)),
    restarts: countRestarts(seen, segments),
    ...(fell === undefined ? {} : { fell }),
    ...(segments.some(({ lost }) => lost) ? { lost: true } : {}),
    versions: [...new Set(versions)],
    ...usageOf(slots, beatMs),
    ...(problem === undefined ? {} : { problem }),
  };
  return { window, segments, slots, respelled: respelling(seen) };
}

/** Why a page of an end of the window does not show that end; empty when it does. */
function staleness(slot: Slot | undefined, beatMs: number): string[] {
  const readAt = slot?.sample?.reading && slot.sample.readAt;
  if (slot === undefined || readAt === undefined || readAt >= slot.at - beatMs) return [];
  const seconds = Math.round((slot.at - readAt) / 1_000);
  return [`what Prometheus had of it was ${seconds} s old; a beat has to be as long as its scrapes are apart`];
}

/** A page is not expected of a process that does not run, or is not ready yet. */
function isExplained(sample: ProcessSample | undefined): boolean {
  if (sample === undefined || sample.reading !== undefined) return false;
  return sample.running === false || (sample.health !== undefined && sample.health !== 'SERVING');
}

function healthOf(sample: ProcessSample | undefined): Answer {
  if (sample === undefined) return undefined;
  if (sample.running === false) return 'bad';
  if (sample.health !== undefined) return sample.health === 'SERVING' ? 'good' : 'bad';
  return sample.reading === undefined ? undefined : 'good';
}

/** By the run of the process where it is known; also between samples whose page could not be read. */
function countRestarts(samples: readonly ProcessSample[], segments: readonly Segment[]): number {
  const runs = samples.flatMap(({ instance }) => instance ?? []);
  if (runs.length === 0) return segments.filter(({ restarted }) => restarted).length;
  return runs.filter((run, index) => index > 0 && run !== runs[index - 1]).length;
}

function usageOf(slots: readonly Slot[], beatMs: number): Pick<ProcessWindow, 'cores' | 'residentBytes'> {
  const samples = slots.flatMap(({ at, sample }) => (sample === undefined ? [] : [{ ...sample, at }]));
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

function respelling(samples: readonly ProcessSample[]): Cut['respelled'] {
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
