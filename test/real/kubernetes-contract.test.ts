import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { PreconditionError } from '../../src/core/errors.js';
import type { Driver } from '../../src/adapters/driver.js';
import type { LabKubernetes } from '../../src/lab/kubernetes/api-server.js';
import type { StandIn } from '../../src/lab/kubernetes/stand-in.js';
import { waitUntil, workloadCases } from '../helpers/kubernetes-cases.js';
import { NEW, OLD } from '../helpers/kubernetes-workloads.js';
import {
  KUBERNETES_STARTS_WITHIN_MS,
  startPretendedKubernetes,
  type PretendedKubernetes,
} from '../helpers/pretended-kubernetes.js';

/**
 * What every driver does (driver-contract.test.ts), of pods: a real API server and controllers, and pods that run nothing. Left out
 * is what is otherwise here: whether an image can be had shows when it is pulled, and what a killed worker leaves is in
 * kubernetes-driver.test.ts and kubernetes-let-go.test.ts.
 */

const TIMEOUT_MS = 180_000;
const NODE = 'matching-1';
const OTHER = 'worker-1';
let lab: PretendedKubernetes;
let kubernetes: LabKubernetes;
let standIn: StandIn;
let namespace: string;
let driver: Driver;

beforeAll(async () => {
  lab = await startPretendedKubernetes('contract');
  ({ kubernetes, standIn } = lab);
  ({ namespace, driver } = await open({ replicas: { history: 1 } }, { startTimeout: 30_000 }));
}, KUBERNETES_STARTS_WITHIN_MS);

afterAll(async () => {
  await lab?.stop();
}, 60_000);

const { open, podsOf } = workloadCases(() => kubernetes);
const it = (text: string, doing: () => Promise<void>) => test(text, doing, TIMEOUT_MS);

async function stateOf(name = NODE) {
  return (await driver.listNodes()).find((state) => state.name === name);
}

/** What of its pods, beside the image, a role is made of. */
async function surroundings(): Promise<string> {
  const place = ['--namespace', namespace, '--output', 'jsonpath={.spec.template}'];
  const text = await kubernetes.kubectl('get', 'deployment/temporal-matching', ...place);
  return text.replace(/temporalio\/server:[\d.]+/, 'temporalio/server');
}

it('lists the nodes in the order of their roles, with what runs', async () => {
  const states = await driver.listNodes();
  expect(states.map(({ name, running, version }) => [name, running, version])).toEqual(
    ['frontend-1', 'history-1', NODE, OTHER].map((name) => [name, true, OLD]),
  );
  expect(await driver.listNodes()).toEqual(states);
});

it('starting what runs changes nothing, and another version is started only after a stop', async () => {
  const before = await driver.listNodes();
  expect(await driver.startNode(NODE, OLD)).toEqual(await stateOf());
  await expect(driver.startNode(NODE, NEW)).rejects.toThrow(
    `node ${NODE} runs ${OLD}; stop it before ${NEW} is started in its place`,
  );
  expect(await driver.listNodes()).toEqual(before);
});

it('stops a node; twice changes nothing; then it goes to another version, and back, with all else as it was', async () => {
  const [before, other] = [await stateOf(), await stateOf(OTHER)];
  const around = await surroundings();
  for (const version of [NEW, OLD]) {
    await driver.prepare(version);
    await driver.stopNode(NODE);
    await driver.stopNode(NODE);
    expect(await podsOf(namespace, 'matching')).toEqual([]);
    expect(await stateOf()).toMatchObject({ name: NODE, role: 'matching', running: false });

    const after = await driver.startNode(NODE, version);
    expect(after).toMatchObject({ running: true, version });
    expect(after.instance).toMatch(/./);
    expect(after.instance).not.toBe(before?.instance);
    expect(Math.abs(Date.parse(after.startedAt ?? '') - Date.now())).toBeLessThan(60_000);
    expect(await stateOf()).toEqual(after);
  }
  expect(await surroundings()).toBe(around);
  expect(await stateOf(OTHER)).toEqual(other);
});

it('a server that ends at once: its own words, and the next start works', async () => {
  await driver.stopNode(NODE);
  standIn.behave({ namespace, component: 'matching' }, { kind: 'crash', exitCode: 1, log: ['address already in use'] });
  const failure = await driver.startNode(NODE, OLD).catch((error: unknown) => error);
  expect(String(failure)).toMatch(/ended with exit code 1[^]*address already in use/);
  expect(failure).toBeInstanceOf(PreconditionError);
  standIn.behave({ namespace, component: 'matching' }, undefined);
  await driver.stopNode(NODE);
  expect(await driver.startNode(NODE, OLD)).toMatchObject({ running: true, version: OLD });
});

it('a server that heeds no SIGTERM is gone in the end', async () => {
  standIn.behave({ namespace, component: 'matching' }, { stopAfterMs: 3_600_000 }); // the grace period of its pod is 5 s
  await driver.stopNode(NODE);
  expect(await podsOf(namespace, 'matching')).toEqual([]);
  standIn.behave({ namespace, component: 'matching' }, undefined);
  await driver.startNode(NODE, OLD);
});

it('what it says that it will run replaces the node when it is run by hand', async () => {
  const { instance } = (await stateOf()) ?? {};
  const lines = await driver.explain(NODE, NEW);
  expect(await stateOf()).toMatchObject({ instance, version: OLD });
  const env = { ...process.env, PATH: `${dirname(kubernetes.binaries.kubectl)}:${process.env.PATH ?? ''}` };
  const isThere = async () =>
    (await podsOf(namespace, 'matching')).some(({ version, ready }) => version === NEW && ready);
  for (const line of lines) {
    await promisify(execFile)('sh', ['-c', line], { env });
    if (line.includes('rollout resume')) await waitUntil(isThere);
  }
  await waitUntil(async () => (await podsOf(namespace, 'matching')).every(({ version }) => version === NEW));
  expect(await stateOf()).toMatchObject({ running: true, version: NEW });
  await driver.replaceNode?.(NODE, OLD);
  expect(await stateOf()).toMatchObject({ running: true, version: OLD });
});

it('names the nodes that there are when it is asked for another', async () => {
  const attempts: (() => Promise<unknown>)[] = [
    () => driver.stopNode('history-9'),
    () => driver.startNode('history-9', NEW),
    async () => driver.replaceNode?.('history-9', NEW),
    () => driver.explain('x', NEW),
  ];
  for (const attempt of attempts) {
    await expect(attempt()).rejects.toThrow(`the nodes are frontend-1, history-1, ${NODE}, ${OTHER}`);
  }
});
