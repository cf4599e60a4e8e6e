import type { NodeState } from '../../core/cluster.js';
import type { Target } from '../../core/input/input.js';
import { nodesOf } from '../../core/input/listed-nodes.js';
import type { ConfiguredNode } from './dynamic-files.js';

/** The nodes of a target with what tells where their dynamic configuration is; `states` is what runs there now. */
export function configuredNodes(target: Target, states: readonly NodeState[]): ConfiguredNode[] {
  return nodesOf(target, states).map(({ name, role, configDir, configEnv, logFile }) => {
    const state = states.find((one) => one.name === name);
    return {
      name,
      role,
      configDir,
      configEnv,
      logFile,
      running: state?.running === true,
      pid: state?.pid,
      found: state?.dynamicConfig,
    };
  });
}
