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
}

/** The ledger in one line. */
export function ledgerLine(ledger: LedgerSummary): string {
  const { started, completed, running, lost, duplicated, wrong, failed, failedCalls } = ledger;
  return (
    `canaries: ${started} started, ${completed} completed, ${running} running, ${lost} lost, ${duplicated} duplicated, ` +
    `${wrong} wrong, ${failed} failed; ${failedCalls} failed calls`
  );
}

/** What is wrong with the canaries, a line each; empty when nothing is. One that still runs is not wrong. */
export function ledgerProblems({ lost, duplicated, wrong, failed, examples }: LedgerSummary): string[] {
  const bad = lost + duplicated + wrong + failed;
  if (bad === 0) return [];
  return [
    `${bad} canaries did not end as they should`,
    ...examples.map(({ workflowId, reason }) => `canary ${workflowId}: ${reason}`),
  ];
}

/** Progress of the generator: its heartbeat. */
export interface LoadProgress {
  readonly started: number;
  readonly failedCalls: number;
}

/** What the load and the probe did in one window. Counts of canaries by outcome are those of the whole load. */
export interface LoadWindow {
  readonly started: number;
  readonly completed: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly wrong: number;
  readonly failed: number;
  /** After the SDK's retries, in the window. */
  readonly failedCalls: number;
  /** Starts that fell due in the window: open loop. */
  readonly intended: number;
  /** From the intended moment. */
  readonly startLatencyMs: Percentiles | null;
  readonly examples: readonly { readonly workflowId: string; readonly reason: string }[];
  readonly probe?: ProbeWindow;
}

export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** What the probe did in one window. */
export interface ProbeWindow {
  /** Raw calls, no retries. */
  readonly attempts: number;
  readonly failedAttempts: number;
  /** With the SDK's retries. */
  readonly calls: number;
  readonly failedCalls: number;
  /** Of successful raw attempts, from the intended moment. */
  readonly latencyMs: Percentiles | null;
  /** Between two successes, also one that has not ended. */
  readonly longestGapMs: number;
  /** Failed attempts by gRPC status name. */
  readonly byCode: Readonly<Record<string, number>>;
}
