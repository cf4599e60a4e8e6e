import type { NodeState } from '../cluster.js';
import type { ServerNode, Target } from './input.js';

/** The nodes that the input of a target lists; undefined where its driver finds them. */
export function listedNodes({ driver }: Pick<Target, 'driver'>): readonly ServerNode[] | undefined {
  return 'nodes' in driver ? driver.nodes : undefined;
}

/** Every node of a target: as its input lists them, else as its driver found them. */
export function nodesOf(target: Pick<Target, 'driver'>, found: readonly NodeState[]): readonly ServerNode[] {
  return listedNodes(target) ?? found.map((node) => ({ ...node, configEnv: 'development' }));
}
