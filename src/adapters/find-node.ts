import type { NodeState } from '../core/cluster.js';
import { PreconditionError } from '../core/errors.js';
import type { ServerNode } from '../core/input/input.js';

/** The node of the input with this name. @throws PreconditionError that names those that there are */
export function findNode<T extends { readonly name: string }>(nodes: readonly T[], name: string): T {
  const node = nodes.find((one) => one.name === name);
  if (node !== undefined) return node;
  const names = nodes.map((one) => one.name).join(', ');
  throw new PreconditionError(`there is no node "${name}"; the nodes are ${names}`, { node: name });
}

/** What is known of a node before anybody looked. */
export function knownOf({ name, role, rpcAddress, metricsAddress }: ServerNode): Omit<NodeState, 'running'> {
  return { name, role, rpcAddress, ...(metricsAddress === undefined ? {} : { metricsAddress }) };
}

/** The state, when it is of the version that is wanted. @throws PreconditionError when another one runs */
export function expectVersion(state: NodeState, version: string): NodeState {
  if (state.version === version) return state;
  throw new PreconditionError(
    `node ${state.name} runs ${state.version ?? 'an unknown version'}; stop it before ${version} is started in its place`,
    { node: state.name, expected: version, found: state.version },
  );
}
