import { homedir } from 'node:os';
import { join } from 'node:path';
import { createToolResolver } from '../adapters/tools/tool-resolver.js';
import { resultOf, startRollout } from '../client.js';
import { loadCatalogue } from '../adapters/catalogue-file.js';
import { schemaVersions } from '../core/schema/schema-version.js';
import { startCluster } from '../lab/cluster.js';
import { startRolloutLab } from '../lab/rollout-lab.js';
import { hopByHand } from './hop-by-hand.js';

/** What one roll-out of one hop on real clusters showed. */
export interface MeasuredRollout {
  /** Seconds that the hop on live took from its preflight to its verification; no load, no gates. */
  readonly hopSeconds: number;
  /** Seconds of the same hop done by a script on a cluster of the same shape, just before. */
  readonly byHandSeconds: number;
  readonly historyEvents: readonly { readonly hop: string; readonly nodes: number; readonly events: number }[];
  readonly workerPeakBytes: number;
}

const FROM = '1.29.1';
const TO = '1.30.7';
const WINDOW_MS = 20_000;
const SETTLE_MS = 60_000;
/** The smallest live cluster that stays up while it is rolled. */
const LIVE = { shards: 16, nodesPerRole: { frontend: 2, history: 2, matching: 2, worker: 2 } };

/** Runs a hop by hand and a roll-out, one after the other on the same machine, and measures both. */
export async function measureRollout(onProgress: (line: string) => void): Promise<MeasuredRollout> {
  const tools = createToolResolver();
  const lab = await startRolloutLab({
    directory: join(homedir(), '.cache', 'temporal-upgrade', 'bench'),
    version: FROM,
    tools,
    live: LIVE,
    onProgress,
  });
  try {
    onProgress('the hop by hand');
    const { directory } = lab;
    const database = lab.sqlDatabase();
    const cluster = await startCluster({
      name: 'hand',
      version: FROM,
      database,
      tools,
      directory: join(directory, 'hand'),
      ...LIVE,
    });
    const schema = schemaVersions(await loadCatalogue(), TO, 'postgres12');
    const byHandSeconds = await hopByHand({
      cluster,
      database,
      to: TO,
      schema,
      tools,
      waitsMs: [WINDOW_MS, WINDOW_MS, SETTLE_MS, WINDOW_MS],
    }).finally(() => cluster.stop());

    onProgress('the roll-out');
    const worker = await lab.startWorker();
    const input = lab.input(TO, {
      pins: { '1.29': FROM },
      policy: {
        gates: { staging: [], live: [] },
        settle: { atLeast: SETTLE_MS, reason: 'bench: a handful of shards on one machine' },
        // Live has no load here, so that both sides do the same.
        observation: { window: WINDOW_MS, bounds: { minRequests: 0, latencyFactor: 100, latencyRiseMs: 60_000 } },
        load: { staging: { startsPerSecond: 1, longRunning: 5 } },
        // Nor does the one by hand stop to look.
        roll: { quiet: 0, canary: 0 },
        watchLive: 0,
      },
    });
    const { workflowId } = await startRollout(lab.client, input);
    const result = await resultOf(lab.client, workflowId);
    const live = result.hops.find(({ environment }) => environment === 'live');
    if (result.status !== 'completed' || live === undefined) throw new Error(`the roll-out ended ${result.status}`);
    return {
      hopSeconds: (Date.parse(live.endedAt) - Date.parse(live.startedAt)) / 1_000,
      byHandSeconds,
      historyEvents: result.hops.map(({ environment, to, historyEvents }) => ({
        hop: `${environment}/${to}`,
        nodes: lab[environment].nodes.length,
        events: historyEvents,
      })),
      workerPeakBytes: await worker.peakMemory(),
    };
  } finally {
    await lab.stop();
  }
}
