import { homedir } from 'node:os';
import { join } from 'node:path';
import { writeFile } from 'node:fs/promises';
import { runCommand } from '../adapters/run-command.js';
import { createToolResolver } from '../adapters/tools/tool-resolver.js';
import { resultOf } from '../client.js';
import { DEFAULT_TASK_QUEUE, ROLLOUT_WORKFLOW, rolloutIdOf } from '../contract/names.js';
import type { RolloutInputText } from '../core/input.js';
import { startRolloutLab } from '../lab/rollout-lab.js';
import { startWaitingWorkflows } from '../lab/waiting-workflows.js';
import { follow } from './follow.js';
import { demoSummary } from './summary.js';

/**
 * The demo: a real staging and a real live cluster go through two minors under load, as an operator would have it done
 * with nothing but the Temporal CLI. `APPROVE=me` leaves the gates to whoever watches.
 */
const FROM = '1.29.1';
const TO = '1.31';
/** Patches that can be built from the module proxy where the release archives cannot be had. */
const PINS = { '1.29': FROM, '1.30': '1.30.7', '1.31': '1.31.2' };

const DEMO_POLICY: RolloutInputText['policy'] = {
  gates: { staging: ['servers'], live: ['promote', 'schema', 'servers'] },
  settle: { atLeast: '20s', reason: 'demo: a handful of shards on one machine' },
  observation: { window: '10s', minRequests: 50, extensions: 3 },
  load: { staging: { startsPerSecond: 2, longRunning: 10 }, live: { startsPerSecond: 2, longRunning: 10 } },
};

/** Workflows of somebody else on each cluster: nothing may happen to them. */
const WAITING = 25;

const say = (line: string) => process.stdout.write(`${line}\n`);
const tools = createToolResolver();
const temporal = await tools.temporalCli({ onProgress: say });
for (const version of Object.values(PINS)) {
  for (const tool of ['temporal-server', 'temporal-sql-tool', 'tdbg'] as const) {
    await tools.serverTool(tool, version, { onProgress: say });
  }
}

const lab = await startRolloutLab({
  directory: process.env.TEMPORAL_UPGRADE_DEMO_DIR ?? join(homedir(), '.cache', 'temporal-upgrade', 'demo'),
  version: FROM,
  tools,
  staging: { shards: 8 },
  live: { shards: 16, nodesPerRole: { frontend: 2, history: 2, matching: 2, worker: 2 } },
  onProgress: say,
});
process.exitCode = 1;
const interrupted = () => void lab.stop().then(() => process.exit(130));
process.once('SIGINT', interrupted);
process.once('SIGTERM', interrupted);
try {
  for (const cluster of [lab.staging, lab.live]) await startWaitingWorkflows(cluster, WAITING);
  await lab.startWorker();
  const { address, uiUrl } = lab.controlPlane;
  const inputFile = join(lab.directory, 'rollout.json');
  await writeFile(inputFile, `${JSON.stringify(lab.input(TO, { pins: PINS, policy: DEMO_POLICY }), null, 2)}\n`);
  const workflowId = rolloutIdOf(lab.live.target.name);
  const start = ['workflow', 'start', '--type', ROLLOUT_WORKFLOW, '--task-queue', DEFAULT_TASK_QUEUE];
  const startArgs = [...start, '--workflow-id', workflowId, '--input-file', inputFile, '--address', address];
  say(`\n$ temporal ${startArgs.join(' ')}`);
  await runCommand(temporal, startArgs);
  say(`  Web UI: ${uiUrl}/namespaces/default/workflows/${workflowId}\n`);

  await follow({ client: lab.client, workflowId, temporal, address, approve: process.env.APPROVE !== 'me', say });
  const result = await resultOf(lab.client, workflowId);
  say(`\nreport: ${result.reportDir ?? 'not written'}`);
  const summary = demoSummary(result);
  process.exitCode = summary.complete ? 0 : 1;
  say(JSON.stringify(summary.line));
} finally {
  process.removeListener('SIGINT', interrupted);
  process.removeListener('SIGTERM', interrupted);
  await lab.stop();
}
