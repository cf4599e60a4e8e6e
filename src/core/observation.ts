import type { LedgerSummary } from './ledger.js';

/** What was measured on a target in one window of time. Counts are those of the window, not since the processes began. */
export interface Observation {
  /** Length that was asked for, in milliseconds. */
  readonly windowMs: number;
  readonly startedAt: string;
  readonly endedAt: string;
  /** How many times every node was asked. */
  readonly samples: number;
  readonly nodes: readonly NodeSamples[];
  /** Requests that the frontends took. */
  readonly requests: number;
  /** Those that failed with an error that is not the caller's (`service_errors`). */
  readonly errors: number;
  /** errors / requests; null when it could not be measured, or there were no requests. */
  readonly errorRatio: number | null;
  /** Nodes whose process was another one at the end than at the start. */
  readonly restarts: number;
  /** Rise of counters that never rise in a healthy server, by name; see {@link NEVER_EXPECTED}. Left out means no rise. */
  readonly unexpected: Readonly<Record<string, number>>;
  /** What became of the canaries; absent where no load runs. */
  readonly load?: LoadCounts | undefined;
}

/** How often a node answered in a window. */
export interface NodeSamples {
  readonly node: string;
  /** Samples in which it was up and its metrics could be read. */
  readonly up: number;
  readonly of: number;
}

export type LoadCounts = Pick<LedgerSummary, 'started' | 'failedCalls' | 'lost' | 'duplicated' | 'wrong' | 'failed'>;

/** Counters of the server that rise only when something is broken; names as in common/metrics/metric_defs.go. */
export const NEVER_EXPECTED = [
  'service_panics',
  'dlq_writes',
  'task_terminal_failures',
  'task_errors_corruption',
  'mutable_state_checksum_mismatch',
] as const;

export interface Bounds {
  /** Fewer requests in a window are no evidence. 0: do not judge the error ratio when there are none. */
  readonly minRequests: number;
  /** Allowed rise of the error ratio against the baseline: 0.001 is 0.1 percentage points. */
  readonly maxErrorRatioRise: number;
  /** Fewer samples of a node in a window are no evidence; 2 when left out, one at each end. */
  readonly minSamples?: number | undefined;
}

/** `not-judged` is a measurement that was waived by the bounds; it counts neither way. */
export type CheckVerdict = 'pass' | 'fail' | 'inconclusive' | 'not-judged';

/** One number against its bound. */
export interface Check {
  readonly name: string;
  readonly verdict: CheckVerdict;
  /** What was measured; null when it was not. */
  readonly value: number | null;
  /** Highest value that passes, or lowest for a check whose name begins with `enough-`. */
  readonly bound: number;
  readonly baseline?: number | undefined;
  /** How many samples or requests the value rests on. */
  readonly samples: number;
  /** In words, with the numbers. */
  readonly why: string;
}

/** The judgement of an observation. One fail is a fail; a pass needs evidence for every check. */
export interface Verdict {
  readonly verdict: 'pass' | 'fail' | 'inconclusive';
  readonly checks: readonly Check[];
  /** One line for people. */
  readonly summary: string;
  /** Each check as a line, those that did not pass first. */
  readonly lines: readonly string[];
}
