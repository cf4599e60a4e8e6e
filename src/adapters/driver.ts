import type { NodeState } from '../core/cluster.js';
import type { Work } from './store.js';

/** What a process has used and uses of its host. */
export interface ProcessUsage {
  /** Processor time since it began. */
  readonly cpuSeconds: number;
  readonly residentBytes: number;
}

/**
 * How the server processes of a target are replaced: one of the two extension points. A driver knows processes, not
 * Temporal: whether a node is SERVING and in the ring is asked of the cluster by the caller.
 */
export interface Driver {
  /** Every node with what runs there now, in the order of the input. Finds processes that another worker started. */
  listNodes(): Promise<NodeState[]>;
  /** Stops whatever runs as this node and waits until it is gone. Does nothing when nothing runs. */
  stopNode(name: string, work?: Work): Promise<void>;
  /**
   * Starts the node with `version`. Does nothing when it already runs that version.
   * @throws PreconditionError when it runs another one, or when the process ends at once (with the tail of its log)
   */
  startNode(name: string, version: string, work?: Work): Promise<NodeState>;
  /** Checks that `version` can be started: binaries at hand, and of that version. */
  prepare(version: string, work?: Work): Promise<void>;
  /** What the process of a node, as `listNodes` said, uses; undefined when it is gone or cannot be asked. */
  readUsage(node: NodeState): Promise<ProcessUsage | undefined>;
  /** Files and folders that make up the configuration, for the backup; those that the worker can read. */
  configurationPaths(): string[];
  /**
   * What will be run to replace a node by `version`, in order, as lines of a shell: only what changes something, not what
   * looks. Secrets are named by where they are read. Changes nothing. @throws PreconditionError when there is no such node
   */
  explain(name: string, version: string): Promise<readonly string[]>;
}
