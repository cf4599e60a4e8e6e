import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProbeInterval } from '../../../src/load/probe/probe-interval.js';
import { ProbeStore } from '../../../src/load/probe/probe-store.js';
import { runProbe, type ProbeOptions } from '../../../src/load/probe/run-probe.js';
import { startGrpcServer } from '../../helpers/grpc-server.js';

let folder: string;
let store: ProbeStore;
let stop: AbortController;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'probe-'));
  store = new ProbeStore(join(folder, 'probe.sqlite'));
  stop = new AbortController();
});
afterEach(() => {
  stop.abort();
  store[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** Probes an address at which nothing answers. */
function probeNobody(more: Partial<ProbeOptions> = {}): Promise<void> {
  const onProblem = () => undefined;
  const probed = { namespace: 'n', id: 'test', mayChange: true, reachableBy: { address: '127.0.0.1:1' } };
  return runProbe({ ...probed, sink: store, stop: stop.signal, intervalMs: 200, onProblem, ...more });
}

test('a target that is away is no reason to stop: every kind of call fails, and the gap has not ended', async () => {
  const from = Date.now();
  const probing = probeNobody({ perSecond: 50 });
  while (Object.keys(store.window({ from, to: Date.now() }).byKind).length < 6) await sleep(50);
  stop.abort();
  await probing;
  const seen = store.window({ from, to: Date.now() });
  expect(seen.attempts).toBe(seen.failedAttempts);
  expect(seen.byCode).toEqual({ UNAVAILABLE: seen.failedAttempts });
  expect(seen).toMatchObject({ failedCalls: 0, latencyMs: null });
  expect(seen.failures?.[0]?.reason).toContain('ECONNREFUSED 127.0.0.1:1');
  expect(seen.longestGapMs).toBeGreaterThan(0);
  expect(seen.longestGapMs + seen.missingMs).toBeLessThanOrEqual(Date.now() - from);
});

test('a process that stood still has seen nothing in that time', async () => {
  const from = Date.now();
  const probing = probeNobody();
  while (store.window({ from, to: Date.now() }).attempts < 3) await sleep(50);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_000);
  const { attempts } = store.window({ from, to: Date.now() });
  while (store.window({ from, to: Date.now() }).attempts < attempts + 3) await sleep(50);
  stop.abort();
  await probing;
  const seen = store.window({ from, to: Date.now() });
  expect(seen.missingMs).toBeGreaterThanOrEqual(1_900);
  // What fell due meanwhile was not made up for.
  expect(seen.attempts).toBeLessThan((10 * (Date.now() - from - 1_900)) / 1_000 + 2);
});

test('a call that failed across a hold-up of this process is not counted: it failed while nobody was there to hear', async () => {
  let [answers, asked] = [false, 0];
  // A response without any field set is right for all kinds of calls.
  const method = () => ((asked += 1), answers ? new Uint8Array() : new Promise<Uint8Array>(() => undefined));
  const names = ['GetSystemInfo', 'DescribeNamespace', 'DescribeWorkflowExecution', 'ListWorkflowExecutions'];
  names.push('StartWorkflowExecution', 'SignalWorkflowExecution', 'DescribeTaskQueue');
  const server = await startGrpcServer(Object.fromEntries(names.map((name) => [name, method])));
  const from = Date.now();
  const seen = () => store.window({ from, to: Date.now() });
  const probing = probeNobody({ reachableBy: { address: server.address }, perSecond: 50 });
  while (asked < 20) await sleep(20);
  // Every call under way fails; this process hears of it only after it stood still.
  server.dropConnections();
  answers = true;
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_000);
  while (seen().attempts < 20) await sleep(50);
  stop.abort();
  await probing;
  await server.close();
  expect(seen()).toMatchObject({ failedAttempts: 0, failedCalls: 0 });
});

test('what could not be written comes with the next interval', async () => {
  const written: ProbeInterval[] = [];
  const problems: string[] = [];
  let refusals = 2;
  const sink = {
    record: (interval: ProbeInterval) => {
      if ((refusals -= 1) >= 0) throw new Error('disk full');
      written.push(interval);
    },
  };
  const probing = probeNobody({ sink, onProblem: (message) => problems.push(message) });
  while (written.length < 2) await sleep(50);
  stop.abort();
  await probing;
  expect(problems).toHaveLength(2);
  expect(problems[0]).toContain('disk full');
  const [first, second] = written;
  expect((first?.endedAt ?? 0) - (first?.startedAt ?? 0)).toBeGreaterThanOrEqual(200);
  expect(second).toMatchObject({ startedAt: first?.endedAt, stretch: first?.stretch });
});

test('a rate of 0 is no probe', async () => {
  await probeNobody({ perSecond: 0 });
  expect(store.window({ from: 0, to: Date.now() }).attempts).toBe(0);
});
