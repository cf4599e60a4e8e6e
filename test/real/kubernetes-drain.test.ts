import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Connection } from '@temporalio/client';
import { loadCatalogue } from '../../src/adapters/catalogue-file.js';
import { checkHealth, HEALTH_SERVICES } from '../../src/adapters/grpc-health.js';
import type { Driver } from '../../src/adapters/driver.js';
import { surveyCluster } from '../../src/adapters/cluster/survey-cluster.js';
import { createDriver } from '../../src/adapters/open-target.js';
import { createToolResolver } from '../../src/adapters/tools/tool-resolver.js';
import { RollPolicy } from '../../src/core/input/input.js';
import type { RollSettings } from '../../src/core/plan.js';
import { planRollSettings } from '../../src/core/planning/roll-settings.js';
import { rollTargetOf } from '../../src/core/planning/roll-target.js';
import { startKubernetesCluster, type KubernetesCluster } from '../../src/lab/kubernetes/cluster.js';

/** The style strict on pods: real servers, whose ConfigMap a stand-in of a kubelet gives to them after a while. */

const OLD = '1.30.7';
const NEW = '1.31.2';
const GRACE_SECONDS = 240;
const TIMEOUT_MS = 600_000;
const tools = createToolResolver();
let folder: string;
let cluster: KubernetesCluster;
let driver: Driver;
let planned: RollSettings;
const kubectl = (...args: string[]) => cluster.kubernetes.kubectl('--namespace', 'temporal', ...args);
const dynamicText = () => kubectl('get', 'configmap', 'temporal-dynamic-config', '--output=jsonpath={.data}');

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'temporal-upgrade-kubernetes-'));
  cluster = await startKubernetesCluster({
    ...{ name: 'temporal', version: OLD, directory: folder, tools, graceSeconds: GRACE_SECONDS },
    nodesPerRole: { frontend: 2, history: 2, matching: 1, worker: 1 },
    dynamicConfig: { 'frontend.keepAliveMaxConnectionAge': '60s' },
  });
  driver = createDriver(cluster.target, tools);
}, 1_800_000); // the first time, Kubernetes is built
afterAll(async () => {
  await cluster?.stop();
  await rm(folder, { recursive: true, force: true });
}, TIMEOUT_MS);

/** The first pod of a role, by name and address. */
async function podOf(role: string): Promise<{ readonly name: string; readonly ip: string }> {
  const path = '--output=jsonpath={.items[0].metadata.name} {.items[0].status.podIP}';
  const [name = '', ip = ''] = (
    await kubectl('get', 'pods', `--selector=app.kubernetes.io/component=${role}`, path)
  ).split(' ');
  return { name, ip };
}

const isThere = async (name: string) => (await kubectl('get', 'pods', '--output=name')).includes(name);

test(
  'what the operator has set is read out of the ConfigMap, and the configuration of each pod with it',
  async () => {
    const facts = await driver.settings?.read();
    expect(facts).toEqual({
      keysSet: ['frontend.keepAliveMaxConnectionAge'],
      connectionAgeMs: 60_000,
      unreached: [],
    });
    const survey = await surveyCluster(cluster.target, tools);
    for (const { name, configuration } of survey.processes) {
      expect([name, configuration]).toEqual([
        name,
        {
          seen: expect.objectContaining({
            numHistoryShards: 8,
            files: ['configmap/temporal-config: config_template.yaml'],
            stores: expect.objectContaining({
              default: expect.objectContaining({ database: 'temporal', maxConns: 12 }),
            }),
            dynamic: {
              seen: {
                file: 'configmap/temporal-dynamic-config: dynamic_config.yaml',
                keys: [expect.objectContaining({ key: 'frontend.keepAliveMaxConnectionAge' })],
              },
            },
          }),
        },
      ]);
    }
    expect(JSON.stringify(survey)).not.toContain('"unset":{"unseen"');
    const nodes = await driver.listNodes();
    expect(nodes.every(({ stopSeconds }) => stopSeconds === GRACE_SECONDS)).toBe(true);
    planned = planRollSettings({
      ...rollTargetOf(cluster.target, RollPolicy.parse({ style: 'strict' }), { nodes, dynamicConfig: facts }),
      ...{ catalogue: await loadCatalogue(), stopping: OLD, starting: NEW },
    });
    expect(planned.limits.map(({ id }) => id)).toEqual(['drain-cut']);
    expect(Object.fromEntries(planned.settings.map(({ key, value }) => [key, value]))).toMatchObject({
      'frontend.shutdownFailHealthCheckDuration': '75s',
      'frontend.shutdownDrainDuration': '40s',
      'history.alignMembershipChange': '10s',
      'history.startupMembershipJoinDelay': '20s',
    });
  },
  TIMEOUT_MS,
);

test(
  'the settings are written and seen to be read in the log of every pod',
  async () => {
    const done = await driver.settings?.apply(planned.settings);
    expect(done?.files).toEqual([
      {
        path: 'configmap/temporal-dynamic-config: dynamic_config.yaml',
        keys: planned.settings.map(({ key }) => key),
        kept: [],
      },
    ]);
    const states = Object.fromEntries((done?.nodes ?? []).map(({ node, pickedUp }) => [node, pickedUp]));
    const all = ['frontend-1', 'frontend-2', 'history-1', 'history-2', 'matching-1', 'worker-1'];
    expect(states).toEqual(Object.fromEntries(all.map((node) => [node, 'seen'])));
    expect(done?.unreached).toEqual([]);
  },
  TIMEOUT_MS,
);

test(
  'a frontend that is stopped fails its health for as long as is promised, and answers every call meanwhile',
  async () => {
    const { name, ip } = await podOf('frontend');
    const address = `${ip}:7233`;
    // Without the retries of the SDK.
    const connection = await Connection.connect({ address, interceptors: [] });
    await kubectl('delete', 'pod', name, '--wait=false');
    const begun = Date.now();
    let answered = 0;
    while ((await checkHealth(address, HEALTH_SERVICES.frontend)) !== 'NOT_SERVING') {
      if (Date.now() - begun > 30_000) throw new Error('its health did not fail within 30 s');
      await sleep(100);
    }
    const failing = Date.now();
    while (Date.now() - failing < 65_000) {
      await connection.workflowService.getSystemInfo({});
      answered += 1;
      expect(await checkHealth(address, HEALTH_SERVICES.frontend)).toBe('NOT_SERVING');
      await sleep(500);
    }
    expect(answered).toBeGreaterThan(10);
    await connection.close();
    while (await isThere(name)) await sleep(1_000);
    const seconds = (Date.now() - begun) / 1_000;
    expect(seconds).toBeGreaterThan(74);
    // It ended by itself.
    expect(seconds).toBeLessThan(GRACE_SECONDS - 10);
  },
  TIMEOUT_MS,
);

test(
  'a history pod leaves its ring at a moment that all know, before it ends; all is taken back, and seen to be',
  async () => {
    const before = await dynamicText();
    const { name } = await podOf('history');
    await kubectl('delete', 'pod', name, '--wait=false');
    const begun = Date.now();
    while (await isThere(name)) await sleep(500);
    // By default it is gone at once; aligned, at a multiple of 10 s after the next 3 s, and 3 s and more after that.
    const seconds = (Date.now() - begun) / 1_000;
    expect(seconds).toBeGreaterThan(6);
    expect(seconds).toBeLessThan(GRACE_SECONDS - 10);
    const nodes = await driver.listNodes();
    const done = await driver.settings?.takeBack();
    expect(done?.nodes.filter(({ pickedUp }) => pickedUp === 'waited')).toEqual([]);
    expect(nodes.map(({ name: node }) => node)).toEqual(expect.arrayContaining(['history-1', 'history-2']));
    const after = await dynamicText();
    expect(after).not.toBe(before);
    expect(after).not.toContain('shutdown');
  },
  TIMEOUT_MS,
);
