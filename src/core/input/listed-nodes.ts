import type { NodeState } from '../cluster.js';
import type { ComposeDriver } from './compose.js';
import type { ServerNode, Target } from './input.js';

/** The nodes that the input of a target lists; undefined where its driver finds them. */
export function listedNodes({ driver }: Pick<Target, 'driver'>): readonly ServerNode[] | undefined {
  return 'nodes' in driver ? driver.nodes : undefined;
}

/** Every node of a target: as its input lists them, else as its driver found them. */
export function nodesOf(target: Pick<Target, 'driver'>, found: readonly NodeState[]): readonly ServerNode[] {
  const listed = listedNodes(target);
  if (listed !== undefined) return listed;
  const { driver } = target;
  return found.map((node) => ({ ...node, ...(driver.type === 'compose' ? filesOf(driver, node) : PODS) }));
}

const PODS = { configEnv: 'development' };

/** What its input says of the files of a node that was found. */
function filesOf({ services }: ComposeDriver, { service: name }: NodeState) {
  const service = services.find((one) => one.service === name);
  return { configDir: service?.configDir, configEnv: service?.configEnv ?? 'docker' };
}
