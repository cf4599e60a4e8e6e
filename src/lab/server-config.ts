import { mapStores, type PerStore, type StorePart } from '../core/stores.js';
import type { Certificates } from './certificates.js';
import { serverTls } from './certificates.js';
import type { StoreServer } from './store-server.js';

/** In the order in which a new cluster is started: what another role waits for comes first. */
export const ROLES = ['history', 'matching', 'frontend', 'worker'] as const;
export type LabRole = (typeof ROLES)[number];

/** Where one server process of a lab cluster listens, all on {@link HOST}. */
export interface LabNode {
  readonly name: string;
  readonly role: LabRole;
  readonly grpcPort: number;
  readonly membershipPort: number;
  readonly metricsPort: number;
}

/** Where the stores of a cluster are. */
export type LabStores = PerStore<StoreServer>;

export interface LabConfig {
  readonly clusterName: string;
  /** Where its default store and its visibility are. */
  readonly stores: LabStores;
  readonly shards: number;
  readonly nodes: readonly LabNode[];
  readonly dynamicConfigFile: string;
  readonly certificates?: Certificates | undefined;
}

export const HOST = '127.0.0.1';

/** Names of a lab cluster's databases, where it has no second visibility store. */
export function databasesOf(clusterName: string): { readonly default: string; readonly visibility: string } {
  return { default: clusterName, visibility: databaseOf(clusterName, 'visibility') };
}

/** Name of one of a lab cluster's databases. */
export function databaseOf(clusterName: string, part: StorePart): string {
  const endings = { default: '', visibility: '_visibility', secondaryVisibility: '_second_visibility' } as const;
  return `${clusterName}${endings[part]}`;
}

/**
 * Content of the server's configuration file for one node. Members of the ring tell each other their gRPC port
 * (`servicePort`, common/membership/ringpop), so that the nodes of a role may differ in it.
 */
export function serverConfig(config: LabConfig, node: LabNode): object {
  const { secondaryVisibility: second } = config.stores;
  const frontend = config.nodes.find(({ role }) => role === 'frontend');
  return {
    log: { stdout: true, level: 'info' },
    persistence: {
      defaultStore: 'default',
      visibilityStore: 'visibility',
      ...(second === undefined ? {} : { secondaryVisibilityStore: 'secondaryVisibility' }),
      numHistoryShards: config.shards,
      datastores: {
        // Few connections a process: a live cluster of eight and a staging one share the lab's database server.
        ...mapStores(config.stores, (store, part) =>
          store.datastoreOf(databaseOf(config.clusterName, part), part === 'default' ? 12 : 6),
        ),
      },
    },
    global: {
      membership: { maxJoinDuration: '30s', broadcastAddress: HOST },
      metrics: { prometheus: { timerType: 'histogram', listenAddress: `${HOST}:${node.metricsPort}` } },
      ...(config.certificates === undefined ? {} : { tls: serverTls(config.certificates) }),
    },
    // A node knows its own ports; of the other roles it needs to know that they exist. No publicClient: the worker role
    // then finds every frontend in the ring, and does not lose its only one while that is replaced.
    services: Object.fromEntries(
      ROLES.map((role) => {
        const one = role === node.role ? node : config.nodes.find((other) => other.role === role);
        return [
          role,
          { rpc: { grpcPort: one?.grpcPort, membershipPort: one?.membershipPort, bindOnIP: HOST } },
        ] as const;
      }),
    ),
    clusterMetadata: soleCluster(`${HOST}:${frontend?.grpcPort ?? 0}`),
    dcRedirectionPolicy: { policy: 'noop' },
    dynamicConfigClient: { filepath: config.dynamicConfigFile, pollInterval: '10s' },
  };
}

/** `clusterMetadata` of a cluster that is replicated to no other. */
export function soleCluster(rpcAddress: string): object {
  return {
    enableGlobalNamespace: false,
    failoverVersionIncrement: 10,
    masterClusterName: 'active',
    currentClusterName: 'active',
    clusterInformation: { active: { enabled: true, initialFailoverVersion: 1, rpcName: 'frontend', rpcAddress } },
  };
}
