import type { NodeState } from '../../core/cluster.js';
import { PreconditionError } from '../../core/errors.js';
import type { SystemdNode } from '../../core/input/input.js';
import { shellLine } from '../../core/shell-line.js';
import { knownOf } from '../find-node.js';
import type { Work } from '../store.js';
import type { Host } from './host.js';
import { readUnits, type UnitState } from './unit-state.js';
import { askRunningVersion } from './unit-version.js';

/** A command that changes something, with what it reads from its standard input. */
export interface Step {
  readonly argv: readonly string[];
  readonly input?: string;
  /** Its failure says nothing. */
  readonly mayFail?: boolean;
}

/** The unit of a node, with what reaches it. */
export interface UnitAccess {
  readonly node: SystemdNode;
  readonly host: Host;
  /** What stands before a command that needs rights. */
  readonly asRoot: readonly string[];
}

/** The unit as systemd has it now. */
export async function lookAtUnit({ node, host }: UnitAccess): Promise<UnitState> {
  const [state] = await readUnits(host, [node.unit]);
  if (state === undefined) throw new TypeError('as many states as units were asked for');
  return state;
}

/** Runs a step on the unit's host. @throws PreconditionError when it fails, unless it may */
export async function act({ host, asRoot }: UnitAccess, step: Step, work?: Work): Promise<void> {
  work?.signal?.throwIfAborted();
  const { argv, input, mayFail = false } = step;
  const ran = host.run([...asRoot, ...argv], { input, signal: work?.signal });
  await (mayFail ? ran.catch(() => undefined) : ran);
}

/** A step as a line that a shell here would run. */
export function lineOf({ host, asRoot }: UnitAccess, { argv, input, mayFail = false }: Step): string {
  const given = input === undefined ? [] : ['printf', '%s\\n', ...input.trimEnd().split('\n')];
  const command = shellLine(host.commandFor([...asRoot, ...argv]));
  return `${given.length === 0 ? '' : `${shellLine(given)} | `}${command}${mayFail ? ' || true' : ''}`;
}

/** The node as it is, by the state of its unit. @throws PreconditionError when systemd has no such unit, or its version is not known */
export async function describeUnit(access: UnitAccess, unit: UnitState): Promise<NodeState> {
  requireLoaded(access, unit);
  const { node, host } = access;
  const { mainPid, instance, startedAt } = unit;
  if (mainPid === 0) return { ...knownOf(node), running: false };
  try {
    const version = await askRunningVersion(access, unit);
    const pid = host.isOwn ? { pid: mainPid } : {};
    return { ...knownOf(node), running: true, version, instance, startedAt, ...pid };
  } catch (error) {
    const now = await lookAtUnit(access);
    if (now.instance === instance) throw error;
    return describeUnit(access, now); // it ended while it was asked
  }
}

/** @throws PreconditionError unless systemd has loaded the unit */
export function requireLoaded({ node: { unit }, host }: UnitAccess, { loadState }: UnitState): void {
  if (loadState === 'loaded') return;
  throw new PreconditionError(
    `${unit} on ${host.name} is ${loadState === '' ? 'unknown' : loadState}; expected a unit that systemd has loaded: correct "unit" or "host", or mend the unit`,
    { unit, host: host.name, loadState },
  );
}
