import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectionOptions, type ReachableBy } from '../../src/adapters/connection-options.js';
import { connectTarget, withTarget, type TargetConnection } from '../../src/adapters/cluster/target-connection.js';
import { listServerProcesses } from '../../src/adapters/process/server-process.js';
import { createToolResolver } from '../../src/adapters/tools/tool-resolver.js';
import { startCluster, type LabCluster } from '../../src/lab/cluster.js';
import { startPostgres, type LabPostgres } from '../../src/lab/postgres.js';
import { ensureCanaryNamespace } from '../../src/load/canary-namespace.js';
import type { SeenWindow, Span } from '../../src/load/probe/cut-window.js';
import { ProbeStore } from '../../src/load/probe/probe-store.js';
import { runProbe, type ProbeOptions } from '../../src/load/probe/run-probe.js';
import { compileSource } from '../helpers/compiled-source.js';

const MINUTE = 60_000;
const VERSION = '1.31.2';
const NAMESPACE = 'canaries';
const tools = createToolResolver();
let folder: string;
let compiled: ReturnType<typeof compileSource>;
let postgres: LabPostgres;
let cluster: LabCluster;
let target: TargetConnection;
let reachableBy: ReachableBy;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'temporal-upgrade-probe-'));
  compiled = compileSource(['core', 'adapters', 'load']);
  postgres = await startPostgres();
  cluster = await startCluster({
    name: 'probed',
    version: VERSION,
    database: postgres,
    tools,
    directory: join(folder, 'probed'),
  });
  reachableBy = await connectionOptions(cluster.target.connection);
  await withTarget(cluster.target.connection, ({ grpc }) => ensureCanaryNamespace(grpc, NAMESPACE));
  target = await connectTarget(cluster.target.connection);
}, 5 * MINUTE);

afterAll(async () => {
  await target?.close();
  await cluster?.stop();
  await postgres?.stop();
  compiled?.remove();
  await rm(folder, { recursive: true, force: true });
}, MINUTE);

/** Probes while `work` goes on; returns what was seen in that time, by the file of `name`. */
async function probeDuring(
  name: string,
  work: () => Promise<unknown>,
  more: Partial<ProbeOptions> = {},
): Promise<SeenWindow & { readonly span: Span }> {
  const stop = new AbortController();
  using sink = new ProbeStore(join(folder, `${name}.sqlite`));
  const onProblem = (message: string) => expect(message).toBe('no problem');
  const options = { reachableBy, namespace: NAMESPACE, id: 'test', mayChange: true, sink, onProblem };
  const from = Date.now();
  const probing = runProbe({ ...options, stop: stop.signal, intervalMs: 1_000, ...more });
  await work();
  stop.abort();
  await probing;
  const span = { from, to: Date.now() };
  return { ...sink.window(span), span };
}

async function describeProbeWorkflows() {
  const ids = Array.from({ length: 8 }, (_, index) => `probe-test-${index}`);
  return Promise.all(
    ids.map(async (workflowId) => {
      const description = await target.grpc.workflowService.describeWorkflowExecution({
        namespace: NAMESPACE,
        execution: { workflowId },
      });
      const { historyLength, status, stateTransitionCount } = description.workflowExecutionInfo ?? {};
      const pending = description.pendingWorkflowTask ?? null;
      return { status, pending, events: Number(historyLength), transitions: Number(stateTransitionCount) };
    }),
  );
}

test(
  'a healthy cluster: no attempt fails, and what the probe changes does not grow',
  async () => {
    const first = await probeDuring('healthy', () => sleep(20_000));
    expect(first).toMatchObject({ failedAttempts: 0, failedCalls: 0, byCode: {}, byKind: {} });
    expect(first.attempts).toBeGreaterThan(60);
    expect(first.calls).toBeGreaterThan(60);
    expect(first.latencyMs?.p50).toBeGreaterThan(0);
    expect(first.latencyMs?.max).toBeGreaterThanOrEqual(first.latencyMs?.p99 ?? Infinity);
    expect(first.longestGapMs).toBeGreaterThan(0);
    const before = await describeProbeWorkflows();
    // Start and one signal; nothing waits for a worker.
    expect(before).toEqual(before.map(({ transitions }) => ({ status: 1, pending: null, events: 2, transitions })));
    const second = await probeDuring('healthy', () => sleep(15_000));
    expect(second).toMatchObject({ failedAttempts: 0, failedCalls: 0 });
    expect(await describeProbeWorkflows()).toEqual(before);
    // Between the two nobody probed; that is seen.
    using store = new ProbeStore(join(folder, 'healthy.sqlite'));
    const both = store.window({ from: first.span.from, to: second.span.to });
    expect(both.missingMs).toBeGreaterThanOrEqual(second.span.from - first.span.to);
    expect(both.attempts).toBe(first.attempts + second.attempts);
  },
  2 * MINUTE,
);

test(
  'where nothing may be changed, nothing is',
  async () => {
    const seen = await probeDuring('reading', () => sleep(8_000), {
      namespace: 'default',
      id: 'reading',
      mayChange: false,
    });
    expect(seen).toMatchObject({ failedAttempts: 0, failedCalls: 0 });
    expect(seen.attempts).toBeGreaterThan(20);
    const execution = { workflowId: 'probe-reading-0' };
    await expect(
      target.grpc.workflowService.describeWorkflowExecution({ namespace: 'default', execution }),
    ).rejects.toThrow(/NOT_FOUND/);
    const missing = await probeDuring('missing', () => sleep(3_000), { namespace: 'no-such', mayChange: false });
    expect(missing.byCode).toEqual({ NOT_FOUND: missing.failedAttempts });
    expect(Object.keys(missing.byKind).sort()).toEqual(['history-read', 'namespace', 'visibility']);
  },
  MINUTE,
);

/** Kills the frontend, and starts it again after `ms`; returns for how long at least none was there. */
async function outage(ms: number): Promise<number> {
  const { configDir } = cluster.nodes.find(({ name }) => name === 'frontend-1') ?? {};
  const [frontend] = (await listServerProcesses()).filter((one) => one.configDir === configDir);
  if (frontend === undefined) throw new Error('no process of the frontend');
  process.kill(frontend.pid, 'SIGKILL');
  const from = Date.now();
  await sleep(ms);
  const lasted = Date.now() - from;
  await cluster.driver.startNode('frontend-1', VERSION);
  return lasted;
}

test(
  'a frontend that is killed: failed attempts by code, a gap as long as it was away, and failed calls once retries give up',
  async () => {
    let lasted = 0;
    const short = await probeDuring('short', async () => {
      await sleep(5_000);
      lasted = await outage(4_000);
      await sleep(15_000);
    });
    expect(short.byCode['UNAVAILABLE']).toBeGreaterThan(0);
    expect(short.failedAttempts).toBe(Object.values(short.byCode).reduce((sum, count) => sum + count, 0));
    expect(short.failedCalls).toBe(0);
    expect(short.longestGapMs).toBeGreaterThanOrEqual(lasted - 1_000);
    expect(short.longestGapMs).toBeLessThan(lasted + 15_000);

    const long = await probeDuring('long', async () => {
      await sleep(3_000);
      lasted = await outage(35_000);
      await sleep(10_000);
    });
    expect(long.failedCalls).toBeGreaterThan(0);
    expect(long.longestGapMs).toBeGreaterThanOrEqual(lasted - 1_000);
  },
  4 * MINUTE,
);

/** A process that probes into `file` until it is killed. */
function startProcess(file: string) {
  const module = (path: string) => JSON.stringify(`file://${compiled.directory}/load/probe/${path}.js`);
  const options = { reachableBy, namespace: NAMESPACE, id: 'test', mayChange: true, intervalMs: 2_000 };
  const source = `
    const { runProbe } = await import(${module('run-probe')});
    const { ProbeStore } = await import(${module('probe-store')});
    const sink = new ProbeStore(${JSON.stringify(file)});
    const stop = new AbortController().signal;
    await runProbe({ ...${JSON.stringify(options)}, sink, stop, onProblem: console.error });`;
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', source],
    {
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  return { child, ended: once(child, 'exit') };
}

test(
  'a probe that is killed keeps what it had written; the time without it is missing, not a success and not a gap',
  async () => {
    const file = join(folder, 'killed.sqlite');
    using store = new ProbeStore(file);
    const from = Date.now();
    const windowNow = () => store.window({ from, to: Date.now() });
    const first = startProcess(file);
    while (windowNow().attempts < 40) await sleep(200);
    first.child.kill('SIGKILL');
    await first.ended;
    const killedAt = Date.now();
    const kept = store.window({ from, to: killedAt });
    expect(kept.attempts).toBeGreaterThanOrEqual(40);
    await sleep(6_000);
    const second = startProcess(file);
    while (windowNow().attempts < kept.attempts + 40) await sleep(200);
    second.child.kill('SIGKILL');
    await second.ended;
    const whole = windowNow();
    expect(whole).toMatchObject({ failedAttempts: 0, failedCalls: 0 });
    expect(whole.missingMs).toBeGreaterThanOrEqual(6_000);
    expect(whole.longestGapMs).toBeLessThan(6_000);
    expect(store.window({ from: killedAt, to: killedAt + 5_000 })).toMatchObject({ attempts: 0, missingMs: 5_000 });
  },
  2 * MINUTE,
);
