import type { LedgerSummary } from './ledger.js';
import type { Finding } from './finding.js';
import type { PolicyDifference } from './input/policy-differences.js';
import type { Environment } from './plan.js';
import type { DecisionRecord } from './decision.js';
import type { HopResult, IncidentRecord, PhaseResult, RolloutState } from './status.js';

/** What a roll-out ends with: the workflow's result, and the data of the report. */
export interface RolloutResult {
  readonly rolloutId: string;
  readonly status: 'completed' | 'aborted';
  readonly startedAt: string;
  readonly endedAt: string;
  readonly staging: TargetResult;
  readonly live: TargetResult;
  readonly hops: readonly HopResult[];
  /** Steps outside hops: load, promote, watch. */
  readonly steps: readonly PhaseResult[];
  /** What became of every canary, by environment that had load. */
  readonly ledgers: Readonly<Partial<Record<Environment, LedgerSummary>>>;
  readonly decisions: readonly DecisionRecord[];
  /** The last hundred, in the order in which they were opened. */
  readonly incidents: readonly IncidentRecord[];
  readonly findings: readonly Finding[];
  readonly settle: { readonly atLeastMs: number; readonly reason?: string | undefined };
  /** Rules that were not the default ones; absent in results of earlier releases. */
  readonly policy?: readonly PolicyDifference[] | undefined;
  /** Why it was aborted. */
  readonly reason?: string | undefined;
  /** Folders of backups that were removed at the end, as the input wants them kept no longer; absent where there were none. */
  readonly removedBackups?: readonly string[] | undefined;
  /** Folder with the report and the evidence. */
  readonly reportDir?: string | undefined;
}

/** The same of a roll-out that may still be under way: `endedAt` is when it was asked for. */
export interface RolloutSoFar extends Omit<RolloutResult, 'status'> {
  readonly status: RolloutState;
  /** Phases of the hop that is under way. */
  readonly phases?: readonly PhaseResult[] | undefined;
}

export interface TargetResult {
  readonly name: string;
  readonly from: string;
  /** Server version that it runs now; two, with "and", when it was left half-way. */
  readonly to: string;
  /** The versions of the plan, from the first to the last; absent in results of earlier releases. */
  readonly path?: readonly string[] | undefined;
}
