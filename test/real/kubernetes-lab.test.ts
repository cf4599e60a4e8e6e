import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { startKubernetes, type LabKubernetes } from '../../src/lab/kubernetes/api-server.js';
import { placeChart } from '../../src/lab/kubernetes/chart.js';
import { startStandIn, type StandIn } from '../../src/lab/kubernetes/stand-in.js';

/** The lab's Kubernetes: a real API server and its controllers, with a stand-in for the node alone. */

let folder: string;
let kubernetes: LabKubernetes;
let standIn: StandIn;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'temporal-upgrade-kubernetes-'));
  kubernetes = await startKubernetes({ directory: join(folder, 'kubernetes') });
  standIn = await startStandIn({ kubernetes, backOffMs: 200 });
}, 1_800_000); // the first time, Kubernetes is built
afterAll(async () => {
  await standIn?.stop();
  await kubernetes?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function deploy(name: string, tag: string): Promise<void> {
  await kubernetes.kubectl('create', 'deployment', name, `--image=demo/${name}:${tag}`);
}
const ofPods = (name: string, jsonpath: string) =>
  kubernetes.kubectl('get', 'pods', '--selector', `app=${name}`, '--output', `jsonpath={.items[*]${jsonpath}}`);
const rolledOut = (name: string, ...more: string[]) =>
  kubernetes.kubectl('rollout', 'status', `deployment/${name}`, '--timeout=20s', ...more);

test('the API server says its version; the node is ready', async () => {
  expect(await kubernetes.kubectl('version', '--output=json')).toContain('"gitVersion": "v1.33.13"');
  expect(await kubernetes.kubectl('get', 'nodes', '--no-headers')).toMatch(/^lab-1\s+Ready /);
});

test('a Deployment gets ready, and its logs can be read', async () => {
  await deploy('fine', 'v1');
  expect(await rolledOut('fine')).toContain('successfully rolled out');
  expect(await kubernetes.kubectl('logs', 'deployment/fine')).toBe('started demo/fine:v1');
});

test('an image that cannot be pulled is told by status and events; the old pod goes on; it heals', async () => {
  standIn.behave({ tag: 'missing' }, { kind: 'no-image' });
  await deploy('bad', 'v1');
  await rolledOut('bad');
  await kubernetes.kubectl('set', 'image', 'deployment/bad', 'bad=demo/bad:missing');
  await until('bad', '{.status.containerStatuses[0].state.waiting.reason}', 'ImagePullBackOff');
  expect(await eventsOf('bad')).toContain('Failed to pull image "demo/bad:missing"');
  expect(await ofPods('bad', '.status.containerStatuses[0].ready')).toMatch(/^(true false|false true)$/);
  standIn.behave({ tag: 'missing' }, undefined);
  expect(await rolledOut('bad')).toContain('successfully rolled out');
});

test('a crash loop: the container is started again and again, with its last exit code', async () => {
  standIn.behave({ tag: 'broken' }, { kind: 'crash', exitCode: 3, endsAfterMs: 50, log: ['no such schema'] });
  await deploy('crash', 'broken');
  await until('crash', '{.status.containerStatuses[0].restartCount}', '2');
  await until('crash', '{.status.containerStatuses[0].state.waiting.reason}', 'CrashLoopBackOff');
  expect(await ofPods('crash', '.status.containerStatuses[0].lastState.terminated.exitCode')).toBe('3');
  expect(await eventsOf('crash')).toContain('Back-off restarting failed container');
  expect(await kubernetes.kubectl('logs', 'deployment/crash', '--previous')).toContain('no such schema');
});

test('a pod is never ready by its annotation, and ends within its grace period', async () => {
  await kubernetes.apply(
    stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: 'slow',
        annotations: { 'lab.temporal-upgrade/behaviour': '{"kind": "never-ready", "stopAfterMs": 60000}' },
      },
      spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'slow', image: 'demo/slow:v1' }] },
    }),
  );
  await kubernetes.kubectl('wait', 'pod/slow', '--for=jsonpath={.status.phase}=Running', '--timeout=20s');
  expect(await kubernetes.kubectl('get', 'pod', 'slow', '--output=jsonpath={.status.containerStatuses[0].ready}')).toBe(
    'false',
  );
  const began = Date.now();
  await kubernetes.kubectl('delete', 'pod', 'slow');
  expect(Date.now() - began).toBeGreaterThan(900);
});

test('an API server that was away finds all as it was', async () => {
  await deploy('lasting', 'v1');
  await rolledOut('lasting');
  await kubernetes.stopApiServer();
  await expect(kubernetes.kubectl('get', 'nodes')).rejects.toThrow('refused');
  await kubernetes.startApiServer();
  await kubernetes.kubectl('scale', 'deployment/lasting', '--replicas=2');
  await kubernetes.kubectl('wait', 'deployment/lasting', '--for=jsonpath={.status.readyReplicas}=2', '--timeout=30s');
});

describe.each([3, 4] as const)('helm %s', (helm) => {
  const namespace = `helm-${helm}`;
  const run = async (...args: string[]) =>
    kubernetes.helm(helm, ...args, '--namespace', namespace, '--wait', '--timeout', '40s');
  const images = () =>
    kubernetes.kubectl(
      ...['get', 'pods', '--namespace', namespace, '--selector', 'app.kubernetes.io/component=history'],
      ...['--field-selector', 'status.phase=Running', '--output', 'jsonpath={.items[*].spec.containers[0].image}'],
    );
  let chart: string;
  beforeAll(async () => {
    chart = await placeChart(join(folder, `chart-${helm}`));
  });

  test('installs the chart, and upgrades it', async () => {
    await run('install', 'temporal', chart, '--create-namespace');
    expect(await images()).toBe('temporalio/server:1.30.7 temporalio/server:1.30.7');
    await run('upgrade', 'temporal', chart, '--set', 'server.image.tag=1.31.2');
    expect(await images()).toContain('temporalio/server:1.31.2');
    expect(await kubernetes.kubectl('get', 'deployments', '--namespace', namespace, '--output=name')).toBe(
      ['admintools', 'frontend', 'history', 'matching', 'web', 'worker']
        .map((name) => `deployment.apps/temporal-${name}`)
        .join('\n'),
    );
  });

  test('an upgrade whose schema job fails changes no Deployment', async () => {
    standIn.behave({ repository: 'temporalio/admin-tools', tag: '1.99.0' }, { kind: 'crash' });
    const tags = ['server', 'admintools'].flatMap((part) => ['--set', `${part}.image.tag=1.99.0`]);
    await expect(run('upgrade', 'temporal', chart, ...tags)).rejects.toThrow('pre-upgrade hooks failed');
    expect(await images()).not.toContain('1.99.0');
  });
});

/** What a pod of the Deployment that has it says. */
async function until(name: string, jsonpath: string, value: string): Promise<void> {
  const deadline = Date.now() + 20_000;
  const inside = jsonpath.slice(1, -1);
  for (let said = ''; !said.split(' ').includes(value);) {
    if (Date.now() > deadline) throw new Error(`${jsonpath} of ${name} is "${said}"; expected ${value}`);
    said = await ofPods(name, inside);
  }
}

async function eventsOf(name: string): Promise<string> {
  return kubernetes
    .kubectl('get', 'events', `--output=jsonpath={range .items[*]}{.involvedObject.name} {.message}{"\\n"}{end}`)
    .then((all) =>
      all
        .split('\n')
        .filter((line) => line.startsWith(name))
        .join('\n'),
    );
}
