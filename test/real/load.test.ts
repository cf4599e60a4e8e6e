import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@temporalio/client';
import { defaultPayloadConverter, toPayloads } from '@temporalio/common';
import { CommandError } from '../../src/adapters/run-command.js';
import type { LedgerSummary } from '../../src/core/ledger.js';
import { CANARY_SIGNAL, CANARY_WORKFLOW, planCanary, valueOf } from '../../src/load/canary-plan.js';
import { CanaryTarget, canaryIdOf } from '../../src/load/canary-target.js';
import { Ledger } from '../../src/load/ledger.js';
import type { LoadLine, LoadOptions } from '../../src/load/load-options.js';
import { releaseLongCanaries, startLongCanaries } from '../../src/load/long-canaries.js';
import { drainLoad } from '../../src/load/run-load.js';
import { canaryCommand, canaryTaskQueueOf } from '../../src/load/start-command.js';
import { verifyLedger } from '../../src/load/verify-ledger.js';
import { LoadLab } from '../helpers/load-lab.js';
import { expectAllAccountedFor } from '../helpers/load-run.js';

const MINUTE = 60_000;

let lab: LoadLab;
let server: LoadLab['server'];
let connection: LoadLab['connection'];

beforeAll(async () => {
  lab = await LoadLab.start();
  ({ server, connection } = lab);
}, 2 * MINUTE);
afterAll(() => lab?.remove());

function optionsOf(loadId: string, startsPerSecond = 4): LoadOptions {
  return {
    connection: { address: server.address },
    policy: { startsPerSecond, namespace: 'canaries', longRunning: 4 },
    ledgerFile: join(lab.folder, `${loadId}.sqlite`),
    loadId,
  };
}

/** The ledger once nothing runs any more. A load gives its canaries a minute to end; on a busy machine some take longer. */
async function atRest({ connection, policy, ledgerFile, loadId }: LoadOptions): Promise<LedgerSummary> {
  const options = { connection, policy, ledgerFile, loadId };
  for (;;) {
    const summary = await verifyLedger(options);
    if (summary.running === 0) return summary;
    await drainLoad({ ...options, mainFile: lab.mainFile, signal: new AbortController().signal });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function untilGone(pid: number): Promise<void> {
  while (isAlive(pid)) await sleep(100);
}

test(
  'a load process that is killed goes on where it was: nothing lost, nothing twice',
  async () => {
    const options = optionsOf('killed');
    const first = lab.run(options);
    const { pid } = await first.until(({ started }) => started >= 12);
    process.kill(pid, 'SIGKILL');
    expect(await first.ended).toBeInstanceOf(CommandError);
    const between = await verifyLedger(options);
    expect(between).toMatchObject({ lost: 0, duplicated: 0, wrong: 0, failed: 0 });
    expect(between.started).toBe(between.completed + between.running);

    const second = lab.run(options);
    const before = await second.until(({ started }) => started > between.started + 8);
    expect(await second.stop()).toBeUndefined();
    const summary = await atRest(options);
    expect(summary.started).toBeGreaterThanOrEqual(before.started);
    expectAllAccountedFor(summary);
    // What is final is not asked again: a deleted canary that was verified stays so.
    await connection.workflowService.deleteWorkflowExecution({
      namespace: 'canaries',
      workflowExecution: { workflowId: canaryIdOf('killed', 0) },
    });
    expect(await verifyLedger(options)).toEqual(summary);
  },
  4 * MINUTE,
);

test(
  'what a killed load process left is brought to its end without starting more',
  async () => {
    const options = optionsOf('left');
    const load = lab.run(options);
    const { pid } = await load.until(({ started }) => started >= 12);
    process.kill(pid, 'SIGKILL');
    await load.ended;
    const left = await verifyLedger(options);
    expect(left.running).toBeGreaterThan(0);
    // A drain that is told to stop does so at once, and another takes it up.
    const cut = new AbortController();
    await drainLoad({ ...options, mainFile: lab.mainFile, signal: cut.signal, onProgress: () => cut.abort() });
    await drainLoad({ ...options, mainFile: lab.mainFile, signal: new AbortController().signal });
    const summary = await verifyLedger(options);
    expectAllAccountedFor(summary);
    // One that was intended when the process was killed may be started yet; another is not.
    const ledger = new Ledger(options.ledgerFile, 'left');
    expect(ledger.nextNumber()).toBe(summary.started);
    ledger[Symbol.dispose]();
  },
  4 * MINUTE,
);

test(
  'long canaries cross a stretch of time: started once and released once, however often it is asked for',
  async () => {
    const options = { ...optionsOf('long', 1), hop: 'staging/1.30.7' };
    const load = lab.run(optionsOf('long', 1));
    expect(await startLongCanaries(options)).toEqual({ started: 4 });
    expect(await startLongCanaries(options)).toEqual({ started: 4 });
    await load.until(({ started }) => started >= 5);
    // A canary that nobody has released may run for as long as it likes.
    expect((await verifyLedger({ ...options, settleMs: 0 })).running).toBeGreaterThanOrEqual(4);
    expect(await releaseLongCanaries(options)).toEqual({ released: 4 });
    expect(await releaseLongCanaries(options)).toEqual({ released: 4 });
    await load.stop();
    expectAllAccountedFor(await atRest(options));
  },
  4 * MINUTE,
);

test(
  'long canaries whose ledger entries were not confirmed are found, not started twice',
  async () => {
    const options = { ...optionsOf('found', 1), hop: 'h' };
    await startLongCanaries(options);
    // As a process leaves it that dies between its call and its note.
    const { DatabaseSync } = await import('node:sqlite');
    const db = new DatabaseSync(options.ledgerFile);
    db.exec('UPDATE canary SET startedAt = NULL, runId = NULL');
    db.close();
    expect((await verifyLedger(options)).started).toBe(4);
    await startLongCanaries(options);
    const load = lab.run(optionsOf('found', 1));
    await releaseLongCanaries(options);
    await load.until(({ started }) => started >= 5);
    await load.stop();
    expectAllAccountedFor(await atRest(options));
  },
  4 * MINUTE,
);

test(
  'when the process that wanted the load is killed, the load ends by itself and the next one may begin',
  async () => {
    const plain = optionsOf('orphan', 2);
    const options = { ...plain, policy: { ...plain.policy, scheduleEvery: 2_000 } };
    const source = `
      const { runLoad } = await import(${JSON.stringify(`file://${lab.sources}/run-load.js`)});
      await runLoad({ ...${JSON.stringify(options)}, signal: new AbortController().signal,
        onProgress: (line) => console.log(JSON.stringify(line)) });`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', source], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const closed = once(parent, 'close');
    let pid = 0;
    for await (const line of createInterface({ input: parent.stdout })) {
      const said = JSON.parse(line) as LoadLine;
      pid = said.pid;
      if (said.started >= 3) parent.kill('SIGKILL');
    }
    await closed;
    expect(pid).toBeGreaterThan(0);
    await untilGone(pid);

    const next = lab.run(options);
    await next.until(({ started }) => started >= 6);
    using ledger = new Ledger(options.ledgerFile, options.loadId);
    const schedules = () => ledger.entries.all('SELECT stoppedAt, deletedAt FROM schedule');
    // The next one goes on with the schedule that is there: a second one would leave the first to itself.
    expect(schedules()).toEqual([{ stoppedAt: null, deletedAt: null }]);
    await next.stop();
    expectAllAccountedFor(await atRest(options));
    expect(schedules()).toMatchObject([{ stoppedAt: expect.any(Number) }]);
  },
  4 * MINUTE,
);

test(
  'what is wrong in the target is said, each by its name',
  async () => {
    const loadId = 'spoilt';
    const options = optionsOf(loadId, 2);
    const namespace = 'canaries';
    const client = new Client({ connection, namespace });
    // Long ones stand still until they are released, so that they can be spoilt at leisure.
    const hop = 'h';
    const ids = (number: number) => `canary-${loadId}-long-${hop}-${number}`;
    await startLongCanaries({ ...options, hop, count: 6 });

    await client.workflow.getHandle(ids(0)).terminate('by the test');
    await connection.workflowService.deleteWorkflowExecution({ namespace, workflowExecution: { workflowId: ids(1) } });
    // A second run under the same id.
    await client.workflow.getHandle(ids(2)).terminate('by the test');
    await client.workflow.start(CANARY_WORKFLOW, {
      workflowId: ids(2),
      taskQueue: canaryTaskQueueOf(loadId),
      args: [{ number: 2, kind: 'long', deadlineMs: MINUTE }],
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    });
    // A signal that arrives twice: the same one, under another request id.
    const signalId = planCanary(3, 'long', ids(3)).calls[0]?.id ?? '';
    for (const requestId of ['one', 'two']) {
      await connection.workflowService.signalWorkflowExecution({
        namespace,
        workflowExecution: { workflowId: ids(3) },
        signalName: CANARY_SIGNAL,
        input: { payloads: toPayloads(defaultPayloadConverter, { id: signalId, value: valueOf(signalId) }) ?? null },
        requestId,
      });
    }
    // A result that is another's: the target has number 4, the ledger says 44.
    using ledger = new Ledger(options.ledgerFile, loadId);
    const { DatabaseSync } = await import('node:sqlite');
    const db = new DatabaseSync(options.ledgerFile);
    db.prepare('UPDATE canary SET number = 44 WHERE workflowId = ?').run(ids(4));
    // A signal that was confirmed and is not there.
    db.prepare('UPDATE canary SET callsDone = 1, readyAt = 1 WHERE workflowId = ?').run(ids(5));
    db.close();
    const command = canaryCommand(namespace, loadId);
    await new CanaryTarget(connection, loadId).call({ workflowId: ids(4), number: 4, kind: 'long', command }, 0);

    const load = lab.run(options);
    await load.until(({ started }) => started >= 9);
    while ((await client.workflow.getHandle(ids(4)).describe()).status.name === 'RUNNING') await sleep(500);
    // Those that ended well have to be through; a graceful end would wait for one that never ends.
    await load.kill();
    const over = new AbortController();
    const draining = drainLoad({ ...options, mainFile: lab.mainFile, signal: over.signal });
    while ((await verifyLedger(options)).running > 1) await sleep(500);
    over.abort();
    await draining;
    const summary = await verifyLedger({ ...options, settleMs: 0 });
    expect(summary).toMatchObject({ lost: 1, failed: 2, duplicated: 2, wrong: 1, running: 0 });
    expect(summary.started).toBe(summary.completed + 6);
    const reasonOf = new Map(summary.examples.map(({ workflowId, reason }) => [workflowId, reason]));
    expect(reasonOf.get(ids(0))).toContain('terminated');
    expect(reasonOf.get(ids(1))).toContain('does not know it');
    expect(reasonOf.get(ids(2))).toContain('two runs');
    expect(reasonOf.get(ids(3))).toContain('signal received 2 times');
    expect(reasonOf.get(ids(4))).toMatch(/activity|result/);
    expect(reasonOf.get(ids(5))).toContain('was confirmed, and is not in its history');
    expect(ledger.countFailedCalls()).toBe(0);
  },
  4 * MINUTE,
);

test(
  'a canary that has everything and does not end is no longer taken for running',
  async () => {
    const options = { ...optionsOf('stuck', 1), hop: 'h', count: 1 };
    await startLongCanaries(options);
    await releaseLongCanaries(options); // and no worker is there to end it
    expect(await verifyLedger({ ...options, settleMs: 10 * MINUTE })).toMatchObject({ running: 1, failed: 0 });
    const later = await verifyLedger({ ...options, settleMs: 0 });
    expect(later).toMatchObject({ started: 1, running: 0, failed: 1 });
    expect(later.examples[0]?.reason).toContain('still running');
    // It is not final: it may still end well.
    const load = lab.run(optionsOf('stuck', 1));
    await load.until(({ started }) => started >= 3);
    await load.stop();
    expectAllAccountedFor(await atRest(options));
  },
  4 * MINUTE,
);

test('a target that cannot be reached is an error, not a clean ledger', async () => {
  const options = { ...optionsOf('away'), connection: { address: '127.0.0.1:1' } };
  await expect(verifyLedger(options)).rejects.toThrow();
});

// The last one, and alone: the others need the server.
test(
  'a server that is killed and comes back costs time, not work; away for longer than the retries, failed calls are counted',
  async () => {
    const options = optionsOf('outage', 3);
    const load = lab.run(options);
    await load.until(({ started }) => started >= 9);
    await server.kill();
    await sleep(3_000);
    await server.startAgain();
    const { started } = await load.until((line) => line.started >= 15);
    await server.kill();
    const { failedCalls } = await load.until((line) => line.failedCalls > 0);
    await server.startAgain();
    const { longestGapMs } = await load.until((line) => line.started > started + 15);
    expect(longestGapMs).toBeGreaterThan(3_000);
    await load.stop();
    const summary = await atRest(options);
    expect(summary.failedCalls).toBeGreaterThanOrEqual(failedCalls);
    expectAllAccountedFor(summary);
  },
  6 * MINUTE,
);
