import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { claim, readClaim, release } from '../../src/adapters/cluster/cluster-lock.js';
import { listShards } from '../../src/adapters/cluster/history-host.js';
import { inspectTarget } from '../../src/adapters/cluster/inspect-target.js';
import { withTarget as withFrontend } from '../../src/adapters/cluster/target-connection.js';
import { withTarget } from '../../src/adapters/open-target.js';
import { readShardsByAdmin } from '../../src/adapters/cluster/admin-shards.js';
import { withPostgres } from '../../src/adapters/postgres/postgres-connection.js';
import { runCommand } from '../../src/adapters/run-command.js';
import { createToolResolver } from '../../src/adapters/tools/tool-resolver.js';
import { LoadPolicy, PostgresStore } from '../../src/core/input/input.js';
import { proveSettle } from '../../src/core/settling/prove-settle.js';
import { watchShards } from '../../src/core/settling/shard-watch.js';
import { removeLab } from '../../src/lab/clean-up.js';
import { startCluster, type LabCluster } from '../../src/lab/cluster.js';
import { startPostgres, type LabPostgres } from '../../src/lab/postgres.js';
import { ensureCanaryNamespace } from '../../src/load/canary-namespace.js';
import { SCENARIOS } from '../../src/load/canary-plan.js';
import { Ledger } from '../../src/load/ledger.js';
import { drainLoad } from '../../src/load/run-load.js';
import { verifyLedger } from '../../src/load/verify-ledger.js';
import { compileSource } from '../helpers/compiled-source.js';
import { expectAllAccountedFor, LoadRun } from '../helpers/load-run.js';

/**
 * What is different with servers and tools of 1.20 and 1.21: schema scripts beside the tool, history hosts that must be
 * asked in another way, owner texts that do not name the process, a start delay that is not known. The whole roll-out is
 * `make march`.
 */
const [OLD, NEW] = ['1.20.5', '1.21.6'] as const;
const SHARDS = [1, 2, 3, 4];

const tools = createToolResolver();
let directory: string;
let postgres: LabPostgres;
let cluster: LabCluster;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'old-servers-'));
  postgres = await startPostgres({ directory: join(directory, 'postgres') });
  cluster = await startCluster({
    name: 'old',
    version: OLD,
    database: postgres,
    directory: join(directory, 'old'),
    tools,
    shards: SHARDS.length,
  });
}, 1_800_000); // should this machine have to build them

afterAll(async () => {
  await cluster?.stop();
  await removeLab(join(directory, 'postgres'));
  await removeLab(directory);
  await rm(directory, { recursive: true, force: true });
}, 60_000);

/** Facts of the settle proof, as the roll-out collects them. */
async function ownership() {
  const history = (await cluster.driver.listNodes()).filter(({ role }) => role === 'history');
  return withFrontend(cluster.target.connection, async (frontend) => ({
    takenAt: new Date().toISOString(),
    owners: history.map(({ rpcAddress, startedAt }) => ({ address: rpcAddress, startedAt: startedAt ?? '' })),
    ownedByNode: Object.fromEntries(
      await Promise.all(
        history.map(async ({ rpcAddress }) => [rpcAddress, await listShards(frontend, rpcAddress)] as const),
      ),
    ),
    rows: await withTarget(cluster.target, tools, ({ stores }) => stores.default.readShards()),
    asked: await readShardsByAdmin(cluster.target.connection),
  }));
}

/** Ids of the workflows whose first task comes to a poller; fewer than `count` when no more come. */
async function pollAll(grpc: Connection, namespace: string, count: number): Promise<string[]> {
  const polled = new Set<string>();
  for (let attempt = 0; polled.size < count && attempt < 2 * count; attempt += 1) {
    const request = { namespace, taskQueue: { name: 'nobody' }, identity: 'test' };
    const task = await grpc
      .withDeadline(Date.now() + 5_000, () => grpc.workflowService.pollWorkflowTaskQueue(request))
      .catch(() => undefined);
    if (task?.workflowExecution?.workflowId) polled.add(task.workflowExecution.workflowId);
  }
  return [...polled].sort();
}

async function replaceHistory(version: string): Promise<void> {
  const name = cluster.nodes.find(({ role }) => role === 'history')?.name ?? '';
  await cluster.driver.stopNode(name);
  await cluster.driver.startNode(name, version);
}

/** Until every shard is proved, as the settle does; returns the last that is missing, when it does not come to that. */
async function missingAfter(before: Awaited<ReturnType<typeof ownership>>): Promise<unknown> {
  for (let attempt = 0; ; attempt += 1) {
    const missing = await ownership().then(
      ({ owners, ownedByNode, rows }) =>
        proveSettle({
          shardCount: SHARDS.length,
          before: before.rows,
          beforeTakenAt: before.takenAt,
          after: rows,
          lookedAt: Date.now(),
          owners,
          ownedByNode,
          watch: watchShards(undefined, rows, Date.now()),
          demands: { steadyMs: 0, updates: 0 },
        }).missing,
      (error: unknown) => [error],
    );
    if (missing.length === 0 || attempt === 60) return missing;
    await sleep(1_000);
  }
}

test('an old cluster is set up with the scripts of its release, and is described', async () => {
  const facts = await inspectTarget(cluster.target, tools);
  expect(facts.frontends).toEqual([expect.objectContaining({ version: OLD })]);
  expect(facts.stores.default.schemaVersion).toBe('1.9');
  expect(facts.stores.visibility.schemaVersion).toBe('1.2');
});

test('its lock is held by one roll-out, and given back', async () => {
  const holder = { controlPlaneClusterId: 'c', controlPlaneNamespace: 'n', workflowId: 'w', firstRunId: 'r' };
  await withFrontend(cluster.target.connection, async (frontend) => {
    expect(await claim(frontend, holder)).toEqual({ claimed: true });
    expect(await claim(frontend, { ...holder, firstRunId: 'other' })).toMatchObject({ claimed: false });
    expect(await release(frontend, holder)).toBe(true);
    expect(await readClaim(frontend)).toBeUndefined();
  });
});

test('a namespace that was just registered takes every start once it is said to be usable', async () => {
  await withFrontend(cluster.target.connection, async (frontend) => {
    const { grpc } = frontend;
    await ensureCanaryNamespace(grpc, 'just-registered');
    const { workflow } = frontend.client('just-registered');
    const ids = Array.from({ length: 16 }, (_, index) => `started-at-once-${index}`);
    await Promise.all(ids.map((workflowId) => workflow.start('any', { workflowId, taskQueue: 'nobody' })));
    // History gives each to matching; on 1.20 it drops what matching refuses because it does not know the namespace yet.
    expect(await pollAll(grpc, 'just-registered', ids.length)).toEqual(ids.toSorted());
  });
}, 120_000);

test('the load runs on it: what it cannot do is left out by name, and all else ends right', async () => {
  const compiled = compileSource(['core', 'adapters', 'load']);
  const loadFile = (name: string) => join(compiled.directory, 'load', name);
  const options = {
    connection: cluster.target.connection,
    policy: LoadPolicy.parse({ startsPerSecond: 4, mix: 'everything', scheduleEvery: 2_000, longRunning: 0 }),
    ledgerFile: join(directory, 'load.sqlite'),
    loadId: 'old',
  };
  await runCommand(process.execPath, [loadFile('build-bundle.js')]);
  const load = new LoadRun(options, loadFile('main.js'));
  try {
    const { leftOut } = await load.until(({ started }) => started >= 40);
    expect(leftOut).toEqual([expect.stringContaining('updates (the server refuses updates in ')]);
    expect(await load.stop()).toBeUndefined();
    while ((await verifyLedger(options)).running > 0) {
      const drain = { ...options, mainFile: loadFile('main.js'), signal: new AbortController().signal };
      await drainLoad(drain);
    }
    const summary = await verifyLedger(options);
    expectAllAccountedFor(summary);
    expect(summary.failedCalls).toBe(0);
    using ledger = new Ledger(options.ledgerFile, options.loadId);
    const kinds = ledger.entries.all('SELECT DISTINCT kind FROM canary').map(({ kind }) => kind);
    expect(kinds.toSorted()).toEqual([...SCENARIOS.filter((one) => one !== 'updates'), 'tick'].toSorted());
  } finally {
    await load.kill();
    compiled.remove();
  }
}, 240_000);

test('shards are proved on a process of the same version, whose owner text is the same as before', async () => {
  const before = await ownership();
  expect(Object.values(before.ownedByNode).flat()).toEqual(SHARDS);
  expect(new Set(before.rows.map(({ owner }) => owner))).toEqual(new Set(before.owners.map(({ address }) => address)));
  // The AdminService shows the same of them.
  const withoutTime = (rows: typeof before.rows) => rows.map(({ updatedAt: _, ...row }) => row);
  expect(withoutTime(before.asked)).toEqual(withoutTime(before.rows));
  await replaceHistory(OLD);
  expect(await missingAfter(before)).toEqual([]);
}, 120_000);

/** As the scripts of schema 1.10 make it. */
const NEW_TABLE = `create table task_queue_user_data (
  namespace_id bytea not null, task_queue_name varchar(255) not null, data bytea not null, data_encoding varchar(16) not null,
  version bigint not null, primary key (namespace_id, task_queue_name))`;

test.each([
  {
    what: 'a step that a killed tool left half-done, as the tool of 1.21 cannot go on with it',
    made: NEW_TABLE,
    told: /left half-done.*task_queue_user_data.* already exists/s,
  },
  {
    what: 'what somebody else made under a name of the coming scripts',
    made: 'create table task_queue_user_data (left_behind int)',
    told: /table task_queue_user_data is there already, and it is not what the scripts make.*DROP TABLE/s,
  },
])(
  'told, and nothing is changed: $what',
  async ({ made, told }) => {
    const store = PostgresStore.parse(cluster.target.stores.default);
    await withPostgres(store, (client) => client.query(made));
    try {
      await withTarget(cluster.target, tools, async ({ stores }) => {
        await expect(stores.default.updateSchema({ to: '1.10', serverVersion: NEW })).rejects.toThrow(told);
        expect(await stores.default.readSchemaVersion()).toBe('1.9');
      });
    } finally {
      await withPostgres(store, (client) => client.query('drop table task_queue_user_data'));
    }
  },
  1_800_000,
);

test('schemas are brought to the next minor by its tool and its scripts, and servers run on them', async () => {
  const before = await ownership();
  await withTarget(cluster.target, tools, async ({ stores }) => {
    await stores.default.prepareUpdate(NEW);
    await stores.default.updateSchema({ to: '1.10', serverVersion: NEW });
    await stores.visibility.updateSchema({ to: '1.3', serverVersion: NEW });
    expect(await stores.default.readSchemaVersion()).toBe('1.10');
    expect(await stores.visibility.readSchemaVersion()).toBe('1.3');
  });
  await replaceHistory(NEW);
  expect(await missingAfter(before)).toEqual([]);
}, 1_800_000);
