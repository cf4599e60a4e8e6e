import { homedir } from 'node:os';
import { join } from 'node:path';
import { loadCatalogue } from '../adapters/catalogue-file.js';
import { PG_BIN_VARIABLE } from '../adapters/postgres/pg-programs.js';
import { surveyTarget } from '../adapters/survey-target.js';
import { createToolResolver } from '../adapters/tools/tool-resolver.js';
import { examine } from '../core/checks/examine.js';
import { planPath } from '../core/planning/path.js';
import { storesOf } from '../core/planning/present-state.js';
import { startCluster } from '../lab/cluster.js';
import { startPostgres } from '../lab/postgres.js';

/** How long a preflight of a healthy cluster took, from the first question to the last finding. */
export interface MeasuredPreflight {
  readonly seconds: readonly number[];
  readonly processes: number;
  readonly blocking: number;
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
      const { target } = cluster;
      const catalogue = await loadCatalogue();
      const stores = storesOf(target);
      const [hop] = planPath({ catalogue, from: FROM, to: TO, stores }).hops;
      const seconds: number[] = [];
      let blocking = 0;
      for (let run = 0; run < REPEATS; run += 1) {
        const began = performance.now();
        const survey = await surveyTarget(target, { catalogue, tools, hop });
        const findings = examine(survey, { catalogue, stores, hop });
        seconds.push((performance.now() - began) / 1_000);
        blocking = findings.filter(({ severity }) => severity === 'block').length;
      }
      return { seconds, processes: target.driver.nodes.length, blocking };
    } finally {
      await cluster.stop();
    }
  } finally {
    await postgres.stop();
  }
}
