import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import type { RolloutResult } from '../../src/core/rollout-result.js';
import type { RolloutStatus } from '../../src/core/status.js';
import { readLoadWindow } from '../../src/load/load-window.js';
import { HeadlessClient } from '../helpers/headless-client.js';
import { SHORT_POLICY, startTestLab, startWorkflow, stateOf, statusNow, until } from '../helpers/rollout-lab.js';

/**
 * Live has two processes of each role that clients notice, behind haproxy, under load: its servers are replaced with the settings
 * that a roll gets by default, and, while live is watched, all of them go back. No call fails on either way, also of clients that
 * balance by themselves and have long polls open; of those no single attempt fails, as the frontends let no connection live for long. Staging runs the new version already; it has nothing to do here.
 */
const FROM = '1.30.7';
const TO = '1.31.2';
const HOP = `live/${TO}`;
const LOAD = { startsPerSecond: 2, longRunning: 3, probesPerSecond: 10 };
/** Health fails for longer than any connection lives: 1.1 times this and 9 s. Together with the drain it fits in `stopTimeout`. */
const CONNECTION_AGE = '20s';
const HEALTH_FAILS = '31s';
const POLICIES = ['round_robin', 'pick_first'] as const;
const WAYS = ['forth', 'back'] as const;

/** What was seen while servers were replaced, in either direction. */
interface Roll {
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
  /** What the dynamic configuration was meanwhile, at its longest. */
  readonly configuration: string;
}

let lab: Awaited<ReturnType<typeof startTestLab>>;
let workflowId: string;
let configuration: string;
let result: RolloutResult;
let versions: readonly (string | undefined)[];
let clients: readonly (readonly [(typeof POLICIES)[number], HeadlessClient])[] = [];
const headless = new Map<(typeof POLICIES)[number], Awaited<ReturnType<HeadlessClient['stop']>>>();
const rolls = new Map<(typeof WAYS)[number], Roll>();

beforeAll(async () => {
  const dynamicConfig = { 'frontend.keepAliveMaxConnectionAge': CONNECTION_AGE };
  lab = await startTestLab({
    version: FROM,
    staging: { version: TO },
    live: { nodesPerRole: { frontend: 2, history: 2, matching: 2 }, shards: 32, balanced: true, dynamicConfig },
  });
  configuration = await readFile(lab.live.dynamicConfigFile, 'utf8');
  clients = POLICIES.map((policy) => [policy, new HeadlessClient(lab.live.frontends, policy)] as const);
  await lab.startWorker();
  const policy = {
    ...SHORT_POLICY,
    load: { staging: LOAD, live: LOAD },
    roll: { quiet: '2s', canary: 0 },
    watchLive: '2h',
  };
  workflowId = await startWorkflow(lab, lab.input('1.31', { pins: { '1.30': FROM, '1.31': TO }, policy }));
  const handle = lab.client.workflow.getHandle(workflowId);
  rolls.set(
    'forth',
    await follow('servers', ({ waiting }) => waiting?.for === 'time' && waiting.what.startsWith('watch ')),
  );
  versions = (await stateOf(lab.live)).nodes.map(({ version }) => version);
  await handle.executeUpdate('rollBack', { args: [{ gate: HOP, by: 'test', reason: 'test' }] });
  rolls.set('back', await follow('roll-back', isRolledBack));
  await handle.signal('abort', { by: 'test', reason: 'test' });
  result = (await handle.result()) as RolloutResult;
  for (const [policy, client] of clients) headless.set(policy, await client.stop());
}, 1_800_000);

afterAll(async () => {
  for (const [, client] of clients) await client.stop();
  await lab?.remove();
}, 120_000);

const isRolledBack = ({ waiting }: RolloutStatus) =>
  waiting?.for === 'decision' && waiting.name.startsWith(`${HOP}/rolled-back/incident/`);

/** Follows the roll-out until `isOver`, and approves what it asks; gives what was seen during `phase`. */
async function follow(phase: string, isOver: (status: RolloutStatus) => boolean): Promise<Roll> {
  let [from, to, longest] = [0, 0, ''];
  await until(async () => {
    const status = await statusNow(lab, workflowId);
    if (status === undefined) return undefined;
    if (status.current?.phase === phase) {
      if (from === 0) from = Date.parse(status.current.since);
      const present = await readFile(lab.live.dynamicConfigFile, 'utf8');
      if (present.length > longest.length) longest = present;
    } else if (from > 0 && to === 0) to = Date.now();
    if (isOver(status)) return true;
    if (status.waiting?.for !== 'decision') return undefined;
    const { name, kind } = status.waiting;
    if (kind === 'incident') throw new Error(status.problem);
    await lab.client.workflow.getHandle(workflowId).signal('approve', { gate: name, by: 'test' });
    return undefined;
  });
  return { from, to, configuration: longest };
}

test('every server was replaced, and went back, without an incident on the way', async () => {
  expect(result).toMatchObject({ status: 'aborted', live: { from: FROM, to: FROM } });
  expect(result.hops).toMatchObject([
    { environment: 'live', outcome: 'completed', incidents: 0 },
    { environment: 'live', outcome: 'rolled-back', incidents: 0 },
  ]);
  expect(versions).toEqual(versions.map(() => TO));
  expect((await stateOf(lab.live)).nodes.map(({ version }) => version)).toEqual(versions.map(() => FROM));
  const summaries = result.hops.map(
    ({ phases }) => phases.find(({ phase }) => phase === 'servers' || phase === 'roll-back')?.summary,
  );
  for (const summary of summaries)
    expect(summary).toMatch(/^7 nodes replaced; 5 settings for the roll; 5 of them taken back/);
});

test.each(WAYS)('the settings of the way %s were there meanwhile, and are gone', async (way) => {
  expect(parse(rolls.get(way)?.configuration ?? '')).toMatchObject({
    'frontend.shutdownDrainDuration': [{ value: expect.any(String) }],
    'frontend.shutdownFailHealthCheckDuration': [{ value: HEALTH_FAILS }],
  });
  expect(await readFile(lab.live.dynamicConfigFile, 'utf8')).toBe(configuration);
});

test.each(WAYS)('no client call failed on the way %s', async (way) => {
  const folder = join(lab.directory, 'data', 'ledgers');
  const file = (await readdir(folder)).find((name) => /-live-live-.*\.sqlite$/.test(name)) ?? '';
  const { from, to } = rolls.get(way) ?? { from: 0, to: 0 };
  const { probe } = readLoadWindow({
    file: join(folder, file),
    loadId: basename(file, '.sqlite'),
    policy: LOAD,
    from,
    to,
  });
  expect(probe).toMatchObject({ failedCalls: 0 });
  expect(probe?.calls).toBeGreaterThan(500);
});

test('and every canary is right', () => {
  expect(result.ledgers.live).toMatchObject({ lost: 0, duplicated: 0, wrong: 0, failed: 0, failedCalls: 0 });
});

test.each(POLICIES)('nor did an attempt of a client that balances by itself: %s', (policy) => {
  const { calls } = headless.get(policy) ?? {};
  expect(calls).toMatchObject({ failedAttempts: [], failedTwice: [] });
  expect(calls?.calls).toBeGreaterThan(1_000);
});

test.each(POLICIES)('nor one of its long polls: %s', (policy) => {
  const { polls } = headless.get(policy) ?? {};
  expect(polls).toMatchObject({ failedAttempts: [], failedTwice: [] });
  expect(polls?.calls).toBeGreaterThan(5); // one a minute where none is ended early
});
