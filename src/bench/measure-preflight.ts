import { homedir } from 'node:os';
import { join } from 'node:path';
import { PG_BIN_VARIABLE } from '../adapters/postgres/pg-programs.js';
import { createToolResolver } from '../adapters/tools/tool-resolver.js';
import { startCluster } from '../lab/cluster.js';
import { startPostgres } from '../lab/postgres.js';
import { timePreflights, type TimedPreflights } from './time-preflights.js';

/** How long a preflight of a healthy cluster took. */
export interface MeasuredPreflight extends TimedPreflights {
  readonly processes: number;
}

const FROM = '1.30.7';
const TO = '1.31.2';
const REPEATS = 5;
/** Two nodes, each with every role. */
const TWO = { frontend: 2, history: 2, matching: 2, worker: 2 };

/** Examines a real cluster of two nodes for its next hop, several times. */
export async function measurePreflight(onProgress: (line: string) => void): Promise<MeasuredPreflight> {
  const tools = createToolResolver();
  const directory = join(homedir(), '.cache', 'temporal-upgrade', 'bench-preflight');
  onProgress('starting a cluster of two nodes');
  const postgres = await startPostgres({ directory: join(directory, 'postgres') });
  process.env[PG_BIN_VARIABLE] = postgres.binDir; // it may be newer than the programs of the host
  try {
    const cluster = await startCluster({
      name: 'preflight',
      version: FROM,
      database: postgres,
      tools,
      directory: join(directory, 'cluster'),
      nodesPerRole: TWO,
    });
    try {
      const hop = { from: FROM, to: TO, repeats: REPEATS };
      const timed = await timePreflights(cluster.target, { ...hop, tools, onProgress });
      return { ...timed, processes: cluster.target.driver.nodes.length };
    } finally {
      await cluster.stop();
    }
  } finally {
    await postgres.stop();
  }
}
