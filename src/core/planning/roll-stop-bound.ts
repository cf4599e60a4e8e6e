import type { Role } from '../input/input.js';
import type { RollNode } from './roll-order.js';

/** How long a process may take to stop before it is killed, and by what. */
export interface StopBound {
  /** In milliseconds. */
  readonly ms: number;
  readonly by: 'driver.stopTimeout' | 'terminationGracePeriodSeconds';
}

/**
 * What bounds the stop of a role. Of pods it is the grace period of those that run: they were made with it, so that a longer one in the
 * template counts for their successors alone.
 */
export function stopBoundOf(
  { nodes, stopTimeoutMs }: { readonly nodes: readonly RollNode[]; readonly stopTimeoutMs: number },
  role: Role,
): StopBound {
  const graces = nodes.filter((node) => node.role === role).flatMap(({ stopSeconds }) => stopSeconds ?? []);
  const grace = Math.min(...graces) * 1_000;
  return grace < stopTimeoutMs
    ? { ms: grace, by: 'terminationGracePeriodSeconds' }
    : { ms: stopTimeoutMs, by: 'driver.stopTimeout' };
}
