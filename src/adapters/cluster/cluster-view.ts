import type { NodeState } from '../../core/cluster.js';
import { messageOf } from '../../core/errors.js';
import type { Target } from '../../core/input/input.js';
import type { RingView } from '../../core/restart-proof.js';
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
  return Promise.all(
    runningFrontends(target, nodes).map(async (frontend) => ({
      frontend,
      rings: await listRings(target.connection, frontend),
    })),
  );
}

/** As `ringViews`, with the reason of each frontend that did not answer: nothing throws. */
export async function eachRingView(target: Target, nodes: readonly NodeState[]): Promise<RingView[]> {
  return Promise.all(
    runningFrontends(target, nodes).map((frontend) =>
      listRings(target.connection, frontend).then(
        (rings) => ({ frontend, rings }),
        (error: unknown) => ({ frontend, unseen: messageOf(error) }),
      ),
    ),
  );
}

function runningFrontends(target: Target, nodes: readonly NodeState[]): string[] {
  const down = nodes.filter(({ running }) => !running).map(({ rpcAddress }) => rpcAddress);
  return frontendsOf(target).filter((frontend) => !down.includes(frontend));
}
