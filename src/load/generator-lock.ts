import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, PreconditionError } from '../core/errors.js';

/**
 * Holds the one right to generate load for a ledger, until it is disposed or the process dies in any way: it is a lock of
 * the operating system on `<ledger>.lock`, taken by way of SQLite. Waits up to `waitMs` milliseconds for the one before.
 * @throws PreconditionError when another process still holds it then
 */
export async function lockGenerator(ledgerFile: string, waitMs: number): Promise<Disposable> {
  const file = `${ledgerFile}.lock`;
  mkdirSync(dirname(file), { recursive: true });
  const giveUpAt = Date.now() + waitMs;
  for (;;) {
    const db = new DatabaseSync(file);
    try {
      db.exec('BEGIN EXCLUSIVE');
      return { [Symbol.dispose]: () => db.close() };
    } catch (error) {
      db.close();
      if (!/locked|busy/i.test(messageOf(error))) throw error;
    }
    if (Date.now() >= giveUpAt) {
      throw new PreconditionError(
        `another process generates load for ledger ${ledgerFile}; it ends by itself when the worker that started it is gone`,
        { ledgerFile },
      );
    }
    await sleep(200);
  }
}
