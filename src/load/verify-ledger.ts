import { Connection } from '@temporalio/client';
import { optionalTsToMs } from '@temporalio/common/lib/time.js';
import { connectionOptions } from '../adapters/connection-options.js';
import type { Connection as ConnectionInput, LoadPolicy } from '../core/input.js';
import type { LedgerSummary } from '../core/ledger.js';
import { forEachAtOnce } from './at-once.js';
import { CanaryTarget, type HistoryEvent } from './canary-target.js';
import { judgeHistory } from './judge-history.js';
import { Ledger, type CanaryRow, type Judgement, type Outcome } from './ledger.js';

const AT_ONCE = 8;
const BATCH = 500;
const EXAMPLES = 10;

export interface VerifyOptions {
  readonly connection: ConnectionInput;
  readonly policy: LoadPolicy;
  readonly ledgerFile: string;
  readonly loadId: string;
  /** Milliseconds that a canary may take to end once everything has been sent to it; two minutes when left out. */
  readonly settleMs?: number;
  readonly signal?: AbortSignal | undefined;
  /** Called for each batch, with how many were looked at in this call. */
  readonly onProgress?: ((examined: number) => void) | undefined;
}

/**
 * Asks the target for the history of every canary that is not yet known to have ended right, one by one and by id, not by
 * a search that the visibility store answers, and counts what became of them. What is final is not asked for again.
 * Safe to run at any time, beside a running generator too. @throws when the target cannot be asked
 */
export async function verifyLedger(options: VerifyOptions): Promise<LedgerSummary> {
  const connection = await Connection.connect(await connectionOptions(options.connection));
  try {
    using ledger = new Ledger(options.ledgerFile, options.loadId);
    const target = new CanaryTarget(connection, options.policy.namespace, options.loadId);
    const { settleMs = 120_000, signal, onProgress } = options;
    await verifyCanaries({ ledger, target, settleMs, before: Date.now(), signal, onProgress });
    return summarize(ledger);
  } finally {
    await connection.close();
  }
}

/** Looks at every canary started before `before` (milliseconds since 1970) whose outcome is not final, and records it. */
export async function verifyCanaries(options: {
  readonly ledger: Ledger;
  readonly target: CanaryTarget;
  readonly settleMs: number;
  readonly before: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((examined: number) => void) | undefined;
}): Promise<void> {
  const { ledger, target, settleMs, before, signal, onProgress } = options;
  let last = 0;
  let examined = 0;
  for (;;) {
    const batch = ledger.unverified(last, before, BATCH);
    await forEachAtOnce(batch, { atOnce: AT_ONCE, signal }, (canary) => verifyOne(ledger, target, canary, settleMs));
    examined += batch.length;
    onProgress?.(examined);
    last = batch.at(-1)?.row ?? last;
    if (batch.length < BATCH) return;
  }
}

async function verifyOne(ledger: Ledger, target: CanaryTarget, canary: CanaryRow, settleMs: number): Promise<void> {
  const events = await target.fetchHistory(canary.workflowId);
  if (events === null) {
    // Only intended: its call may have failed, be on its way, or never have been made. Nothing was promised.
    if (canary.startedAt === null) return;
    ledger.recordOutcome(canary.row, { outcome: 'lost', reason: 'the target does not know it', final: false });
    return;
  }
  if (canary.startedAt === null) {
    // The target has it though nobody could note that: from now on it counts as started. Its calls stay due.
    ledger.noteStart(canary.row, { runId: runIdOf(events), at: startTimeOf(events) });
  }
  const waitsSince = Math.max(canary.signalledAt ?? 0, ledger.workerSince());
  ledger.recordOutcome(canary.row, suspect(canary, judgeHistory(canary, events), { settleMs, waitsSince }));
}

/**
 * A canary that has been sent everything it waits for and does not end is stuck: a task or a timer of it is lost. Time
 * before the present worker of the canaries began proves nothing: the one before it may have been killed.
 */
export function suspect(
  canary: Pick<CanaryRow, 'startedAt' | 'signalledAt' | 'dueAt'>,
  judgement: Judgement,
  { settleMs, waitsSince }: { readonly settleMs: number; readonly waitsSince: number },
): Judgement {
  if (judgement.outcome !== 'running') return judgement;
  // With a call still due, or a long one not released, it is right that it runs.
  if (canary.startedAt === null || canary.signalledAt === null || canary.dueAt !== null) return judgement;
  const waitedMs = Date.now() - waitsSince;
  if (waitedMs <= settleMs) return judgement;
  const stuck = `still running ${Math.round(waitedMs / 1_000)} s after it had all that it waits for`;
  const reason = judgement.reason === null ? stuck : `${stuck}; ${judgement.reason}`;
  return { outcome: 'failed', reason, final: false };
}

/** The counts of the ledger as it is; asks nobody. */
export function summarize(ledger: Ledger): LedgerSummary {
  const outcomes = ledger.countOutcomes();
  const count = (outcome: Outcome) => outcomes.get(outcome) ?? 0;
  return {
    started: [...outcomes.values()].reduce((sum, n) => sum + n, 0),
    completed: count('completed'),
    running: count('running'),
    lost: count('lost'),
    duplicated: count('duplicated'),
    wrong: count('wrong'),
    failed: count('failed'),
    failedCalls: ledger.countFailedCalls(),
    examples: ledger.examples(EXAMPLES),
  };
}

function runIdOf(events: readonly HistoryEvent[]): string {
  return events[0]?.workflowExecutionStartedEventAttributes?.originalExecutionRunId ?? '';
}

function startTimeOf(events: readonly HistoryEvent[]): number {
  return optionalTsToMs(events[0]?.eventTime) ?? Date.now();
}
