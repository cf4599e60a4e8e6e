import type { LedgerSummary, LoadWindow } from '../core/ledger.js';
import type { CanaryKind } from './canary-plan.js';
import { noteLeftOut } from './left-out.js';
import { LedgerFile, type SqlRow } from './ledger-file.js';
import { countUndone, readSummary, readWindow } from './ledger-window.js';
import { commandOf, textOf, type StartCommand } from './start-command.js';

/** What the verification found of one canary. */
export type Outcome = 'completed' | 'running' | 'lost' | 'duplicated' | 'wrong' | 'failed';

export interface Judgement {
  readonly outcome: Outcome;
  /** Why it is not as it should be; null when it is. */
  readonly reason: string | null;
  /** Whether nothing that happens later can change it. */
  readonly final: boolean;
}

/** `tick`: started by a schedule of the load. `own`: a workflow of the operator's. */
export type EntryKind = CanaryKind | 'tick' | 'own';

/** One canary as the ledger has it. Times are milliseconds since 1970. */
export interface CanaryRow {
  readonly row: number;
  readonly workflowId: string;
  readonly number: number;
  readonly kind: EntryKind;
  readonly command: StartCommand;
  readonly hop: string | null;
  readonly intendedAt: number;
  /** Null while the start is only intended. */
  readonly startedAt: number | null;
  readonly runId: string | null;
  /** How many of its calls the target has confirmed. */
  readonly callsDone: number;
  /** Since when it has all that it waits for. */
  readonly readyAt: number | null;
  /** When its next call is due; null when there is none, or when nobody calls by itself. */
  readonly dueAt: number | null;
  /** What was wrong with an answer of it. */
  readonly wrongAnswer: string | null;
}

/** A canary that is going to be started. `dueAt` null: nobody calls by itself. */
export type Intention = Pick<CanaryRow, 'workflowId' | 'number' | 'kind' | 'command' | 'hop' | 'intendedAt' | 'dueAt'>;

/** Started before a moment and not known by then to have ended. */
const UNDER_WAY = 'startedAt < ?1 AND (final = 0 OR verifiedAt >= ?1)';
const ROW =
  'row, workflowId, number, kind, command, hop, intendedAt, startedAt, runId, callsDone, readyAt, dueAt, wrongAnswer';

/**
 * The durable record of all canaries of one load: each is written down before its start is called, so that a process killed
 * between the two loses nothing. Nothing is held in memory; a million canaries take about 200 MB of disk.
 */
export class Ledger implements Disposable {
  /** For what else is kept in the same file. */
  readonly entries: LedgerFile;
  readonly #commands = new Map<number, StartCommand>();
  readonly #numbers = new WeakMap<StartCommand, number>();

  /** Opens `file`, or makes it. @throws PreconditionError when it belongs to another load, or to an older build */
  constructor(
    readonly file: string,
    readonly loadId: string,
  ) {
    this.entries = new LedgerFile(file, loadId);
  }

  [Symbol.dispose](): void {
    this.entries[Symbol.dispose]();
  }

  /** A worker of the canaries begins now (milliseconds since 1970); the one before it has ended. */
  noteWorker(since: number): void {
    this.entries.writeMeta('workerSince', String(since));
  }

  /** When the latest worker of the canaries began; 0 before the first. */
  workerSince(): number {
    return Number(this.entries.readMeta('workerSince') ?? 0);
  }

  /** When the first start of this load fell due: `now`, unless it is written down already. */
  beganAt(now: number): number {
    const known = this.entries.readMeta('beganAt');
    if (known === undefined) this.entries.writeMeta('beganAt', String(now));
    return Number(known ?? now);
  }

  /** What of its profile this process of the load does not do, in words; `cannot` is what the target is the reason for. */
  noteLeftOut(leftOut: readonly string[], cannot: readonly string[] = leftOut, now = Date.now()): void {
    this.inTransaction(() => noteLeftOut(this.entries, { leftOut, cannot, now }));
  }

  /** Something that kept the load from its work and that is no fault of the target. */
  noteProblem(at: number, reason: string): void {
    this.entries.run('INSERT INTO problem VALUES (?, ?)', at, withoutMoments(reason));
  }

  /**
   * This process stood still, or its clock was set, by `byMs` milliseconds: what waits goes on waiting as though that time had
   * not been, and what is not started yet is not late for it.
   */
  shiftWaiting(byMs: number): void {
    this.entries.run(
      `UPDATE canary SET dueAt = dueAt + ?1, intendedAt = CASE WHEN startedAt IS NULL THEN intendedAt + ?1 ELSE intendedAt END
       WHERE dueAt IS NOT NULL`,
      Math.round(byMs),
    );
  }

  /** Runs `work` in one transaction. */
  inTransaction<T>(work: () => T): T {
    return this.entries.inTransaction(work);
  }

  /** Number after the highest among those that the generator numbers. */
  nextNumber(): number {
    // By the newest entry: numbers rise with it, and a search through all of a million would take long.
    return this.entries.count(
      `SELECT coalesce((SELECT number FROM canary WHERE kind NOT IN ('long', 'tick') ORDER BY row DESC LIMIT 1), -1) + 1 AS n`,
    );
  }

  /** Writes down that a canary is going to be started; does nothing when it is there. */
  intend(canary: Intention): void {
    this.entries.run(
      `INSERT INTO canary (workflowId, number, kind, command, hop, intendedAt, dueAt) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
      canary.workflowId,
      canary.number,
      canary.kind,
      this.numberOf(canary.command),
      canary.hop,
      canary.intendedAt,
      canary.dueAt,
    );
  }

  /** The number under which a command is written down; writes it when it is not. */
  numberOf(command: StartCommand): number {
    const known = this.#numbers.get(command);
    if (known !== undefined) return known;
    const text = textOf(command);
    this.entries.run('INSERT INTO command (text) VALUES (?) ON CONFLICT DO NOTHING', text);
    const number = this.entries.count('SELECT command AS n FROM command WHERE text = ?', text);
    this.#numbers.set(command, number);
    return number;
  }

  /** The command written down under `number`. @throws when there is none */
  commandOf(number: number): StartCommand {
    const known = this.#commands.get(number);
    if (known !== undefined) return known;
    const command = commandOf(this.entries.get('SELECT text FROM command WHERE command = ?', number)?.['text']);
    this.#commands.set(number, command);
    return command;
  }

  /** Canaries whose next call is due, the most overdue first; each is leased until `leaseUntil` to the caller. */
  takeDue(now: number, leaseUntil: number, limit: number): CanaryRow[] {
    // Asked many times a second: a look costs less than a transaction.
    if (this.entries.get('SELECT 1 FROM canary WHERE dueAt <= ? LIMIT 1', now) === undefined) return [];
    return this.inTransaction(() => {
      const rows = this.#all(`SELECT ${ROW} FROM canary WHERE dueAt <= ? ORDER BY dueAt LIMIT ?`, now, limit);
      for (const { row } of rows) this.postpone(row, leaseUntil);
      return rows;
    });
  }

  /** Makes every waiting call due now: the leases of a generator that was killed. */
  dropLeases(now: number): void {
    this.entries.run('UPDATE canary SET dueAt = ? WHERE dueAt > ?', now, now);
  }

  /** How many calls are not done: starts that are only intended, and what is still to be sent. */
  callsLeft(): number {
    return this.entries.count('SELECT count(*) AS n FROM canary WHERE dueAt IS NOT NULL');
  }

  /** How many canaries have been sent all that they wait for, and are not known to have ended. */
  countReadyToEnd(): number {
    return this.entries.count(
      'SELECT count(*) AS n FROM canary WHERE final = 0 AND readyAt IS NOT NULL AND dueAt IS NULL',
    );
  }

  /** The target has the canary. The first confirmation counts. With no call to come (`dueAt` null) it is ready to end. */
  confirmStart(
    row: number,
    confirmed: { readonly runId: string; readonly at: number; readonly dueAt: number | null; readonly ready?: boolean },
  ): void {
    this.entries.run(
      `UPDATE canary SET startedAt = coalesce(startedAt, ?), runId = coalesce(runId, ?), dueAt = ?,
       readyAt = coalesce(readyAt, ?) WHERE row = ?`,
      confirmed.at,
      confirmed.runId,
      confirmed.dueAt,
      confirmed.ready === true ? confirmed.at : null,
      row,
    );
  }

  /** The target turned out to have a canary whose start was only intended. */
  noteStart(row: number, found: { readonly runId: string; readonly at: number }): void {
    this.entries.run(
      'UPDATE canary SET startedAt = coalesce(startedAt, ?), runId = coalesce(runId, ?) WHERE row = ?',
      found.at,
      found.runId,
      row,
    );
  }

  /** The target has answered the first `callsDone` calls of the canary; the last one with `wrongAnswer`, if any. */
  confirmCall(
    row: number,
    confirmed: {
      readonly callsDone: number;
      readonly at: number;
      readonly dueAt: number | null;
      readonly wrongAnswer?: string | null;
    },
  ): void {
    this.entries.run(
      `UPDATE canary SET callsDone = ?, readyAt = ?, dueAt = ?, wrongAnswer = coalesce(wrongAnswer, ?) WHERE row = ?`,
      confirmed.callsDone,
      confirmed.at,
      confirmed.dueAt,
      confirmed.wrongAnswer ?? null,
      row,
    );
  }

  postpone(row: number, dueAt: number): void {
    this.entries.run('UPDATE canary SET dueAt = ? WHERE row = ?', dueAt, row);
  }

  /** A call that failed after the SDK's retries, or for which there was no room. */
  recordFailedCall(failed: {
    readonly at: number;
    readonly call: string;
    readonly workflowId: string;
    readonly reason: string;
  }): void {
    const { at, call, workflowId } = failed;
    this.entries.run('INSERT INTO failedCall VALUES (?, ?, ?, ?)', at, call, workflowId, withoutMoments(failed.reason));
  }

  longCanaries(hop: string): CanaryRow[] {
    return this.#all(`SELECT ${ROW} FROM canary WHERE hop = ? ORDER BY row`, hop);
  }

  /** Canaries after `row` whose outcome is not final, started (or intended) before `before`. */
  unverified(row: number, before: number, limit: number): CanaryRow[] {
    return this.#all(
      `SELECT ${ROW} FROM canary WHERE final = 0 AND row > ? AND coalesce(startedAt, intendedAt) <= ? ORDER BY row LIMIT ?`,
      row,
      before,
      limit,
    );
  }

  /** Canaries that had been started at `at` and were not known by then to have ended. */
  underWayAt(at: number): CanaryRow[] {
    return this.#all(`SELECT ${ROW} FROM canary WHERE ${UNDER_WAY} ORDER BY row`, at);
  }

  /** How many of those there are, and how many were started since. */
  countSince(at: number): { readonly started: number; readonly unfinished: number } {
    return {
      started: this.entries.count('SELECT count(*) AS n FROM canary WHERE startedAt >= ?', at),
      unfinished: this.entries.count(`SELECT count(*) AS n FROM canary WHERE ${UNDER_WAY}`, at),
    };
  }

  /** How many a restore has undone. */
  countUndone(): number {
    return countUndone(this.entries);
  }

  /** Canaries that the target confirmed from `from` on until `to`, unless they are known to be undone. */
  startedBetween(from: number, to: number): CanaryRow[] {
    return this.#all(
      `SELECT ${ROW} FROM canary WHERE startedAt >= ? AND startedAt <= ? AND outcome IS NOT 'undone' ORDER BY row`,
      from,
      to,
    );
  }

  /** A `final` outcome is not asked for again, and stays, whatever another verification saw before. */
  recordOutcome(row: number, { outcome, reason, final }: Judgement, now = Date.now()): void {
    const isBad = outcome !== 'completed' && outcome !== 'running';
    this.entries.run(
      `UPDATE canary SET outcome = ?1, reason = ?2, final = ?3, verifiedAt = ?4,
       badSince = CASE WHEN ?5 = 1 THEN coalesce(badSince, ?4) END WHERE row = ?6 AND final = 0`,
      outcome,
      reason,
      final ? 1 : 0,
      now,
      isBad ? 1 : 0,
      row,
    );
  }

  countStarted(): number {
    return this.entries.count('SELECT count(*) AS n FROM canary WHERE startedAt IS NOT NULL');
  }

  countFailedCalls(): number {
    return this.entries.count('SELECT count(*) AS n FROM failedCall');
  }

  /**
   * The counts of the ledger as it is; asks nobody. What is bad, and what visibility does not show, is counted from when that
   * was found: at `since` (milliseconds since 1970) or later, or ever when left out.
   */
  summary(since?: number): LedgerSummary {
    return readSummary(this.entries, since);
  }

  /** What the load did from `from` until before `to`, milliseconds since 1970. */
  window(from: number, to: number): LoadWindow {
    return readWindow(this.entries, { from, to });
  }

  #all(sql: string, ...values: (string | number)[]): CanaryRow[] {
    return this.entries.all(sql, ...values).map((row) => this.#toRow(row));
  }

  #toRow(row: SqlRow): CanaryRow {
    // The columns are those of ROW, and the tables are STRICT.
    const { command, ...rest } = row as unknown as Omit<CanaryRow, 'command'> & { readonly command: number };
    return { ...rest, command: this.commandOf(command) };
  }
}

/** Moments in messages of gRPC would make each failure a reason of its own. */
function withoutMoments(reason: string): string {
  return reason.replace(/ \(\d{4}-\d\d-\d\dT[\d:.]+Z\)/g, '').slice(0, 300);
}
