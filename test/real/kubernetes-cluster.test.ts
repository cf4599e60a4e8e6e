import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { HEALTH_SERVICES, checkHealth } from '../../src/adapters/grpc-health.js';
import { createStore } from '../../src/adapters/stores.js';
import { createToolResolver } from '../../src/adapters/tools/tool-resolver.js';
import { startKubernetesCluster, type KubernetesCluster } from '../../src/lab/kubernetes/cluster.js';

/** A Temporal cluster of pods, as the lab makes it: an API server and Temporal servers that are real, on a stand-in of a node. */

const OLD = '1.30.7';
const NEW = '1.31.2';
const TIMEOUT_MS = 300_000;
const tools = createToolResolver();
let folder: string;
let cluster: KubernetesCluster;
const kubectl = (...args: string[]) => cluster.kubernetes.kubectl('--namespace', 'temporal', ...args);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'temporal-upgrade-kubernetes-'));
  cluster = await startKubernetesCluster({
    ...{ name: 'temporal', version: OLD, directory: folder, tools },
    nodesPerRole: { frontend: 1, history: 1, matching: 1, worker: 1 },
  });
}, 1_800_000); // the first time, Kubernetes is built
afterAll(async () => {
  await cluster?.stop();
  await rm(folder, { recursive: true, force: true });
}, TIMEOUT_MS);

const podsOf = (role: string, jsonpath: string) =>
  kubectl('get', 'pods', `--selector=app.kubernetes.io/component=${role}`, `--output=jsonpath={.items[*]${jsonpath}}`);

test('each server answers at the address of its pod', async () => {
  const ports = { frontend: 7233, history: 7234, matching: 7235 } as const;
  for (const role of ['frontend', 'history', 'matching'] as const) {
    const address = `${await podsOf(role, '.status.podIP')}:${ports[role]}`;
    expect(await checkHealth(address, HEALTH_SERVICES[role])).toBe('SERVING');
  }
  expect(await checkHealth(cluster.address, HEALTH_SERVICES.frontend)).toBe('SERVING');
});

test(
  'a new version on an old schema ends in a crash loop that its log explains; with the schema it serves',
  async () => {
    const { kubernetes, chart, valuesFile } = cluster;
    const more = ['--namespace', 'temporal', '--values', valuesFile, '--set', `server.image.tag=${NEW}`];
    await kubernetes.helm(4, 'upgrade', 'temporal', chart, ...more);
    const reason = '.status.containerStatuses[0].state.waiting.reason';
    for (let said = ''; !said.includes('CrashLoopBackOff');) said = await podsOf('history', reason);
    const names = (await podsOf('history', '.metadata.name')).split(' ');
    const logs = await Promise.all(names.map((name) => kubectl('logs', name, '--tail=20')));
    expect(logs.join('\n')).toContain('sql schema version compatibility check failed');
    expect(await podsOf('history', '.status.containerStatuses[0].ready')).toContain('true');

    for (const part of ['default', 'visibility'] as const) {
      const store = createStore(cluster.target.stores[part], part, tools);
      await store.updateSchema({ to: part === 'default' ? '1.19' : '1.14', serverVersion: NEW });
    }
    for (const role of ['history', 'matching', 'worker', 'frontend']) {
      await kubectl('rollout', 'status', `deployment/temporal-${role}`, '--timeout=120s');
    }
    expect(await checkHealth(cluster.address, HEALTH_SERVICES.frontend)).toBe('SERVING');
  },
  TIMEOUT_MS,
);

test('a setting of the dynamic configuration reaches the servers', async () => {
  const data = { 'dynamic_config.yaml': 'frontend.rps:\n  - value: 4711\n' };
  await kubectl('patch', 'configmap', 'temporal-dynamic-config', '--type=merge', `--patch=${JSON.stringify({ data })}`);
  for (let log = ''; !log.includes('4711');) log = await kubectl('logs', 'deployment/temporal-frontend', '--tail=200');
});
