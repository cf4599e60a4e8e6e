import { setTimeout as sleep } from 'node:timers/promises';
import { formatDuration } from '../../core/duration.js';
import { PreconditionError } from '../../core/errors.js';
import type { Work } from '../store.js';
import { act, lookAtUnit, type Step, type UnitAccess } from './unit-access.js';
import type { UnitState } from './unit-state.js';

const POLL_MS = 250;
const PROGRESS_EVERY_MS = 3_000;
/** After SIGKILL only a process stuck in the kernel is left. */
const KILL_TIMEOUT_MS = 30_000;

/** Hands over the order and does not wait: a connection that breaks breaks nothing, and what came of it is looked at. */
export function stopStep(unit: string): Step {
  return { argv: ['systemctl', '--no-block', 'stop', '--', unit] };
}

/**
 * Stops a unit and waits until its processes are gone; does nothing when it is stopped already.
 * @throws PreconditionError when it is still there after it was killed
 */
export async function stopUnit(access: UnitAccess, timeoutMs: number, work?: Work): Promise<void> {
  const { name, unit } = access.node;
  if (isGone(await lookAtUnit(access))) return;
  await act(access, stopStep(unit), work);
  // Its own TimeoutStopSec may end it before; SIGKILL is for a unit that would wait for longer.
  if (await waitUntilGone(access, { timeoutMs, what: `${name} (${unit}) is stopping` }, work)) return;
  work?.onProgress?.(`${name} (${unit}) did not stop within ${formatDuration(timeoutMs)} and is killed with SIGKILL`);
  await act(access, { argv: ['systemctl', 'kill', '--signal=SIGKILL', '--', unit] }, work);
  if (await waitUntilGone(access, { timeoutMs: KILL_TIMEOUT_MS, what: `${name} was killed` }, work)) return;
  throw new PreconditionError(
    `${unit} of node ${name} is still there ${formatDuration(KILL_TIMEOUT_MS)} after SIGKILL; look at its disk and kernel log`,
    { node: name, unit },
  );
}

function isGone({ activeState, mainPid }: UnitState): boolean {
  return mainPid === 0 && (activeState === 'inactive' || activeState === 'failed');
}

async function waitUntilGone(
  access: UnitAccess,
  { timeoutMs, what }: { readonly timeoutMs: number; readonly what: string },
  work?: Work,
): Promise<boolean> {
  const begin = Date.now();
  let saidAt = begin;
  while (!isGone(await lookAtUnit(access))) {
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
