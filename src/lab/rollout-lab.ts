import { join } from 'node:path';
import type { ToolResolver } from '../adapters/tools/tools.js';
import type { RolloutInputText } from '../core/input/input.js';
import { removeLab } from './clean-up.js';
import { startCluster, type LabCluster } from './cluster.js';
import type { LabDatabase } from './lab-database.js';
import { startRolloutControl, stopRolloutControl, type RolloutControl } from './rollout-control.js';
import type { LabRole } from './server-config.js';
import { removeDatabases, startStores, storeName, type LabStore } from './start-database.js';

export interface RolloutLabOptions {
  /** Folder of everything in it; what a killed lab left there is removed first. */
  readonly directory: string;
  readonly version: string;
  readonly tools: ToolResolver;
  /** What both clusters keep their data in; PostgreSQL when left out. */
  readonly store?: LabStore;
  /** It is entered through TLS alone, with a certificate on both sides. */
  readonly storeTls?: boolean;
  readonly staging?: {
    /** Where it differs from that of live. */
    readonly version?: string;
    readonly nodesPerRole?: Partial<Record<LabRole, number>>;
    readonly shards?: number;
    readonly tls?: boolean;
  };
  readonly live?: {
    readonly nodesPerRole?: Partial<Record<LabRole, number>>;
    readonly shards?: number;
    readonly tls?: boolean;
    readonly balanced?: boolean;
    /** Settings of its servers' dynamic configuration. */
    readonly dynamicConfig?: Readonly<Record<string, unknown>>;
  };
  readonly onProgress?: (line: string) => void;
}

/** Two real clusters, a control plane, and what a roll-out between them needs. */
export interface RolloutLab extends Omit<RolloutControl, 'disconnect'> {
  readonly directory: string;
  /** Its SQL database server. @throws TypeError when its clusters stand on none */
  sqlDatabase(): LabDatabase;
  readonly staging: LabCluster;
  readonly live: LabCluster;
  /** A roll-out of both clusters; `policy` is put over short waits with their reasons. */
  input(to: string, more?: Partial<RolloutInputText>): RolloutInputText;
  stop(): Promise<void>;
}

/** Starts a database server, a staging and a live cluster, and the control plane; no worker yet. */
export async function startRolloutLab(options: RolloutLabOptions): Promise<RolloutLab> {
  const { directory, version, tools, store = 'postgres', onProgress = () => undefined } = options;
  await stopRolloutControl(directory);
  await removeDatabases(directory);
  await removeLab(directory);

  onProgress(`starting ${storeName(store)}`);
  const stores = await startStores(store, directory, { tls: options.storeTls === true });
  const clusters: LabCluster[] = [];
  let control: RolloutControl | undefined;
  const stop = async () => {
    await control?.stop();
    for (const cluster of clusters) await cluster.stop();
    await stores.stop();
    await control?.disconnect();
  };
  try {
    const start = async (name: 'staging' | 'live') => {
      onProgress(`starting cluster ${name} on ${version}`);
      const cluster = await startCluster({
        name,
        version,
        database: stores.stores,
        tools,
        directory: join(directory, name),
        ...options[name],
      });
      clusters.push(cluster);
      return cluster;
    };
    const staging = await start('staging');
    const live = await start('live');
    onProgress('starting the control plane');
    control = await startRolloutControl({ directory, tools, databases: stores.databases });
    return {
      ...control,
      directory,
      sqlDatabase: () => {
        const [database] = stores.databases;
        if (database === undefined) throw new TypeError(`${storeName(store)}: no SQL database`);
        return database;
      },
      staging,
      live,
      input: (to, more) => ({
        to,
        staging: staging.target,
        live: live.target,
        dataDir: join(directory, 'data'),
        ...more,
      }),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
