import type { DynamicConfigFacts, NodeState } from '../core/cluster.js';
import type { RollSetting } from '../core/plan.js';
import type { SettingsDone } from './dynamic-config/roll-settings.js';
import type { Work } from './store.js';

/** What a process has used and uses of its host. */
export interface ProcessUsage {
  /** Processor time since it began. */
  readonly cpuSeconds: number;
  readonly residentBytes: number;
}

/** A piece of the configuration that lies in no file that the worker can read, as one. */
export interface ConfigurationFile {
  /** Name, without a folder. */
  readonly path: string;
  readonly text: string;
}

/** The dynamic configuration of a target's servers, where its driver reaches it otherwise than by files. */
export interface DriverSettings {
  /** What it says. Never throws: what cannot be read is named. */
  read(): Promise<DynamicConfigFacts>;
  /**
   * Writes `settings` for the servers of their roles and waits until those have read them. Keys that are there already stay; what an
   * earlier roll left is taken back first. @throws PreconditionError when it cannot be changed
   */
  apply(settings: readonly RollSetting[], work?: Work): Promise<SettingsDone>;
  /** Makes all as it was, and waits until servers have read that. Does nothing when nothing was written. */
  takeBack(work?: Work): Promise<SettingsDone>;
}

/**
 * How the server processes of a target are replaced: one of the two extension points. A driver knows processes, not
 * Temporal: whether a node is SERVING and in the ring is asked of the cluster by the caller.
 */
export interface Driver {
  /** Every node with what runs there now, in the order of the input, or of its role and slot where they are found. Finds processes that another worker started. */
  listNodes(): Promise<NodeState[]>;
  /** Stops whatever runs as this node and waits until it is gone. Does nothing when nothing runs. */
  stopNode(name: string, work?: Work): Promise<void>;
  /**
   * Starts the node with `version`. Does nothing when it already runs that version.
   * @throws PreconditionError when it runs another one, or when the process ends at once (with the tail of its log)
   */
  startNode(name: string, version: string, work?: Work): Promise<NodeState>;
  /**
   * Where a driver replaces what runs as a node in its own way, such as by a successor that serves before it goes: makes the node run
   * `version`, whatever it finds, and does nothing more than look when it does. Used in place of stop and start.
   * @throws PreconditionError when the successor does not come up, with what its platform and its log say
   */
  replaceNode?(name: string, version: string, work?: Work): Promise<void>;
  /**
   * After a roll, also one that ended in the middle: puts back what was changed for its time. Safe to do at any time.
   * @returns a line for each thing that stays as it is, and why
   */
  endRoll?(work?: Work): Promise<readonly string[]>;
  /** Absent where the dynamic configuration lies in the files that the input names. */
  readonly settings?: DriverSettings;
  /** Checks that `version` can be started: binaries at hand, and of that version. */
  prepare(version: string, work?: Work): Promise<void>;
  /** What the process of a node, as `listNodes` said, uses; undefined when it is gone or cannot be asked. */
  readUsage(node: NodeState): Promise<ProcessUsage | undefined>;
  /** Files and folders that make up the configuration, for the backup; those that the worker can read. */
  configurationPaths(): string[];
  /** What makes up the configuration beside these, without secrets. */
  configurationFiles?(work?: Work): Promise<readonly ConfigurationFile[]>;
  /**
   * What will be run to replace a node by `version`, in order, as lines of a shell: only what changes something, not what
   * looks. Secrets are named by where they are read. Changes nothing. @throws PreconditionError when there is no such node
   */
  explain(name: string, version: string): Promise<readonly string[]>;
}
