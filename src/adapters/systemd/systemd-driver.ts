import type { SystemdDriver, SystemdNode } from '../../core/input/input.js';
import type { Driver } from '../driver.js';
import { findNode } from '../find-node.js';
import { identify, readUsage } from '../process/linux-process.js';
import { createHosts, type HostFinder } from './host.js';
import { describeUnit, lineOf, lookAtUnit, requireLoaded, type UnitAccess } from './unit-access.js';
import { startSteps, startUnit } from './unit-start.js';
import { readUnits, type UnitState } from './unit-state.js';
import { stopStep, stopUnit } from './unit-stop.js';
import { requireProgram } from './unit-version.js';
import { createVersionSwitcher } from './version-switch.js';

/**
 * Servers as systemd services, here or on hosts that ssh reaches. Environment, limits and user are the unit's, so that a
 * restart keeps them; only which program it runs is changed.
 */
export function createSystemdDriver(input: SystemdDriver, hosts: HostFinder = createHosts(input)): Driver {
  const asRoot = input.sudo ? ['sudo', '-n'] : [];
  const accessTo = (node: SystemdNode): UnitAccess => ({ node, host: hosts(node.host), asRoot });
  const named = (name: string) => accessTo(findNode(input.nodes, name));
  const switcher = createVersionSwitcher(input);
  const stopTimeoutMs = input.stopTimeout;

  return {
    async listNodes() {
      // One question a host: with ssh it is the way there that takes the time.
      const asked = [...Map.groupBy(input.nodes, ({ host }) => host).values()].map((nodes) => statesOf(hosts, nodes));
      const units = new Map((await Promise.all(asked)).flat());
      return Promise.all(
        input.nodes.map(async (node) => {
          const access = accessTo(node);
          return describeUnit(access, units.get(node) ?? (await lookAtUnit(access)));
        }),
      );
    },

    async stopNode(name, work) {
      await stopUnit(named(name), stopTimeoutMs, work);
    },

    async startNode(name, version, work) {
      return startUnit(named(name), { version, switcher, stopTimeoutMs }, work);
    },

    async prepare(version, work) {
      const check = async (access: UnitAccess) => {
        work?.signal?.throwIfAborted();
        const unit = await lookAtUnit(access);
        requireLoaded(access, unit);
        await requireProgram(access.host, [...asRoot, switcher.programOf(access.node, version)], version);
        await switcher.stepsFor(access, version, unit);
      };
      await Promise.all(input.nodes.map((node) => check(accessTo(node))));
    },

    async readUsage({ pid }) {
      const id = pid === undefined ? undefined : await identify(pid);
      return id === undefined ? undefined : readUsage(id);
    },

    configurationPaths: () => [...new Set(input.nodes.flatMap(({ configDir }) => configDir ?? []))],

    async explain(name, version) {
      const access = named(name);
      const { unit } = access.node;
      const steps = await switcher.stepsFor(access, version, await lookAtUnit(access));
      return [stopStep(unit), ...steps, ...startSteps(unit)].map((step) => lineOf(access, step));
    },
  };
}

async function statesOf(hosts: HostFinder, nodes: readonly SystemdNode[]): Promise<[SystemdNode, UnitState][]> {
  const [first] = nodes;
  if (first === undefined) return [];
  const units = nodes.map(({ unit }) => unit);
  const states = await readUnits(hosts(first.host), units);
  return nodes.flatMap((node, index) => (states[index] === undefined ? [] : [[node, states[index]]]));
}
