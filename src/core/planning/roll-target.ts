import type { Catalogue } from '../catalogue/catalogue.js';
import type { DynamicConfigFacts, NodeState, UnreachedNode } from '../cluster.js';
import type { RollPolicy, Target } from '../input/input.js';
import { listedNodes } from '../input/listed-nodes.js';
import type { RollNode } from './roll-order.js';

/** One replacement of the servers of a target, forward or back. */
export interface RollRequest extends RollTarget {
  readonly catalogue: Catalogue;
  /** Version of the processes that are stopped. */
  readonly stopping: string;
  /** Version of those that take their place. */
  readonly starting: string;
}

/** What a roll has to know of a target. */
export interface RollTarget {
  readonly nodes: readonly RollNode[];
  /** Whether its nodes are found, as pods and containers are, and not listed by the input. */
  readonly isFound?: true | undefined;
  readonly policy: RollPolicy;
  /** How long a process may take to stop before it is killed, in milliseconds. */
  readonly stopTimeoutMs: number;
  /** Keys that stand in the dynamic configuration of some node already, in any case of letters. */
  readonly keysSet?: readonly string[] | undefined;
  /** How old connections to frontends get, in milliseconds, where every frontend's file says it. */
  readonly connectionAgeMs?: number | undefined;
  /** Nodes whose file cannot be read: nothing is written for them. */
  readonly unreached?: readonly UnreachedNode[] | undefined;
}

/** What was found of a target that a roll has to know. */
interface FoundForRoll {
  /** What its driver found; counts where the input lists no nodes. */
  readonly nodes: readonly NodeState[];
  /** What its files of dynamic configuration say, where they were looked at. */
  readonly dynamicConfig?: Partial<DynamicConfigFacts> | undefined;
}

/** What a roll has to know of a target, from its input and from what was found of it. */
export function rollTargetOf(
  target: Target,
  policy: RollPolicy,
  { nodes, dynamicConfig: { keysSet, connectionAgeMs, unreached } = {} }: FoundForRoll,
): RollTarget {
  const known = { policy, stopTimeoutMs: target.driver.stopTimeout, keysSet, connectionAgeMs, unreached };
  const listed = listedNodes(target);
  if (listed !== undefined) return { nodes: listed, ...known };
  return { nodes: nodes.filter(({ leaving }) => leaving !== true), ...known, isFound: true };
}
