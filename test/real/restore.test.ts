import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import proto from '@temporalio/proto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import pg from 'pg';
import { guard } from '../../src/activities/guard.js';
import { createReplaceNodeActivity } from '../../src/activities/replace-node.js';
import { createRestoreActivities } from '../../src/activities/restore.js';
import { createServerActivities } from '../../src/activities/servers.js';
import { createSettleActivities } from '../../src/activities/settle.js';
import { createStoreActivities } from '../../src/activities/stores.js';
import { keptName } from '../../src/adapters/sql/restore-names.js';
import { PG_BIN_VARIABLE } from '../../src/adapters/postgres/pg-programs.js';
import { createStore } from '../../src/adapters/stores.js';
import { createToolResolver } from '../../src/adapters/tools/tool-resolver.js';
import type { StoreRole } from '../../src/adapters/store.js';
import type { HopPlace, RestoreRequest } from '../../src/contract/activities.js';
import { PostgresStore } from '../../src/core/input/input.js';
import { startCluster, type LabCluster } from '../../src/lab/cluster.js';
import { removeLab, stopServersBelow } from '../../src/lab/clean-up.js';
import { setUpDatabases } from '../../src/lab/databases.js';
import { startPostgres, type LabPostgres } from '../../src/lab/postgres.js';
import { databasesOf } from '../../src/lab/server-config.js';

/**
 * A real cluster is backed up, brought to the next minor, worked on, and taken back to its backups, through the activities that
 * a roll-out runs. What the two dumps saw differs on purpose: things happen between them.
 */
const FROM = '1.30.7';
const TO = '1.31.2';
const SCHEMA = {
  before: { default: '1.18', visibility: '1.13' },
  after: { default: '1.19', visibility: '1.14' },
} as const;
const NAMESPACE = 'default';
const STAMP = '20260101100000';
const NODES = ['matching-1', 'history-1', 'frontend-1', 'worker-1'];
const STORES: readonly StoreRole[] = ['default', 'visibility'];

const tools = createToolResolver();
const activities = guard({
  ...createStoreActivities({ tools }),
  ...createRestoreActivities({ tools }),
  ...createReplaceNodeActivity({ tools }),
  ...createServerActivities({ tools }),
  ...createSettleActivities({ tools }),
});
let directory: string;
let postgres: LabPostgres;
let cluster: LabCluster;
let place: HopPlace;
let request: RestoreRequest;

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined) }); // here attempts are meant to fail
  directory = await mkdtemp(join(tmpdir(), 'restore-test-'));
  postgres = await startPostgres({ directory: join(directory, 'postgres') });
  process.env[PG_BIN_VARIABLE] = postgres.binDir;
  cluster = await startCluster({
    name: 'restored',
    version: FROM,
    database: postgres,
    directory: join(directory, 'restored'),
    tools,
    shards: 4,
  });
  place = {
    target: { ...cluster.target, driver: { ...cluster.target.driver, stopTimeout: 5_000, startTimeout: 60_000 } },
    environment: 'staging',
    rolloutId: 'restore-test',
    dataDir: join(directory, 'data'),
    from: FROM,
    to: TO,
    attempt: 1,
    firstRunId: 'first',
  };
}, 300_000);

afterAll(async () => {
  await stopServersBelow(directory);
  await removeLab(join(directory, 'postgres'));
  await rm(directory, { recursive: true, force: true });
}, 60_000);

/** An activity as a worker runs it. */
const run = <R, T>(activity: (request: R) => Promise<T>, given: R, environment = new MockActivityEnvironment()) =>
  environment.run<[R], T, typeof activity>(activity, given);

async function withClient<T>(work: (client: Client) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address: cluster.frontends[0] ?? '' });
  try {
    return await work(new Client({ connection, namespace: NAMESPACE }));
  } finally {
    await connection.close();
  }
}

/** Starts workflows, each on a task queue of its own name, that wait for somebody to work on them. */
async function start(...ids: string[]): Promise<void> {
  await withClient(async ({ workflow }) => {
    for (const workflowId of ids) await workflow.start('waiting', { workflowId, taskQueue: workflowId });
  });
}

/** Works on a workflow once, and ends it. */
async function complete(workflowId: string): Promise<void> {
  await withClient(async ({ workflow, connection }) => {
    const { taskToken } = await connection.withDeadline(Date.now() + 60_000, () =>
      workflow.workflowService.pollWorkflowTaskQueue({ namespace: NAMESPACE, taskQueue: { name: workflowId } }),
    );
    expect(taskToken.length).toBeGreaterThan(0);
    await workflow.workflowService.respondWorkflowTaskCompleted({
      namespace: NAMESPACE,
      taskToken,
      commands: [
        {
          commandType: proto.temporal.api.enums.v1.CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
          completeWorkflowExecutionCommandAttributes: {},
        },
      ],
    });
  });
}

/** Status by workflow id, as the default store says; without those that it does not know. */
async function described(...ids: string[]): Promise<Record<string, string>> {
  return withClient(async ({ workflow }) => {
    const found: Record<string, string> = {};
    for (const id of ids) {
      const description = await workflow
        .getHandle(id)
        .describe()
        .catch(() => undefined);
      if (description !== undefined) found[id] = description.status.name;
    }
    return found;
  });
}

/** Status by workflow id, as lists of visibility show. */
async function listed(): Promise<Record<string, string>> {
  return withClient(async ({ workflow }) => {
    const found: Record<string, string> = {};
    for await (const { workflowId, status } of workflow.list({ query: 'WorkflowType = "waiting"' }))
      found[workflowId] = status.name;
    return found;
  });
}

async function untilListed(wanted: Record<string, string>): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    const found = await listed();
    if (Object.entries(wanted).every(([id, status]) => found[id] === status)) return;
    if (attempt > 150) expect(found).toMatchObject(wanted);
    await sleep(200);
  }
}

async function query<T extends pg.QueryResultRow>(database: string, sql: string, values: unknown[] = []): Promise<T[]> {
  const { host, port, user, password } = postgres;
  const client = new pg.Client({ host, port, user, password, database });
  await client.connect();
  try {
    return (await client.query<T>(sql, values)).rows;
  } finally {
    await client.end();
  }
}

async function databases(): Promise<string[]> {
  const rows = await query<{ datname: string }>(
    'postgres',
    `select datname from pg_database where datname like 'restored%'`,
  );
  return rows.map(({ datname }) => datname).sort();
}

async function schemaVersions(): Promise<Record<StoreRole, string>> {
  const versionOf = (kind: StoreRole) => createStore(place.target.stores[kind], kind, tools).readSchemaVersion();
  return { default: await versionOf('default'), visibility: await versionOf('visibility') };
}

async function startAll(version: string): Promise<void> {
  await run(activities.startServers, { target: place.target, version });
  for (const node of NODES) await run(activities.replaceNode, { target: place.target, node, version, quietMs: 0 });
}

const names = databasesOf('restored');
const kept = { default: keptName(names.default, STAMP), visibility: keptName(names.visibility, STAMP) };

test('a hop is done after backups between which things happened', async () => {
  await start('open', 'closed', 'closed-later', 'closed-between');
  await complete('closed');
  await untilListed({ open: 'RUNNING', closed: 'COMPLETED', 'closed-later': 'RUNNING', 'closed-between': 'RUNNING' });
  const main = await run(activities.backUpStore, { ...place, store: 'default' });
  await start('started-between');
  await complete('closed-between');
  await untilListed({ 'started-between': 'RUNNING', 'closed-between': 'COMPLETED' });
  const visibility = await run(activities.backUpStore, { ...place, store: 'visibility' });
  request = { ...place, backups: { default: main, visibility }, schema: SCHEMA.before, stamp: STAMP };

  for (const store of STORES) await run(activities.upgradeSchema, { ...place, store, schema: SCHEMA.after[store] });
  await run(activities.stopServers, { target: place.target });
  await startAll(TO);
  await start('started-later');
  await complete('closed-later');
  await untilListed({ 'started-later': 'RUNNING', 'closed-later': 'COMPLETED' });
}, 240_000);

test('what it would lose is counted by visibility, and in the tables when no frontend answers', async () => {
  const expected = [
    expect.stringMatching(new RegExp(`^backup of default: taken at .*, schema 1.18, ${request.backups.default.file}`)),
    expect.stringMatching(/^backup of visibility: taken at .*, schema 1.13, .*, read again$/),
    expect.stringMatching(/^everything since .* would be undone; counted at .* by visibility/),
    // Started: between, later. Closed: between, later. Running then and now: open.
    expect.stringMatching(/^namespace default: 2 started since .*, 2 closed since .*, 1 running then and now/),
    expect.stringContaining('a client that got an answer for a start would find nothing'),
    expect.stringContaining(`every server of restored is stopped meanwhile; then those of ${FROM} are started`),
    expect.stringContaining('kept as "restored_before_restore_<time>"'),
    expect.stringContaining('kept as "restored_visibility_before_restore_<time>"'),
  ];
  const { lines } = await run(activities.estimateRestore, request);
  expect(lines).toEqual(expected);
  const nobody = { ...place.target, connection: { ...place.target.connection, address: '127.0.0.1:1' } };
  const { lines: fromTables } = await run(activities.estimateRestore, { ...request, target: nobody });
  expected[2] = expect.stringMatching(/in the tables, as no frontend told it/);
  expect(fromTables).toEqual(expected);
  expect(await databases()).toEqual([names.default, names.visibility]);
}, 60_000);

test('nothing is restored under servers that run, nor from a backup that is not the one', async () => {
  const failure = (work: Promise<unknown>) =>
    work.then(
      () => 'nothing',
      (error: Error) => error.message,
    );
  expect(await failure(run(activities.restoreStores, request))).toContain('nothing is restored under a server');
  const other = { ...request.backups, default: { ...request.backups.default, sha256: 'f00d' } };
  expect(await failure(run(activities.prepareRestore, { ...request, backups: other }))).toContain('it is another one');
  const schema = SCHEMA.after;
  expect(await failure(run(activities.prepareRestore, { ...request, schema }))).toContain('has schema 1.18, not 1.19');
  expect((await run(activities.prepareRestore, request)).lines).toHaveLength(2);
  expect(await databases()).toEqual([names.default, names.visibility]);
}, 60_000);

test('killed between the two databases, it is run again and does the rest', async () => {
  await run(activities.stopServers, { target: place.target });
  // Somebody is connected to visibility, so that it cannot take another name yet.
  const holder = new pg.Client({ ...postgresLogin(), database: names.visibility });
  await holder.connect();
  const store = createStore(place.target.stores.visibility, 'visibility', tools);
  expect(await store.restore.listSessions()).toEqual([expect.stringMatching(/^process \d+, user postgres, from 127/)]);
  const environment = new MockActivityEnvironment();
  const first = run(activities.restoreStores, request, environment).then(
    () => 'done',
    (error: Error) => error.message,
  );
  while (!(await databases()).includes(kept.default)) await sleep(50);
  environment.cancel();
  expect(await first).toBe('cancelled');
  await holder.end();
  expect(await databases()).toEqual(
    [names.default, kept.default, names.visibility, 'restored_visibility_restoring'].sort(),
  );

  const result = await run(activities.restoreStores, request);
  expect(result.kept).toEqual({ default: `database ${kept.default}`, visibility: `database ${kept.visibility}` });
  expect(await databases()).toEqual([names.default, kept.default, names.visibility, kept.visibility].sort());
  expect(await schemaVersions()).toEqual(SCHEMA.before);
  // The one that was started between the dumps, and the one that was closed between them.
  expect(result).toMatchObject({ removed: 1, corrected: 1 });
  // Once more, as after an answer that was lost.
  expect(await run(activities.restoreStores, request)).toEqual(result);
}, 120_000);

test('the old servers run on what was restored: the state of the backup, the same in both stores', async () => {
  const back: HopPlace = { ...place, from: TO, to: FROM, restored: true };
  await run(activities.takeSnapshot, { ...back, shardsOnly: true });
  await startAll(FROM);
  const { gone, refreshed } = await run(activities.refreshVisibility, request);
  expect({ gone, refreshed: refreshed > 0 }).toEqual({ gone: 0, refreshed: true });
  const state = { open: 'RUNNING', closed: 'COMPLETED', 'closed-later': 'RUNNING', 'closed-between': 'RUNNING' };
  const until = new Date(Date.now() + 1_000).toISOString();
  const demands = { steadyMs: 1_000, updates: 0 };
  const { owners } = await run(activities.proveSettle, { ...back, until, timeoutMs: 60_000, demands });
  expect(Object.values(owners)).toEqual([4]);
  expect(await described(...Object.keys(state), 'started-between', 'started-later')).toEqual(state);
  expect(await listed()).toEqual(state);

  const running = ['open', 'closed-later', 'closed-between'];
  for (const id of running) await complete(id);
  const ended = Object.fromEntries(Object.keys(state).map((id) => [id, 'COMPLETED']));
  await untilListed(ended);
  expect(await described(...Object.keys(state))).toEqual(ended);
  await start('started-later');
  await untilListed({ 'started-later': 'RUNNING' });
}, 120_000);

test('what was there before is kept as it was', async () => {
  const runs = (database: string) =>
    query<{ workflow_id: string }>(database, `select workflow_id from executions where workflow_id like '%-later'`);
  expect((await runs(kept.default)).map(({ workflow_id }) => workflow_id).sort()).toEqual([
    'closed-later',
    'started-later',
  ]);
  const [row] = await query<{ curr_version: string }>(kept.visibility, 'select curr_version from schema_version');
  expect(row?.curr_version).toBe(SCHEMA.after.visibility);
  // A table of the newer schema is not in the way of the next upgrade.
  const [table] = await query(names.default, `select to_regclass('current_chasm_executions') as found`);
  expect(table).toEqual({ found: null });
  for (const store of STORES) await run(activities.upgradeSchema, { ...place, store, schema: SCHEMA.after[store] });
  expect(await schemaVersions()).toEqual(SCHEMA.after);
}, 60_000);

test('a user who may not make databases restores in place, after a backup of what is there', async () => {
  await query('postgres', `create role limited login password 'limited-pw'`);
  const own = databasesOf('limited');
  for (const database of Object.values(own)) await query('postgres', `create database "${database}" owner limited`);
  const asLimited = { ...postgres, user: 'limited', password: 'limited-pw' };
  await setUpDatabases(asLimited, { clusterName: 'limited', version: FROM, tools });
  process.env['LIMITED_PASSWORD'] = 'limited-pw';
  const inputOf = (kind: StoreRole): PostgresStore =>
    PostgresStore.parse({
      ...place.target.stores[kind],
      database: own[kind],
      user: 'limited',
      password: { env: 'LIMITED_PASSWORD' },
    });
  const others = createStore({ ...inputOf('default'), database: names.default }, 'default', tools);
  await expect(others.restore.findWay()).rejects.toThrow(
    /cannot be restored: not beside, .* does not own .*buffered_events/,
  );
  for (const kind of STORES) {
    const store = createStore(inputOf(kind), kind, tools);
    const file = join(directory, 'limited', `${kind}.dump`);
    const { sha256 } = await store.backUp(file);
    await store.updateSchema({ to: SCHEMA.after[kind], serverVersion: TO });
    if (kind === 'default') await query(own.default, `insert into namespace_metadata values (1, 1)`);
    const order = { file, sha256, schema: SCHEMA.before[kind], stamp: STAMP };
    expect(await store.restore.findWay()).toMatchObject({
      way: 'in-place',
      why: expect.stringContaining('may not create'),
    });
    await store.restore.bring(order);
    await store.restore.bring(order); // as after a kill
    const before = await store.restore.takePlace(order);
    expect(await store.readSchemaVersion()).toBe(SCHEMA.before[kind]);
    // What is kept is the state before the first try, not one in between.
    const keptOrder = { file: before, schema: SCHEMA.after[kind], stamp: STAMP };
    const manifest = await store.restore
      .checkBackup({ ...keptOrder, sha256: await sha256In(before) })
      .catch((error: Error) => error.message);
    expect(manifest).toMatchObject({ schemaVersion: SCHEMA.after[kind] });
    await store.updateSchema({ to: SCHEMA.after[kind], serverVersion: TO });
  }
  expect(await query(own.default, 'select 1 as found from namespace_metadata where partition_id = 1')).toEqual([]);
}, 120_000);

function postgresLogin() {
  const { host, port, user, password } = postgres;
  return { host, port, user, password };
}

async function sha256In(file: string): Promise<string> {
  return (JSON.parse(await readFile(`${file}.json`, 'utf8')) as { readonly sha256: string }).sha256;
}
