import { setTimeout as sleep } from 'node:timers/promises';
import { formatDuration } from '../../core/duration.js';
import { PreconditionError } from '../../core/errors.js';
import type { Work } from '../store.js';
import type { UnitState } from './unit-state.js';

const POLL_MS = 250;
const PROGRESS_EVERY_MS = 3_000;
/** After SIGKILL only a process stuck in the kernel is left. */
const KILL_TIMEOUT_MS = 30_000;

export interface StopOrder {
  readonly unit: string;
  readonly node: string;
  readonly timeoutMs: number;
}

export interface UnitHandle {
  readonly look: () => Promise<UnitState>;
  readonly act: (argv: readonly string[]) => Promise<void>;
}

/**
 * Stops a unit and waits until its processes are gone; does nothing when it is stopped already.
 * @throws PreconditionError when it is still there after it was killed
 */
export async function stopUnit({ unit, node, timeoutMs }: StopOrder, handle: UnitHandle, work?: Work): Promise<void> {
  if (isGone(await handle.look())) return;
  await handle.act(stopCommand(unit));
  // Its own TimeoutStopSec may end it before; SIGKILL is for a unit that would wait for longer.
  if (await waitUntilGone(handle, { timeoutMs, what: `${node} (${unit}) is stopping` }, work)) return;
  work?.onProgress?.(`${node} (${unit}) did not stop within ${formatDuration(timeoutMs)} and is killed with SIGKILL`);
  await handle.act(['systemctl', 'kill', '--signal=SIGKILL', '--', unit]);
  if (await waitUntilGone(handle, { timeoutMs: KILL_TIMEOUT_MS, what: `${node} was killed` }, work)) return;
  throw new PreconditionError(
    `${unit} of node ${node} is still there ${formatDuration(KILL_TIMEOUT_MS)} after SIGKILL; look at its disk and kernel log`,
    { node, unit },
  );
}

/** Hands over the order and does not wait: what came of it is looked at. */
export function stopCommand(unit: string): string[] {
  return ['systemctl', '--no-block', 'stop', '--', unit];
}

function isGone({ activeState, mainPid }: UnitState): boolean {
  return mainPid === 0 && (activeState === 'inactive' || activeState === 'failed');
}

async function waitUntilGone(
  { look }: UnitHandle,
  { timeoutMs, what }: { readonly timeoutMs: number; readonly what: string },
  work?: Work,
): Promise<boolean> {
  const begin = Date.now();
  let saidAt = begin;
  while (!isGone(await look())) {
    work?.signal?.throwIfAborted();
    if (Date.now() - begin >= timeoutMs) return false;
    if (Date.now() - saidAt >= PROGRESS_EVERY_MS) {
      saidAt = Date.now();
      work?.onProgress?.(what);
    }
    await sleep(POLL_MS);
  }
  return true;
}
