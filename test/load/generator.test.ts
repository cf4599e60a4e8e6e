import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import proto from '@temporalio/proto';
import { CanaryTarget } from '../../src/load/canary-target.js';
import { Generator } from '../../src/load/generator.js';
import { Ledger } from '../../src/load/ledger.js';
import { startGrpcServer, type GrpcMethod, type GrpcServer } from '../helpers/grpc-server.js';

const { StartWorkflowExecutionRequest, StartWorkflowExecutionResponse } = proto.temporal.api.workflowservice.v1;
const PER_SECOND = 20;
const realNow = Date.now;

let folder: string;
let ledger: Ledger;
let server: GrpcServer;
let connection: Connection;
let methods: Record<string, GrpcMethod>;
let stop: AbortController;
let running: Promise<void>;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'generator-'));
  ledger = new Ledger(join(folder, 'ledger.sqlite'), 'a');
  methods = { StartWorkflowExecution: () => StartWorkflowExecutionResponse.encode({ runId: 'r' }).finish() };
  server = await startGrpcServer(methods);
  connection = Connection.lazy({ address: server.address, interceptors: [] });
  const command = { namespace: 'n', taskQueue: 'q' };
  const streams = [{ startsPerSecond: PER_SECOND, choose: () => ({ kind: 'simple', command }) as const }];
  stop = new AbortController();
  running = new Generator({ ledger, target: new CanaryTarget(connection, 'a'), streams }).run(stop.signal, () => 0);
});
afterEach(async () => {
  Date.now = realNow;
  stop.abort();
  await running;
  await connection.close();
  await server.close();
  ledger[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});

function setClock(byMs: number): void {
  Date.now = () => realNow() + byMs;
}

function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

async function untilStarted(count: number): Promise<void> {
  while (ledger.countStarted() < count) await sleep(20);
}

test('what fell due while this process stood still is not started at once', async () => {
  await untilStarted(5);
  const [from, intended] = [Date.now(), ledger.nextNumber()];
  standStill(3_000);
  await untilStarted(intended + 10);
  const spent = Date.now() - from - 3_000;
  expect(ledger.nextNumber() - intended).toBeLessThanOrEqual((spent * PER_SECOND) / 1_000 + 3);
  // None is late by the time in which nobody could have started it.
  expect(ledger.window(0, Date.now()).startLatencyMs?.max).toBeLessThan(2_500);
});

test('a clock that is set forth brings no burst, and one that is set back stops nothing', async () => {
  await untilStarted(5);
  for (const byMs of [3_600_000, -3_600_000]) {
    const [at, intended] = [realNow(), ledger.nextNumber()];
    setClock(byMs);
    await untilStarted(intended + 10);
    const spent = realNow() - at;
    expect(spent).toBeLessThan(30_000);
    expect(ledger.nextNumber() - intended).toBeLessThanOrEqual((spent * PER_SECOND) / 1_000 + 3);
  }
});

test('a call that failed across a hold-up is no failed call of the target, and is made again', async () => {
  await untilStarted(5);
  const underWay = new Set<string>();
  methods['StartWorkflowExecution'] = (request) => {
    underWay.add(StartWorkflowExecutionRequest.decode(request).workflowId);
    return new Promise<Uint8Array>(() => undefined);
  };
  while (underWay.size < 3) await sleep(20);
  // Every call under way fails; this process hears of it only after it stood still.
  const closed = server.close();
  standStill(2_000);
  await closed;
  while (ledger.countFailedCalls() < 5) await sleep(20);
  const failed = ledger.entries.all('SELECT workflowId FROM failedCall').map(({ workflowId }) => String(workflowId));
  expect(failed.filter((workflowId) => underWay.has(workflowId))).toEqual([]);
  // They are due again, and not given up.
  for (const workflowId of underWay) {
    expect(ledger.entries.get('SELECT startedAt, dueAt FROM canary WHERE workflowId = ?', workflowId)).toEqual({
      startedAt: null,
      dueAt: expect.any(Number),
    });
  }
});
