import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { msToTs } from '@temporalio/common/lib/time.js';
import proto, { type temporal } from '@temporalio/proto';
import pg from 'pg';
import { exportRunning } from '../../src/adapters/cluster/export-running.js';
import { readQueue } from '../../src/adapters/cluster/read-queue.js';
import { compareRunning, countAllRunning, snapshotRunning } from '../../src/adapters/cluster/running-workflows.js';
import { readSearchAttributes } from '../../src/adapters/cluster/search-attributes.js';
import { connectTarget, type TargetConnection } from '../../src/adapters/cluster/target-connection.js';
import { createToolResolver } from '../../src/adapters/tools/tool-resolver.js';
import { databaseNameOf } from '../../src/core/input/input.js';
import { lostSearchAttributes } from '../../src/core/running-work/search-attributes.js';
import { startCluster, type LabCluster } from '../../src/lab/cluster.js';
import { startPostgres, type LabPostgres } from '../../src/lab/postgres.js';
import { ensureCanaryNamespace } from '../../src/load/canary-namespace.js';

const MINUTE = 60_000;
const VERSION = '1.31.2';
const SECOND = 'second';
const { CommandType } = proto.temporal.api.enums.v1;
const tools = createToolResolver();
let folder: string;
let postgres: LabPostgres;
let cluster: LabCluster;
let target: TargetConnection;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'temporal-upgrade-running-'));
  postgres = await startPostgres();
  cluster = await startCluster({
    name: 'busy',
    version: VERSION,
    database: postgres,
    tools,
    directory: join(folder, 'busy'),
  });
  target = await connectTarget(cluster.target.connection);
  await ensureCanaryNamespace(target.grpc, SECOND);
  for (const type of ['report', 'invoice "A"']) await start(`${type}-1`, type, { namespace: SECOND });
}, 5 * MINUTE);

afterAll(async () => {
  await target?.close();
  await cluster?.stop();
  await postgres?.stop();
  await rm(folder, { recursive: true, force: true });
}, MINUTE);

async function start(workflowId: string, type: string, { namespace = 'default', taskQueue = 'nobody' } = {}) {
  await target.client(namespace).workflow.start(type, { workflowId, taskQueue });
}

/** The server wants to know for how long a poll may wait. */
function polled<T>(poll: () => Promise<T>): Promise<T> {
  return target.grpc.withDeadline(Date.now() + MINUTE, poll);
}

/** Takes the next workflow task of `queue` and answers it, as a worker would. */
async function answer(queue: string, ...commands: temporal.api.command.v1.ICommand[]): Promise<void> {
  const { workflowService } = target.grpc;
  const taskQueue = { name: queue };
  const { taskToken } = await polled(() => workflowService.pollWorkflowTaskQueue({ namespace: 'default', taskQueue }));
  await workflowService.respondWorkflowTaskCompleted({ namespace: 'default', taskToken, commands });
}

const seconds = (count: number) => msToTs(count * 1_000);

/** Workflows that will have lost something: a timer, the timeout of an activity that a worker has. */
async function startThoseToLose(dueSeconds: number): Promise<void> {
  await start('lost-timer', 'order', { taskQueue: 'timers' });
  await answer('timers', {
    commandType: CommandType.COMMAND_TYPE_START_TIMER,
    startTimerCommandAttributes: { timerId: 'reminder', startToFireTimeout: seconds(dueSeconds) },
  });
  await start('future-timer', 'order', { taskQueue: 'timers' });
  await answer('timers', {
    commandType: CommandType.COMMAND_TYPE_START_TIMER,
    startTimerCommandAttributes: { timerId: 'later', startToFireTimeout: seconds(3_600) },
  });
  await start('lost-timeout', 'order', { taskQueue: 'activities' });
  await answer('activities', {
    commandType: CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK,
    scheduleActivityTaskCommandAttributes: {
      activityId: 'charge',
      activityType: { name: 'charge' },
      taskQueue: { name: 'activities' },
      startToCloseTimeout: seconds(dueSeconds),
      scheduleToCloseTimeout: seconds(3_600),
    },
  });
  const taskQueue = { name: 'activities' };
  const taken = await polled(() =>
    target.grpc.workflowService.pollActivityTaskQueue({ namespace: 'default', taskQueue }),
  );
  expect(taken.activityId).toBe('charge');
}

/** What a broken server would have lost: the tasks by which history hands work to matching, and wakes itself. */
async function loseTasks(): Promise<void> {
  const { host, port, user, password } = postgres;
  const database = databaseNameOf(cluster.target.stores.default);
  const client = new pg.Client({ host, port, user, password, database });
  await client.connect();
  try {
    await client.query('DELETE FROM transfer_tasks');
    await client.query('DELETE FROM timer_tasks');
  } finally {
    await client.end();
  }
}

async function eventually(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(300);
}

/** A worker that waits for workflow tasks of `queue`, without ever getting one. */
async function pollInVain(queue: string, stop: AbortSignal): Promise<number> {
  let taken = 0;
  while (!stop.aborted) {
    const poll = target.grpc.withAbortSignal(stop, () =>
      polled(() =>
        target.grpc.workflowService.pollWorkflowTaskQueue({
          namespace: 'default',
          taskQueue: { name: queue },
          // Without a name it is not counted among the pollers.
          identity: 'in-vain',
        }),
      ),
    );
    await poll.then(
      ({ taskToken }) => (taken += taskToken.length > 0 ? 1 : 0),
      () => sleep(200),
    );
  }
  return taken;
}

test(
  'what became of running workflows: counts by type, fates, and those that should have gone on, by name',
  async () => {
    const dueSeconds = 45;
    for (const id of ['waits-1', 'waits-2', 'terminated', 'deleted']) await start(id, 'order');
    await start('finishes', 'invoice', { taskQueue: 'finishing' });
    for (const id of ['busy-1', 'busy-2']) await start(id, 'order', { taskQueue: 'busy' });
    await startThoseToLose(dueSeconds);
    const dueAt = Date.now() + dueSeconds * 1_000;
    // Without matching, its workflow task stays with history.
    await cluster.driver.stopNode('matching-1');
    await start('lost-task', 'order', { taskQueue: 'served' });
    await eventually(async () => (await countAllRunning(target))['default']?.running === 11);
    const file = join(folder, 'snapshots', 'running.jsonl');
    const snapshot = await snapshotRunning(target, { file });
    expect(snapshot.namespaces).toEqual({
      default: { running: 11, recorded: 11, types: { order: 10, invoice: 1 } },
      // A query cannot name the other one.
      [SECOND]: { running: 2, recorded: 2, types: { report: 1 } },
    });

    await cluster.driver.stopNode('history-1');
    await loseTasks();
    await cluster.driver.startNode('history-1', VERSION);
    await cluster.driver.startNode('matching-1', VERSION);
    const { workflow } = target.client('default');
    await eventually(() =>
      workflow
        .getHandle('terminated')
        .terminate('by the test')
        .then(
          () => true,
          () => false,
        ),
    );
    const workflowExecution = { workflowId: 'deleted' };
    await target.grpc.workflowService.deleteWorkflowExecution({ namespace: 'default', workflowExecution });
    await answer('finishing', {
      commandType: CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
      completeWorkflowExecutionCommandAttributes: {},
    });

    // A worker with more to do than it can: it took one task, and the other one waits for it.
    const taskQueue = { name: 'busy' };
    const { taskToken } = await polled(() =>
      target.grpc.workflowService.pollWorkflowTaskQueue({ namespace: 'default', taskQueue, identity: 'busy' }),
    );
    expect(taskToken.length).toBeGreaterThan(0);

    const stop = new AbortController();
    const polling = pollInVain('served', stop.signal);
    await sleep(Math.max(0, dueAt - Date.now()) + 8_000);
    // By the rule of five minutes nothing is late yet.
    expect((await compareRunning(target, file)).stuck).toEqual([]);
    const compared = await compareRunning(target, file, {}, { overdueMs: 5_000, lookAgainMs: 3_000 });
    const busy = await readQueue(target, 'default', { kind: 'workflow', name: 'busy' });
    expect(Math.min(busy.pollers, busy.backlog)).toBeGreaterThan(0);
    const served = await readQueue(target, 'default', { kind: 'workflow', name: 'served' });
    stop.abort();
    expect(await polling).toBe(0);
    expect(served).toEqual({ pollers: expect.any(Number), backlog: 0, versioned: false });
    expect(served.pollers).toBeGreaterThan(0);
    expect(compared.counts).toEqual({ running: 10, terminated: 1, missing: 1, completed: 1 });
    expect(compared.stuck.map(({ workflowId }) => workflowId).sort()).toEqual([
      'lost-task',
      'lost-timeout',
      'lost-timer',
    ]);
    const whyOf = new Map(compared.stuck.map(({ workflowId, why }) => [workflowId, why]));
    expect(whyOf.get('lost-task')).toContain('not in task queue served');
    expect(whyOf.get('lost-timer')).toBe('timer reminder did not fire');
    expect(whyOf.get('lost-timeout')).toBe('the start-to-close timeout of activity charge is over');
    await eventually(async () => (await countAllRunning(target))['default']?.running === 8);
    expect(await countAllRunning(target, [SECOND])).toEqual({ default: { running: 8, types: { order: 8 } } });
  },
  5 * MINUTE,
);

test(
  'all running ids are exported, page by page',
  async () => {
    const { workflow } = target.client(SECOND);
    const count = 2_000;
    const numbers = Array.from({ length: count }, (_, index) => index).values();
    const starter = async () => {
      for (const number of numbers) {
        // None asks for a worker while the test lasts.
        const options = { workflowId: `many-${number}`, taskQueue: 'nobody', startDelay: '1 day' } as const;
        await workflow.start('many', options);
      }
    };
    await Promise.all(Array.from({ length: 32 }, starter));
    await eventually(async () => (await countAllRunning(target))[SECOND]?.running === count + 2);
    const pages: string[] = [];
    const onProgress = (message: string) => pages.push(message);
    const file = join(folder, 'exports', 'ids.jsonl');
    const exported = await exportRunning(target, { file, exclude: ['default'], pageSize: 50 }, { onProgress });
    expect(exported).toMatchObject({ file, total: count + 2 });
    expect(exported.counts).toEqual({
      [SECOND]: { running: count + 2, types: { many: count, report: 1, 'invoice "A"': 1 } },
    });
    expect(pages.length).toBeGreaterThanOrEqual(count / 50);
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    const ids = new Set(lines.map((line) => (JSON.parse(line) as { workflowId: string }).workflowId));
    expect(lines).toHaveLength(count + 2);
    expect(ids.size).toBe(count + 2);
    expect(ids.has('many-1999')).toBe(true);
  },
  4 * MINUTE,
);

test(
  'custom search attributes are compared: names, types, and the closed workflows that are found by them',
  async () => {
    const { INDEXED_VALUE_TYPE_INT, INDEXED_VALUE_TYPE_KEYWORD } = proto.temporal.api.enums.v1.IndexedValueType;
    const { operatorService } = target.grpc;
    const searchAttributes = { Score: INDEXED_VALUE_TYPE_INT, Customer: INDEXED_VALUE_TYPE_KEYWORD };
    await operatorService.addSearchAttributes({ namespace: SECOND, searchAttributes });
    const score = defineSearchAttributeKey('Score', SearchAttributeType.INT);
    const customer = defineSearchAttributeKey('Customer', SearchAttributeType.KEYWORD);
    const { workflow } = target.client(SECOND);
    for (const [number, id] of ['scored-1', 'scored-2', 'scored-3'].entries()) {
      const pairs = [
        { key: score, value: number },
        ...(number === 0 ? [] : [{ key: customer, value: `customer-${number}` }]),
      ];
      // Each frontend learns of a new attribute a moment later.
      await eventually(() =>
        workflow.start('order', { workflowId: id, taskQueue: 'nobody', typedSearchAttributes: pairs }).then(
          () => true,
          () => false,
        ),
      );
      await workflow.getHandle(id).terminate('by the test');
    }
    const closed = new Date(Date.now() + 1_000);
    await eventually(async () => (await readSearchAttributes(target, closed))[SECOND]?.closed?.atLast === 3);
    const before = await readSearchAttributes(target, closed);
    expect(before).toEqual({
      [SECOND]: {
        closed: { atFirst: 3, atLast: 3 },
        expiring: expect.anything(),
        attributes: { Score: { type: 'Int', having: 3 }, Customer: { type: 'Keyword', having: 2 } },
      },
    });
    const lost = async () => lostSearchAttributes(before, await readSearchAttributes(target, closed), 60_000);
    expect(await lost()).toEqual([]);

    // As scripts that went wrong would: the row is there, and what it is found by is not.
    const database = databaseNameOf(cluster.target.stores.visibility);
    const { host, port, user, password } = postgres;
    const client = new pg.Client({ host, port, user, password, database });
    await client.connect();
    await client.query(`UPDATE executions_visibility SET search_attributes = '{}' WHERE workflow_id = 'scored-2'`);
    await client.end();
    await operatorService.removeSearchAttributes({ namespace: SECOND, searchAttributes: ['Customer'] });
    await eventually(async () => (await lost()).some((line) => line.endsWith('is gone')));
    expect(await lost()).toEqual([
      `search attribute Customer of namespace ${SECOND} (Keyword) is gone`,
      `search attribute Score of namespace ${SECOND}: 3 closed workflows were found by it, 2 are now, and 0 were deleted since`,
    ]);
  },
  2 * MINUTE,
);
