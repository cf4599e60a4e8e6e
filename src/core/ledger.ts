/** What became of every canary that the load started, counted from the target's own histories. */
export interface LedgerSummary {
  readonly started: number;
  readonly completed: number;
  /** Still running, and allowed to: long sleepers and those started a moment ago. */
  readonly running: number;
  /** Started, and not to be found in the target. */
  readonly lost: number;
  /** A step of the canary done more than once in its history, or two runs under one id. */
  readonly duplicated: number;
  /** Completed with another result than the one computed for its number. */
  readonly wrong: number;
  /** Failed, timed out, cancelled or terminated. */
  readonly failed: number;
  /** Client calls of the generator that failed after the SDK's retries. */
  readonly failedCalls: number;
  /** Ids of the first few that are not as they should be, with the reason. */
  readonly examples: readonly { readonly workflowId: string; readonly reason: string }[];
  /** Completed by their histories, and not shown by visibility long after; absent where visibility was not asked. */
  readonly unseen?: number | undefined;
  /** Started or set back before a backup was restored: no fault of the target. Absent where none was. */
  readonly undone?: number | undefined;
  /** Why those run that still do: how many by each reason. Absent in ledgers of older builds. */
  readonly runningBecause?: Readonly<Record<string, number>> | undefined;
  /** What the profile asks for and the load does not do, with the reason; absent when it does all. */
  readonly leftOut?: readonly string[] | undefined;
}

/** What the load and the probe did in one window. Bad canaries are those found to be so since it began; `completed` is of all. */
export interface LoadWindow {
  /** Starts that the target confirmed in the window; as `intended`, without long canaries and ticks of schedules. */
  readonly started: number;
  readonly completed: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly wrong: number;
  readonly failed: number;
  /** Calls of the generator that failed in the window, after the SDK's retries. */
  readonly failedCalls: number;
  /** The most frequent ones, with how often; absent when none failed. */
  readonly failedCallReasons?: readonly string[] | undefined;
  /** Starts that fell due in the window, whether or not the target took them: the load is an open loop. */
  readonly intended: number;
  /** Of the starts that fell due in the window, from that moment; one not confirmed counts up to the window's end. */
  readonly startLatencyMs: Percentiles | null;
  /** The first few that are not as they should be; `outcome` is absent in windows of older builds. */
  readonly examples: readonly {
    readonly workflowId: string;
    readonly reason: string;
    readonly outcome?: BadOutcome | undefined;
  }[];
  readonly probe?: ProbeWindow | undefined;
  /** Why the target could not be asked what became of the canaries: the counts of outcomes are of an earlier time. */
  readonly unverified?: string | undefined;
  /** What the load did at first and has left out since, with the reason. */
  readonly leftOutLater?: readonly string[] | undefined;
}

/** What becomes of a canary that is not as it should be. */
export type BadOutcome = 'lost' | 'duplicated' | 'wrong' | 'failed';

/** Milliseconds. */
export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/**
 * What the client probe saw in one window. A call counts when it ends. Failures are counted to the millisecond, the other
 * counts by whole recorded intervals of a few seconds, those at the edges included.
 */
export interface ProbeWindow {
  /** Raw calls, without the SDK's retries. */
  readonly attempts: number;
  readonly failedAttempts: number;
  /** Calls with the SDK's retries. */
  readonly calls: number;
  readonly failedCalls: number;
  /** Of raw calls that succeeded, from the moment at which they were due; null when none did. */
  readonly latencyMs: Percentiles | null;
  /** Longest time of the window in which no call of one kind succeeded, raw or retried; also one that has not ended. */
  readonly longestGapMs: number;
  /** Failed raw calls by name of the gRPC status. */
  readonly byCode: Readonly<Record<string, number>>;
  /** And by kind of call. */
  readonly byKind?: Readonly<Record<string, number>> | undefined;
  /** The first few of each way that failed, in the order of time. */
  readonly failures?: readonly ProbeWindowFailure[] | undefined;
  /** The kind of call that had the longest gap; null when nothing was recorded. */
  readonly longestGapKind?: string | null | undefined;
  /** Time of the window of which there is no record: the probe did not run, or its last interval was lost with it. */
  readonly missingMs?: number | undefined;
}

export interface ProbeWindowFailure {
  /** When it ended, in milliseconds since 1970. */
  readonly at: number;
  readonly kind: string;
  /** Without retries, or with those of the SDK. */
  readonly way: 'raw' | 'retried';
  /** Name of the gRPC status. */
  readonly code: string;
  readonly reason: string;
  /** Milliseconds that it took. */
  readonly ms: number;
}

/** The ledger in one line. */
export function ledgerLine(ledger: LedgerSummary): string {
  const {
    started,
    completed,
    running,
    lost,
    duplicated,
    wrong,
    failed,
    failedCalls,
    unseen,
    undone,
    leftOut = [],
  } = ledger;
  const because = Object.entries(ledger.runningBecause ?? {}).map(([why, count]) => `${count} ${why}`);
  return [
    `canaries: ${started} started, ${completed} completed, ${running} running${because.length > 0 ? ` (${because.join(', ')})` : ''}, ` +
      `${lost} lost, ${duplicated} duplicated, ${wrong} wrong, ${failed} failed; ${failedCalls} failed calls`,
    ...(undone === undefined ? [] : [`${undone} lost by the restore`]),
    ...(unseen === undefined ? [] : [`${unseen} not in visibility`]),
    ...(leftOut.length > 0 ? [`not done: ${leftOut.join(', ')}`] : []),
  ].join('; ');
}

/** What is wrong with the canaries, a line each; empty when nothing is. One that still runs is not wrong. */
export function ledgerProblems({ lost, duplicated, wrong, failed, examples, unseen = 0 }: LedgerSummary): string[] {
  const bad = lost + duplicated + wrong + failed;
  const lines = bad === 0 ? [] : [`${bad} canaries did not end as they should`];
  if (unseen > 0) lines.push(`visibility does not show ${unseen} canaries that have completed by their histories`);
  if (bad > 0) lines.push(...examples.map(({ workflowId, reason }) => `canary ${workflowId}: ${reason}`));
  return lines;
}

/** Progress of the generator: its heartbeat. */
export interface LoadProgress {
  readonly started: number;
  readonly failedCalls: number;
}
