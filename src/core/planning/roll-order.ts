import type { Role } from '../input/input.js';

/**
 * Callees before callers, as the server itself starts its services (initOrder in temporal/server_impl.go): an old caller
 * then never meets a call that its callee lacks.
 */
const FORWARD: readonly Role[] = ['matching', 'history', 'internal-frontend', 'frontend', 'worker'];

/**
 * Names of the nodes in the order they are replaced in, one by one; back is the exact reverse of forward. Nodes that do not
 * run come first, frontends before others: without its frontend a cluster cannot say whether any other node is ready.
 */
export function rollOrder(
  nodes: readonly { readonly name: string; readonly role: Role; readonly running?: boolean }[],
  direction: 'forward' | 'back',
): string[] {
  const forward = FORWARD.flatMap((role) => nodes.filter((node) => node.role === role));
  const ordered = direction === 'forward' ? forward : forward.toReversed();
  const down = ordered.filter(({ running }) => running === false);
  return [
    ...down.filter(({ role }) => role === 'frontend'),
    ...down.filter(({ role }) => role !== 'frontend'),
    ...ordered.filter(({ running }) => running !== false),
  ].map(({ name }) => name);
}

/** Names of the nodes in the order in which a cluster without servers is started: what is called before what calls it. */
export function startOrder(nodes: readonly { readonly name: string; readonly role: Role }[]): string[] {
  return FORWARD.flatMap((role) => nodes.filter((node) => node.role === role)).map(({ name }) => name);
}

/** Roles on which every call of a client depends. */
const CALLED: readonly Role[] = ['frontend', 'history', 'matching'];

/** Roles that clients depend on and that have one process alone, in order: replacing it leaves a gap. */
export function singleRoles(nodes: readonly { readonly role: Role }[]): Role[] {
  return CALLED.filter((role) => nodes.filter((node) => node.role === role).length === 1);
}
