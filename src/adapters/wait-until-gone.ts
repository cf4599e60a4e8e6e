import { setTimeout as sleep } from 'node:timers/promises';
import type { Work } from './store.js';

const PROGRESS_EVERY_MS = 3_000;
/** How long a server may still be there after SIGKILL, in milliseconds: only one that is stuck in the kernel is. */
export const KILL_TIMEOUT_MS = 30_000;

export interface Patience {
  /** How long it is waited, and how long between two looks, in milliseconds. */
  readonly timeoutMs: number;
  readonly pollMs: number;
  /** Told while it lasts, such as "history-1 is stopping". */
  readonly what: string;
}

/** Waits until what was told to stop is gone. Tells whether it is. */
export async function waitUntilGone(
  isGone: () => Promise<boolean>,
  { timeoutMs, pollMs, what }: Patience,
  work?: Work,
): Promise<boolean> {
  const begin = Date.now();
  let saidAt = begin;
  while (!(await isGone())) {
    work?.signal?.throwIfAborted();
    if (Date.now() - begin >= timeoutMs) return false;
    if (Date.now() - saidAt >= PROGRESS_EVERY_MS) {
      saidAt = Date.now();
      work?.onProgress?.(what);
    }
    await sleep(pollMs);
  }
  return true;
}
