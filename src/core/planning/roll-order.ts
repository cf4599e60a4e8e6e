import type { NodeState } from '../cluster.js';
import type { Role } from '../input/input.js';

/** What the order of a roll depends on. */
export type RollNode = Pick<NodeState, 'role' | 'surge' | 'leaving' | 'stopSeconds'>;

/**
 * Callees before callers, as the server itself starts its services (initOrder in temporal/server_impl.go): an old caller
 * then never meets a call that its callee lacks.
 */
const FORWARD: readonly Role[] = ['matching', 'history', 'internal-frontend', 'frontend', 'worker'];

/**
 * Names of the nodes in the order they are replaced in, one by one; back is the exact reverse of forward. Nodes that do not
 * run come first, frontends before others: without its frontend a cluster cannot say whether any other node is ready. Those
 * that are leaving anyway are left out.
 */
export function rollOrder(
  nodes: readonly (RollNode & { readonly name: string; readonly running?: boolean })[],
  direction: 'forward' | 'back',
): string[] {
  const staying = nodes.filter(({ leaving }) => leaving !== true);
  const forward = FORWARD.flatMap((role) => staying.filter((node) => node.role === role));
  const ordered = direction === 'forward' ? forward : forward.toReversed();
  const down = ordered.filter(({ running }) => running === false);
  return [
    ...down.filter(({ role }) => role === 'frontend'),
    ...down.filter(({ role }) => role !== 'frontend'),
    ...ordered.filter(({ running }) => running !== false),
  ].map(({ name }) => name);
}

/**
 * Names of the nodes in the order in which a cluster without servers is started: what is called before what calls it. Without
 * those that are leaving anyway.
 */
export function startOrder(nodes: readonly (RollNode & { readonly name: string })[]): string[] {
  const staying = nodes.filter(({ leaving }) => leaving !== true);
  return FORWARD.flatMap((role) => staying.filter((node) => node.role === role)).map(({ name }) => name);
}

/** Roles on which every call of a client depends. */
const CALLED: readonly Role[] = ['frontend', 'history', 'matching'];

/**
 * Roles that clients depend on and that have one process alone, in order: replacing it leaves a gap, unless its successor
 * serves before it goes.
 */
export function singleRoles(nodes: readonly RollNode[]): Role[] {
  return CALLED.filter((role) => {
    const [one, ...others] = nodes.filter((node) => node.role === role && node.leaving !== true);
    return one !== undefined && one.surge !== true && others.length === 0;
  });
}
