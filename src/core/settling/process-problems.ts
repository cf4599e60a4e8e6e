import type { NodeState } from '../cluster.js';

/** Nodes that do not run the wanted version: down, or behind; a line each. */
export function processProblems(nodes: readonly NodeState[], version: string): string[] {
  const problems = nodes.flatMap((node) => {
    if (!node.running) return [`${node.role} node ${node.name} (${node.rpcAddress}) is down`];
    if (node.version === version) return [];
    return [`${node.role} node ${node.name} runs ${node.version ?? 'an unknown version'}, not ${version}`];
  });
  if (nodes.some(({ role }) => role === 'history')) return problems;
  return [...problems, 'there is no history node: nothing can own a shard'];
}
