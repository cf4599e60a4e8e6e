import type { DatabaseSync } from 'node:sqlite';

/** Runs `work` in one transaction that may write; what it throws is thrown, and nothing of it is kept. */
export function inTransaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    try {
      db.exec('ROLLBACK');
    } catch {
      // SQLite has rolled back by itself, as it does for a full disk. Why it did is what has to be told.
    }
    throw error;
  }
}
