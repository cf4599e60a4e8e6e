import { homedir } from 'node:os';
import { join } from 'node:path';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { createToolResolver } from '../adapters/tools/tool-resolver.js';
import type { RolloutInputText } from '../core/input/input.js';
import { minorOf } from '../core/version.js';
import { bringServers } from '../lab/bring-servers.js';
import { demonstrate, rollOut } from '../lab/demonstrate.js';
import type { RolloutLab } from '../lab/rollout-lab.js';
import { startWaitingWorkflows } from '../lab/waiting-workflows.js';
import { Marchers } from './marchers.js';
import { marchSummary } from './summary.js';

/**
 * The long march: a real staging and a real live cluster go from 1.20 to 1.32 in one roll-out of twelve hops each.
 * Workflows of somebody else that were started on the first version are signalled on each and end on the last.
 * `MARCH="1.28.1 1.29.1"` marches another path.
 */
const PATH = (
  process.env.MARCH ??
  // A patch of every minor that Go can build, where the release archives cannot be had.
  '1.20.5 1.21.6 1.22.4 1.23.1 1.24.2 1.25.2 1.26.2 1.27.3 1.28.1 1.29.1 1.30.7 1.31.2 1.32.1'
).split(/[\s,]+/);

const MARCH_POLICY: RolloutInputText['policy'] = {
  gates: { staging: [], live: ['promote', 'servers'] },
  settle: { atLeast: '20s', reason: 'march: a handful of shards on one machine, twenty-four hops' },
  observation: { window: '6s', bounds: { minRequests: 50, latencyFactor: 100, latencyRiseMs: 60_000 }, extensions: 4 },
  load: { staging: { startsPerSecond: 2, longRunning: 5 }, live: { startsPerSecond: 2, longRunning: 5 } },
  roll: { quiet: '1s', canary: 0 },
  watchLive: 0,
};

const MARCHERS = 20;
/** Workflows that only wait, on each cluster: nothing may happen to them. */
const WAITING = 10;

const say = (line: string) => process.stdout.write(`${line}\n`);

async function march(lab: RolloutLab): Promise<ReturnType<typeof marchSummary>> {
  const [first = '', last = ''] = [PATH[0], PATH.at(-1)];
  for (const cluster of [lab.staging, lab.live]) await startWaitingWorkflows(cluster, WAITING);
  const marchers = await Marchers.start(lab.live, { count: MARCHERS, last, say });
  const signal = async (version: string) => {
    if (marchers.versions.includes(version)) return;
    await marchers.signal(version);
    say(`  ${MARCHERS} marchers were signalled on ${version}, and took it`);
  };
  try {
    await signal(first);
    await lab.startWorker();
    const pins = Object.fromEntries(PATH.map((version) => [minorOf(version), version]));
    const input = lab.input(last, { pins, policy: MARCH_POLICY });
    const result = await rollOut(lab, input, {
      temporal,
      approve: true,
      by: 'march',
      say,
      // Live waits at the gate of its next hop meanwhile.
      onStatus: async ({ hops }) => {
        for (const hop of hops) if (hop.environment === 'live' && hop.outcome === 'completed') await signal(hop.to);
      },
    });
    const arrived = result.hops.findLast(({ environment }) => environment === 'live')?.to;
    if (arrived === last) await signal(last);
    return marchSummary(result, PATH, await marchers.finish());
  } finally {
    await marchers.stop();
  }
}

// Ended by the lab: the SDK's own handling of signals would end the worker before it. Frontends that are replaced are no news.
Runtime.install({ shutdownSignals: [], logger: new DefaultLogger('ERROR') });
const tools = createToolResolver();
const temporal = await tools.temporalCli({ onProgress: say });
await bringServers(tools, PATH, say);
await demonstrate(
  {
    directory: process.env.TEMPORAL_UPGRADE_MARCH_DIR ?? join(homedir(), '.cache', 'temporal-upgrade', 'march'),
    version: PATH[0] ?? '',
    tools,
    staging: { shards: 4 },
    live: { shards: 32, nodesPerRole: { frontend: 2, history: 2, matching: 2, worker: 2 }, balanced: true },
    onProgress: say,
  },
  march,
);
