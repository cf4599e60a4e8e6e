import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { PreconditionError } from '../../core/errors.js';
import type { Round } from '../../core/measuring/round.js';

const SCHEMA = `
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS round (at INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;
`;

/**
 * The rounds of one target, each under its beat. SQLite with a write-ahead log: the meter writes while others cut windows
 * out of it, and a meter that was killed goes on in the same file.
 */
export class MeterFile implements Disposable {
  readonly #db: DatabaseSync;

  /** Opens `file`, or makes it. @throws PreconditionError when it belongs to another target */
  constructor(
    readonly file: string,
    readonly target: string,
  ) {
    if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true });
    this.#db = new DatabaseSync(file);
    this.#db.exec('PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
    this.#db.exec(SCHEMA);
    this.#db.prepare(`INSERT INTO meta VALUES ('target', ?) ON CONFLICT DO NOTHING`).run(target);
    const owner = String(this.#db.prepare(`SELECT value FROM meta WHERE key = 'target'`).get()?.['value']);
    if (owner !== target) {
      this.#db.close();
      throw new PreconditionError(
        `${file} has the samples of ${owner}, not of ${target}; give each target its own file`,
      );
    }
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }

  /** The first sample of a beat counts: two meters may run for a moment when one takes over from another. */
  append(round: Round): void {
    this.#db.prepare('INSERT INTO round VALUES (?, ?) ON CONFLICT DO NOTHING').run(round.at, JSON.stringify(round));
  }

  /** Rounds from `from` to `to`, both included, in order. */
  rounds(from: number, to: number): Round[] {
    return this.#db
      .prepare('SELECT body FROM round WHERE at >= ? AND at <= ? ORDER BY at')
      .all(from, to)
      .map(({ body }) => JSON.parse(String(body)) as Round); // written by append alone
  }

  /** How many rounds there are from `from` to `to`, both included. */
  count(from: number, to: number): number {
    return Number(this.#db.prepare('SELECT count(*) AS n FROM round WHERE at >= ? AND at <= ?').get(from, to)?.['n']);
  }

  /** Beat of the last round; undefined before the first. */
  lastBeat(): number | undefined {
    const at = this.#db.prepare('SELECT max(at) AS at FROM round').get()?.['at'];
    return typeof at === 'number' ? at : undefined;
  }

  /** Forgets rounds after a beat: when that lies ahead, the clock was set back, and they are of another time. */
  forgetAfter(at: number): void {
    this.#db.prepare('DELETE FROM round WHERE at > ?').run(at);
  }

  /** Forgets rounds before a beat: a long watch needs only its windows. */
  forgetBefore(at: number): void {
    this.#db.prepare('DELETE FROM round WHERE at < ?').run(at);
  }
}
