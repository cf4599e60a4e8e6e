import { forEachAtOnce } from '../adapters/at-once.js';
import { connectTo } from '../adapters/connect.js';
import type { Connection as ConnectionInput } from '../core/input/input.js';
import { planCanary } from './canary-plan.js';
import { CanaryTarget } from './canary-target.js';
import { Ledger, type CanaryRow } from './ledger.js';

const AT_ONCE = 8;
/** Of those that had ended well before the backup, so many of the latest are looked at again: they have to be in it. */
const LOOKED_AT_AGAIN = 200;
/** Well within the retention of the canaries' namespaces. */
const LATEST_MS = 12 * 3_600_000;

interface LedgerOf {
  readonly ledgerFile: string;
  readonly loadId: string;
}

/** How many canaries were started since `at` (milliseconds since 1970), and how many had not been seen to end by then. */
export function countUndone(
  { ledgerFile, loadId }: LedgerOf,
  at: number,
): { readonly started: number; readonly unfinished: number } {
  using ledger = new Ledger(ledgerFile, loadId);
  return ledger.countSince(at);
}

/**
 * Makes the ledger expect what a target has that went back to a backup. Canaries started after the backup are gone: told as
 * undone, no longer asked for. Those that were under way at the backup are so again; every call to them is made anew, and the
 * target refuses what it has already, so that they have to end right. Safe to run again. Times are milliseconds since 1970.
 */
export async function undoInLedger(
  { connection: input, ...of }: LedgerOf & { readonly connection: ConnectionInput },
  { backupAt, stoppedAt }: { readonly backupAt: number; readonly stoppedAt: number },
  signal?: AbortSignal,
): Promise<{ readonly undone: number }> {
  const connection = await connectTo(input);
  try {
    using ledger = new Ledger(of.ledgerFile, of.loadId);
    const target = new CanaryTarget(connection, of.loadId);
    ledger.inTransaction(() => setBack(ledger, backupAt));
    const started = ledger.startedBetween(backupAt, stoppedAt);
    await forEachAtOnce(started, { atOnce: AT_ONCE, signal }, async (canary) => {
      // The snapshot of a backup is taken a moment after its name; and a schedule starts again what it missed.
      if ((await target.fetchRuns(canary)) === null) undo(ledger, canary.row);
      else driveAgain(ledger, canary);
    });
    return { undone: ledger.countUndone() };
  } finally {
    await connection.close();
  }
}

function setBack(ledger: Ledger, backupAt: number): void {
  for (const canary of ledger.underWayAt(backupAt)) driveAgain(ledger, canary);
  ledger.entries.run(
    `UPDATE canary SET final = 0 WHERE row IN (
       SELECT row FROM canary WHERE final = 1 AND outcome = 'completed' AND startedAt BETWEEN ?1 AND ?2
       ORDER BY row DESC LIMIT ?3)`,
    backupAt - LATEST_MS,
    backupAt - 1,
    LOOKED_AT_AGAIN,
  );
}

/** What was found of it holds no more, and the time that it may take begins anew. */
function driveAgain(ledger: Ledger, canary: CanaryRow): void {
  const change = (columns: string, ...values: readonly (string | number)[]) =>
    ledger.entries.run(
      `UPDATE canary SET outcome = NULL, reason = NULL, final = 0, verifiedAt = NULL, badSince = NULL, seen = 0,
              askedAt = NULL${columns} WHERE row = ?`,
      ...values,
      canary.row,
    );
  const wasCalled = canary.callsDone > 0 || canary.readyAt !== null;
  if (!wasCalled) return change('');
  // Nobody calls it by itself: whoever wants it to end releases it.
  if (canary.kind === 'long') return change(', callsDone = 0, readyAt = NULL');
  const from = firstChange(canary);
  if (from === undefined) return change(', readyAt = ?', Date.now());
  change(', callsDone = ?, readyAt = NULL, dueAt = ?', from, Date.now());
}

/**
 * The first call of its plan that changes it; undefined when none does. Those from there on are made again: the target refuses
 * what it has. A query before it would count what came after it, as the backup may have that.
 */
function firstChange({ kind, number, workflowId }: CanaryRow): number | undefined {
  if (kind === 'tick' || kind === 'own') return undefined;
  const index = planCanary(number, kind, workflowId).calls.findIndex(({ call }) => call !== 'query');
  return index < 0 ? undefined : index;
}

function undo(ledger: Ledger, row: number): void {
  ledger.entries.run(
    `UPDATE canary SET outcome = 'undone', reason = NULL, final = 1, dueAt = NULL, badSince = NULL, verifiedAt = ?
      WHERE row = ?`,
    Date.now(),
    row,
  );
}
