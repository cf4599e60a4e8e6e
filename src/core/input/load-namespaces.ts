import type { LoadPolicy } from './input.js';

/** Namespaces of the canaries, the one of long canaries and schedules first. */
export function namespacesOf(policy: Pick<LoadPolicy, 'namespace' | 'moreNamespaces'>): readonly string[] {
  return [policy.namespace, ...(policy.moreNamespaces ?? [])];
}
