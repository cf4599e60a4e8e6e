import type { NodeState } from '../../core/cluster.js';
import { messageOf } from '../../core/errors.js';
import type { Target } from '../../core/input/input.js';
import type { RingView } from '../../core/restart-proof.js';
import { frontendsOf } from '../open-target.js';
import type { KeptFrontends } from './kept-frontends.js';
import { listRings } from './rings.js';

/**
 * The rings as every frontend sees them, with the reason of each that did not answer: nothing throws. Frontends that `nodes`
 * says do not run are not asked: what they would say is known when they are started. `kept` are connections of looks before.
 */
export async function eachRingView(
  target: Target,
  nodes: readonly NodeState[],
  kept?: KeptFrontends,
): Promise<RingView[]> {
  const down = nodes.filter(({ running }) => !running).map(({ rpcAddress }) => rpcAddress);
  const frontends = frontendsOf(target, nodes).filter((frontend) => !down.includes(frontend));
  return Promise.all(
    frontends.map((frontend) =>
      (kept?.rings(frontend) ?? listRings(target.connection, frontend)).then(
        (rings) => ({ frontend, rings }),
        (error: unknown) => ({ frontend, unseen: messageOf(error) }),
      ),
    ),
  );
}
