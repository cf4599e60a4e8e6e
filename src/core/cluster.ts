import type { Role } from './input/input.js';
import type { PerStore } from './stores.js';

/** What was found out about a target, without changing it. */
export interface ClusterFacts {
  readonly clusterId: string;
  readonly clusterName: string;
  readonly historyShardCount: number;
  /** Names of the persistence and visibility stores as the frontend reports them, such as `postgres12`. */
  readonly persistenceStore: string;
  readonly visibilityStore: string;
  readonly frontends: readonly { readonly address: string; readonly version: string }[];
  readonly namespaces: readonly string[];
  readonly nodes: readonly NodeState[];
  readonly stores: PerStore<StoreFacts>;
  /** Absent in what a release before it saw. */
  readonly dynamicConfig?: DynamicConfigFacts | undefined;
}

/** What the dynamic configuration of a target's servers says, as far as it can be read where it was looked for. */
export interface DynamicConfigFacts {
  /** Keys that stand in the file of some node, as they are written there. */
  readonly keysSet: readonly string[];
  /**
   * The longest age that the files let connections to frontends reach (`frontend.keepAliveMaxConnectionAge`), in milliseconds;
   * absent where one of them does not say it.
   */
  readonly connectionAgeMs?: number | undefined;
  /** Nodes whose file cannot be read, and why: nothing is written for them. */
  readonly unreached: readonly UnreachedNode[];
}

export interface UnreachedNode {
  readonly node: string;
  readonly role: Role;
  readonly reason: string;
}

/** A database of a target as it is now. */
export interface StoreFacts {
  /** Database product and its version, such as `PostgreSQL 15.18`. */
  readonly product: string;
  readonly database: string;
  readonly schemaVersion: string;
  readonly bytes: number;
}

/** One server process of a target as it is now. */
export interface NodeState {
  readonly name: string;
  readonly role: Role;
  readonly rpcAddress: string;
  readonly metricsAddress?: string | undefined;
  readonly running: boolean;
  /** Server version that runs there, asked of its binary; absent when nothing runs. */
  readonly version?: string | undefined;
  /** Identity of this run of the process: changes whenever it is started anew. */
  readonly instance?: string | undefined;
  /** When this run of the process began, ISO 8601. */
  readonly startedAt?: string | undefined;
  /** Its process id, where it runs on the worker's own host and can be looked at there. */
  readonly pid?: number | undefined;
  /** Name of the pod that it is, where it is one. */
  readonly pod?: string | undefined;
  /** Name of the service of Compose whose container it is. */
  readonly service?: string | undefined;
  /** Where its dynamic configuration is, where its driver alone can tell. */
  readonly dynamicConfig?: FoundDynamicConfig | undefined;
  /** Its successor serves before it goes, so that its role is not without it for a moment. */
  readonly surge?: true | undefined;
  /** Time that its platform gives it to stop, in seconds, where that is not the driver's: the grace period of a pod, without its hook. */
  readonly stopSeconds?: number | undefined;
  /** One more than its role is to have, or one that is ending: it goes away by itself, and is not replaced. */
  readonly leaving?: true | undefined;
}

/** The dynamic configuration of a server that sees other paths than the worker. */
export interface FoundDynamicConfig {
  /** Its file, as the worker sees it. */
  readonly file?: string | undefined;
  /** Why there is none that could be edited. */
  readonly unreached?: string | undefined;
  /** File that its output goes to, where the worker can read it. */
  readonly logFile?: string | undefined;
}

/** A row of the `shards` table. */
export interface ShardRow {
  readonly shardId: number;
  /** Rises by at least one each time that a process takes the shard. Text, as it is 64 bits wide. */
  readonly rangeId: string;
  /** host:port, a sequence and, for newer servers, a unique id of the load. */
  readonly owner: string;
  /** Last time that the owner wrote the row, ISO 8601. */
  readonly updatedAt: string;
}
