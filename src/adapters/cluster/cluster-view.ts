import type { NodeState } from '../../core/cluster.js';
import type { Target } from '../../core/input/input.js';
import { nodeHealth, type NodeHealth } from './node-health.js';
import { frontendsOf } from '../open-target.js';
import { listRings, type Rings } from './rings.js';

/**
 * The rings as every frontend sees them. A view that differs is itself a finding. Frontends that `nodes` says do not run
 * are not asked: what they would say is known when they are started.
 */
export async function ringViews(
  target: Target,
  nodes: readonly NodeState[] = [],
): Promise<readonly { readonly frontend: string; readonly rings: Rings }[]> {
  const down = nodes.filter(({ running }) => !running).map(({ rpcAddress }) => rpcAddress);
  return Promise.all(
    frontendsOf(target)
      .filter((frontend) => !down.includes(frontend))
      .map(async (frontend) => ({ frontend, rings: await listRings(target.connection, frontend) })),
  );
}

/** Health of a node by its own word and by the ring of every frontend that was asked. */
export async function nodeHealthInAllViews(
  target: Target,
  node: NodeState,
  views: readonly { readonly frontend: string; readonly rings: Rings }[],
): Promise<NodeHealth> {
  const { connection, driver } = target;
  const frontendTls = 'address' in connection ? connection.tls : undefined;
  const tls = node.role === 'frontend' ? frontendTls : driver.internodeTls;
  // A member has to be in every view; a ring is as good as its worst one.
  const inAll = views.every(({ rings }) => (rings[node.role] ?? []).includes(node.rpcAddress));
  return nodeHealth(node, { tls, ring: inAll && views.length > 0 ? [node.rpcAddress] : [] });
}
