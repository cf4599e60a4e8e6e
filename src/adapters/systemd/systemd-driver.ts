import type { NodeState } from '../../core/cluster.js';
import { PreconditionError } from '../../core/errors.js';
import type { SystemdDriver, SystemdNode } from '../../core/input/input.js';
import { shellLine } from '../../core/shell-line.js';
import type { Driver } from '../driver.js';
import { expectVersion, findNode, knownOf } from '../find-node.js';
import { identify, readUsage } from '../process/linux-process.js';
import type { Work } from '../store.js';
import { watchStart } from '../watch-start.js';
import { createHosts, type Host, type HostFinder } from './host.js';
import { readUnits, type UnitState } from './unit-state.js';
import { stopCommand, stopUnit } from './unit-stop.js';
import { askProgramVersion, askRunningVersion } from './unit-version.js';
import { createUnitLog } from './unit-log.js';
import { createVersionSwitcher, type Step } from './version-switch.js';

/**
 * Servers as systemd services, here or on hosts that ssh reaches. Environment, limits and user are the unit's, so that a
 * restart keeps them; only which program it runs is changed.
 */
export function createSystemdDriver(input: SystemdDriver, hosts: HostFinder = createHosts(input)): Driver {
  const asRoot = input.sudo ? ['sudo', '-n'] : [];
  const switcher = createVersionSwitcher(input);
  const hostOf = (node: SystemdNode) => hosts(node.host);
  const unitOf = async (node: SystemdNode) => only(await readUnits(hostOf(node), [node.unit]));
  const act = async (host: Host, { argv, input: text, mayFail = false }: Step, work?: Work) => {
    work?.signal?.throwIfAborted();
    const ran = host.run([...asRoot, ...argv], { input: text, signal: work?.signal });
    await (mayFail ? ran.catch(() => undefined) : ran);
  };
  const describe = async (node: SystemdNode, unit: UnitState): Promise<NodeState> =>
    describeUnit(node, { unit, host: hostOf(node), asRoot, again: () => unitOf(node) });
  const look = async (node: SystemdNode) => describe(node, await unitOf(node));
  const stop = (node: SystemdNode, work?: Work) =>
    stopUnit(
      { unit: node.unit, node: node.name, timeoutMs: input.stopTimeout },
      { look: () => unitOf(node), act: (argv) => act(hostOf(node), { argv }, work) },
      work,
    );

  return {
    async listNodes() {
      const states = await Promise.all([...byHost(input.nodes)].map((nodes) => statesOf(hosts, nodes)));
      const units = new Map(states.flat());
      return Promise.all(input.nodes.map(async (node) => describe(node, units.get(node) ?? (await unitOf(node)))));
    },

    async stopNode(name, work) {
      await stop(findNode(input.nodes, name), work);
    },

    async startNode(name, version, work) {
      const node = findNode(input.nodes, name);
      const host = hostOf(node);
      const unit = await unitOf(node);
      const before = await describe(node, unit);
      if (before.running) return expectVersion(before, version);
      await stop(node, work); // systemd may just be about to start it again by itself
      for (const step of await switcher.stepsFor({ node, version, host, unit })) await act(host, step, work);
      const problem = switcher.problemOf(node, version, await unitOf(node));
      if (problem !== undefined) throw new PreconditionError(problem, { node: name, unit: node.unit });
      const log = createUnitLog(node, host, asRoot);
      const begin = await log.end();
      for (const step of startSteps(node)) await act(host, step, work);
      const { state, ended } = await watchStart(() => look(node), work);
      if (!ended) return expectStarted(state, node, version);
      await stop(node, work); // systemd would start it again and again
      const facts = { node: name, unit: node.unit, version };
      throw new PreconditionError(
        `node ${name} ended at once when it was started with ${version}; ${await log.since(begin)}`,
        facts,
      );
    },

    async prepare(version, work) {
      await Promise.all(
        input.nodes.map(async (node) => {
          work?.signal?.throwIfAborted();
          const host = hostOf(node);
          const unit = await unitOf(node);
          requireLoaded(node, unit, host);
          await requireProgram(host, [...asRoot, switcher.programOf(node, version)], version);
          await switcher.stepsFor({ node, version, host, unit });
        }),
      );
    },

    async readUsage({ pid, instance }) {
      const id = pid === undefined || instance === undefined ? undefined : await identify(pid);
      return id === undefined ? undefined : readUsage(id);
    },

    configurationPaths: () => [...new Set(input.nodes.flatMap(({ configDir }) => configDir ?? []))],

    async explain(name, version) {
      const node = findNode(input.nodes, name);
      const host = hostOf(node);
      const line = ({ argv, input: text, mayFail = false }: Step) => {
        const command = shellLine(host.commandFor([...asRoot, ...argv]));
        const given = text === undefined ? [] : ['printf', '%s\\n', ...text.trimEnd().split('\n')];
        return `${given.length === 0 ? '' : `${shellLine(given)} | `}${command}${mayFail ? ' || true' : ''}`;
      };
      const steps = await switcher.stepsFor({ node, version, host, unit: await unitOf(node) });
      return [{ argv: stopCommand(node.unit) }, ...steps, ...startSteps(node)].map(line);
    },
  };
}

function startSteps({ unit }: SystemdNode): Step[] {
  return [
    // One that failed often may not be started for a while; one that never failed may not be known.
    { argv: ['systemctl', 'reset-failed', '--', unit], mayFail: true },
    // Nothing is waited for: a connection that breaks then breaks nothing, and the look tells what came of it.
    { argv: ['systemctl', '--no-block', 'start', '--', unit] },
  ];
}

function byHost(nodes: readonly SystemdNode[]): Iterable<readonly SystemdNode[]> {
  return Map.groupBy(nodes, ({ host }) => host).values();
}

async function statesOf(hosts: HostFinder, nodes: readonly SystemdNode[]): Promise<[SystemdNode, UnitState][]> {
  const [first] = nodes;
  if (first === undefined) return [];
  const states = await readUnits(
    hosts(first.host),
    nodes.map(({ unit }) => unit),
  );
  return nodes.flatMap((node, index) => (states[index] === undefined ? [] : [[node, states[index]]]));
}

interface UnitSeen {
  readonly unit: UnitState;
  readonly host: Host;
  readonly asRoot: readonly string[];
  readonly again: () => Promise<UnitState>;
}

async function describeUnit(node: SystemdNode, { unit, host, asRoot, again }: UnitSeen): Promise<NodeState> {
  requireLoaded(node, unit, host);
  const known = knownOf(node);
  const { mainPid, instance, startedAt } = unit;
  if (mainPid === 0) return { ...known, running: false };
  try {
    const version = await askRunningVersion(host, { unit: node.unit, mainPid, instance }, asRoot);
    return { ...known, running: true, version, instance, startedAt, ...(host.isOwn ? { pid: mainPid } : {}) };
  } catch (error) {
    const now = await again();
    if (now.instance === instance) throw error;
    return describeUnit(node, { unit: now, host, asRoot, again }); // it ended while it was asked
  }
}

function requireLoaded({ unit }: SystemdNode, { loadState }: UnitState, host: Host): void {
  if (loadState === 'loaded') return;
  throw new PreconditionError(
    `${unit} on ${host.name} is ${loadState === '' ? 'unknown' : loadState}; expected a unit that systemd has loaded: correct "unit" or "host", or mend the unit`,
    { unit, host: host.name, loadState },
  );
}

async function requireProgram(host: Host, program: readonly string[], version: string): Promise<void> {
  const path = program.at(-1) ?? '';
  const found = await askProgramVersion(host, program).catch((cause: unknown) => {
    throw new PreconditionError(
      `${host.name} has no server ${version} at ${path}; put it there, or correct "versionSwitch.program"`,
      { host: host.name, path, version },
      { cause },
    );
  });
  if (found === version) return;
  throw new PreconditionError(`${path} on ${host.name} is ${found}, expected ${version}; put the right one there`, {
    host: host.name,
    path,
    expected: version,
    found,
  });
}

function expectStarted(state: NodeState, { unit }: SystemdNode, version: string): NodeState {
  if (state.version === version) return state;
  throw new PreconditionError(
    `${unit} was started and runs ${state.version ?? 'an unknown version'}, not ${version}; see what its ExecStart leads to`,
    { node: state.name, unit, expected: version, found: state.version },
  );
}

function only(states: readonly UnitState[]): UnitState {
  const [state] = states;
  if (state === undefined) throw new TypeError('as many states as units were asked for');
  return state;
}
