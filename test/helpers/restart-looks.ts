import type { NodeState } from '../../src/core/cluster.js';
import type { RestartLacks, RestartLook } from '../../src/core/restart-proof.js';

type Rings = Readonly<Record<string, readonly string[]>>;

interface Changes {
  readonly name?: string;
  /** Of history-1, which is the one that is looked at unless `name` says otherwise. */
  readonly node?: Partial<NodeState>;
  /** Of history-2. */
  readonly other?: Partial<NodeState>;
  readonly health?: string | undefined;
  readonly named?: RestartLook['named'];
  /** What differs in the view of the first frontend, f:1, and of the second, f:2. */
  readonly views?: { readonly a?: Rings; readonly b?: Rings };
  /** The frontend that does not answer. */
  readonly unseen?: 'b';
}

const RINGS: Rings = { frontend: ['f:1', 'f:2'], history: ['h:1', 'h:2'], matching: ['m:1'], worker: [] };
const NODES: readonly NodeState[] = [
  { name: 'history-1', role: 'history', rpcAddress: 'h:1', running: true, version: '1.31.2', instance: '20:2' },
  { name: 'history-2', role: 'history', rpcAddress: 'h:2', running: true, version: '1.30.7', instance: '11:1' },
  { name: 'matching-1', role: 'matching', rpcAddress: 'm:1', running: true, version: '1.31.2', instance: '12:1' },
  { name: 'frontend-1', role: 'frontend', rpcAddress: 'f:1', running: true, version: '1.30.7', instance: '13:1' },
  { name: 'frontend-2', role: 'frontend', rpcAddress: 'f:2', running: true, version: '1.31.2', instance: '14:1' },
];

export const NOTHING_MISSING: RestartLacks = { ofNode: [], ofCluster: [] };

/** A look at a cluster in which nothing is missing, but for the changes. */
export function restartLook(changes: Changes = {}): RestartLook {
  const { name = 'history-1', node, other, named = [], views = {}, unseen } = changes;
  const changed: Readonly<Record<string, Partial<NodeState> | undefined>> = { 'history-1': node, 'history-2': other };
  return {
    name,
    nodes: NODES.map((one) => ({ ...one, ...changed[one.name] })),
    views: [
      { frontend: 'f:1', rings: { ...RINGS, ...views.a } },
      unseen === 'b' ? { frontend: 'f:2', unseen: 'gone' } : { frontend: 'f:2', rings: { ...RINGS, ...views.b } },
    ],
    health: 'health' in changes ? changes.health : 'SERVING',
    named,
  };
}
