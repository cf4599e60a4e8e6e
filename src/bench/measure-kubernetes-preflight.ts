import { homedir } from 'node:os';
import { join } from 'node:path';
import { createDriver } from '../adapters/open-target.js';
import { PG_BIN_VARIABLE } from '../adapters/postgres/pg-programs.js';
import { createToolResolver } from '../adapters/tools/tool-resolver.js';
import { startKubernetesCluster } from '../lab/kubernetes/cluster.js';
import { startPostgres } from '../lab/postgres.js';
import { timePreflights, type TimedPreflights } from './time-preflights.js';

/** How long a preflight of a healthy release took. */
export interface MeasuredKubernetesPreflight extends TimedPreflights {
  readonly pods: number;
}

const FROM = '1.30.7';
const TO = '1.31.2';
const REPEATS = 5;

/**
 * Examines a release of helm for its next hop, several times: API server, controllers, helm and Temporal's servers are real, and what
 * leads the servers as pods is the lab's stand-in of a node. Takes root, as each pod has an address of its own.
 */
export async function measureKubernetesPreflight(
  onProgress: (line: string) => void,
): Promise<MeasuredKubernetesPreflight> {
  const tools = createToolResolver();
  const directory = join(homedir(), '.cache', 'temporal-upgrade', 'bench-kubernetes-preflight');
  onProgress('starting a Kubernetes, and in it a release with two pods of each role');
  const postgres = await startPostgres({ directory: join(directory, 'postgres') });
  process.env[PG_BIN_VARIABLE] = postgres.binDir; // it may be newer than the programs of the host
  try {
    const cluster = await startKubernetesCluster({
      name: 'preflight',
      version: FROM,
      database: postgres,
      tools,
      directory: join(directory, 'cluster'),
    });
    try {
      const { target } = cluster;
      const hop = { from: FROM, to: TO, repeats: REPEATS };
      const timed = await timePreflights(target, { ...hop, tools, prepares: true, onProgress });
      return { ...timed, pods: (await createDriver(target, tools).listNodes()).length };
    } finally {
      await cluster.stop();
    }
  } finally {
    await postgres.stop();
  }
}
