import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client, Connection, WorkflowFailedError } from '@temporalio/client';
import { readIfThere } from '../../src/adapters/record-file.js';
import { findFreePorts } from '../../src/lab/free-ports.js';
import { OneServer } from '../helpers/one-server.js';
import { WebhookReceiver } from '../helpers/webhook-receiver.js';

/** The worker as a service manager runs it, against a control plane that goes away and comes back. */
const BIN = fileURLToPath(new URL('../../bin/temporal-upgrade', import.meta.url));
let folder: string;
let server: OneServer;
let worker: ChildProcess;
let health: string;
let metrics: string;
let log = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'worker-service-'));
  server = await OneServer.start(folder);
  const [healthPort, metricsPort] = await findFreePorts(2);
  health = `127.0.0.1:${healthPort}`;
  metrics = `127.0.0.1:${metricsPort}`;
  worker = startWorker({ TEMPORAL_UPGRADE_HEALTH: health, TEMPORAL_UPGRADE_METRICS: metrics });
}, 120_000);

/** A worker that logs JSON. What the last one that was started says is in `log`. */
function startWorker(variables: Readonly<Record<string, string>>): ChildProcess {
  log = '';
  const child = spawn(BIN, ['worker', '--log-format', 'json'], {
    env: { ...process.env, TEMPORAL_ADDRESS: server.address, ...variables },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
  return child;
}

/** Each line of the log, which has to be JSON. */
function entries(): readonly unknown[] {
  return log
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);
}

afterAll(async () => {
  if (worker.exitCode === null) worker.kill('SIGKILL');
  await server.kill();
  await rm(folder, { recursive: true, force: true });
});

async function get(address: string, path: string): Promise<readonly [number, string]> {
  const response = await fetch(`http://${address}${path}`);
  return [response.status, await response.text()];
}

/** What `/readyz` says, once it has that status. */
async function ready(status: number): Promise<unknown> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await sleep(200)) {
    const [seen, body] = await get(health, '/readyz').catch(() => [0, ''] as const);
    if (seen === status) return JSON.parse(body);
  }
  throw new Error(`/readyz never answered ${status}; the worker said: ${log}`);
}

test('it is ready when it polls, and shows the metrics of the SDK', async () => {
  expect(await ready(200)).toEqual({ ready: true, state: 'RUNNING' });
  const [status, page] = await get(metrics, '/metrics');
  expect(status).toBe(200);
  expect(page).toMatch(/^temporal_num_pollers/m);
}, 90_000);

test('it is alive and not ready while the control plane is away, and ready again after that', async () => {
  await server.kill();
  expect(await ready(503)).toMatchObject({
    ready: false,
    problem: expect.stringMatching(/control plane does not answer/),
  });
  expect((await get(health, '/livez'))[0]).toBe(200);
  await server.startAgain();
  expect(await ready(200)).toMatchObject({ ready: true });
}, 180_000);

test('SIGTERM ends it in order: what is under way is done to its end, and the next worker goes on from there', async () => {
  const file = join(folder, 'done');
  const command = ['sh', '-c', `echo begun >> '${file}'; sleep 3; echo ended >> '${file}'`];
  const about = { id: 'n-1', kind: 'gate', rolloutId: 'upgrade-prod', cluster: 'prod', from: '1.30.7', to: '1.31.2' };
  const notice = { ...about, gate: 'g', evidence: [], command: '', at: '2026-01-01T10:00:00.000Z' };
  const connection = await Connection.connect({ address: server.address });
  try {
    const handle = await new Client({ connection }).workflow.start('notice', {
      workflowId: 'under-way',
      taskQueue: 'temporal-upgrade',
      args: [{ notice, channels: [{ type: 'command', command, environment: {} }] }],
    });
    while ((await readIfThere(file)) === '') await sleep(50);
    const ended = once(worker, 'exit');
    worker.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
    expect(await readIfThere(file)).toBe('begun\nended\n');
    const entry = { at: expect.any(String), level: expect.any(String), message: expect.any(String) } as const;
    expect(entries().length).toBeGreaterThan(0);
    for (const told of entries()) expect(told).toMatchObject(entry);
    worker = startWorker({});
    expect(await handle.result()).toEqual({ failed: [] });
    expect(await readIfThere(file)).toBe('begun\nended\n');
  } finally {
    await connection.close();
  }
}, 120_000);

test.each([
  [
    'that a person can mend',
    { TEMPORAL_ADDRESS: '127.0.0.1:1' },
    2,
    /^the worker ends: no Temporal answers at 127.0.0.1:1: /,
  ],
  ['that nobody thought of', { TEMPORAL_UPGRADE_METRICS: 'nowhere' }, 1, /^the worker ends: /],
])(
  'an error %s ends it with a line of JSON too',
  async (_, variables, code, message) => {
    const failing = startWorker(variables);
    // When all that it said has been read.
    expect(await once(failing, 'close')).toEqual([code, null]);
    expect(entries()).toEqual([
      expect.objectContaining({ level: 'error', message: expect.stringMatching(message) as unknown }),
    ]);
  },
  120_000,
);

test('where OpenTelemetry has a place for traces, workflows and activities are traced there, without a payload', async () => {
  const collector = await WebhookReceiver.start();
  const traced = spawn(BIN, ['worker', '--task-queue', 'traced'], {
    env: {
      ...process.env,
      TEMPORAL_ADDRESS: server.address,
      OTEL_EXPORTER_OTLP_ENDPOINT: new URL(collector.url).origin,
      OTEL_SERVICE_NAME: 'upgrades',
    },
    stdio: 'ignore',
  });
  try {
    const connection = await Connection.connect({ address: server.address });
    const run = new Client({ connection }).workflow.execute('rollout', {
      workflowId: 'traced',
      taskQueue: 'traced',
      args: [{ to: 'a version that is none' }],
    });
    await expect(run).rejects.toThrow(WorkflowFailedError);
    await connection.close();
    const ended = once(traced, 'exit');
    traced.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
    // Names and attributes stand in the protocol buffer as they are.
    const sent = collector.received.map(({ body }) => body).join('\n');
    for (const told of ['upgrades', 'RunWorkflow:rollout', 'StartActivity:validateInput', 'RunActivity:validateInput'])
      expect(sent).toContain(told);
    expect(sent).not.toContain('a version that is none');
  } finally {
    traced.kill('SIGKILL');
    await collector.stop();
  }
}, 120_000);
