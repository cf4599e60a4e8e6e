import type { StorePart } from '../stores.js';
import type { Role, Target } from '../input/input.js';
import type { Reading } from './series.js';

/**
 * All processes and databases of a target, sampled once. Rounds fall on a grid of beats (multiples of `beatMs` since 1970),
 * so that those of a meter that was killed and started again fit together, and what is missing can be counted.
 */
export interface Round {
  /** The beat that it is the sample of, milliseconds since 1970. */
  readonly at: number;
  readonly beatMs: number;
  readonly processes: readonly ProcessSample[];
  readonly databases: readonly DatabaseSample[];
  /** Absent where the rings were not asked for at this beat. */
  readonly rings?: RingsSample | undefined;
  /** Why nobody could say which processes run on this host; absent when somebody could. */
  readonly problem?: string | undefined;
}

export interface ProcessSample {
  /** Its node; of a pod its own name, as the slot that it fills changes while others come and go. */
  readonly node: string;
  readonly pod?: true | undefined;
  readonly role: Role;
  /** Null where the process is not of this host, or could not be looked for, so that nobody knows. */
  readonly running: boolean | null;
  /** This run of the process; changes whenever it is started anew. */
  readonly instance?: string | undefined;
  /** When this run of the process began, milliseconds since 1970, where that is known. */
  readonly beganAt?: number | undefined;
  /** Version of the binary that runs, where it can be asked. */
  readonly binaryVersion?: string | undefined;
  /** What its gRPC health service said; absent where its role has none at its version. */
  readonly health?: 'SERVING' | 'NOT_SERVING' | 'UNKNOWN_SERVICE' | 'UNREACHABLE' | undefined;
  /** Processor time since it began, in seconds. */
  readonly cpuSeconds?: number | undefined;
  readonly residentBytes?: number | undefined;
  /** Absent when its page could not be read; `problem` says why. */
  readonly reading?: Reading | undefined;
  /** When a Prometheus read that page, milliseconds since 1970; absent where it was read at the beat. */
  readonly readAt?: number | undefined;
  readonly problem?: string | undefined;
}

export interface DatabaseSample {
  readonly store: StorePart;
  /** Absent when it did not answer; `problem` says why. */
  readonly facts?: DatabaseReading | undefined;
  readonly problem?: string | undefined;
}

/** What a database says of itself in one look. */
export interface DatabaseReading {
  /** Time of a question that needs no table, in milliseconds. */
  readonly queryMs: number;
  readonly bytes: number;
  /** Connections of everybody to the database server, and how many it allows; absent where it has no such bound. */
  readonly connections?: { readonly inUse: number; readonly allowed: number } | undefined;
}

export interface RingsSample {
  /**
   * Whether every frontend named the same members, and these are the processes of the target that run. Absent where that is not
   * known: a frontend that runs could not be asked, or nobody knows whether a process runs.
   */
  readonly equal?: boolean | undefined;
  /** What differs, or why it is not known. */
  readonly problem?: string | undefined;
}

/** Asking every frontend for its rings costs more than the rest, and rings change rarely. */
const BEATS_PER_RINGS = 5;

/** Whether rings are asked for at a beat. */
export function isRingsBeat(at: number, beatMs: number): boolean {
  return (at / beatMs) % BEATS_PER_RINGS === 0;
}

/** The first beat at or after `time` (milliseconds since 1970). */
export function nextBeat(time: number, beatMs: number): number {
  return Math.ceil(time / beatMs) * beatMs;
}

/**
 * Beat for windows of a length: at least some twenty in each, but no more often than each second, and each ten seconds. Where a
 * Prometheus is asked, never more often than it scrapes: in between it has nothing new.
 */
export function beatFor(windowMs: number, { metrics }: Pick<Target, 'metrics'>): number {
  return Math.max(metrics?.every ?? 0, Math.round(Math.min(10_000, Math.max(1_000, windowMs / 20))));
}
