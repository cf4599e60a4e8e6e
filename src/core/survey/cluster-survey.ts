import type { PerStore } from '../stores.js';
import type { NodeState } from '../cluster.js';
import type { DriverInput, Role } from '../input/input.js';
import type { ComposeSurvey } from './compose-survey.js';
import type { KubernetesSurvey } from './kubernetes-survey.js';
import type { NamespacesSurvey } from './namespace-survey.js';
import type { NodeConfiguration } from './node-configuration.js';
import type { ProcessMetrics } from './process-metrics.js';
import type { Seen } from './seen.js';
import type { StartError } from './start-errors.js';
import type { Supervisor } from './supervision.js';

/** Frontends, processes and rings of a target as they were seen. Plain data, without secrets. */
export interface ClusterSurvey {
  /** What the input says of it, to hold the rest against. */
  readonly input: ClusterInput;
  readonly frontends: readonly FrontendSurvey[];
  readonly nodes: Seen<readonly NodeState[]>;
  /** Every process of the input, in its order, whether or not it runs. */
  readonly processes: readonly ProcessSurvey[];
  /** The rings as each frontend sees them. */
  readonly rings: readonly RingView[];
  /** Members of a ring that the input does not name, each asked itself. */
  readonly strangers: readonly StrangerSurvey[];
  /** Clusters that this one knows of, itself among them. */
  readonly knownClusters: Seen<readonly KnownCluster[]>;
  readonly namespaces: Seen<NamespacesSurvey>;
  /** Where its servers are pods. */
  readonly kubernetes?: KubernetesSurvey | undefined;
  /** Where its servers are services of Compose. */
  readonly compose?: ComposeSurvey | undefined;
  /** Programs of the versions that were asked about. */
  readonly tools: readonly ToolSurvey[];
}

/** A store as the input names it. */
export interface StoreName {
  /** Name of the plugin in the server's configuration, such as `postgres12`. */
  readonly plugin: string;
  readonly database: string;
}

export interface ClusterInput {
  readonly driver: DriverInput['type'];
  readonly stores: PerStore<StoreName>;
}

/** One frontend, asked by itself. */
export interface FrontendSurvey {
  readonly address: string;
  readonly info: Seen<FrontendInfo>;
}

export interface FrontendInfo {
  readonly clusterId: string;
  readonly clusterName: string;
  /** Version of the frontend that answered, not of the other processes. */
  readonly version: string;
  readonly historyShardCount: number;
  /** Names of the plugins; empty where the server is too old to say. Two visibility stores are joined by a comma. */
  readonly persistenceStore: string;
  readonly visibilityStore: string;
  /** What the server heard about newer releases; absent where it does not call home. */
  readonly versionInfo?: { readonly recommended?: string | undefined; readonly alerts: readonly string[] } | undefined;
}

/** What a process says to gRPC's health check; `NO_SERVICE` where its role has none at its version. */
export type HealthAnswer = 'SERVING' | 'NOT_SERVING' | 'UNKNOWN_SERVICE' | 'UNREACHABLE' | 'NO_SERVICE';

/** One process of the input, looked at by itself. */
export interface ProcessSurvey {
  readonly name: string;
  readonly role: Role;
  readonly rpcAddress: string;
  readonly health: Seen<HealthAnswer>;
  readonly metrics: Seen<ProcessMetrics>;
  readonly configuration: Seen<NodeConfiguration>;
  /** What would start it again by itself; empty when nothing would. */
  readonly supervisors: Seen<readonly Supervisor[]>;
  /** Why it could not start, by the end of its log; only where no process runs. */
  readonly startErrors: Seen<readonly StartError[]>;
}

/** Role to addresses of its members, in order. */
export interface RingView {
  readonly frontend: string;
  readonly rings: Seen<Readonly<Record<string, readonly string[]>>>;
}

export interface StrangerSurvey {
  readonly role: string;
  readonly address: string;
  readonly health: Seen<HealthAnswer>;
}

/** A cluster in the table of clusters, which replication goes by. */
export interface KnownCluster {
  readonly name: string;
  readonly clusterId: string;
  readonly address: string;
  readonly connected: boolean;
}

/** A program that a hop needs. Looking for it brings nothing. */
export interface ToolSurvey {
  readonly tool: string;
  readonly version: string;
  /** `at`: its path. `from`: where it would come from, in order; `why`: why it is not at hand. */
  readonly place: Seen<{ readonly at: string } | { readonly from: readonly string[]; readonly why: string }>;
}
