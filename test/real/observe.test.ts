import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { MeterFile } from '../../src/adapters/meter/meter-file.js';
import { runMeter } from '../../src/adapters/meter/run-meter.js';
import { createToolResolver } from '../../src/adapters/tools/tool-resolver.js';
import { Bounds } from '../../src/core/input/bounds.js';
import type { Target } from '../../src/core/input/input.js';
import { judge } from '../../src/core/judging/judge.js';
import { nextBeat } from '../../src/core/measuring/round.js';
import { cutWindow } from '../../src/core/measuring/window.js';
import type { Expected, Observation, Verdict } from '../../src/core/measuring/observation.js';
import { startCluster, type LabCluster } from '../../src/lab/cluster.js';
import { startPostgres, type LabPostgres } from '../../src/lab/postgres.js';
import { startTcpProxy, type TcpProxy } from '../helpers/tcp-proxy.js';

/**
 * One small cluster under load, on a database behind a proxy, with a meter that runs all the time: windows are cut out of
 * its file. In each case something is broken on purpose; the judgement has to say which.
 */
const VERSION = '1.31.2';
const BEAT_MS = 1_000;
const WINDOW_MS = 10_000;
const CLI = new URL('../../bin/temporal-upgrade', import.meta.url).pathname;
/** A busy machine is not what is tested: a latency has to grow by what is put in its way. */
const BOUNDS = Bounds.parse({ latencyFactor: 1.25, latencyRiseMs: 100, minBeatShare: 0.8, minRequests: 100 });
/** For what has nothing to do with latencies, on a cluster whose database was slow a moment ago. */
const ANY_LATENCY = { ...BOUNDS, latencyRiseMs: 5_000 };

const tools = createToolResolver();
let folder: string;
let postgres: LabPostgres;
let database: TcpProxy;
let page: TcpProxy;
let cluster: LabCluster;
let target: Target;
let file: MeterFile;
let meter: { stop(): Promise<void> };
let load: Load;
let baseline: Observation;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'temporal-upgrade-observe-test-'));
  postgres = await startPostgres();
  database = await startTcpProxy(postgres.port);
  cluster = await startCluster({
    name: 'observed',
    version: VERSION,
    database: { ...postgres, port: database.port },
    tools,
    directory: join(folder, 'cluster'),
    nodesPerRole: { history: 2 },
  });
  const matching = cluster.nodes.find(({ role }) => role === 'matching');
  page = await startTcpProxy(Number(matching?.metricsAddress?.split(':')[1]));
  const nodes = cluster.nodes.map((node) =>
    node === matching ? { ...node, metricsAddress: `127.0.0.1:${page.port}` } : node,
  );
  target = { ...cluster.target, driver: { ...cluster.target.driver, nodes } };
  file = new MeterFile(join(folder, 'rounds.sqlite'), target.name);
  load = await startLoad(cluster.frontends[0] ?? '', 25);
  meter = startMeter();
  await calm(); // what a new cluster does once is not what it does
}, 300_000);

afterAll(async () => {
  await load?.stop();
  await meter?.stop();
  file?.[Symbol.dispose]();
  await page?.close();
  await cluster?.stop();
  await database?.close();
  await postgres?.stop();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

function startMeter(): { stop(): Promise<void> } {
  const stopped = new AbortController();
  const onRound = (round: Parameters<MeterFile['append']>[0]) => file.append(round);
  const running = runMeter({ target, tools, beatMs: BEAT_MS, onRound, signal: stopped.signal }).catch(
    (error: unknown) => {
      if (!stopped.signal.aborted) throw error;
    },
  );
  return { stop: () => (stopped.abort(), running) };
}

interface Load {
  stop(): Promise<void>;
  /** How many of the last calls in a row were answered within a second. */
  quick(): number;
}

/** Waits until the cluster answers as it usually does, for two minutes at most. */
async function calm(): Promise<void> {
  for (const deadline = Date.now() + 120_000; load.quick() < 50 && Date.now() < deadline;) await sleep(250);
  expect(load.quick()).toBeGreaterThanOrEqual(50);
}

/** Starts and signals workflows, open loop. Failures are the cluster's affair: they are in its metrics. */
async function startLoad(address: string, callsPerSecond: number): Promise<Load> {
  const connection = await Connection.connect({ address, interceptors: [] });
  const { workflowService } = connection;
  const under = new Set<Promise<unknown>>();
  const name = `observed-${Date.now()}`;
  let number = 0;
  let quick = 0;
  const call = () => {
    if (under.size > 200) return;
    const isStart = number % 2 === 0;
    // What is signalled was started a while ago.
    const workflowId = `${name}-${isStart ? number / 2 : Math.max(0, (number - 1) / 2 - 20)}`;
    const execution = { namespace: 'default', requestId: `request-${number}`, identity: 'test' };
    const one = connection.withDeadline(Date.now() + 10_000, () =>
      isStart
        ? workflowService.startWorkflowExecution({
            ...execution,
            workflowId,
            workflowType: { name: 'nobody' },
            taskQueue: { name: 'nobody' },
            // Nobody works on them: without a delay their tasks would be a backlog that grows and grows.
            workflowStartDelay: msToTs('1 day'),
          })
        : workflowService.signalWorkflowExecution({ ...execution, workflowExecution: { workflowId }, signalName: 's' }),
    );
    const began = Date.now();
    number += 1;
    const settled: Promise<unknown> = one
      .then(
        () => (quick = Date.now() - began < 1_000 ? quick + 1 : 0),
        () => (quick = 0),
      )
      .finally(() => under.delete(settled));
    under.add(settled);
  };
  const timer = setInterval(call, 1_000 / callsPerSecond);
  return {
    quick: () => quick,
    stop: async () => {
      clearInterval(timer);
      await Promise.all(under);
      await connection.close();
    },
  };
}

/** A window from the next beat on, while `meanwhile` is done. */
async function observe(meanwhile: () => Promise<unknown> = () => Promise.resolve(), windowMs = WINDOW_MS) {
  await calm();
  const from = nextBeat(Date.now(), BEAT_MS);
  await Promise.all([sleep(from + windowMs - Date.now()), sleep(from - Date.now() + 500).then(meanwhile)]);
  return cut(from, Math.max(from + windowMs, Date.now()));
}

async function cut(from: number, end: number): Promise<Observation> {
  const to = nextBeat(end, BEAT_MS);
  // The round of the last beat may wait for a time-out.
  for (const deadline = Date.now() + 12_000; file.count(to, to) === 0 && Date.now() < deadline;) await sleep(100);
  return cutWindow(file.rounds(from, to), {
    kind: 'settled',
    from,
    to,
    beatMs: BEAT_MS,
    minRequests: BOUNDS.minRequests,
  });
}

const EXPECTED: Expected = { versions: [VERSION] };
const judged = (observation: Observation, bounds = BOUNDS): Verdict =>
  judge({ observation, baseline, bounds, expected: EXPECTED });
const lineOf = (verdict: Verdict, id: string): string | undefined =>
  verdict.lines.find((line) => line.includes(` ${id}: `));

test('a quiet cluster is judged three times without a false alarm', async () => {
  const began = nextBeat(Date.now(), BEAT_MS);
  baseline = await observe();
  expect(judge({ observation: baseline, bounds: BOUNDS }).lines.filter(isAlarm)).toEqual([]);
  for (let window = 0; window < 3; window += 1) {
    const observation = await observe();
    expect(judged(observation).lines.filter(isAlarm)).toEqual([]);
    expect(JSON.stringify(observation).length).toBeLessThan(8_000);
  }
  const rounds = file.rounds(began, Date.now());
  expect(JSON.stringify(rounds).length / rounds.length).toBeLessThan(12_000);
}, 90_000);

const isAlarm = (line: string) => line.startsWith('fail') || line.startsWith('inconclusive');

test('latency on the way to the database', async () => {
  database.delayMs = 80;
  const verdict = judged(await observe());
  database.delayMs = 0;
  expect(verdict.verdict).toBe('fail');
  expect(lineOf(verdict, 'database-query/default')).toMatch(/^fail: .*Why: a slow database makes all else slow/);
  expect(lineOf(verdict, 'database-latency')).toMatch(/^fail: .*slower than/);
}, 60_000);

test('a metrics endpoint that is gone', async () => {
  const verdict = judged(await observe(() => page.close(), 6_000), ANY_LATENCY);
  expect(verdict.lines.filter((line) => line.startsWith('fail'))).toEqual([]);
  expect(verdict.verdict).toBe('inconclusive');
  expect(lineOf(verdict, 'process-samples')).toMatch(/^inconclusive: .*matching-1: no metrics from http:/);
  await meter.stop();
  target = cluster.target;
  meter = startMeter();
}, 60_000);

test('too little load', async () => {
  await calm();
  await load.stop();
  const verdict = judged(await observe(undefined, 6_000), ANY_LATENCY);
  load = await startLoad(cluster.frontends[0] ?? '', 25);
  expect(verdict.verdict).toBe('inconclusive');
  expect(lineOf(verdict, 'requests')).toMatch(/^inconclusive: .*at least 100/);
}, 60_000);

test('a history process that is killed, and the reset of its counters when it is back', async () => {
  const killed = await observe(async () => {
    const node = (await cluster.driver.listNodes()).find(({ name }) => name === 'history-2');
    process.kill(Number(node?.instance?.split(':')[0]), 'SIGKILL');
  });
  expect(judged(killed).verdict).toBe('fail');
  expect(lineOf(judged(killed), 'health')).toMatch(/^fail: .*history-2 did not serve/);

  const from = nextBeat(Date.now(), BEAT_MS) - 12 * BEAT_MS; // begins before it was killed
  await cluster.driver.startNode('history-2', VERSION);
  await sleep(3_000);
  const restarted = await cut(from, Date.now());
  expect(lineOf(judged(restarted), 'restarts')).toMatch(/^fail: .*history-2; its counters were begun anew/);
  expect(restarted.processes.some(({ fell }) => fell !== undefined)).toBe(false);
  expect(restarted.totals.persistenceRequests).toBeGreaterThan(0);
}, 90_000);

test('a process on the wrong version', async () => {
  const restart = async (version: string) => {
    await cluster.driver.stopNode('worker-1');
    await cluster.driver.startNode('worker-1', version);
  };
  await restart('1.30.7');
  const verdict = judged(await observe(undefined, 5_000));
  await restart(VERSION);
  expect(verdict.verdict).toBe('fail');
  expect(lineOf(verdict, 'versions')).toMatch(/^fail: .*worker-1 1\.30\.7; expected 1\.31\.2/);
}, 90_000);

test('the command observes alone, and tells by table, JSON and exit code', async () => {
  await calm();
  const targetFile = join(folder, 'target.json');
  const saved = join(folder, 'baseline.json');
  const bounds = { ...cluster.target.bounds, latencyRiseMs: 2_000, minBeatShare: 0.8, minRequests: 100 };
  await writeFile(targetFile, JSON.stringify({ ...cluster.target, bounds }));
  // Not in one go: the database is reached through a proxy in this very process.
  const run = async (...args: string[]) => {
    const child = spawn(CLI, ['observe', '--target', targetFile, '--every', '1s', ...args], { timeout: 60_000 });
    const [stdout] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    return { stdout, status: child.exitCode };
  };
  const first = await run('--for', '8s', '--save', saved);
  expect(first.stdout.match(/^[✗?].*$/gmu)).toBeNull();
  expect(first.status).toBe(0);
  expect(first.stdout).toContain('No baseline: absolute bounds alone hold');
  expect(first.stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  const second = await run('--for', '8s', '--baseline', saved, '--output', 'json');
  const told = JSON.parse(second.stdout) as { verdict: string; compared: boolean; checks: { id: string }[] };
  expect(told).toMatchObject({ target: 'observed', compared: true, verdict: 'pass' });
  expect(second.status).toBe(0);
}, 120_000);

test('a database that is paused for twenty seconds', async () => {
  const verdict = judged(
    await observe(async () => {
      const pids = await postgresPids(postgres.dataDir);
      for (const pid of pids) process.kill(pid, 'SIGSTOP');
      await sleep(20_000);
      for (const pid of pids) process.kill(pid, 'SIGCONT');
    }, 26_000),
  );
  expect(verdict.verdict).toBe('fail');
  expect(lineOf(verdict, 'database-reached/default')).toMatch(/^fail: .*no answer at \d+ samples in a row/);
  expect(lineOf(verdict, 'database-reached/visibility')).toMatch(/^fail: /);
}, 90_000);

/** The server's first process and its children as they are now; those that begin later wait for the first one. */
async function postgresPids(dataDir: string): Promise<number[]> {
  const first = Number((await readFile(join(dataDir, 'postmaster.pid'), 'utf8')).split('\n')[0]);
  const all = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const stats = await Promise.all(
    all.map(async (pid) => [pid, await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')] as const),
  );
  const children = stats.filter(([, stat]) => Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === first);
  return [first, ...children.map(([pid]) => pid)];
}
