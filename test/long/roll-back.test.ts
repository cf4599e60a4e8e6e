import { createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { defaultPayloadConverter } from '@temporalio/common';
import { isRunning } from '../../src/adapters/process/linux-process.js';
import { listServerProcesses, type ServerProcess } from '../../src/adapters/process/server-process.js';
import type { RolloutResult } from '../../src/core/rollout-result.js';
import type { RolloutStatus } from '../../src/core/status.js';
import { SHORT_POLICY, startTestLab, startWorkflow, stateOf, until, waitForStatus } from '../helpers/rollout-lab.js';

/** Over the hop of the other tests the servers alone cannot go back: 1.29.1 is below the floor of 1.29. */
const FROM = '1.30.7';
const TO = '1.31.2';
const SCHEMA_AFTER = { default: '1.19', visibility: '1.14' };

/**
 * The second of two history processes of staging cannot start on the new version, because another program has taken its port:
 * an incident in the middle of the servers phase. Somebody decides to roll back, and later to do the hop again.
 */
let lab: Awaited<ReturnType<typeof startTestLab>>;
let workflowId: string;
let squatter: Server | undefined;
const atIncident = (phase: string) => (status: RolloutStatus) =>
  status.waiting?.for === 'decision' &&
  status.waiting.kind === 'incident' &&
  status.waiting.name.startsWith(`staging/${TO}/${phase}/incident/`);

beforeAll(async () => {
  lab = await startTestLab({ version: FROM, staging: { nodesPerRole: { history: 2 } } });
  await lab.startWorker();
  const policy = {
    ...SHORT_POLICY,
    gates: { staging: [], live: ['promote' as const] },
    load: { staging: { startsPerSecond: 2, longRunning: 3 } },
  };
  workflowId = await startWorkflow(lab, lab.input('1.31', { pins: { '1.30': FROM, '1.31': TO }, policy }));
}, 600_000);

afterAll(async () => {
  squatter?.close();
  await lab?.remove();
}, 120_000);

const decide = (kind: 'rollBack' | 'retry' | 'abort', gate?: string) =>
  lab.client.workflow.getHandle(workflowId).executeUpdate(kind, { args: [{ gate, by: 'test', reason: 'test' }] });

test('a node that cannot start is an incident, which says why and offers the way back', async () => {
  await takePortBetweenStopAndStart('history-2');
  const { waiting, problem } = await waitForStatus(lab, workflowId, atIncident('servers'));
  expect(waiting).toMatchObject({ allowed: ['retry', 'abort', 'rollBack', 'restore'] });
  expect(problem).toContain(`node history-2 ended at once when it was started with ${TO}`);
  expect(problem).toMatch(/address already in use/);
  // Nor does the old version find its port free.
  expect(problem).toContain(`It could not be put back to ${FROM} either: node history-2 ended at once`);
  const { nodes } = await stateOf(lab.staging);
  expect(Object.fromEntries(nodes.map(({ name, version }) => [name, version]))).toEqual({
    'matching-1': TO,
    'history-1': TO,
    'history-2': undefined,
    'frontend-1': FROM,
    'worker-1': FROM,
  });
}, 400_000);

test('rolling back puts the servers back and leaves the schema; the shards are proved to be of the old version', async () => {
  const { waiting } = await waitForStatus(lab, workflowId, atIncident('servers'));
  const before = await stateOf(lab.staging);
  await new Promise((closed) => squatter?.close(closed));
  await decide('rollBack', waiting?.for === 'decision' ? waiting.name : '');

  const { current, hops, next } = await waitForStatus(lab, workflowId, atIncident('rolled-back'));
  expect(current?.phase).toBe('rolled-back');
  expect(next).toContain('once a person says retry');
  const { schema, nodes } = await stateOf(lab.staging);
  expect(schema).toEqual(SCHEMA_AFTER);
  expect(nodes.map(({ version, running }) => ({ version, running }))).toEqual(
    nodes.map(() => ({ version: FROM, running: true })),
  );
  // Those that had not been replaced yet were left alone.
  const instances = (state: typeof before) =>
    Object.fromEntries(state.nodes.map(({ name, instance }) => [name, instance]));
  for (const name of ['frontend-1', 'worker-1'])
    expect(instances({ schema, nodes })[name]).toBe(instances(before)[name]);
  // First what does not run, then the reverse of the way forward.
  expect(await replacements(FROM)).toEqual(['history-2', 'worker-1', 'frontend-1', 'history-1', 'matching-1']);

  expect(hops).toHaveLength(1);
  const [hop] = hops;
  expect(hop).toMatchObject({ environment: 'staging', from: FROM, to: TO, outcome: 'rolled-back' });
  const settle = hop?.phases.findLast(({ phase }) => phase === 'settle');
  expect(settle?.summary).toContain('32 shards, each owned once by a new process');
  const owners = lab.staging.nodes.flatMap(({ role, rpcAddress }) => (role === 'history' ? [rpcAddress] : []));
  const held = owners.map((owner) => Number(settle?.summary.split(`${owner}: `)[1]?.match(/^\d+/)?.[0] ?? 0));
  expect(held.reduce((sum, shards) => sum + shards, 0)).toBe(32);
}, 400_000);

test('with every server on the new version and the only frontend dead they go back too, what does not run first', async () => {
  const { waiting } = await waitForStatus(lab, workflowId, atIncident('rolled-back'));
  await decide('retry', waiting?.for === 'decision' ? waiting.name : '');
  await waitForStatus(lab, workflowId, ({ current }) => current?.phase === 'settle');
  expect((await stateOf(lab.staging)).nodes.map(({ version }) => version)).toEqual(lab.staging.nodes.map(() => TO));
  const frontend = await serverOf('frontend-1');
  process.kill(frontend.pid, 'SIGKILL');
  await decide('rollBack', `staging/${TO}`);

  const again = (status: RolloutStatus) => atIncident('rolled-back')(status) && status.hops.length === 2;
  const { hops } = await waitForStatus(lab, workflowId, again);
  expect(hops[1]).toMatchObject({ outcome: 'rolled-back', incidents: 0 });
  const { nodes } = await stateOf(lab.staging);
  expect(nodes.map(({ version, running }) => ({ version, running }))).toEqual(
    nodes.map(() => ({ version: FROM, running: true })),
  );
  expect((await replacements(FROM)).slice(-5)).toEqual([
    'frontend-1',
    'worker-1',
    'history-2',
    'history-1',
    'matching-1',
  ]);
}, 600_000);

test('retry does the hop again, to its end, with backups of its own', async () => {
  const { waiting } = await waitForStatus(lab, workflowId, atIncident('rolled-back'));
  await decide('retry', waiting?.for === 'decision' ? waiting.name : '');
  const { hops } = await waitForStatus(
    lab,
    workflowId,
    ({ waiting: open }) => open?.for === 'decision' && open.name === `live/${TO}/promote`,
  );
  expect(hops.map(({ outcome, incidents }) => ({ outcome, incidents }))).toEqual([
    { outcome: 'rolled-back', incidents: 1 },
    { outcome: 'rolled-back', incidents: 0 },
    { outcome: 'completed', incidents: 0 },
  ]);
  const { schema, nodes } = await stateOf(lab.staging);
  expect(schema).toEqual(SCHEMA_AFTER);
  expect(nodes.map(({ version }) => version)).toEqual(nodes.map(() => TO));
  const files = hops.flatMap(({ backups }) => backups.map(({ file }) => file));
  expect(new Set(files).size).toBe(9);
}, 400_000);

test('no canary was lost on the way there, back and there again', async () => {
  await decide('abort');
  const result = (await lab.client.workflow.getHandle(workflowId).result()) as RolloutResult;
  expect(result.status).toBe('aborted');
  expect(result.ledgers.staging).toMatchObject({ lost: 0, duplicated: 0, wrong: 0, failed: 0 });
  expect(result.ledgers.staging?.started).toBeGreaterThan(0);
  expect(result.decisions.map(({ kind, counted }) => [kind, counted])).toEqual([
    ['rollBack', true],
    ['retry', true],
    ['rollBack', true],
    ['retry', true],
    ['abort', true],
  ]);
}, 200_000);

/** Listens on the port of a node of staging from the moment at which its process has ended. */
async function takePortBetweenStopAndStart(name: string): Promise<void> {
  const server = await serverOf(name);
  while (await isRunning(server)) await sleep(5);
  const port = Number(lab.staging.nodes.find((node) => node.name === name)?.rpcAddress.split(':')[1]);
  squatter = await until(() => listen(port), 5);
}

async function serverOf(name: string): Promise<ServerProcess> {
  const configDir = lab.staging.nodes.find((node) => node.name === name)?.configDir;
  const server = (await listServerProcesses()).find((process) => process.configDir === configDir);
  if (server === undefined) throw new Error(`${name} of staging does not run`);
  return server;
}

async function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

/** The nodes that the present run of the roll-out replaced with `version`, in the order of its history. */
async function replacements(version: string): Promise<string[]> {
  const { events } = await lab.client.workflow.getHandle(workflowId).fetchHistory();
  return (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: scheduled }) => {
    const payload = scheduled?.input?.payloads?.[0];
    if (scheduled?.activityType?.name !== 'replaceNode' || payload === undefined) return [];
    const request = defaultPayloadConverter.fromPayload<{ node: string; version: string }>(payload);
    return request.version === version ? [request.node] : [];
  });
}
