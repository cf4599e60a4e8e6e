import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { PreconditionError } from '../core/errors.js';
import type { CanaryKind } from './canary-plan.js';

/** What the verification found of one canary. */
export type Outcome = 'completed' | 'running' | 'lost' | 'duplicated' | 'wrong' | 'failed';

export interface Judgement {
  readonly outcome: Outcome;
  /** Why it is not as it should be; null when it is. */
  readonly reason: string | null;
  /** Whether nothing that happens later can change it. */
  readonly final: boolean;
}

/** What the generator measured in a stretch of time. */
export interface LoadMeasurements {
  readonly started: number;
  readonly failedCalls: number;
  /** Longest time between two successful calls; 0 when there was none above a second. */
  readonly longestGapMs: number;
  /** From the moment at which a start was intended until the target confirmed it; null without any start. */
  readonly startLatencyMs: { readonly p50: number | null; readonly p99: number | null };
}

/** One canary as the ledger has it. Times are milliseconds since 1970. */
export interface CanaryRow {
  readonly row: number;
  readonly workflowId: string;
  readonly number: number;
  readonly kind: CanaryKind;
  readonly hop: string | null;
  readonly intendedAt: number;
  /** Null while the start is only intended. */
  readonly startedAt: number | null;
  readonly runId: string | null;
  /** How many of its signals the target has confirmed. */
  readonly signalsSent: number;
  readonly signalledAt: number | null;
  /** When its next call is due; null when there is none, or when nobody calls by itself. */
  readonly dueAt: number | null;
}

const SCHEMA = `
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS canary (
  row INTEGER PRIMARY KEY,
  workflowId TEXT NOT NULL UNIQUE,
  number INTEGER NOT NULL,
  kind TEXT NOT NULL,
  hop TEXT,
  intendedAt INTEGER NOT NULL,
  startedAt INTEGER,
  runId TEXT,
  signalsSent INTEGER NOT NULL DEFAULT 0,
  signalledAt INTEGER,
  dueAt INTEGER,
  outcome TEXT,
  reason TEXT,
  final INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS canary_due ON canary (dueAt) WHERE dueAt IS NOT NULL;
CREATE INDEX IF NOT EXISTS canary_open ON canary (row) WHERE final = 0;
CREATE INDEX IF NOT EXISTS canary_hop ON canary (hop) WHERE hop IS NOT NULL;
CREATE INDEX IF NOT EXISTS canary_started ON canary (startedAt) WHERE startedAt IS NOT NULL;
CREATE TABLE IF NOT EXISTS failedCall (at INTEGER NOT NULL, call TEXT NOT NULL, workflowId TEXT NOT NULL, reason TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS failedCall_at ON failedCall (at);
CREATE TABLE IF NOT EXISTS gap (endedAt INTEGER NOT NULL, ms INTEGER NOT NULL) STRICT;
`;
const ROW = 'row, workflowId, number, kind, hop, intendedAt, startedAt, runId, signalsSent, signalledAt, dueAt';

/**
 * The durable record of all canaries of one load: each is written down before its start is called, so that a process killed
 * between the two loses nothing. SQLite with a write-ahead log: generator and verification use it at the same time, from
 * two processes. Nothing is held in memory; a million canaries take about 250 MB of disk.
 */
export class Ledger implements Disposable {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /** Opens `file`, or makes it. @throws PreconditionError when it belongs to another load */
  constructor(
    readonly file: string,
    readonly loadId: string,
  ) {
    mkdirSync(dirname(file), { recursive: true });
    this.#db = new DatabaseSync(file);
    // NORMAL survives the death of the process. What an outage of the host may lose is found again by its workflow id.
    this.#db.exec('PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
    this.#db.exec(SCHEMA);
    this.#run(`INSERT INTO meta VALUES ('loadId', ?) ON CONFLICT DO NOTHING`, loadId);
    const owner = String(this.#get(`SELECT value FROM meta WHERE key = 'loadId'`)?.['value']);
    if (owner !== loadId) {
      this.#db.close();
      throw new PreconditionError(
        `ledger ${file} belongs to load ${owner}, not to ${loadId}; give each load its own file`,
      );
    }
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }

  /** A worker of the canaries begins now (milliseconds since 1970); the one before it has ended. */
  noteWorker(since: number): void {
    this.#run(
      `INSERT INTO meta VALUES ('workerSince', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
      String(since),
    );
  }

  /** When the latest worker of the canaries began; 0 before the first. */
  workerSince(): number {
    return Number(this.#get(`SELECT value FROM meta WHERE key = 'workerSince'`)?.['value'] ?? 0);
  }

  /** Runs `work` in one transaction. */
  inTransaction<T>(work: () => T): T {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  /** Number after the highest among short canaries. */
  nextNumber(): number {
    return Number(this.#get(`SELECT coalesce(max(number), -1) + 1 AS n FROM canary WHERE kind = 'short'`)?.['n']);
  }

  /** Writes down that a canary is going to be started; does nothing when it is there. `dueAt` null: nobody calls by itself. */
  intend(canary: {
    readonly workflowId: string;
    readonly number: number;
    readonly kind: CanaryKind;
    readonly hop: string | null;
    readonly intendedAt: number;
    readonly dueAt: number | null;
  }): void {
    this.#run(
      `INSERT INTO canary (workflowId, number, kind, hop, intendedAt, dueAt) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
      canary.workflowId,
      canary.number,
      canary.kind,
      canary.hop,
      canary.intendedAt,
      canary.dueAt,
    );
  }

  /** Canaries whose next call is due, the most overdue first; each is leased until `leaseUntil` to the caller. */
  takeDue(now: number, leaseUntil: number, limit: number): CanaryRow[] {
    return this.inTransaction(() => {
      const rows = this.#all(`SELECT ${ROW} FROM canary WHERE dueAt <= ? ORDER BY dueAt LIMIT ?`, now, limit);
      for (const { row } of rows) this.#run('UPDATE canary SET dueAt = ? WHERE row = ?', leaseUntil, row);
      return rows;
    });
  }

  /** Makes every waiting call due now: the leases of a generator that was killed. */
  dropLeases(now: number): void {
    this.#run('UPDATE canary SET dueAt = ? WHERE dueAt > ?', now, now);
  }

  /** How many calls are not done: starts that are only intended, and signals not sent. */
  callsLeft(): number {
    return Number(this.#get('SELECT count(*) AS n FROM canary WHERE dueAt IS NOT NULL')?.['n']);
  }

  /** How many canaries have been sent all that they wait for, and are not known to have ended. */
  countReadyToEnd(): number {
    return Number(
      this.#get('SELECT count(*) AS n FROM canary WHERE final = 0 AND signalledAt IS NOT NULL AND dueAt IS NULL')?.[
        'n'
      ],
    );
  }

  /** The target has the canary. The first confirmation counts. */
  confirmStart(
    row: number,
    confirmed: { readonly runId: string; readonly at: number; readonly dueAt: number | null },
  ): void {
    this.#run(
      'UPDATE canary SET startedAt = coalesce(startedAt, ?), runId = coalesce(runId, ?), dueAt = ? WHERE row = ?',
      confirmed.at,
      confirmed.runId,
      confirmed.dueAt,
      row,
    );
  }

  /** The target turned out to have a canary whose start was only intended. */
  noteStart(row: number, found: { readonly runId: string; readonly at: number }): void {
    this.#run(
      'UPDATE canary SET startedAt = coalesce(startedAt, ?), runId = coalesce(runId, ?) WHERE row = ?',
      found.at,
      found.runId,
      row,
    );
  }

  /** The target has the first `signalsSent` signals of the canary. */
  confirmSignal(
    row: number,
    confirmed: { readonly signalsSent: number; readonly at: number; readonly dueAt: number | null },
  ): void {
    this.#run(
      'UPDATE canary SET signalsSent = ?, signalledAt = ?, dueAt = ? WHERE row = ?',
      confirmed.signalsSent,
      confirmed.at,
      confirmed.dueAt,
      row,
    );
  }

  postpone(row: number, dueAt: number): void {
    this.#run('UPDATE canary SET dueAt = ? WHERE row = ?', dueAt, row);
  }

  /** A call that failed after the SDK's retries, or for which there was no room. */
  recordFailedCall(failed: {
    readonly at: number;
    readonly call: 'start' | 'signal' | 'namespace';
    readonly workflowId: string;
    readonly reason: string;
  }): void {
    this.#run('INSERT INTO failedCall VALUES (?, ?, ?, ?)', failed.at, failed.call, failed.workflowId, failed.reason);
  }

  /** A time without any successful call, between two. */
  recordGap(endedAt: number, ms: number): void {
    this.#run('INSERT INTO gap VALUES (?, ?)', endedAt, Math.round(ms));
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

  /** A `final` outcome is not asked for again. */
  recordOutcome(row: number, { outcome, reason, final }: Judgement): void {
    this.#run(
      'UPDATE canary SET outcome = ?, reason = ?, final = ? WHERE row = ?',
      outcome,
      reason,
      final ? 1 : 0,
      row,
    );
  }

  /** Canaries that the target has confirmed, by outcome; those never looked at count as running. */
  countOutcomes(): ReadonlyMap<Outcome, number> {
    const rows = this.#db
      .prepare(
        `SELECT coalesce(outcome, 'running') AS outcome, count(*) AS n FROM canary WHERE startedAt IS NOT NULL GROUP BY 1`,
      )
      .all();
    return new Map(rows.map(({ outcome, n }) => [outcome as Outcome, Number(n)]));
  }

  countStarted(): number {
    return Number(this.#get('SELECT count(*) AS n FROM canary WHERE startedAt IS NOT NULL')?.['n']);
  }

  countFailedCalls(): number {
    return Number(this.#get('SELECT count(*) AS n FROM failedCall')?.['n']);
  }

  examples(limit: number): { readonly workflowId: string; readonly reason: string }[] {
    return this.#db
      .prepare(
        `SELECT workflowId, coalesce(reason, outcome) AS reason FROM canary
         WHERE startedAt IS NOT NULL AND outcome NOT IN ('completed', 'running') ORDER BY row LIMIT ?`,
      )
      .all(limit)
      .map(({ workflowId, reason }) => ({ workflowId: String(workflowId), reason: String(reason) }));
  }

  /** What the generator measured from `from` until before `to`. */
  measure(from: number, to: number): LoadMeasurements {
    const started = Number(
      this.#get('SELECT count(*) AS n FROM canary WHERE startedAt >= ? AND startedAt < ?', from, to)?.['n'],
    );
    const percentile = (share: number) => {
      if (started === 0) return null;
      const latency = this.#get(
        `SELECT startedAt - intendedAt AS ms FROM canary WHERE startedAt >= ? AND startedAt < ? ORDER BY 1 LIMIT 1 OFFSET ?`,
        from,
        to,
        Math.min(started - 1, Math.floor(started * share)),
      );
      return Number(latency?.['ms']);
    };
    return {
      started,
      failedCalls: Number(this.#get('SELECT count(*) AS n FROM failedCall WHERE at >= ? AND at < ?', from, to)?.['n']),
      longestGapMs: Number(
        this.#get('SELECT coalesce(max(ms), 0) AS ms FROM gap WHERE endedAt >= ? AND endedAt < ?', from, to)?.['ms'],
      ),
      startLatencyMs: { p50: percentile(0.5), p99: percentile(0.99) },
    };
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql) ?? this.#db.prepare(sql);
    this.#statements.set(sql, known);
    return known;
  }

  #run(sql: string, ...values: (string | number | null)[]): void {
    this.#prepare(sql).run(...values);
  }

  #get(sql: string, ...values: (string | number)[]): Record<string, unknown> | undefined {
    return this.#prepare(sql).get(...values);
  }

  #all(sql: string, ...values: (string | number)[]): CanaryRow[] {
    return this.#prepare(sql).all(...values) as unknown as CanaryRow[];
  }
}
