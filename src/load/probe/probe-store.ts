import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { inTransaction } from '../sqlite-transaction.js';
import type { ProbePoint } from '../../core/evidence.js';
import { cutWindow, type SeenWindow, type Span } from './cut-window.js';
import { probePoints } from './probe-points.js';
import { PROBE_KINDS, type KindTally, type ProbeFailure, type ProbeInterval } from './probe-interval.js';

const SCHEMA = `
CREATE TABLE IF NOT EXISTS probeInterval (
  stretch TEXT NOT NULL,
  startedAt INTEGER NOT NULL,
  endedAt INTEGER NOT NULL,
  kinds TEXT NOT NULL,
  latency TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS probeInterval_endedAt ON probeInterval (endedAt);
CREATE TABLE IF NOT EXISTS probeFailure (
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  way TEXT NOT NULL,
  code TEXT NOT NULL,
  reason TEXT NOT NULL DEFAULT '',
  ms INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS probeFailure_at ON probeFailure (at);
`;

/** A tally as it is stored: attempts, calls, first and last success (milliseconds after the start), longest gap. */
const StoredTally = z.tuple([z.number(), z.number(), z.number().nullable(), z.number().nullable(), z.number()]);
const StoredKinds = z.partialRecord(z.enum(PROBE_KINDS), StoredTally);
const IntervalRow = z.object({
  stretch: z.string(),
  startedAt: z.number(),
  endedAt: z.number(),
  kinds: z.string(),
  latency: z.string().nullable(),
});
const FailureRow = z.object({
  at: z.number(),
  kind: z.enum(PROBE_KINDS),
  way: z.enum(['raw', 'retried']),
  code: z.string(),
  reason: z.string(),
  ms: z.number(),
});

/**
 * What the probe saw, in a SQLite file: tables of its own, so that it may be the ledger's. One process writes while others
 * read. A day takes about 8 MB.
 */
export class ProbeStore implements Disposable {
  readonly #db: DatabaseSync;

  /** Opens `file`, or makes it. */
  constructor(readonly file: string) {
    mkdirSync(dirname(file), { recursive: true });
    this.#db = new DatabaseSync(file);
    this.#db.exec('PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
    this.#db.exec(SCHEMA);
    inTransaction(this.#db, () => this.#addColumns());
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }

  /** Writes one interval, all of it or nothing. */
  record({ stretch, startedAt, endedAt, kinds, failures, latency }: ProbeInterval): void {
    const stored = Object.fromEntries(Object.entries(kinds).map(([kind, tally]) => [kind, storable(tally, startedAt)]));
    inTransaction(this.#db, () => {
      this.#db
        .prepare('INSERT INTO probeInterval VALUES (?, ?, ?, ?, ?)')
        .run(stretch, startedAt, endedAt, JSON.stringify(stored), latency);
      const insert = this.#db.prepare('INSERT INTO probeFailure VALUES (?, ?, ?, ?, ?, ?)');
      for (const { at, kind, way, code, reason, ms } of failures) insert.run(at, kind, way, code, reason, ms);
    });
  }

  /** What was seen from `from` until before `to`. */
  window(span: Span): SeenWindow {
    return cutWindow({ intervals: this.#intervals(span), failures: this.#failures(span) }, span);
  }

  /** The same piece by piece, to be drawn. Each interval counts where it ended. */
  points(span: Span, stepMs: number): ProbePoint[] {
    return probePoints({ intervals: this.#intervals(span), failures: this.#failures(span) }, { ...span, stepMs });
  }

  /** A load that an earlier release began goes on: its file had neither reasons nor times. */
  #addColumns(): void {
    const has = this.#db.prepare(`SELECT 1 FROM pragma_table_info('probeFailure') WHERE name = 'reason'`).get();
    if (has !== undefined) return;
    this.#db.exec(`ALTER TABLE probeFailure ADD COLUMN reason TEXT NOT NULL DEFAULT ''`);
    this.#db.exec('ALTER TABLE probeFailure ADD COLUMN ms INTEGER NOT NULL DEFAULT 0');
  }

  *#intervals({ from, to }: Span): Generator<Omit<ProbeInterval, 'failures'>> {
    const rows = this.#db
      .prepare('SELECT * FROM probeInterval WHERE endedAt > ? AND startedAt < ? ORDER BY startedAt')
      .iterate(from, to);
    for (const row of rows) {
      const { kinds, ...interval } = IntervalRow.parse(row);
      const tallies = Object.entries(StoredKinds.parse(JSON.parse(kinds)));
      const restored = tallies.map(([kind, tally]) => [kind, restore(tally, interval.startedAt)] as const);
      yield { ...interval, kinds: Object.fromEntries(restored) };
    }
  }

  *#failures({ from, to }: Span): Generator<ProbeFailure> {
    const rows = this.#db.prepare('SELECT * FROM probeFailure WHERE at >= ? AND at < ? ORDER BY at').iterate(from, to);
    for (const row of rows) yield FailureRow.parse(row);
  }
}

function storable(tally: KindTally, startedAt: number): z.infer<typeof StoredTally> {
  const offset = (moment: number | null) => (moment === null ? null : moment - startedAt);
  const { attempts, calls, firstSuccessAt, lastSuccessAt, longestGapMs } = tally;
  return [attempts, calls, offset(firstSuccessAt), offset(lastSuccessAt), longestGapMs];
}

function restore(
  [attempts, calls, first, last, longestGapMs]: z.infer<typeof StoredTally>,
  startedAt: number,
): KindTally {
  const moment = (offset: number | null) => (offset === null ? null : offset + startedAt);
  return { attempts, calls, firstSuccessAt: moment(first), lastSuccessAt: moment(last), longestGapMs };
}
