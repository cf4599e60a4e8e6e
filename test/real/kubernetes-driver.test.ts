import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { surveyKubernetes } from '../../src/adapters/kubernetes/survey-kubernetes.js';
import type { NodeState } from '../../src/core/cluster.js';
import type { LabKubernetes } from '../../src/lab/kubernetes/api-server.js';
import type { StandIn } from '../../src/lab/kubernetes/stand-in.js';
import { compileSource } from '../helpers/compiled-source.js';
import { waitUntil, workloadCases } from '../helpers/kubernetes-cases.js';
import { kubernetesInput, NEW, OLD, roll } from '../helpers/kubernetes-workloads.js';
import {
  KUBERNETES_STARTS_WITHIN_MS,
  startPretendedKubernetes,
  type PretendedKubernetes,
} from '../helpers/pretended-kubernetes.js';

/**
 * The driver against a real API server, controller manager and scheduler. Its pods are the one thing that is not real: they run
 * nothing, and become ready or fail as they are told.
 */

const TIMEOUT_MS = 180_000;
let lab: PretendedKubernetes;
let kubernetes: LabKubernetes;
let standIn: StandIn;
let compiled: ReturnType<typeof compileSource>;

beforeAll(async () => {
  compiled = compileSource(['core', 'adapters']);
  lab = await startPretendedKubernetes('driver');
  ({ kubernetes, standIn } = lab);
}, KUBERNETES_STARTS_WITHIN_MS);

afterAll(async () => {
  compiled.remove();
  await lab?.stop();
}, 60_000);

const { open, nextNamespace, podsOf, counts, stateOf } = workloadCases(() => kubernetes);

const versionsOf = (nodes: readonly NodeState[], role = 'history') =>
  nodes.filter((node) => node.role === role && node.leaving !== true).map(({ version }) => version);

/** Names of the pods of the new version that stay. */
const newOnes = async (namespace: string) =>
  (await podsOf(namespace, 'history'))
    .filter(({ version, ending }) => version === NEW && !ending)
    .map(({ name }) => name);

describe('Deployments, by image', () => {
  test(
    'every node by its role and slot, with the pod that it is',
    async () => {
      const { driver } = await open();
      const nodes = await driver.listNodes();
      expect(nodes.map(({ name }) => name)).toEqual([
        'frontend-1',
        'history-1',
        'history-2',
        'history-3',
        'matching-1',
        'worker-1',
      ]);
      expect(nodes[1]).toMatchObject({
        role: 'history',
        running: true,
        version: OLD,
        surge: true,
        pod: expect.stringMatching(/^temporal-history-/),
        rpcAddress: expect.stringMatching(/^\d+\.\d+\.\d+\.\d+:7234$/),
        metricsAddress: expect.stringMatching(/^\d+\.\d+\.\d+\.\d+:9090$/),
        startedAt: expect.stringMatching(/Z$/),
      });
      expect(await driver.listNodes()).toEqual(nodes);
      await expect(driver.replaceNode?.('history-4', NEW)).rejects.toThrow(
        'there is no node "history-4"; the nodes are frontend-1, history-1, history-2, history-3, matching-1, worker-1',
      );
    },
    TIMEOUT_MS,
  );

  test(
    'forward and back: one more new pod a step, in its own slot; all as it was when it is over',
    async () => {
      const { namespace, driver } = await open();
      const before = await stateOf(namespace);
      await driver.prepare(NEW);
      const seen: Record<string, unknown> = {};
      const look = async (node: string) => {
        if (!node.startsWith('history')) return;
        seen[node] = { ...(await counts(namespace)), slots: versionsOf(await driver.listNodes()) };
      };
      await roll(driver, 'forward', NEW, look);
      expect(seen).toEqual({
        'history-1': { new: 1, old: 3, slots: [NEW, OLD, OLD] },
        'history-2': { new: 2, old: 2, slots: [NEW, NEW, OLD] },
        'history-3': { new: 3, old: 0, slots: [NEW, NEW, NEW] },
      });
      expect((await podsOf(namespace)).filter(({ version }) => version !== NEW)).toEqual([]);
      expect(await stateOf(namespace)).toEqual(before);

      await roll(driver, 'back', OLD, look);
      expect(seen).toEqual({
        'history-3': { new: 3, old: 1, slots: [NEW, NEW, OLD] },
        'history-2': { new: 2, old: 2, slots: [NEW, OLD, OLD] },
        'history-1': { new: 0, old: 3, slots: [OLD, OLD, OLD] },
      });
      expect(await stateOf(namespace)).toEqual(before);
    },
    TIMEOUT_MS,
  );

  test(
    'between two steps nothing goes on by itself; a second request for the same node changes nothing',
    async () => {
      const { namespace, driver } = await open();
      await driver.replaceNode?.('history-1', NEW);
      const after = await podsOf(namespace, 'history');
      await driver.replaceNode?.('history-1', NEW);
      await sleep(13_000); // longer than the shortest time after which a controller may go on
      expect(await podsOf(namespace, 'history')).toEqual(after);
      expect(await stateOf(namespace)).toMatchObject({ paused: true, ours: ['temporal-upgrade/before'] });
      expect(await driver.endRoll?.()).toEqual([
        expect.stringMatching(/^deployment\/temporal-history stays held: 3 of its 4 pods are not of 1\.31\.2/),
      ]);
      // Back from the middle: what was replaced goes, the others stay as they are.
      const kept = after.filter(({ version }) => version === OLD).map(({ name }) => name);
      await roll(driver, 'back', OLD);
      expect((await podsOf(namespace, 'history')).map(({ name }) => name).sort()).toEqual(kept.sort());
      expect(await stateOf(namespace)).toMatchObject({ paused: false, ours: [] });
    },
    TIMEOUT_MS,
  );

  test(
    'a strategy that would take all pods away at once is another one for the time of the roll alone',
    async () => {
      const { namespace, driver } = await open({ spec: { strategy: { type: 'Recreate' }, minReadySeconds: 3 } });
      const before = await stateOf(namespace);
      expect(before).toMatchObject({ strategy: { type: 'Recreate' }, minReadySeconds: 3 });
      await roll(driver, 'forward', NEW);
      expect(await counts(namespace)).toEqual({ old: 0, new: 3 });
      expect(await stateOf(namespace)).toEqual(before);
    },
    TIMEOUT_MS,
  );
});

describe('what does not come up is named with its events, and put back', () => {
  afterEach(() => standIn.behave({ tag: NEW }, undefined));

  test.each([
    ['an image that cannot be pulled', { kind: 'no-image' }, /cannot be pulled[^]*Its events:[^]*[Pp]ull/],
    [
      'a server that ends again and again',
      { kind: 'crash', exitCode: 3, log: ['no config file found'] },
      /exit code 3[^]*Its events:[^]*The end of its log:[^]*no config file found/,
    ],
    ['a pod that never becomes ready', { kind: 'never-ready' }, /after 15s: it is not ready[^]*Its events:/],
  ] as const)(
    '%s',
    async (_, behaviour, message) => {
      const { namespace, driver } = await open({}, { startTimeout: 15_000 });
      const before = await stateOf(namespace);
      const names = (await podsOf(namespace, 'history')).map(({ name }) => name).sort();
      standIn.behave({ tag: NEW, namespace }, behaviour);
      await expect(driver.replaceNode?.('history-1', NEW)).rejects.toThrow(message);
      expect(await counts(namespace)).toEqual({ old: 3, new: 1 });
      // As bring-node does.
      await driver.replaceNode?.('history-1', OLD);
      expect((await podsOf(namespace, 'history')).map(({ name }) => name).sort()).toEqual(names);
      expect(await stateOf(namespace)).toEqual(before);
      standIn.behave({ tag: NEW, namespace }, undefined);
      await roll(driver, 'forward', NEW);
      expect(await counts(namespace)).toEqual({ old: 0, new: 3 });
    },
    TIMEOUT_MS,
  );

  test(
    'the second of a role: the first stays, and what is left is rolled when it is mended',
    async () => {
      const { namespace, driver } = await open({}, { startTimeout: 15_000 });
      await driver.replaceNode?.('history-1', NEW);
      const first = await newOnes(namespace);
      standIn.behave({ tag: NEW, namespace, component: 'history' }, { kind: 'no-image' });
      // The one that runs goes on running: only what starts anew is pulled.
      await expect(driver.replaceNode?.('history-2', NEW)).rejects.toThrow(/cannot be pulled/);
      await driver.replaceNode?.('history-2', OLD);
      expect(versionsOf(await driver.listNodes())[1]).toBe(OLD);
      expect((await podsOf(namespace, 'history')).filter(({ ready, ending }) => !ready && !ending)).toEqual([]);
      expect(await newOnes(namespace)).toEqual(first);
      standIn.behave({ tag: NEW, namespace, component: 'history' }, undefined);
      await roll(driver, 'forward', NEW);
      expect(await counts(namespace)).toEqual({ old: 0, new: 3 });
      expect(await newOnes(namespace)).toEqual(expect.arrayContaining(first));
      expect(await stateOf(namespace)).toMatchObject({ paused: false, ours: [] });
    },
    TIMEOUT_MS,
  );

  test(
    'one that is ready and cannot be proved goes alone too, and the roll-back from there takes the first',
    async () => {
      const { namespace, driver } = await open();
      await driver.replaceNode?.('history-1', NEW);
      const first = await newOnes(namespace);
      await driver.replaceNode?.('history-2', NEW);
      await driver.replaceNode?.('history-2', OLD);
      expect(await newOnes(namespace)).toEqual(first);
      expect(await counts(namespace)).toEqual({ old: 3, new: 1 });
      await roll(driver, 'back', OLD);
      expect(await counts(namespace)).toEqual({ old: 3, new: 0 });
      expect(await stateOf(namespace)).toMatchObject({ paused: false, ours: [] });
    },
    TIMEOUT_MS,
  );

  test(
    'a quota without room for one more pod',
    async () => {
      const { namespace, driver } = await open();
      await kubernetes.kubectl('create', 'quota', 'full', '--hard=pods=6', '--namespace', namespace);
      await sleep(1_500); // its controller counts what there is
      await expect(driver.replaceNode?.('history-1', NEW)).rejects.toThrow(
        /no pod with 1\.31\.2 can be made for deployment\/temporal-history: .*exceeded quota: full/,
      );
      await driver.replaceNode?.('history-1', OLD);
      expect(await counts(namespace)).toEqual({ old: 3, new: 0 });
      expect(await stateOf(namespace)).toMatchObject({ paused: false, ours: [] });
    },
    TIMEOUT_MS,
  );
});

describe('killed in the middle', () => {
  const script = (namespace: string, node: string, version: string) => `
    const [folder] = process.argv.slice(1);
    const { createKubernetesDriver } = await import(folder + '/adapters/kubernetes/kubernetes-driver.js');
    const driver = createKubernetesDriver(${JSON.stringify(kubernetesInput(kubernetes.kubeconfig, namespace))});
    await driver.listNodes();
    process.stdout.write('begun');
    await driver.replaceNode('${node}', '${version}');`;

  async function killedAfter(ms: number, namespace: string, node: string, version: string): Promise<void> {
    const options = ['--input-type=module', '-e', script(namespace, node, version), '--', compiled.directory];
    const child = spawn(process.execPath, options, { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(child, 'close');
    await once(child.stdout, 'data');
    await sleep(ms);
    child.kill('SIGKILL');
    await ended;
  }

  test(
    'at several moments, forward and back, the next try brings it to its end, one pod at a time',
    async () => {
      const { namespace, driver } = await open();
      const before = await stateOf(namespace);
      standIn.behave({ namespace }, { readyAfterMs: 1_500 });
      const steps = [
        { node: 'history-1', version: NEW, after: [20, 60, 120], left: { old: 3, new: 1 } },
        { node: 'history-2', version: NEW, after: [40, 90, 200], left: { old: 2, new: 2 } },
        { node: 'history-3', version: NEW, after: [150, 400, 1_700], left: { old: 0, new: 3 } },
        { node: 'history-3', version: OLD, after: [30, 250, 900], left: { old: 1, new: 3 } },
      ];
      for (const { node, version, after, left } of steps) {
        for (const ms of after) await killedAfter(ms, namespace, node, version);
        await driver.replaceNode?.(node, version);
        expect({ node, version, ...(await counts(namespace)) }).toEqual({ node, version, ...left });
      }
      await roll(driver, 'back', OLD);
      expect(await counts(namespace)).toEqual({ old: 3, new: 0 });
      expect(await stateOf(namespace)).toEqual(before);
    },
    TIMEOUT_MS,
  );
});

test(
  'an API server that is away for some seconds in the middle of a step is waited for',
  async () => {
    const { namespace, driver } = await open();
    standIn.behave({ namespace }, { readyAfterMs: 3_000 });
    const step = driver.replaceNode?.('history-1', NEW);
    await waitUntil(async () => (await counts(namespace)).new === 1);
    await kubernetes.stopApiServer();
    await sleep(3_000);
    await kubernetes.startApiServer();
    await step;
    expect(await counts(namespace)).toEqual({ old: 3, new: 1 });
    await kubernetes.stopApiServer();
    await expect(driver.listNodes()).rejects.toThrow(/the API server https:\S+ cannot be reached: ECONNREFUSED/);
    await kubernetes.startApiServer();
    await roll(driver, 'forward', NEW);
    expect(await counts(namespace)).toEqual({ old: 0, new: 3 });
  },
  TIMEOUT_MS,
);

test(
  'somebody who writes the old image back is named, with when',
  async () => {
    const { namespace, driver } = await open();
    const image = `temporal-history=temporalio/server:${OLD}`;
    const writeBack = () =>
      kubernetes
        .kubectl(
          'set',
          'image',
          'deployment/temporal-history',
          image,
          '--namespace',
          namespace,
          '--field-manager',
          'argocd-controller',
        )
        .catch(() => '');
    const ending = new AbortController();
    const writing = (async () => {
      while (!ending.signal.aborted) await writeBack();
    })();
    // The image is taken from whoever has it: once it is ours, until it is written back.
    const outcome = await driver.replaceNode?.('history-1', NEW).then(
      () => 'replaced',
      (error: unknown) => String(error),
    );
    ending.abort();
    await writing;
    if (outcome !== 'replaced') expect(outcome).toMatch(/argocd-controller|made no pod with 1\.31\.2/);
    await roll(driver, 'forward', NEW);
    expect(await counts(namespace)).toEqual({ old: 0, new: 3 });
  },
  TIMEOUT_MS,
);

test(
  'a roll that somebody else has begun, or a pause, is refused before anything is changed',
  async () => {
    const { namespace, driver } = await open();
    await kubernetes.kubectl('rollout', 'pause', 'deployment/temporal-history', '--namespace', namespace);
    await expect(driver.prepare(NEW)).rejects.toThrow(/deployment\/temporal-history is paused, and not by this tool/);
    await kubernetes.kubectl('rollout', 'resume', 'deployment/temporal-history', '--namespace', namespace);
    await driver.prepare(NEW);
  },
  TIMEOUT_MS,
);

test(
  'stopped for a restore: no pods, its nodes still named; started with a version and as many as there were',
  async () => {
    const { namespace, driver } = await open();
    for (const name of ['history-3', 'history-2', 'history-1']) await driver.stopNode(name);
    expect(await podsOf(namespace, 'history')).toEqual([]);
    const nodes = (await driver.listNodes()).filter(({ role }) => role === 'history');
    expect(nodes).toHaveLength(3);
    expect(nodes[2]).toMatchObject({ name: 'history-3', running: false, rpcAddress: 'no-pod:7234' });
    expect(await driver.startNode('history-1', NEW)).toMatchObject({ name: 'history-1', running: true, version: NEW });
    expect(await driver.startNode('history-2', NEW)).toMatchObject({ name: 'history-2', running: true, version: NEW });
    await expect(driver.startNode('history-2', OLD)).rejects.toThrow(
      /history-2 runs 1\.31\.2; stop it before 1\.30\.7/,
    );
    expect(await counts(namespace)).toEqual({ old: 0, new: 3 });
    expect(await stateOf(namespace)).toMatchObject({ replicas: 3, paused: false, ours: [] });
  },
  TIMEOUT_MS,
);

test(
  'a command of the operator writes the version, and what it wrote is waited for',
  async () => {
    const namespace = nextNamespace();
    const kubectl = [kubernetes.binaries.kubectl, '--kubeconfig', kubernetes.kubeconfig, '--namespace', namespace];
    const command = [
      ...kubectl,
      'set',
      'image',
      'deployment/temporal-{role}',
      'temporal-{role}=temporalio/server:{tag}',
    ];
    const change = { by: 'command', command: [...command, '--field-manager', 'git-{version}'] };
    const { driver } = await open({}, { change });
    await roll(driver, 'forward', NEW);
    expect(await counts(namespace)).toEqual({ old: 0, new: 3 });
  },
  TIMEOUT_MS,
);

test(
  'the backup has manifests and mounted ConfigMaps; the survey sees what a roll depends on; what will be run is said',
  async () => {
    const { namespace, driver, input } = await open();
    const files = (await driver.configurationFiles?.()) ?? [];
    expect(files.map(({ path }) => path).sort()).toEqual([
      'configmap-temporal-config.yaml',
      ...['frontend', 'history', 'matching', 'worker'].map((role) => `deployment-temporal-${role}.yaml`),
    ]);
    await kubernetes.kubectl('autoscale', 'deployment/temporal-history', '--max=9', '--namespace', namespace);
    const survey = await surveyKubernetes(input);
    expect(survey).toMatchObject({
      denied: { seen: [] },
      workloads: {
        seen: expect.arrayContaining([
          expect.objectContaining({ role: 'history', hasReadiness: true, graceSeconds: 5 }),
        ]),
      },
      budgets: { seen: [] },
      autoscalers: { seen: [{ target: 'deployment/temporal-history', least: 1, most: 9 }] },
    });
    const lines = await driver.explain('history-3', NEW);
    expect(lines.join('\n')).toMatch(
      /kubectl .*patch deployment\/temporal-history[^]*set image[^]*rollout resume[^]*rollout pause/,
    );
  },
  TIMEOUT_MS,
);
