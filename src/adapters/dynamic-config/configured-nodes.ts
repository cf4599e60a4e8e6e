import type { NodeState } from '../../core/cluster.js';
import type { Target } from '../../core/input/input.js';
import type { ConfiguredNode } from './dynamic-files.js';

/** The nodes of a target with what tells where their dynamic configuration is; `states` is what runs there now. */
export function configuredNodes({ driver }: Target, states: readonly NodeState[]): ConfiguredNode[] {
  return driver.nodes.map(({ name, role, configDir, configEnv, logFile }) => {
    const state = states.find((one) => one.name === name);
    // What stands before the start time, as the driver names a run of a process.
    const pid = state?.instance === undefined ? undefined : Number(state.instance.split(':', 1)[0]);
    return { name, role, configDir, configEnv, logFile, pid };
  });
}
