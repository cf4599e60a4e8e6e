import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { defaultPayloadConverter } from '@temporalio/common';
import { runCommand } from '../src/adapters/run-command.js';
import { createToolResolver } from '../src/adapters/tools/tool-resolver.js';
import { startRollout } from '../src/client.js';
import { ControlPlane, type RunningRollout, type Start } from './helpers/control-plane.js';
import { LIVE_ALONE } from './helpers/plans.js';

/** What the Web UI shows of a roll-out by both ways to start one. */
const SCHEMA = 'live/1.31.2/schema';
const POLICY = { gates: { live: ['schema' as const] } };
let controlPlane: ControlPlane;
beforeAll(async () => {
  controlPlane = await ControlPlane.start();
}, 600_000);
afterAll(() => controlPlane?.stop());

/** Summary and details that the start gave, as one run of it shows them. */
async function shownOf({ workflowId }: RunningRollout, runId: string) {
  const { raw } = await controlPlane.client.workflow.getHandle(workflowId, runId).describe();
  const { summary, details } = raw.executionConfig?.userMetadata ?? {};
  const textOf = (payload: typeof summary) =>
    payload === undefined || payload === null ? undefined : defaultPayloadConverter.fromPayload<string>(payload);
  return { summary: textOf(summary), details: textOf(details) };
}

const STARTS: Record<string, (how: Start) => Promise<void>> = {
  'by this command line': async ({ taskQueue, input }) => {
    await startRollout(controlPlane.client, input, { taskQueue });
  },
  'by the Temporal CLI': async ({ workflowId, taskQueue, input }) => {
    const what = ['workflow', 'start', '--type', 'rollout', '--task-queue', taskQueue, '--workflow-id', workflowId];
    const { name } = input.live;
    const shown = ['--static-summary', `upgrade of ${name} to 1.31`];
    const details = ['--static-details', `staging **${name}-staging**, then live **${name}**, to **1.31**`];
    const temporal = await createToolResolver().temporalCli();
    const place = ['--address', controlPlane.address, '--input', JSON.stringify(input)];
    await runCommand(temporal, [...what, ...shown, ...details, ...place]);
  },
};

test.each(Object.entries(STARTS))(
  '%s: summary and details on the first run, cluster and starter on each',
  async (_, start) => {
    const run = await controlPlane.begin({ plan: LIVE_ALONE, policy: POLICY, start });
    const { starter } = await run.atGate(SCHEMA);
    const [first, second] = (await run.histories()).map(({ runId }) => runId);
    expect(await shownOf(run, first ?? '')).toEqual({
      summary: `upgrade of ${run.name} to 1.31`,
      details: `staging **${run.name}-staging**, then live **${run.name}**, to **1.31**`,
    });
    // A limit of the server: what a start said is not carried along. So each run says it by itself.
    expect(await shownOf(run, second ?? '')).toEqual({ summary: undefined, details: undefined });
    const { currentDetails = '' } = await run.metadata();
    expect(currentDetails.split('\n')[0]).toBe(
      `**${run.name}** 1.30.7 → 1.31.2, started by ${starter}: **waiting**, live (${run.name}) 1.30.7 → 1.31.2, schema`,
    );
    expect(starter).toMatch(/\S/);
    await run.terminate();
  },
);
