import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { createDriver } from '../../src/adapters/open-target.js';
import { listProcesses } from '../../src/adapters/process/linux-process.js';
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
import { waitUntil } from '../helpers/kubernetes-cases.js';
import { DRAINING, followApproving, LOAD } from '../helpers/pods-rollout.js';
import { SHORT_POLICY, startWorkflow, stateOf } from '../helpers/rollout-lab.js';

/**
 * Nothing here is pretended: pods of a release of helm are containers of containerd and runc, led by a real kubelet, and pulled from a
 * registry. First what fails as only real containers do, then a whole roll-out of one hop under load, and back. Takes root.
 */
const [OLD, NEW] = ['1.30.7', '1.31.2'];
/** No registry has it. */
const MISSING = '1.31.99';
const HOP = `live/${NEW}`;
/** Two of each role that clients depend on. */
const NODES = 7;
const SHARDS = 16;
const ROLES = ['matching', 'matching', 'history', 'history', 'frontend', 'frontend', 'worker'] as const;
const TIMEOUT_MS = 900_000;
const tools = createToolResolver();

let directory: string;
let live: KubernetesCluster;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kubernetes-containers-'));
  await chmod(directory, 0o711); // PostgreSQL's user has to pass through
  live = await startKubernetesCluster({
    ...{ name: 'temporal', version: OLD, directory: join(directory, 'live'), tools },
    ...{ nodesPerRole: { worker: 1 }, shards: SHARDS, dynamicConfig: DRAINING },
    containers: { versions: [OLD, NEW] },
  });
}, 3_600_000); // the first time, Kubernetes and its kubelet are built

afterAll(async () => {
  await live?.stop();
  await removeKubernetesCluster(join(directory, 'live'));
  await rm(directory, { recursive: true, force: true });
}, 300_000);

const Labels = z.object({ 'app.kubernetes.io/component': z.string() });
const Pods = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), creationTimestamp: z.string(), labels: Labels }),
      spec: z.object({ containers: z.array(z.object({ image: z.string() })) }),
      status: z.object({
        containerStatuses: z
          .array(z.object({ containerID: z.string().default(''), ready: z.boolean(), restartCount: z.number() }))
          .default([]),
      }),
    }),
  ),
});

const kubectl = (...args: readonly string[]) => live.kubernetes.kubectl('--namespace', live.namespace, ...args);

/** Pods of the server's roles as kubectl sees them, those first that were made first. */
async function podsNow() {
  return Pods.parse(JSON.parse(await kubectl('get', 'pods', '--output', 'json')))
    .items.map(({ metadata, spec, status }) => ({
      name: metadata.name,
      role: metadata.labels['app.kubernetes.io/component'],
      image: spec.containers[0]?.image ?? '',
      madeAt: Date.parse(metadata.creationTimestamp),
      container: status.containerStatuses[0],
    }))
    .filter(({ image }) => image.startsWith('temporalio/server:'))
    .toSorted((a, b) => a.madeAt - b.madeAt);
}

const imagesOf = (version: string, roles: readonly string[]) =>
  roles.map((role) => [role, `temporalio/server:${version}`]);

describe('what only real containers show', () => {
  test('each pod is a container of the node, whose first process is the server of its image', async () => {
    const version = await kubectl(
      'get',
      'nodes',
      '--output=jsonpath={.items[*].status.nodeInfo.containerRuntimeVersion}',
    );
    expect(version).toMatch(/^containerd:\/\/\d/);
    const pods = await podsNow();
    expect(pods).toHaveLength(NODES);
    for (const { name, role, container } of pods) {
      expect(container).toMatchObject({
        containerID: expect.stringMatching(/^containerd:\/\/[0-9a-f]{64}$/),
        ready: true,
      });
      // The first process of the pod, as the container itself sees it.
      const said = await kubectl('exec', name, '--', '/usr/local/bin/temporal-server', '--version');
      expect(said).toContain(OLD);
      expect(await kubectl('logs', name, '--tail=-1')).toContain(`"service":"${role}"`);
    }
  });

  test.each([
    [
      'an image that no registry has',
      MISSING,
      new RegExp(`cannot be pulled[^]*Its events:[^]*docker\\.io/temporalio/server:${MISSING}: not found`),
    ],
    [
      'a server that ends on a schema that is too old for it',
      NEW,
      /exit code 1[^]*Its events:[^]*The end of its log:[^]*sql schema version compatibility check failed/,
    ],
  ])(
    '%s: it is named with its events and logs, and put back',
    async (_what, version, message) => {
      const driver = createDriver(live.target, tools);
      const before = (await podsNow()).map(({ name }) => name).toSorted();
      await expect(driver.replaceNode?.('matching-1', version)).rejects.toThrow(message);
      await driver.replaceNode?.('matching-1', OLD);
      await driver.endRoll?.();
      await waitUntil(async () => (await podsNow()).length === NODES);
      expect((await podsNow()).map(({ name }) => name).toSorted()).toEqual(before);
      expect(await kubectl('get', 'deployments', '--output=jsonpath={.items[*].metadata.annotations}')).not.toContain(
        'temporal-upgrade/',
      );
    },
    TIMEOUT_MS,
  );
});

describe('a roll-out of one hop under load, and back', () => {
  const seen = new Map<'forth' | 'back', Awaited<ReturnType<typeof podsNow>>>();
  let staging: LabCluster;
  let control: RolloutControl;
  let workflowId: string;
  let began: number;
  let result: RolloutResult;

  beforeAll(async () => {
    const { database } = live;
    const ofStaging = { name: 'staging', version: NEW, directory: join(directory, 'staging'), database, tools };
    staging = await startCluster(ofStaging);
    control = await startRolloutControl({ directory, tools, databases: [database] });
    await control.startWorker();
    began = Date.now();
    workflowId = await startWorkflow(
      { client: control.client, live },
      {
        ...{ to: '1.31', staging: staging.target, live: live.target, dataDir: join(directory, 'data') },
        pins: { '1.30': OLD, '1.31': NEW },
        policy: { ...SHORT_POLICY, load: { live: LOAD }, watchLive: '2h' },
      },
    );
    await follow(({ waiting }) => waiting?.for === 'time' && waiting.what.startsWith('watch '));
    seen.set('forth', await podsNow());
    const handle = control.client.workflow.getHandle(workflowId);
    await handle.executeUpdate('rollBack', { args: [{ gate: HOP, by: 'test', reason: 'test' }] });
    await follow(
      ({ waiting }) => waiting?.for === 'decision' && waiting.name.startsWith(`${HOP}/rolled-back/incident/`),
    );
    seen.set('back', await podsNow());
    await handle.signal('abort', { by: 'test', reason: 'test' });
    result = (await handle.result()) as RolloutResult; // the result of that workflow
  }, 3_600_000);

  afterAll(async () => {
    await control?.stop();
    await staging?.stop();
    await control?.disconnect();
  }, 120_000);

  const follow = (isOver: (status: RolloutStatus) => boolean) =>
    followApproving({ client: control.client, live }, workflowId, isOver);

  test('the hop was done and went back, without an incident on the way; every node was replaced and proved', () => {
    expect(result).toMatchObject({ status: 'aborted' });
    expect(result.hops).toMatchObject([
      { environment: 'live', from: OLD, to: NEW, outcome: 'completed', incidents: 0 },
      { environment: 'live', from: OLD, to: NEW, outcome: 'rolled-back', incidents: 0 },
    ]);
    for (const [index, phase] of [
      [0, 'servers'],
      [1, 'roll-back'],
    ] as const) {
      const summaryOf = (name: string) => result.hops[index]?.phases.findLast((one) => one.phase === name)?.summary;
      expect(summaryOf(phase)).toMatch(new RegExp(`^${NODES} nodes replaced`));
      expect(summaryOf('settle')).toMatch(new RegExp(`^${SHARDS} shards, each owned once by a new process`));
    }
  });

  test.each([
    ['forth', NEW, ROLES],
    ['back', OLD, ROLES.toReversed()],
  ] as const)('on the way %s containers of %s came role by role, and no other is left', (way, version, roles) => {
    const pods = seen.get(way) ?? [];
    expect(pods.map(({ role, image }) => [role, image])).toEqual(imagesOf(version, roles));
    expect(pods.filter(({ container }) => container?.ready !== true || container.restartCount > 0)).toEqual([]);
  });

  test('the old servers run on the new schema, and their containers are those that the node has', async () => {
    const { schema, nodes } = await stateOf({ target: live.target, driver: createDriver(live.target, tools) });
    expect(schema).toEqual({ default: '1.19', visibility: '1.14' });
    expect(nodes.map(({ version, running }) => [version, running])).toEqual(
      Array.from({ length: NODES }, () => [OLD, true]),
    );
  });

  test('no client call failed, and every canary is right', async () => {
    const folder = join(directory, 'data', 'ledgers');
    const file = (await readdir(folder)).find((name) => /-temporal-live-.*\.sqlite$/.test(name)) ?? '';
    const window = {
      file: join(folder, file),
      loadId: basename(file, '.sqlite'),
      policy: LOAD,
      from: began,
      to: Date.now(),
    };
    const { probe } = readLoadWindow(window);
    expect(probe).toMatchObject({ failedCalls: 0 });
    expect(probe?.calls).toBeGreaterThan(200);
    const ledger = { lost: 0, duplicated: 0, wrong: 0, failed: 0, failedCalls: 0, examples: [] };
    expect(result.ledgers.live).toMatchObject(ledger);
    expect(result.ledgers.live?.completed).toBeGreaterThan(30);
  });
});

test('when it has ended, nothing of the node is left on the host', async () => {
  const path = '{.items[*].status.addresses[?(@.type=="InternalIP")].address}';
  const address = await kubectl('get', 'nodes', `--output=jsonpath=${path}`);
  const [name = ''] =
    Object.entries(networkInterfaces()).find(([, of = []]) => of.some((one) => one.address === address)) ?? [];
  expect(name).not.toBe('');
  const groups = async () => {
    const hierarchies = await readdir('/sys/fs/cgroup');
    const found = await Promise.all(hierarchies.map((one) => readdir(join('/sys/fs/cgroup', one)).catch(() => [])));
    return [...hierarchies, ...found.flat()].filter((one) => one === name);
  };
  expect(await groups()).not.toEqual([]);
  const wires = await readdir(`/sys/class/net/${name}/brif`);
  expect(wires.length).toBeGreaterThan(NODES);
  await live.stop();
  expect((await readdir('/sys/class/net')).filter((one) => one === name || wires.includes(one))).toEqual([]);
  expect(await groups()).toEqual([]);
  const mounts = (await readFile('/proc/mounts', 'utf8')).split('\n');
  expect(mounts.filter((line) => line.includes(directory))).toEqual([]);
  const running = await listProcesses((argv) => argv.some((argument) => argument.includes(directory)));
  expect(running).toEqual([]);
});
