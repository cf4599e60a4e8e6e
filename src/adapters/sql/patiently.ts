import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../core/errors.js';
import type { Work } from '../store.js';

/** Sessions of a server that was just stopped are seen for a moment longer. */
const OTHERS_LEAVE_WITHIN_MS = 30_000;

/** Tries again for a while as long as somebody else is in the way, which `isHeld` knows by the error. */
export async function patiently(
  act: () => Promise<unknown>,
  isHeld: (error: unknown) => boolean,
  work: Work,
): Promise<void> {
  const end = Date.now() + OTHERS_LEAVE_WITHIN_MS;
  for (;;) {
    work.signal?.throwIfAborted();
    try {
      await act();
      return;
    } catch (error) {
      if (!isHeld(error) || Date.now() > end) throw error;
      work.onProgress?.(`waiting: ${messageOf(error)}`);
      await sleep(1_000, undefined, { signal: work.signal });
    }
  }
}
