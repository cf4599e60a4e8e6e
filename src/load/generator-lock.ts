import { setTimeout as sleep } from 'node:timers/promises';
import { tryLock } from '../adapters/file-lock.js';
import { PreconditionError } from '../core/errors.js';

/**
 * Holds the one right to generate load for a ledger, until it is disposed or the process dies in any way: a lock on
 * `<ledger>.lock`. Waits up to `waitMs` milliseconds for the one before.
 * @throws PreconditionError when another process still holds it then
 */
export async function lockGenerator(ledgerFile: string, waitMs: number): Promise<Disposable> {
  const giveUpAt = Date.now() + waitMs;
  for (;;) {
    const held = tryLock(`${ledgerFile}.lock`);
    if (held !== undefined) return held;
    if (Date.now() >= giveUpAt) {
      throw new PreconditionError(
        `another process generates load for ledger ${ledgerFile}; it ends by itself when the worker that started it is gone`,
        { ledgerFile },
      );
    }
    await sleep(200);
  }
}
