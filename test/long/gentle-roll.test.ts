import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { RolloutResult } from '../../src/core/rollout-result.js';
import { readLoadWindow } from '../../src/load/load-window.js';
import { HeadlessClient, type HeadlessCalls } from '../helpers/headless-client.js';
import { FROM, SHORT_POLICY, startTestLab, startWorkflow, statusNow, TO, until } from '../helpers/rollout-lab.js';

/**
 * Live has two processes of each role that clients notice, behind haproxy, under load: its servers are replaced with the settings
 * that a roll gets by default, and no call fails, also of clients that balance by themselves. Staging runs the new version already; it has nothing to do here.
 */
let lab: Awaited<ReturnType<typeof startTestLab>>;
let result: RolloutResult;
let configuration: string;
/** What the dynamic configuration was while servers were replaced. */
let during = '';
/** When they were, milliseconds since 1970. */
let roll = { from: 0, to: 0 };
const POLICIES = ['round_robin', 'pick_first'] as const;
let clients: readonly (readonly [(typeof POLICIES)[number], HeadlessClient])[] = [];
const headless = new Map<(typeof POLICIES)[number], HeadlessCalls>();

const LOAD = { startsPerSecond: 2, longRunning: 3, probesPerSecond: 10 };

beforeAll(async () => {
  lab = await startTestLab({
    staging: { version: TO },
    live: { nodesPerRole: { frontend: 2, history: 2, matching: 2 }, shards: 16, balanced: true },
  });
  configuration = await readFile(lab.live.dynamicConfigFile, 'utf8');
  clients = POLICIES.map((policy) => [policy, new HeadlessClient(lab.live.frontends, policy)] as const);
  await lab.startWorker();
  const policy = { ...SHORT_POLICY, load: { staging: LOAD, live: LOAD }, roll: { quiet: '2s', canary: 0 } };
  const workflowId = await startWorkflow(lab, lab.input('1.30', { pins: { '1.29': FROM, '1.30': TO }, policy }));
  const handle = lab.client.workflow.getHandle(workflowId);
  await until(async () => {
    const status = await statusNow(lab, workflowId);
    if (status?.waiting?.for === 'decision') {
      const { name, kind } = status.waiting;
      if (kind === 'incident') throw new Error(status.problem);
      await handle.signal('approve', { gate: name, by: 'test' });
    }
    if (status?.current?.phase === 'servers') {
      if (roll.from === 0) roll = { from: Date.parse(status.current.since), to: 0 };
      const present = await readFile(lab.live.dynamicConfigFile, 'utf8');
      if (present.length > during.length) during = present;
    } else if (roll.from > 0 && roll.to === 0) roll = { ...roll, to: Date.now() };
    return status?.state === 'completed' ? true : undefined;
  });
  result = (await handle.result()) as RolloutResult;
  for (const [policy, client] of clients) headless.set(policy, await client.stop());
}, 1_200_000);

afterAll(async () => {
  for (const [, client] of clients) await client.stop();
  await lab?.remove();
}, 120_000);

test('every server was replaced, without an incident', () => {
  expect(result).toMatchObject({ status: 'completed', live: { to: TO } });
  expect(result.hops).toMatchObject([{ environment: 'live', outcome: 'completed', incidents: 0 }]);
  const servers = result.hops[0]?.phases.find(({ phase }) => phase === 'servers');
  expect(servers?.summary).toMatch(/^7 nodes replaced; 5 settings for the roll; 5 of them taken back/);
});

test('its settings were there meanwhile, and are gone', async () => {
  expect(during).toContain('frontend.shutdownDrainDuration');
  expect(await readFile(lab.live.dynamicConfigFile, 'utf8')).toBe(configuration);
});

test('no client call failed while servers were replaced, and every canary is right', async () => {
  const { ledgers } = result;
  expect(ledgers.live).toMatchObject({ lost: 0, duplicated: 0, wrong: 0, failed: 0, failedCalls: 0 });
  expect(ledgers.live?.completed).toBe(ledgers.live?.started);
  const folder = join(lab.directory, 'data', 'ledgers');
  const file = (await readdir(folder)).find((name) => /-live-live-.*\.sqlite$/.test(name)) ?? '';
  const window = { file: join(folder, file), loadId: basename(file, '.sqlite'), policy: LOAD, ...roll };
  const { probe } = readLoadWindow(window);
  expect(probe).toMatchObject({ failedCalls: 0 });
  expect(probe?.calls).toBeGreaterThan(500);
});

test.each(POLICIES)('nor one of a client that knows every frontend: %s', (policy) => {
  const { calls, failedTwice } = headless.get(policy) ?? { calls: 0, failedTwice: [] };
  expect(failedTwice).toEqual([]);
  expect(calls).toBeGreaterThan(1_000);
});
