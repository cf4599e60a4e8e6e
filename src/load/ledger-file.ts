import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { PreconditionError } from '../core/errors.js';
import { inTransaction } from './sqlite-transaction.js';

/** Raised with every change of the tables: an older build's ledger is refused, not misread. */
const FORMAT = 3;

const SCHEMA = `
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS command (command INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE IF NOT EXISTS canary (
  row INTEGER PRIMARY KEY,
  workflowId TEXT NOT NULL UNIQUE,
  number INTEGER NOT NULL,
  kind TEXT NOT NULL,
  command INTEGER NOT NULL,
  hop TEXT,
  intendedAt INTEGER NOT NULL,
  startedAt INTEGER,
  runId TEXT,
  callsDone INTEGER NOT NULL DEFAULT 0,
  readyAt INTEGER,
  dueAt INTEGER,
  wrongAnswer TEXT,
  outcome TEXT,
  reason TEXT,
  final INTEGER NOT NULL DEFAULT 0,
  verifiedAt INTEGER,
  badSince INTEGER,
  seen INTEGER NOT NULL DEFAULT 0,
  askedAt INTEGER
) STRICT;
CREATE INDEX IF NOT EXISTS canary_due ON canary (dueAt) WHERE dueAt IS NOT NULL;
CREATE INDEX IF NOT EXISTS canary_open ON canary (row) WHERE final = 0;
CREATE INDEX IF NOT EXISTS canary_hop ON canary (hop) WHERE hop IS NOT NULL;
CREATE INDEX IF NOT EXISTS canary_intended ON canary (intendedAt);
CREATE INDEX IF NOT EXISTS canary_started ON canary (startedAt) WHERE startedAt IS NOT NULL;
CREATE INDEX IF NOT EXISTS canary_unseen ON canary (row) WHERE seen = 0 AND outcome = 'completed';
CREATE INDEX IF NOT EXISTS canary_bad ON canary (badSince) WHERE badSince IS NOT NULL;
CREATE TABLE IF NOT EXISTS schedule (
  id TEXT PRIMARY KEY,
  command INTEGER NOT NULL,
  everyMs INTEGER NOT NULL,
  fromAt INTEGER NOT NULL,
  untilAt INTEGER NOT NULL,
  confirmedAt INTEGER,
  notedTo INTEGER,
  stoppedAt INTEGER,
  deletedAt INTEGER
) STRICT;
CREATE TABLE IF NOT EXISTS failedCall (at INTEGER NOT NULL, call TEXT NOT NULL, workflowId TEXT NOT NULL, reason TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS failedCall_at ON failedCall (at);
CREATE TABLE IF NOT EXISTS problem (at INTEGER NOT NULL, reason TEXT NOT NULL) STRICT;
`;

export type SqlValue = string | number | null;
export type SqlRow = Readonly<Record<string, unknown>>;

/**
 * The file of a ledger: SQLite with a write-ahead log, so that generator, verification and judgement use it at the same
 * time, from several processes. Each statement is prepared once.
 */
export class LedgerFile implements Disposable {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /** Opens `file`, or makes it. @throws PreconditionError when it belongs to another load, or to an older build */
  constructor(
    readonly file: string,
    readonly loadId: string,
  ) {
    mkdirSync(dirname(file), { recursive: true });
    this.#db = new DatabaseSync(file);
    try {
      // NORMAL survives the death of the process. What an outage of the host may lose is found again by its workflow id.
      this.#db.exec('PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
      // Looked at first: those who only read do not wait for a writer.
      if (this.#format() !== FORMAT) this.inTransaction(() => this.#make());
      const owner = this.readMeta('loadId');
      if (owner !== loadId) {
        throw new PreconditionError(
          `ledger ${file} belongs to load ${owner}, not to ${loadId}; give each load its own file`,
        );
      }
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }

  #format(): number {
    return Number(this.get('PRAGMA user_version')?.['user_version']);
  }

  /** All or nothing: tables without their format would be taken for those of an older build, for ever. */
  #make(): void {
    const format = this.#format();
    if (format === FORMAT) return; // another process was faster
    if (this.count(`SELECT count(*) AS n FROM sqlite_master WHERE name = 'canary'`) > 0) {
      throw new PreconditionError(
        `ledger ${this.file} has format ${format}, this build reads ${FORMAT}; end that roll-out with the build that began it`,
      );
    }
    this.#db.exec(SCHEMA);
    this.run(`INSERT INTO meta VALUES ('loadId', ?)`, this.loadId);
    this.#db.exec(`PRAGMA user_version = ${FORMAT}`);
  }

  readMeta(key: string): string | undefined {
    const value = this.get('SELECT value FROM meta WHERE key = ?', key)?.['value'];
    return typeof value === 'string' ? value : undefined;
  }

  writeMeta(key: string, value: string): void {
    this.run(`INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value`, key, value);
  }

  /** Runs `work` in one transaction. */
  inTransaction<T>(work: () => T): T {
    return inTransaction(this.#db, work);
  }

  run(sql: string, ...values: readonly SqlValue[]): void {
    this.#prepare(sql).run(...values);
  }

  get(sql: string, ...values: readonly SqlValue[]): SqlRow | undefined {
    return this.#prepare(sql).get(...values);
  }

  all(sql: string, ...values: readonly SqlValue[]): SqlRow[] {
    return this.#prepare(sql).all(...values);
  }

  /** The number in column `n` of the only row. */
  count(sql: string, ...values: readonly SqlValue[]): number {
    return Number(this.get(sql, ...values)?.['n']);
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql) ?? this.#db.prepare(sql);
    this.#statements.set(sql, known);
    return known;
  }
}
