import { formatDuration } from '../duration.js';
import type { RollPolicy } from '../input/input.js';
import type { RollPace } from '../plan.js';
import { rollOrder } from './roll-order.js';
import type { RollTarget } from './roll-target.js';

/** In which order and how many at a time the processes of these nodes are replaced. */
export function rollPace(nodes: RollTarget['nodes'], { batch, canary }: RollPolicy): RollPace {
  const named = nodes.map(({ role }, index) => ({ name: String(index), role }));
  const roles = rollOrder(named, 'forward').flatMap((name) => nodes[Number(name)]?.role ?? []);
  const counts = [...Map.groupBy(roles, (role) => role)].map(([role, same]) => ({ role, processes: same.length }));
  return { roles: counts, batch, canaryMs: canary };
}

/** A pace as a sentence: `one process after the other: matching (2), history (2); …`. */
export function paceText({ roles, batch, canaryMs }: RollPace): string {
  const order = roles.map(({ role, processes }) => `${role} (${processes})`).join(', ');
  const several = roles.some(({ processes }) => processes > 1);
  const pace =
    batch > 1 && several
      ? `up to ${batch} processes of a role at a time, never all of them`
      : 'one process after the other';
  const canary =
    canaryMs === 0
      ? 'no canary'
      : `the first of each goes alone and is observed for ${formatDuration(canaryMs)} before the others`;
  return `${pace}: ${order}${several ? `; ${canary}` : ''}`;
}
