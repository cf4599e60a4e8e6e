import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { stringify } from 'yaml';
import type { ToolResolver } from '../../adapters/tools/tools.js';
import { Target, type KubernetesChange } from '../../core/input/input.js';
import { mapStores } from '../../core/stores.js';
import { stopServersBelow } from '../clean-up.js';
import { waitForNamespace } from '../cluster-health.js';
import type { LabDatabase } from '../lab-database.js';
import { removePostgres, startPostgres } from '../postgres.js';
import { databaseOf, type LabRole } from '../server-config.js';
import { sqlServer } from '../store-server.js';
import { removeKubernetes, startKubernetes, type LabKubernetes } from './api-server.js';
import { placeChart } from './chart.js';
import type { HelmMajor } from './helm-programs.js';
import { waitUntilPodsServe } from './pods-serving.js';
import type { LabNode } from './lab-node.js';
import { makePodNetwork } from './node/pod-network.js';
import { startRealNode } from './node/real-node.js';
import { balanceService } from './service-balancer.js';
import { startStandIn } from './stand-in.js';

export interface KubernetesClusterOptions {
  /** Also its release, its namespace and the name of its databases; lower-case letters and digits. */
  readonly name: string;
  readonly version: string;
  /** Folder of all that is its own: Kubernetes, chart, logs, and PostgreSQL where none is given. */
  readonly directory: string;
  readonly tools: ToolResolver;
  /** One of its own when left out, as it has to be with `containers`: their network is made with it. */
  readonly database?: LabDatabase;
  /** Runs pods as real containers on a real node, of images of these versions; on the stand-in of a node when left out. */
  readonly containers?: { readonly versions: readonly string[] };
  /** Two of each role when left out. */
  readonly nodesPerRole?: Readonly<Partial<Record<LabRole, number>>>;
  readonly shards?: number;
  /** With which it is installed, and upgraded by the target's driver; 4 when left out. */
  readonly helm?: HelmMajor;
  /** Grace period of its pods, in seconds; 30 when left out. */
  readonly graceSeconds?: number;
  /** Settings of the server's dynamic configuration: `{ "history.startupMembershipJoinDelay": "10s" }`. */
  readonly dynamicConfig?: Readonly<Record<string, unknown>>;
  /** How the target's driver brings a new version in; by helm when left out. */
  readonly change?: KubernetesChange;
}

/** A Temporal cluster in a Kubernetes of the lab: real servers, as pods on the lab's stand-in of a node or in containers on a real one. */
export interface KubernetesCluster {
  /** How the roll-out is told of it. */
  readonly target: Target;
  readonly kubernetes: LabKubernetes;
  readonly node: LabNode;
  readonly database: LabDatabase;
  readonly namespace: string;
  readonly release: string;
  /** Folder of the chart, and the values with which it was installed, as an operator keeps them. */
  readonly chart: string;
  readonly valuesFile: string;
  /** Where clients reach its frontends, whichever pods they are just then. */
  readonly address: string;
  /** Ends all of it, whatever version it runs by now. */
  stop(): Promise<void>;
}

const INSTALLED_WITHIN_MS = 180_000;

/**
 * Starts a Temporal cluster of pods with a schema of its own version, installed by helm, and waits until it serves and has a
 * namespace `default`. Takes root, as each pod gets an address of its own. What a killed run left in `directory` is stopped and
 * removed first.
 */
export async function startKubernetesCluster(options: KubernetesClusterOptions): Promise<KubernetesCluster> {
  const { name, version, tools, helm = 4, containers } = options;
  const directory = resolve(options.directory);
  await removeKubernetesCluster(directory);
  await mkdir(directory, { recursive: true });
  const stops: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const one of stops.splice(0).reverse()) await one();
  };
  try {
    const network = containers && (await makePodNetwork());
    if (network !== undefined) stops.push(() => network.close());
    const database =
      options.database ??
      (await startPostgres({ directory: join(directory, 'postgres'), ...(network && { network }) }));
    if (options.database === undefined) stops.push(() => database.stop());
    const stores = { default: sqlServer(database), visibility: sqlServer(database) };
    for (const part of ['default', 'visibility'] as const) {
      await stores[part].setUp(part, databaseOf(name, part), { version, tools });
    }
    const kubernetes = await startKubernetes({ directory: join(directory, 'kubernetes') });
    stops.push(() => kubernetes.stop());
    const node =
      containers && network
        ? await startRealNode({ kubernetes, network, tools, ...containers })
        : await startStandIn({ kubernetes, servers: { tools } });
    stops.push(() => node.stop());
    const chart = await placeChart(join(directory, 'chart'));
    const valuesFile = join(directory, 'values.yaml');
    await writeFile(valuesFile, stringify(valuesOf(options, { ...database, host: network?.host ?? database.host })), {
      mode: 0o600,
    }); // it holds the password
    const place = ['--namespace', name, '--create-namespace'];
    await kubernetes.helm(
      helm,
      'install',
      name,
      chart,
      ...place,
      '--values',
      valuesFile,
      '--wait',
      '--timeout',
      '4m', // images are pulled, on a machine that does much else; kubectl and helm are ended after five
    );
    const full = name.includes('temporal') ? name : `${name}-temporal`;
    const balancer = await balanceService(kubernetes.access, { namespace: name, service: `${full}-frontend` });
    stops.push(() => balancer.close());
    const end = Date.now() + INSTALLED_WITHIN_MS;
    await waitUntilPodsServe(kubernetes, name, end);
    await waitForNamespace(balancer.address, undefined, end);
    const target = Target.parse({
      name,
      connection: { address: balancer.address },
      version,
      stores: mapStores(stores, (store, part) => store.inputOf(databaseOf(name, part))),
      backupDir: join(directory, 'backups'),
      driver: {
        type: 'kubernetes',
        namespace: name,
        kubeconfig: kubernetes.kubeconfig,
        release: name,
        change: options.change ?? {
          by: 'helm',
          helm: [helm === 3 ? kubernetes.binaries.helm3 : kubernetes.binaries.helm4],
          chart,
          values: [valuesFile],
        },
      },
    });
    return {
      ...{ target, kubernetes, node, database, namespace: name, release: name, chart, valuesFile },
      address: balancer.address,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Ends what runs of a cluster in `directory`, whoever started it, and removes its folder. Does nothing when there is none. */
export async function removeKubernetesCluster(directory: string): Promise<void> {
  await stopServersBelow(directory);
  await removeKubernetes(join(directory, 'kubernetes'));
  await removePostgres(join(directory, 'postgres'));
}

/** Values of the chart: the schema is the roll-out's own work, so no job of the chart touches it. */
function valuesOf(options: KubernetesClusterOptions, { host, port, user, password, plugin }: LabDatabase): object {
  const { name, version, nodesPerRole = {}, shards = 8, graceSeconds = 30, dynamicConfig = {} } = options;
  const datastoreOf = (part: 'default' | 'visibility') => ({
    sql: {
      pluginName: plugin,
      databaseName: databaseOf(name, part),
      connectAddr: `${host}:${port}`,
      connectProtocol: 'tcp',
      user,
      password,
      maxConns: 12,
      maxIdleConns: 12,
      maxConnLifetime: '1h',
      manageSchema: false,
    },
  });
  const role = (one: LabRole) => ({ replicaCount: nodesPerRole[one] ?? 2 });
  return {
    server: {
      image: { tag: version },
      terminationGracePeriodSeconds: graceSeconds,
      config: {
        persistence: {
          numHistoryShards: shards,
          datastores: { default: datastoreOf('default'), visibility: datastoreOf('visibility') },
        },
      },
      dynamicConfig: Object.fromEntries(Object.entries(dynamicConfig).map(([key, value]) => [key, [{ value }]])),
      frontend: role('frontend'),
      history: role('history'),
      matching: role('matching'),
      worker: role('worker'),
    },
    admintools: { image: { tag: version } },
    web: { enabled: false },
  };
}
