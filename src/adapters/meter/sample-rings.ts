import { messageOf } from '../../core/errors.js';
import type { NodeState } from '../../core/cluster.js';
import type { Role, Target } from '../../core/input/input.js';
import type { RingsSample } from '../../core/measuring/round.js';
import { listRings, type Rings } from '../cluster/rings.js';
import { frontendsOf } from '../open-target.js';

/** The rings as one frontend sees them, or why it did not say. */
export type RingView = { readonly frontend: string } & ({ readonly rings: Rings } | { readonly problem: string });

/** A node of the target. */
export interface Member {
  readonly role: Role;
  readonly rpcAddress: string;
  /** Undefined where nobody knows. */
  readonly isUp: boolean | undefined;
}

/** Asks every frontend, also one that seems down: that is known only when all has been sampled. Never throws. */
export function askForRings(target: Target, nodes: readonly NodeState[]): Promise<readonly RingView[]> {
  return Promise.all(
    frontendsOf(target, nodes).map(async (frontend) => {
      try {
        return { frontend, rings: await listRings(target.connection, frontend) };
      } catch (error) {
        return { frontend, problem: messageOf(error) };
      }
    }),
  );
}

/** Compares what frontends see with each other, and with what is up. */
export function compareRings(views: readonly RingView[], members: readonly Member[]): RingsSample {
  const answers = views.flatMap((view) => ('rings' in view ? [view] : []));
  const [first] = answers;
  // What a frontend that is down would say is known when it is started.
  const down = members.filter(({ isUp }) => isUp === false).map(({ rpcAddress }) => rpcAddress);
  const silent = views.flatMap((view) =>
    'problem' in view && !down.includes(view.frontend) ? [`${view.frontend}: ${view.problem}`] : [],
  );
  if (first === undefined) return { problem: silent.join('; ') || 'every frontend is down' };
  const other = answers.find(({ rings }) => JSON.stringify(rings) !== JSON.stringify(first.rings));
  if (other !== undefined) {
    return { equal: false, problem: `${first.frontend} and ${other.frontend} name other members` };
  }
  const wrong = findWrongRing(first.rings, members);
  if (wrong !== undefined) return { equal: false, problem: wrong };
  if (silent.length > 0) return { problem: silent.join('; ') };
  const unknown = members.filter(({ isUp }) => isUp === undefined);
  if (unknown.length === 0) return { equal: true };
  return { problem: `nobody knows whether ${unknown.map(({ rpcAddress }) => rpcAddress).join(', ')} runs` };
}

/** What of the rings is surely not as it should be, whatever those do of which nothing is known. */
function findWrongRing(rings: Rings, members: readonly Member[]): string | undefined {
  const roles = [...new Set([...Object.keys(rings), ...members.map(({ role }) => role)])];
  for (const role of roles) {
    const named = rings[role] ?? [];
    const ofRole = members.filter((member) => member.role === role);
    const missing = ofRole.find(({ isUp, rpcAddress }) => isUp === true && !named.includes(rpcAddress));
    if (missing !== undefined) return `the ring of ${role} does not have ${missing.rpcAddress}, which is up`;
    const known = ofRole.filter(({ isUp }) => isUp !== false).map(({ rpcAddress }) => rpcAddress);
    const zombie = named.find((address) => !known.includes(address));
    if (zombie !== undefined) return `the ring of ${role} has ${zombie}, which is no process of the target that is up`;
  }
  return undefined;
}
