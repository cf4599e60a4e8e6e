import { formatDuration } from '../../core/duration.js';
import { PreconditionError } from '../../core/errors.js';
import type { Work } from '../store.js';
import { KILL_TIMEOUT_MS, waitUntilGone } from '../wait-until-gone.js';
import { act, lookAtUnit, type Step, type UnitAccess } from './unit-access.js';
import type { UnitState } from './unit-state.js';

const POLL_MS = 250;

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
  const gone = async () => isGone(await lookAtUnit(access));
  const within = (ms: number, what: string) => waitUntilGone(gone, { timeoutMs: ms, pollMs: POLL_MS, what }, work);
  if (await gone()) return;
  await act(access, stopStep(unit), work);
  // Its own TimeoutStopSec may end it before; SIGKILL is for a unit that would wait for longer.
  if (await within(timeoutMs, `${name} (${unit}) is stopping`)) return;
  work?.onProgress?.(`${name} (${unit}) did not stop within ${formatDuration(timeoutMs)} and is killed with SIGKILL`);
  await act(access, { argv: ['systemctl', 'kill', '--signal=SIGKILL', '--', unit] }, work);
  if (await within(KILL_TIMEOUT_MS, `${name} was killed`)) return;
  throw new PreconditionError(
    `${unit} of node ${name} is still there ${formatDuration(KILL_TIMEOUT_MS)} after SIGKILL; look at its disk and kernel log`,
    { node: name, unit },
  );
}

function isGone({ activeState, mainPid }: UnitState): boolean {
  return mainPid === 0 && (activeState === 'inactive' || activeState === 'failed');
}
