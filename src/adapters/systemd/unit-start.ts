import type { NodeState } from '../../core/cluster.js';
import { PreconditionError } from '../../core/errors.js';
import { expectVersion } from '../find-node.js';
import type { Work } from '../store.js';
import { watchStart } from '../watch-start.js';
import { act, describeUnit, lookAtUnit, type Step, type UnitAccess } from './unit-access.js';
import { createUnitLog } from './unit-log.js';
import { stopUnit } from './unit-stop.js';
import type { VersionSwitcher } from './version-switch.js';

export interface StartOrder {
  readonly version: string;
  readonly switcher: VersionSwitcher;
  readonly stopTimeoutMs: number;
}

/** What starts a unit, once it has its version. */
export function startSteps(unit: string): Step[] {
  return [
    // One that failed often may not be started for a while; one that never failed may not be known.
    { argv: ['systemctl', 'reset-failed', '--', unit], mayFail: true },
    { argv: ['systemctl', '--no-block', 'start', '--', unit] },
  ];
}

/**
 * Gives a unit a version and starts it, unless that runs already, and watches its first moments.
 * @throws PreconditionError when another version runs, or when the server ends at once: with the end of what it wrote
 */
export async function startUnit(access: UnitAccess, order: StartOrder, work?: Work): Promise<NodeState> {
  const { version, switcher, stopTimeoutMs } = order;
  const { node } = access;
  const unit = await lookAtUnit(access);
  const before = await describeUnit(access, unit);
  if (before.running) return expectVersion(before, version);
  await stopUnit(access, stopTimeoutMs, work); // systemd may just be about to start it again by itself
  for (const step of await switcher.stepsFor(access, version, unit)) await act(access, step, work);
  const problem = switcher.problemOf(node, version, await lookAtUnit(access));
  if (problem !== undefined) throw new PreconditionError(problem, { node: node.name, unit: node.unit });

  const log = createUnitLog(access);
  const begin = await log.end();
  for (const step of startSteps(node.unit)) await act(access, step, work);
  const look = async () => describeUnit(access, await lookAtUnit(access));
  const { state, ended } = await watchStart(look, work);
  if (!ended) return expectStarted(state, access, version);
  await stopUnit(access, stopTimeoutMs, work); // systemd would start it again and again
  throw new PreconditionError(
    `node ${node.name} ended at once when it was started with ${version}; ${await log.since(begin)}`,
    { node: node.name, unit: node.unit, version },
  );
}

function expectStarted(state: NodeState, { node: { unit } }: UnitAccess, version: string): NodeState {
  if (state.version === version) return state;
  throw new PreconditionError(
    `${unit} was started and runs ${state.version ?? 'an unknown version'}, not ${version}; see what its ExecStart leads to`,
    { node: state.name, unit, expected: version, found: state.version },
  );
}
