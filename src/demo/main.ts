import { homedir } from 'node:os';
import { join } from 'node:path';
import { createToolResolver } from '../adapters/tools/tool-resolver.js';
import type { RolloutInputText } from '../core/input/input.js';
import { bringServers } from '../lab/bring-servers.js';
import { demonstrate, rollOut } from '../lab/demonstrate.js';
import { rolloutSummary } from '../lab/rollout-summary.js';
import { chosenStore } from '../lab/start-database.js';
import { startWaitingWorkflows } from '../lab/waiting-workflows.js';

/**
 * The demo: a real staging and a real live cluster go through two minors under load, as an operator would have it done
 * with nothing but the Temporal CLI. `APPROVE=me` leaves the gates to whoever watches, `STORE=mysql` puts both on MySQL,
 * `STORE=cassandra+opensearch` on these.
 */
const FROM = '1.29.1';
const TO = '1.31';
/** Patches that can be built from the module proxy where the release archives cannot be had. */
const PINS = { '1.29': FROM, '1.30': '1.30.7', '1.31': '1.31.2' };

const DEMO_POLICY: RolloutInputText['policy'] = {
  gates: { staging: ['servers'], live: ['promote', 'schema', 'servers'] },
  settle: { atLeast: '20s', reason: 'demo: a handful of shards on one machine' },
  observation: {
    window: '20s',
    beat: '2s',
    bounds: { minRequests: 50, latencyFactor: 100, latencyRiseMs: 60_000 },
    extensions: 3,
  },
  load: { staging: { startsPerSecond: 2, longRunning: 10 }, live: { startsPerSecond: 2, longRunning: 10 } },
  roll: { quiet: '3s', canary: '8s' },
  watchLive: '10s',
};

/** Workflows of somebody else on each cluster: nothing may happen to them. */
const WAITING = 25;

const say = (line: string) => process.stdout.write(`${line}\n`);
const tools = createToolResolver();
const temporal = await tools.temporalCli({ onProgress: say });
await bringServers(tools, Object.values(PINS), say);

await demonstrate(
  {
    directory: process.env.TEMPORAL_UPGRADE_DEMO_DIR ?? join(homedir(), '.cache', 'temporal-upgrade', 'demo'),
    version: FROM,
    tools,
    store: chosenStore(),
    staging: { shards: 8 },
    live: { shards: 32, nodesPerRole: { frontend: 2, history: 2, matching: 2, worker: 2 }, balanced: true },
    onProgress: say,
  },
  async (lab) => {
    for (const cluster of [lab.staging, lab.live]) await startWaitingWorkflows(cluster, WAITING);
    await lab.startWorker();
    const input = lab.input(TO, { pins: PINS, policy: DEMO_POLICY });
    const approve = process.env.APPROVE !== 'me';
    return rolloutSummary(await rollOut(lab, input, { temporal, approve, by: 'demo', say }));
  },
);
