/**
 * Kinds of calls, by what has to work for an answer: a frontend alone, the store behind it, history (to read, and to change),
 * matching, visibility.
 */
export const PROBE_KINDS = [
  'frontend',
  'namespace',
  'history-read',
  'history-write',
  'matching',
  'visibility',
] as const;
export type ProbeKind = (typeof PROBE_KINDS)[number];

/** `raw` calls have no retries, `retried` ones those of the SDK, as every client of it. */
export type ProbeWay = 'raw' | 'retried';

export interface ProbeFailure {
  /** When the call ended, in milliseconds since 1970, as every moment here. */
  readonly at: number;
  readonly kind: ProbeKind;
  readonly way: ProbeWay;
  /** Name of the gRPC status. */
  readonly code: string;
  /** What the server or the connection said; empty in the files of earlier releases. */
  readonly reason: string;
  /** Milliseconds from the moment at which the call was due. */
  readonly ms: number;
}

/** Calls of one kind that ended within one interval. */
export interface KindTally {
  /** Raw calls and retried ones, those that failed included. */
  readonly attempts: number;
  readonly calls: number;
  /** Successes of either way; null when there was none. */
  readonly firstSuccessAt: number | null;
  readonly lastSuccessAt: number | null;
  /** Longest time between two successes, both within the interval. */
  readonly longestGapMs: number;
}

/** What the probe writes down every few seconds. */
export interface ProbeInterval {
  /** Intervals of one stretch follow each other without a hole: one process that was never held up. */
  readonly stretch: string;
  readonly startedAt: number;
  readonly endedAt: number;
  /** Every kind that is called, also those of which no call ended. */
  readonly kinds: Readonly<Partial<Record<ProbeKind, KindTally>>>;
  readonly failures: readonly ProbeFailure[];
  /** Latencies of successful raw calls as an encoded histogram; null when there are none. */
  readonly latency: string | null;
}
