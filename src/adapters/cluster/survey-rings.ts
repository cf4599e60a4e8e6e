import type { RingView } from '../../core/survey/cluster-survey.js';
import type { NodeState } from '../../core/cluster.js';
import type { Target } from '../../core/input/input.js';
import type { Seen } from '../../core/survey/seen.js';
import { frontendsOf } from '../open-target.js';
import { look } from './look.js';
import { listRings } from './rings.js';

/** The rings as every frontend sees them. One whose process does not run is not asked. */
export async function surveyRings(target: Target, nodes: Seen<readonly NodeState[]>): Promise<RingView[]> {
  const states = 'seen' in nodes ? nodes.seen : [];
  const down = states.filter(({ running }) => !running);
  return Promise.all(
    frontendsOf(target, states).map(async (frontend): Promise<RingView> => {
      const node = down.find(({ rpcAddress }) => rpcAddress === frontend);
      if (node !== undefined) return { frontend, rings: { unseen: `${node.name} does not run` } };
      return { frontend, rings: await look(() => listRings(target.connection, frontend)) };
    }),
  );
}
