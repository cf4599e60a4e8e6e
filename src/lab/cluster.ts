import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { stringify } from 'yaml';
import type { Driver } from '../adapters/driver.js';
import { createProcessDriver } from '../adapters/process/process-driver.js';
import type { ToolResolver } from '../adapters/tools/tools.js';
import { ProcessDriver, Target, type ProcessNode } from '../core/input/input.js';
import { startBalancer } from './balancer.js';
import { clientTls, makeCertificates } from './certificates.js';
import { stopServersBelow } from './clean-up.js';
import { waitUntilUsable } from './cluster-health.js';
import { findFreePorts } from './free-ports.js';
import type { LabDatabase } from './lab-database.js';
import {
  databaseOf,
  HOST,
  ROLES,
  serverConfig,
  type LabConfig,
  type LabNode,
  type LabRole,
  type LabStores,
} from './server-config.js';
import { mapStores, ofPart, partsIn, roleOfPart } from '../core/stores.js';
import { sqlServer } from './store-server.js';

export interface LabClusterOptions {
  /** Also the name of its databases; lower-case letters, digits and dashes. */
  readonly name: string;
  readonly version: string;
  /** A SQL database server for both of its stores, or one server for each. */
  readonly database: LabDatabase | LabStores;
  /** Folder of its configuration, logs and backups; the cluster's own. */
  readonly directory: string;
  readonly tools: ToolResolver;
  /** One of each role when left out. */
  readonly nodesPerRole?: Readonly<Partial<Record<LabRole, number>>>;
  /** 8 where there is one history node, 32 where there are more. */
  readonly shards?: number;
  /** Clients reach its frontends through haproxy, as where there is more than one of them; by the first one when left out. */
  readonly balanced?: boolean;
  /** Mutual TLS, between the roles and at the frontend. */
  readonly tls?: boolean;
  /** Settings of the server's dynamic configuration: `{ "history.startupMembershipJoinDelay": "10s" }`. */
  readonly dynamicConfig?: Readonly<Record<string, unknown>>;
}

/** A target of plain processes, as all of the lab are. */
export type LabTarget = Omit<Target, 'driver'> & { readonly driver: ProcessDriver };

/** A running Temporal cluster, one process for each node. */
export interface LabCluster {
  /** How the roll-out is told of it. Plain JSON; the database password is named by a file. */
  readonly target: LabTarget;
  readonly frontends: readonly string[];
  readonly nodes: readonly ProcessNode[];
  readonly driver: Driver;
  /** Read again by the servers every ten seconds. */
  readonly dynamicConfigFile: string;
  /** Stops every process of the cluster, whatever version it runs by now. Its databases stay. */
  stop(): Promise<void>;
}

/** Starts a Temporal cluster with a schema of its own version, and waits until it serves and has a namespace `default`. */
export async function startCluster(options: LabClusterOptions): Promise<LabCluster> {
  const { name, version, database, tools } = options;
  const stores: LabStores =
    'default' in database ? database : { default: sqlServer(database), visibility: sqlServer(database) };
  if (options.balanced === true && options.tls === true)
    throw new TypeError(
      'a balanced cluster of the lab has no TLS: haproxy could not ask for the health of its frontends',
    );
  const directory = resolve(options.directory);
  await stopServersBelow(directory); // of an earlier lab that was killed
  await mkdir(directory, { recursive: true });
  const nodes = await placeNodes(options.nodesPerRole ?? {});
  const config: LabConfig = {
    clusterName: name,
    stores,
    shards: options.shards ?? defaultShards(options.nodesPerRole?.history ?? 1),
    nodes,
    dynamicConfigFile: join(directory, 'dynamicconfig.yaml'),
    certificates: options.tls === true ? await makeCertificates(join(directory, 'certificates')) : undefined,
  };
  const described = describeTarget(config, { directory, version });
  const balancer =
    options.balanced === true
      ? await startBalancer({ directory: join(directory, 'balancer'), frontends: described.frontends ?? [] })
      : undefined;
  const target = balancer === undefined ? described : { ...described, connection: { address: balancer.address } };
  await writeConfiguration(config, { target, dynamicConfig: options.dynamicConfig ?? {} });
  for (const part of partsIn(stores)) {
    await ofPart(stores, part).setUp(roleOfPart(part), databaseOf(name, part), { version, tools });
  }

  const driver = createProcessDriver(target.driver, tools);
  const stop = async () => {
    await balancer?.stop();
    await stopServersBelow(directory);
  };
  try {
    // One after the other: on a new cluster all write the same first rows, and a history node that loses may end.
    for (const node of target.driver.nodes) await driver.startNode(node.name, version);
    await waitUntilUsable(target, driver, version);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    target,
    frontends: target.frontends ?? [],
    nodes: target.driver.nodes,
    driver,
    dynamicConfigFile: config.dynamicConfigFile,
    stop,
  };
}

/**
 * The ring deals shards out by hashes of addresses: of 8 shards one of two history nodes gets none in one of some hundred clusters, and
 * from 1.28 on it is never SERVING then (acquireShards in service/history/shard/controller_impl.go).
 */
function defaultShards(historyNodes: number): number {
  return historyNodes === 1 ? 8 : 32;
}

async function placeNodes(counts: Readonly<Partial<Record<LabRole, number>>>): Promise<LabNode[]> {
  const names = ROLES.flatMap((role) =>
    Array.from({ length: counts[role] ?? 1 }, (_, index) => ({ name: `${role}-${index + 1}`, role })),
  );
  const ports = await findFreePorts(names.length * 3);
  return names.map((node, index) => {
    const [grpcPort = 0, membershipPort = 0, metricsPort = 0] = ports.slice(index * 3, index * 3 + 3);
    return { ...node, grpcPort, membershipPort, metricsPort };
  });
}

function describeTarget(
  { clusterName, stores, nodes, certificates }: LabConfig,
  { directory, version }: { readonly directory: string; readonly version: string },
): LabTarget {
  const frontends = nodes.filter(({ role }) => role === 'frontend').map(({ grpcPort }) => `${HOST}:${grpcPort}`);
  const tls = certificates === undefined ? {} : { tls: clientTls(certificates) };
  const driver = ProcessDriver.parse({
    type: 'process',
    allowNoAuth: true,
    ...(certificates === undefined ? {} : { internodeTls: clientTls(certificates) }),
    nodes: nodes.map(({ name, role, grpcPort, metricsPort }) => ({
      name,
      role,
      rpcAddress: `${HOST}:${grpcPort}`,
      metricsAddress: `${HOST}:${metricsPort}`,
      configDir: join(directory, 'nodes', name),
      configEnv: 'lab',
      logFile: join(directory, 'logs', `${name}.log`),
    })),
  });
  const target = Target.parse({
    name: clusterName,
    connection: { address: frontends[0], ...tls },
    frontends,
    version,
    stores: mapStores(stores, (store, part) => store.inputOf(databaseOf(clusterName, part))),
    driver,
    backupDir: join(directory, 'backups'),
  });
  return { ...target, driver };
}

async function writeConfiguration(
  config: LabConfig,
  { target, dynamicConfig }: { readonly target: LabTarget; readonly dynamicConfig: Readonly<Record<string, unknown>> },
): Promise<void> {
  // Of two visibility stores the second is only written where that is asked for.
  const dual: Record<string, unknown> =
    config.stores.secondaryVisibility === undefined ? {} : { 'system.secondaryVisibilityWritingMode': 'dual' };
  const settings = Object.entries({ ...dual, ...dynamicConfig }).map(([key, value]) => [key, [{ value }]] as const);
  await writeFile(config.dynamicConfigFile, stringify(Object.fromEntries(settings)));
  for (const node of config.nodes) {
    const { configDir, configEnv } = target.driver.nodes.find(({ name }) => name === node.name) ?? {};
    if (configDir === undefined || configEnv === undefined) continue;
    await rm(configDir, { recursive: true, force: true });
    await mkdir(configDir, { recursive: true });
    // It holds the database password.
    await writeFile(join(configDir, `${configEnv}.yaml`), stringify(serverConfig(config, node)), { mode: 0o600 });
  }
}
