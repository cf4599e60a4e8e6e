import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';
import { createDriver } from '../../src/adapters/open-target.js';
import { createToolResolver } from '../../src/adapters/tools/tool-resolver.js';
import type { RolloutResult } from '../../src/core/rollout-result.js';
import type { RolloutStatus } from '../../src/core/status.js';
import { startCluster, type LabCluster } from '../../src/lab/cluster.js';
import {
  removeKubernetesCluster,
  startKubernetesCluster,
  type KubernetesCluster,
} from '../../src/lab/kubernetes/cluster.js';
import { startRolloutControl, type RolloutControl } from '../../src/lab/rollout-control.js';
import { readLoadWindow } from '../../src/load/load-window.js';
import { HeadlessClient, type HeadlessCalls } from '../helpers/headless-client.js';
import { DRAINING, followApproving, LOAD } from '../helpers/pods-rollout.js';
import { SHORT_POLICY, startWorkflow, stateOf } from '../helpers/rollout-lab.js';

/**
 * Live runs as pods of a release of helm: real Temporal servers on a real API server, whose node alone is a stand-in. It goes two
 * hops under load, and the last of them back while live is watched. Staging runs the last version already; it has nothing to do
 * here. Servers drain as the operator's own values say: a roll-out writes no settings for pods.
 */
const [FIRST, MIDDLE, LAST] = ['1.29.1', '1.30.7', '1.31.2'];
const HOP = `live/${LAST}`;
/** Two of each role that clients depend on. */
const NODES = 7;
const SHARDS = 16;
const WAYS = ['forth', 'back'] as const;
const tools = createToolResolver();

/** What was seen at the end of a way. */
interface Arrived {
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
  readonly pods: readonly SeenPod[];
  readonly workloads: readonly SeenWorkload[];
}

let directory: string;
let live: KubernetesCluster;
let staging: LabCluster;
let control: RolloutControl;
let client: HeadlessClient;
let calls: HeadlessCalls;
let workflowId: string;
let before: readonly SeenWorkload[];
let result: RolloutResult;
const arrived = new Map<(typeof WAYS)[number], Arrived>();
const lab = () => ({ client: control.client, live });

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kubernetes-rollout-'));
  await chmod(directory, 0o711); // PostgreSQL's user has to pass through
  live = await startKubernetesCluster({
    ...{ name: 'temporal', version: FIRST, directory: join(directory, 'live'), tools },
    ...{ nodesPerRole: { worker: 1 }, shards: SHARDS, dynamicConfig: DRAINING },
  });
  const { database } = live;
  const ofStaging = { name: 'staging', version: LAST, directory: join(directory, 'staging'), database, tools };
  staging = await startCluster(ofStaging);
  control = await startRolloutControl({ directory, tools, databases: [database] });
  client = new HeadlessClient([live.address], 'pick_first');
  before = await workloadsNow();
  await control.startWorker();
  workflowId = await startWorkflow(lab(), {
    ...{ to: '1.31', staging: staging.target, live: live.target, dataDir: join(directory, 'data') },
    pins: { '1.29': FIRST, '1.30': MIDDLE, '1.31': LAST },
    policy: { ...SHORT_POLICY, load: { live: LOAD }, watchLive: '2h' },
  });
  const began = Date.now();
  await follow(({ waiting }) => waiting?.for === 'time' && waiting.what.startsWith('watch '));
  arrived.set('forth', await arriveAfter(began));
  const turned = Date.now();
  const handle = control.client.workflow.getHandle(workflowId);
  await handle.executeUpdate('rollBack', { args: [{ gate: HOP, by: 'test', reason: 'test' }] });
  await follow(({ waiting }) => waiting?.for === 'decision' && waiting.name.startsWith(`${HOP}/rolled-back/incident/`));
  arrived.set('back', await arriveAfter(turned));
  await handle.signal('abort', { by: 'test', reason: 'test' });
  result = (await handle.result()) as RolloutResult;
  ({ calls } = await client.stop());
}, 1_800_000);

afterAll(async () => {
  await client?.stop();
  await control?.stop();
  await staging?.stop();
  await live?.stop();
  await control?.disconnect();
  await removeKubernetesCluster(join(directory, 'live'));
  await rm(directory, { recursive: true, force: true });
}, 120_000);

const follow = (isOver: (status: RolloutStatus) => boolean) => followApproving(lab(), workflowId, isOver);

async function arriveAfter(from: number): Promise<Arrived> {
  return { from, to: Date.now(), pods: await podsNow(), workloads: await workloadsNow() };
}

const Labels = z.object({ 'app.kubernetes.io/component': z.string() });
const Pods = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), creationTimestamp: z.string(), labels: Labels }),
      spec: z.object({ containers: z.array(z.object({ image: z.string() })) }),
    }),
  ),
});
const Workloads = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), annotations: z.record(z.string(), z.string()).default({}) }),
      spec: z.object({
        paused: z.boolean().default(false),
        minReadySeconds: z.number().default(0),
        replicas: z.number(),
        strategy: z.unknown(),
      }),
    }),
  ),
});
type SeenPod = Awaited<ReturnType<typeof podsNow>>[number];
type SeenWorkload = Awaited<ReturnType<typeof workloadsNow>>[number];

/** Pods of the server's roles as kubectl sees them, those first that were made first. */
async function podsNow() {
  const text = await live.kubernetes.kubectl('get', 'pods', '--namespace', live.namespace, '--output', 'json');
  return Pods.parse(JSON.parse(text))
    .items.map(({ metadata, spec }) => ({
      role: metadata.labels['app.kubernetes.io/component'],
      image: spec.containers[0]?.image ?? '',
      madeAt: Date.parse(metadata.creationTimestamp),
    }))
    .filter(({ image }) => image.startsWith('temporalio/server:'))
    .toSorted((a, b) => a.madeAt - b.madeAt);
}

/** What of each Deployment a roll changes for its time. */
async function workloadsNow() {
  const text = await live.kubernetes.kubectl('get', 'deployments', '--namespace', live.namespace, '--output', 'json');
  return Workloads.parse(JSON.parse(text)).items.map(({ metadata, spec }) => ({
    ...spec,
    name: metadata.name,
    ours: Object.keys(metadata.annotations).filter((name) => name.startsWith('temporal-upgrade/')),
  }));
}

const phaseOf = (index: number, name: string) => result.hops[index]?.phases.findLast(({ phase }) => phase === name);

test('two hops were done, and the last one went back, without an incident on the way', () => {
  expect(result).toMatchObject({ status: 'aborted', live: { from: FIRST, to: MIDDLE } });
  expect(result.hops).toMatchObject([
    { environment: 'live', from: FIRST, to: MIDDLE, outcome: 'completed', incidents: 0 },
    { environment: 'live', from: MIDDLE, to: LAST, outcome: 'completed', incidents: 0 },
    { environment: 'live', from: MIDDLE, to: LAST, outcome: 'rolled-back', incidents: 0 },
  ]);
});

test('every node was replaced and proved on each way', () => {
  for (const [index, phase] of [
    [0, 'servers'],
    [1, 'servers'],
    [2, 'roll-back'],
  ] as const) {
    expect(phaseOf(index, phase)?.summary).toMatch(new RegExp(`^${NODES} nodes replaced`));
    expect(phaseOf(index, 'settle')?.summary).toMatch(
      new RegExp(`^${SHARDS} shards, each owned once by a new process`),
    );
  }
});

test.each([
  ['forth', LAST, ['matching', 'matching', 'history', 'history', 'frontend', 'frontend', 'worker']],
  ['back', MIDDLE, ['worker', 'frontend', 'frontend', 'history', 'history', 'matching', 'matching']],
] as const)('on the way %s pods of %s came role by role, and no other is left', (way, version, roles) => {
  const { pods = [] } = arrived.get(way) ?? {};
  expect(pods.map(({ role, image }) => [role, image])).toEqual(
    roles.map((role) => [role, `temporalio/server:${version}`]),
  );
});

test.each(WAYS)('after the way %s each Deployment is as it was before', (way) => {
  expect(before).toHaveLength(5); // admin tools too
  expect(arrived.get(way)?.workloads).toEqual(before);
});

test('the schema stays as the last version wants it, and the servers before it run on it', async () => {
  const { schema, nodes } = await stateOf({ target: live.target, driver: createDriver(live.target, tools) });
  expect(schema).toEqual({ default: '1.19', visibility: '1.14' });
  expect(nodes.map(({ version, running }) => [version, running])).toEqual(
    Array.from({ length: NODES }, () => [MIDDLE, true]),
  );
});

test.each(WAYS)('no client call failed on the way %s', async (way) => {
  const folder = join(directory, 'data', 'ledgers');
  const file = (await readdir(folder)).find((name) => /-temporal-live-.*\.sqlite$/.test(name)) ?? '';
  const { from, to } = arrived.get(way) ?? { from: 0, to: 0 };
  const window = { file: join(folder, file), loadId: basename(file, '.sqlite'), policy: LOAD, from, to };
  const { probe } = readLoadWindow(window);
  expect(probe).toMatchObject({ failedCalls: 0 });
  expect(probe?.calls).toBeGreaterThan(200);
});

test('nor did a call of a client behind the Service of the frontends', () => {
  expect(calls.failedTwice).toEqual([]);
  expect(calls.calls).toBeGreaterThan(1_000);
});

test('every canary is right, and none was lost', () => {
  const ledger = { lost: 0, duplicated: 0, wrong: 0, failed: 0, failedCalls: 0, examples: [] };
  expect(result.ledgers.live).toMatchObject(ledger);
  expect(result.ledgers.live?.completed).toBeGreaterThan(60);
});
