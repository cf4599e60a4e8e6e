import { optionalTsToMs } from '@temporalio/common/lib/time.js';
import { connectTo } from '../adapters/connect.js';
import type { Connection as ConnectionInput, LoadPolicy } from '../core/input/input.js';
import type { LedgerSummary } from '../core/ledger.js';
import { forEachAtOnce } from '../adapters/at-once.js';
import { CanaryTarget, type HistoryEvent } from './canary-target.js';
import { judgeHistory } from './judge-history.js';
import { Ledger, type CanaryRow, type Judgement } from './ledger.js';
import { Schedules } from './schedules.js';
import { askAgain, askVisibility } from './witness.js';

const AT_ONCE = 8;
const BATCH = 500;

export interface VerifyOptions {
  readonly connection: ConnectionInput;
  readonly policy: LoadPolicy;
  readonly ledgerFile: string;
  readonly loadId: string;
  /** Milliseconds that a canary may take to end once everything has been sent to it; two minutes when left out. */
  readonly settleMs?: number;
  /** What was found to be bad before this moment (milliseconds since 1970) is not counted: it has been judged. */
  readonly since?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called for each batch, with how many were looked at in this call. */
  readonly onProgress?: ((examined: number) => void) | undefined;
}

/**
 * Asks the target for the history of every canary that is not yet known to have ended right, one by one and by id, not by
 * a search that the visibility store answers, and counts what became of them. What is final is not asked for again. Then
 * asks visibility too, as the second witness, and again for some that it has shown before.
 * Safe to run at any time, beside a running generator too. @throws when the target cannot be asked
 */
export async function verifyLedger(options: VerifyOptions): Promise<LedgerSummary> {
  const connection = await connectTo(options.connection);
  try {
    using ledger = new Ledger(options.ledgerFile, options.loadId);
    const target = new CanaryTarget(connection, options.loadId);
    const { settleMs = 120_000, signal, onProgress } = options;
    await verifyCanaries({ ledger, target, settleMs, before: Date.now(), signal, onProgress });
    await askVisibility(ledger, target, signal);
    await askAgain(ledger, target, signal);
    return ledger.summary(options.since);
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
  new Schedules(ledger, target).noteTicks(Date.now());
  let last = 0;
  let examined = 0;
  for (;;) {
    const batch = ledger.unverified(last, before, BATCH);
    const found: Found[] = [];
    const workerSince = ledger.workerSince();
    try {
      await forEachAtOnce(batch, { atOnce: AT_ONCE, signal }, async (canary) => {
        const one = judgeOne(canary, await target.fetchRuns(canary), { settleMs, workerSince });
        if (one !== undefined) found.push(one);
      });
    } finally {
      // Together: a transaction for each would take a good part of the whole. What is lost with a kill is asked again.
      ledger.inTransaction(() => {
        for (const one of found) record(ledger, one);
      });
    }
    examined += batch.length;
    onProgress?.(examined);
    last = batch.at(-1)?.row ?? last;
    if (batch.length < BATCH) return;
  }
}

/** What came of asking for one canary. */
interface Found {
  readonly row: number;
  readonly judgement: Judgement;
  /** Of one whose start nobody could note. */
  readonly start?: { readonly runId: string; readonly at: number };
}

/** What became of one canary, by `runs`, its histories; undefined when nothing can be said yet. */
export function judgeOne(
  canary: CanaryRow,
  runs: Runs | null,
  { settleMs, workerSince }: { readonly settleMs: number; readonly workerSince: number },
): Found | undefined {
  const { row } = canary;
  if (runs === null) {
    // Only intended: its call may have failed, be on its way, or never have been made. Nothing was promised.
    if (canary.startedAt === null) return undefined;
    return { row, judgement: judgeMissing(canary, { settleMs, now: Date.now() }) };
  }
  const waitsSince = Math.max(canary.readyAt ?? 0, workerSince);
  const judgement = suspect(canary, awaitCalls(canary, judgeHistory(canary, runs)), { settleMs, waitsSince });
  // The target has it though nobody could note that: from now on it counts as started. Its calls stay due.
  const unnoted = canary.startedAt === null || canary.runId === null;
  return { row, judgement, ...(unnoted ? { start: { runId: runIdOf(runs), at: startTimeOf(runs) } } : {}) };
}

function record(ledger: Ledger, { row, judgement, start }: Found): void {
  if (start !== undefined) ledger.noteStart(row, start);
  ledger.recordOutcome(row, judgement);
}

/** The last query of a canary may come after its end; what it is answered with is judged too, so nothing is final before. */
function awaitCalls({ dueAt }: CanaryRow, judgement: Judgement): Judgement {
  if (judgement.outcome !== 'completed' || dueAt === null) return judgement;
  return { outcome: 'running', reason: null, final: false };
}

/** What is promised and not in the target. A schedule may be late with a tick: its server may just have come back. */
export function judgeMissing(
  { kind, intendedAt }: Pick<CanaryRow, 'kind' | 'intendedAt'>,
  { settleMs, now }: { readonly settleMs: number; readonly now: number },
): Judgement {
  if (kind !== 'tick') return { outcome: 'lost', reason: 'the target does not know it', final: false };
  const lateMs = now - intendedAt;
  if (lateMs <= settleMs) return { outcome: 'running', reason: 'its schedule has not started it yet', final: false };
  return {
    outcome: 'lost',
    reason: `its schedule has not started it ${Math.round(lateMs / 1_000)} s after the tick was due`,
    final: false,
  };
}

/**
 * A canary that has been sent everything it waits for and does not end is stuck: a task or a timer of it is lost. Time
 * before the present worker of the canaries began proves nothing: the one before it may have been killed.
 */
export function suspect(
  canary: Pick<CanaryRow, 'startedAt' | 'readyAt' | 'dueAt' | 'command'>,
  judgement: Judgement,
  { settleMs, waitsSince }: { readonly settleMs: number; readonly waitsSince: number },
): Judgement {
  if (judgement.outcome !== 'running') return judgement;
  // With a call still due, or a long one not released, it is right that it runs.
  if (canary.startedAt === null || canary.readyAt === null || canary.dueAt !== null) return judgement;
  // The operator's own work has its own time, counted from its start: nothing is known of its workers.
  const { own } = canary.command;
  const waitedMs = Date.now() - (own === undefined ? waitsSince : canary.readyAt);
  if (waitedMs <= settleMs + (own?.endsWithinMs ?? 0)) return judgement;
  const stuck = `still running ${Math.round(waitedMs / 1_000)} s after it had all that it waits for`;
  const reason = judgement.reason === null ? stuck : `${stuck}; ${judgement.reason}`;
  return { outcome: 'failed', reason, final: false };
}

type Runs = readonly (readonly HistoryEvent[])[];

function runIdOf(runs: Runs): string {
  return runs.at(-1)?.[0]?.workflowExecutionStartedEventAttributes?.firstExecutionRunId ?? '';
}

function startTimeOf(runs: Runs): number {
  return optionalTsToMs(runs[0]?.[0]?.eventTime) ?? Date.now();
}
