import type { StorePart } from '../stores.js';
import type { LoadWindow } from '../ledger.js';
import type { Histogram, SeriesKey, Spelling } from './series.js';

/**
 * Which moment of a hop a window shows. `baseline`: before it. `schema`: old servers on the new schema. `roll`: first stop
 * to last ready, looser. `settled`: after the proof, tight. `watch`: long after.
 */
export type WindowKind = 'baseline' | 'schema' | 'roll' | 'settled' | 'watch';

/** What was measured on a target in one window of time. Counts are those of the window, not since the processes began. */
export interface Observation {
  readonly kind: WindowKind;
  /** Ends of the window as asked for, ISO 8601. It is widened to whole beats. */
  readonly startedAt: string;
  readonly endedAt: string;
  readonly beatMs: number;
  /** Beats of the window, both ends included, and of how many there is a round. */
  readonly beats: BeatCount;
  readonly processes: readonly ProcessWindow[];
  readonly databases: readonly DatabaseWindow[];
  readonly rings: RingsWindow;
  /**
   * Rises of counters of all processes together. Gauges: what no process was above at all beats but a tenth. Absent means
   * not measured.
   */
  readonly totals: Readonly<Partial<Record<SeriesKey, number>>>;
  /** Gauges that may have been higher than `totals` says, at beats that were not seen, and how high; null is anything. */
  readonly upTo?: Readonly<Partial<Record<SeriesKey, number | null>>> | undefined;
  /** What was added to histograms by all processes together. */
  readonly histograms: Readonly<Partial<Record<SeriesKey, Histogram>>>;
  /** The minute with the highest share of unexpected errors at the frontends; absent where no minute was seen. */
  readonly worstMinute?: WorstMinute | undefined;
  /** Of a roll where roles have one process alone. */
  readonly gaps?: GapsWindow | undefined;
  /** Of one process whose names are spelled otherwise at the end than at the beginning. */
  readonly respelled?: { readonly node: string; readonly before: Spelling; readonly after: Spelling } | undefined;
  /** What canaries and probe did; absent where no load runs. */
  readonly load?: LoadWindow | undefined;
}

export interface BeatCount {
  readonly due: number;
  readonly seen: number;
  /** Whether the first and the last of them were seen: what happened between is then all counted. */
  readonly ends: boolean;
}

export interface ProcessWindow {
  readonly node: string;
  readonly role: string;
  /** Beats at which its page was read. */
  readonly metrics: BeatCount;
  /** Beats at which it was seen not to run, or not to serve: no page is expected then. */
  readonly explained: number;
  /** By its health service; by its metrics page where its role has none. */
  readonly health: Streak;
  /** How many times another run of the process was seen than at the beat before. */
  readonly restarts: number;
  /** A counter that fell although it was the same run of the process. */
  readonly fell?: string | undefined;
  /** It was started anew, and what it counted for more than a beat before that was not seen. */
  readonly lost?: true | undefined;
  /** Versions by build_information, in the order seen. */
  readonly versions: readonly string[];
  /** Processor cores in use on average. */
  readonly cores?: number | undefined;
  readonly residentBytes?: number | undefined;
  /** It is a pod, which comes and goes: its beats are those of its own life. */
  readonly pod?: true | undefined;
  /** Why a page could not be read, the last time. */
  readonly problem?: string | undefined;
}

/** How well something answered in a window, told so that a beat without an answer never looks like a good one. */
export interface Streak {
  readonly good: number;
  /** Beats of the longest run without a good answer, and the most bad answers that a run had. */
  readonly worst: { readonly beats: number; readonly bad: number };
  /** The same of the run that reaches the end of the window; no beats when the last answer was good. */
  readonly open: { readonly beats: number; readonly bad: number };
}

export interface DatabaseWindow {
  readonly store: StorePart;
  readonly beats: BeatCount;
  readonly reached: Streak;
  /** Median time of a trivial question, in milliseconds. */
  readonly queryMs?: number | undefined;
  readonly bytes?: { readonly first: number; readonly last: number } | undefined;
  /** At all beats but a tenth, which had more. */
  readonly connections?: { readonly inUse: number; readonly allowed: number } | undefined;
  /** What each may have been, at beats without an answer; absent where that is what was seen, null where it is anything. */
  readonly upTo?: { readonly queryMs?: number | null; readonly inUse?: number | null } | undefined;
  readonly problem?: string | undefined;
}

export interface RingsWindow {
  /** Beats at which they were to be asked for. */
  readonly due: number;
  readonly asked: number;
  readonly unequal: number;
  readonly problem?: string | undefined;
}

/** Unexpected errors among the calls of clients. */
export interface ErrorCounts {
  /** As measured, spread evenly between two samples. */
  readonly errors: number;
  readonly requests: number;
  /** Errors that may have been there, and requests that surely were. */
  readonly atMost: number;
  readonly atLeast: number;
}

/** What may have been is that of the minute that is worst by it. */
export interface WorstMinute extends ErrorCounts {
  readonly at: string;
}

/** The time of a roll in which a role was without its only process, and what clients met in the rest of it. */
export interface GapsWindow {
  /** All of them together, and the longest, in milliseconds. */
  readonly ms: number;
  readonly longestMs: number;
  /** The same of all that there may have been; absent in windows of older builds. */
  readonly possible?: { readonly ms: number; readonly longestMs: number } | undefined;
  readonly outside: ErrorCounts;
  readonly worstMinute?: WorstMinute | undefined;
}

/** `not-judged` was not measured where that may be, or is only shown; it counts neither way, and says so. */
export type CheckVerdict = 'pass' | 'fail' | 'inconclusive' | 'not-judged';

/** One number against its bound. */
export interface Check {
  /** Stable; docs/observation.md explains each. */
  readonly id: string;
  readonly verdict: CheckVerdict;
  /** What was measured, in `unit`; null when it was not. */
  readonly value: number | null;
  readonly unit: Unit;
  /** Highest value that passes, or lowest where `least`; null when there is none. */
  readonly bound: number | null;
  readonly least?: true | undefined;
  /** The same number on the baseline; null when there is none. */
  readonly baseline: number | null;
  /** How many samples, requests or calls the value rests on. */
  readonly samples: number;
  /** Which process, database or counter, and what else is to be told. */
  readonly about?: string | undefined;
}

export type Unit = 'count' | 'ratio' | 'ms' | 'seconds' | 'bytes' | 'cores';

/** The judgement of an observation. One fail is a fail; a pass needs evidence for every check. */
export interface Verdict {
  readonly verdict: 'pass' | 'fail' | 'inconclusive';
  readonly checks: readonly Check[];
  /** One line for people. */
  readonly summary: string;
  /** Each check as a line, those that did not pass first, with why they matter. */
  readonly lines: readonly string[];
}

/** A window of a hop with its judgement, as people see it. */
export interface JudgedWindow extends Pick<Verdict, 'verdict' | 'checks'> {
  /** What it shows, such as `old servers, new schema`. */
  readonly what: string;
  /** ISO 8601. */
  readonly endedAt: string;
}

/** What must be true of the versions in a window. */
export interface Expected {
  /** Versions that processes may run: one, or the two of a roll. Any, but one alone for each role, when left out. */
  readonly versions?: readonly string[] | undefined;
  /** Roles that clients need and that have one process: a roll cannot be without a gap there. */
  readonly singleRoles?: readonly string[] | undefined;
  /** How often a roll itself may have started a process anew; once when left out. */
  readonly restarts?: number | undefined;
}

/** The lines of what did not pass. */
export function openLines({ lines }: Pick<Verdict, 'lines'>): readonly string[] {
  return lines.filter((line) => /^(fail|inconclusive)\b/.test(line));
}
