import type { Role } from './input.js';

/**
 * Callees before callers, as the server itself starts its services (initOrder in temporal/server_impl.go): an old caller
 * then never meets a call that its callee lacks.
 */
const FORWARD: readonly Role[] = ['matching', 'history', 'internal-frontend', 'frontend', 'worker'];

/** Names of the nodes in the order they are replaced in, one by one; back is the exact reverse of forward. */
export function rollOrder(
  nodes: readonly { readonly name: string; readonly role: Role }[],
  direction: 'forward' | 'back',
): string[] {
  const names = FORWARD.flatMap((role) => nodes.filter((node) => node.role === role)).map(({ name }) => name);
  return direction === 'forward' ? names : names.reverse();
}
