/** Nodes that are replaced at the same time, all of one role. */
export interface RollBatch {
  readonly role: string;
  readonly nodes: readonly string[];
  /** Whether the role is to be observed after them, before more of its processes are touched. */
  readonly isCanary: boolean;
}

export interface BatchPolicy {
  /** At most so many at a time. */
  readonly batch: number;
  /** Whether the first process of each role that has more than one goes alone, and is observed. */
  readonly canary: boolean;
}

/**
 * Cuts the order of a roll into batches. A role that has more than one process never has all of them away at the same time,
 * whatever the policy says.
 */
export function rollBatches(
  steps: readonly { readonly node: string; readonly role: string }[],
  { batch, canary }: BatchPolicy,
): RollBatch[] {
  const counts = new Map<string, number>();
  for (const { role } of steps) counts.set(role, (counts.get(role) ?? 0) + 1);
  const begun = new Set<string>();
  const batches: { role: string; nodes: string[]; isCanary: boolean }[] = [];
  for (const { node, role } of steps) {
    const count = counts.get(role) ?? 1;
    const isCanary = canary && count > 1 && !begun.has(role);
    begun.add(role);
    const open = batches.at(-1);
    const hasRoom = open?.role === role && !open.isCanary && open.nodes.length < Math.min(batch, count - 1);
    if (open !== undefined && hasRoom && !isCanary) open.nodes.push(node);
    else batches.push({ role, nodes: [node], isCanary });
  }
  return batches;
}
