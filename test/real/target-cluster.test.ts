import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  claim,
  describeClaim,
  LOCK_ID,
  LOCK_NAMESPACE,
  readClaim,
  release,
  type LockHolder,
} from '../../src/adapters/cluster/cluster-lock.js';
import { listShards } from '../../src/adapters/cluster/history-host.js';
import { scrape } from '../../src/adapters/cluster/metrics-scrape.js';
import { askNodeHealth } from '../../src/adapters/cluster/node-health.js';
import { listRings } from '../../src/adapters/cluster/rings.js';
import { readRun } from '../../src/adapters/cluster/read-run.js';
import { compareRunning, snapshotRunning } from '../../src/adapters/cluster/running-workflows.js';
import {
  countRunning,
  listNamespaces,
  listRunning,
  readClusterInfo,
} from '../../src/adapters/cluster/target-cluster.js';
import { connectTarget, withTarget, type TargetConnection } from '../../src/adapters/cluster/target-connection.js';
import { sampleRound } from '../../src/adapters/meter/sample-round.js';
import { withTarget as withOpenTarget } from '../../src/adapters/open-target.js';
import { createToolResolver } from '../../src/adapters/tools/tool-resolver.js';
import { createStore } from '../../src/adapters/stores.js';
import type { NodeState } from '../../src/core/cluster.js';
import type { Connection } from '../../src/core/input/input.js';
import { startCluster, type LabCluster } from '../../src/lab/cluster.js';
import { startPostgres, type LabPostgres } from '../../src/lab/postgres.js';
import { failureOf } from '../helpers/failure-of.js';

const tools = createToolResolver();
let folder: string;
let postgres: LabPostgres;
let old: LabCluster;
let secured: LabCluster;
let target: TargetConnection;
/** Of the cluster with two history nodes. */
const SHARDS = 32;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'temporal-upgrade-target-'));
  postgres = await startPostgres();
  const common = { database: postgres, tools };
  old = await startCluster({
    ...common,
    name: 'old',
    version: '1.29.1',
    directory: join(folder, 'old'),
    nodesPerRole: { history: 2, frontend: 2 },
    shards: SHARDS,
  });
  secured = await startCluster({
    ...common,
    name: 'secured',
    version: '1.31.2',
    directory: join(folder, 'secured'),
    tls: true,
  });
  target = await connectTarget(old.target.connection);
}, 300_000);

afterAll(async () => {
  await target?.close();
  await old?.stop();
  await secured?.stop();
  await postgres?.stop();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

test('asks each frontend for its cluster and version', async () => {
  expect(await readClusterInfo(target)).toEqual({
    clusterId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    clusterName: 'active',
    serverVersion: '1.29.1',
    historyShardCount: SHARDS,
    persistenceStore: 'postgres12',
    visibilityStore: 'postgres12',
  });
  for (const address of old.frontends) {
    const frontend = await connectTarget(old.target.connection, address);
    expect(frontend.address).toBe(address);
    expect((await readClusterInfo(frontend)).serverVersion).toBe('1.29.1');
    await frontend.close();
  }
});

test('connects with client certificates, and by a profile', async () => {
  const viaFiles = await withTarget(secured.target.connection, readClusterInfo);
  expect(viaFiles).toMatchObject({ clusterName: 'active', serverVersion: '1.31.2' });
  expect(await withTarget(await profileOf(secured.target.connection), readClusterInfo)).toEqual(viaFiles);
});

/** The same connection as a profile that holds its certificates as text. */
async function profileOf(connection: Connection): Promise<Connection> {
  if (!('address' in connection) || typeof connection.tls !== 'object') throw new Error('expected TLS files');
  const { serverCaFile, clientCertFile, clientKeyFile, serverName } = connection.tls;
  const text = (file: string | undefined) => readFile(file ?? '', 'utf8');
  const configFile = join(folder, 'temporal.toml');
  await writeFile(
    configFile,
    [
      '[profile.secured]',
      `address = "${connection.address}"`,
      '[profile.secured.tls]',
      `server_name = "${serverName ?? ''}"`,
      `server_ca_cert_data = '''${await text(serverCaFile)}'''`,
      `client_cert_data = '''${await text(clientCertFile)}'''`,
      `client_key_data = '''${await text(clientKeyFile)}'''`,
    ].join('\n'),
  );
  return { profile: 'secured', configFile };
}

test('says what is wrong with a connection', async () => {
  const closed = createServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port } = closed.address() as { port: number };
  closed.close();
  const [plain = '', tlsAddress = ''] = [old.frontends[0], secured.frontends[0]];
  const securedTls = 'tls' in secured.target.connection ? secured.target.connection.tls : undefined;
  if (typeof securedTls !== 'object') throw new Error('expected TLS files');
  const cases: [Connection, RegExp][] = [
    [{ address: `127.0.0.1:${port}` }, /nothing answers there \(.*ECONNREFUSED/],
    [{ address: 'no-such-host.invalid:7233' }, /nothing answers there \(.*(ENOTFOUND|EAI_AGAIN)/],
    [{ address: plain, tls: securedTls }, /does not speak TLS \([^)\n]+\); remove "tls"/],
    [{ address: tlsAddress }, /it expects TLS, and the connection has none; set "tls"/],
    [{ address: tlsAddress, tls: true }, /TLS settings do not fit \(.*certificate/],
    [{ address: tlsAddress, tls: { ...securedTls, serverName: 'other.name' } }, /do not fit \(.*other\.name/],
    [{ address: tlsAddress, tls: { ...securedTls, clientKeyFile: '/no/such.key' } }, /\/no\/such\.key cannot be read/],
    [{ profile: 'nobody', configFile: join(folder, 'none.toml') }, /profile "nobody" of .*none\.toml cannot be used/],
  ];
  for (const [connection, text] of cases) {
    const failure = await failureOf(connectTarget(connection));
    expect(failure.message).toMatch(text);
    if ('address' in connection && !text.source.includes('cannot be read')) {
      expect(failure.message).toContain(connection.address);
    }
  }
}, 120_000);

test('sees the rings through every frontend, and the shards of each history host, also through TLS', async () => {
  const roleAddresses = (cluster: LabCluster, role: string) =>
    cluster.nodes
      .filter((node) => node.role === role)
      .map(({ rpcAddress }) => rpcAddress)
      .sort();
  for (const cluster of [old, secured]) {
    for (const frontend of cluster.frontends) {
      expect(await listRings(cluster.target.connection, frontend)).toEqual({
        frontend: roleAddresses(cluster, 'frontend'),
        history: roleAddresses(cluster, 'history'),
        matching: roleAddresses(cluster, 'matching'),
        worker: roleAddresses(cluster, 'worker'),
      });
    }
    const owned = await withTarget(cluster.target.connection, (frontend) =>
      Promise.all(roleAddresses(cluster, 'history').map((address) => listShards(frontend, address))),
    );
    const shards = cluster === old ? SHARDS : 8;
    expect(owned.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: shards }, (_, index) => index + 1));
  }
  const viaProfile = await listRings(await profileOf(secured.target.connection));
  expect(viaProfile).toEqual(await listRings(secured.target.connection));
  const nobody = withTarget(old.target.connection, (frontend) => listShards(frontend, '127.0.0.1:1'));
  await expect(nobody).rejects.toThrow(/UNAVAILABLE/);
  await failureOf(listRings(old.target.connection, '127.0.0.1:1'));
}, 120_000);

test('finds in the database the owners that the history hosts report', async () => {
  const store = createStore(old.target.stores.default, 'default', tools);
  const rows = await store.readShards();
  const owners = new Map<string, number[]>();
  for (const node of old.nodes.filter(({ role }) => role === 'history')) {
    const shards = await withTarget(old.target.connection, (frontend) => listShards(frontend, node.rpcAddress));
    owners.set(node.rpcAddress, shards);
  }
  expect(rows).toHaveLength(SHARDS);
  for (const { shardId, owner, rangeId, updatedAt } of rows) {
    const address = [...owners.keys()].find((candidate) => owner.startsWith(`${candidate}-`));
    expect(owners.get(address ?? '')).toContain(shardId);
    expect(Number(rangeId)).toBeGreaterThan(0);
    expect(Date.parse(updatedAt)).toBeLessThanOrEqual(Date.now());
  }
  await store.close();
});

test('asks every role that has a health service by its name', async () => {
  for (const cluster of [old, secured]) {
    for (const node of await cluster.driver.listNodes()) {
      const none = node.role === 'worker' && cluster === old;
      expect([node.name, await askNodeHealth(cluster.target, node)]).toEqual([node.name, none ? undefined : 'SERVING']);
    }
  }
  const [history] = (await old.driver.listNodes()).filter(({ role }) => role === 'history');
  if (history === undefined) throw new Error('no history node');
  expect(await askNodeHealth(old.target, { ...history, rpcAddress: '127.0.0.1:1' })).toBe('UNREACHABLE');
}, 60_000);

test('the meter finds the rings equal, wherever it runs, and a member that it does not know of', async () => {
  const sample = (nodes: readonly NodeState[]) =>
    withOpenTarget(old.target, tools, ({ driver, stores }) =>
      sampleRound(
        old.target,
        { stores, driver: { ...driver, listNodes: () => Promise.resolve([...nodes]) } },
        { at: 0, beatMs: 1 },
      ),
    );
  const nodes = await old.driver.listNodes();
  expect((await sample(nodes)).rings).toEqual({ equal: true });
  // As of another host: nothing runs there, and everything answers.
  const elsewhere = nodes.map(({ instance: _, version: __, ...node }) => ({ ...node, running: false }));
  expect((await sample(elsewhere)).rings).toEqual({ equal: true });
  const [, unnamed] = nodes.filter(({ role }) => role === 'history');
  const { rings } = await sample(nodes.filter((node) => node !== unnamed));
  expect(rings).toEqual({ equal: false, problem: expect.stringContaining(`has ${unnamed?.rpcAddress}`) });
}, 60_000);

test('scrapes metrics, and names the node that has none', async () => {
  expect(await scrape(old.nodes[0]?.metricsAddress ?? '')).toContain('# TYPE');
  await expect(scrape('127.0.0.1:1')).rejects.toThrow(/no metrics from http:\/\/127\.0\.0\.1:1\/metrics: .+/);
  await expect(scrape(old.frontends[0] ?? '', 1_000)).rejects.toThrow(/no metrics from/);
});

const holder = (run: string): LockHolder => ({
  controlPlaneClusterId: 'c0ffee',
  controlPlaneNamespace: 'default',
  workflowId: 'upgrade-old',
  firstRunId: run,
  startedBy: 'ann@example.com',
});

test('lets one roll-out have the cluster, however many ask at once', async () => {
  for (const cluster of [old, secured]) {
    const connections = await Promise.all([1, 2].map(() => connectTarget(cluster.target.connection)));
    const [one, two] = connections;
    if (one === undefined || two === undefined) throw new Error('no connections');
    expect(await readClaim(one)).toBeUndefined();

    const runs = ['a', 'b', 'c', 'd'];
    const results = await Promise.all(runs.map((run, index) => claim(index % 2 === 0 ? one : two, holder(run))));
    const winners = runs.filter((_, index) => results[index]?.claimed === true);
    expect(winners).toHaveLength(1);
    const winner = holder(winners[0] ?? '');
    for (const result of results) {
      if (result.claimed) continue;
      expect(result.holder).toEqual(winner);
      expect(result.message).toContain(`temporal workflow terminate --address ${one.address}`);
      expect(result.message).toContain('upgrade-old');
    }
    expect(await claim(two, { ...winner, startedBy: undefined })).toEqual({ claimed: true }); // an attempt that runs again
    expect(await readClaim(two)).toEqual(winner);

    // It never becomes a task that waits for a worker.
    const history = await one.client(LOCK_NAMESPACE).workflow.getHandle(LOCK_ID).fetchHistory();
    expect(history.events).toHaveLength(1);

    expect(await release(one, holder('z'))).toBe(false);
    expect(await readClaim(one)).toEqual(winner);
    expect(await release(one, winner)).toBe(true);
    expect(await release(one, winner)).toBe(false);
    expect(await readClaim(one)).toBeUndefined();

    expect(await claim(one, holder('next'))).toEqual({ claimed: true });
    expect(await release(two, winner)).toBe(false); // no longer its own
    expect(await readClaim(one)).toEqual(holder('next'));
    await one.client(LOCK_NAMESPACE).workflow.getHandle(LOCK_ID).terminate('as the message tells an operator');
    expect(await readClaim(one)).toBeUndefined();
    await Promise.all(connections.map((connection) => connection.close()));
  }
}, 60_000);

test('does not take a lock away that it does not understand', async () => {
  const workflow = target.client(LOCK_NAMESPACE).workflow;
  const stranger = await workflow.start('other', { workflowId: LOCK_ID, taskQueue: LOCK_ID, startDelay: '1 day' });
  expect(await claim(target, holder('a'))).toEqual({
    claimed: false,
    holder: 'unknown',
    message: describeClaim('unknown', target.address),
  });
  expect(await release(target, holder('a'))).toBe(false);
  await stranger.terminate();
});

test('lists namespaces and running workflows, and tells what became of each', async () => {
  expect((await listNamespaces(target)).map(({ name }) => name)).toEqual(['default', 'temporal-system']);
  const { workflow } = target.client('default');
  const ids = ['runs', 'terminated', 'canceled', 'timed-out', 'deleted', 'one-more'];
  for (const workflowId of ids) {
    await workflow.start('nobody-runs-this', {
      workflowId,
      taskQueue: 'nobody',
      ...(workflowId === 'timed-out' ? { workflowExecutionTimeout: '20s' } : {}),
    });
  }
  while ((await countRunning(target, 'default')) < ids.length) await sleep(200);
  expect((await listRunning(target, 'default', 100)).map(({ workflowId }) => workflowId).sort()).toEqual(
    [...ids].sort(),
  );
  expect(await listRunning(target, 'default', 2)).toHaveLength(2);

  const file = join(folder, 'snapshots', 'running.jsonl');
  const snapshot = await snapshotRunning(target, { file });
  const types = { 'nobody-runs-this': ids.length };
  expect(snapshot.namespaces).toEqual({ default: { running: ids.length, recorded: ids.length, types } });
  expect((await snapshotRunning(target, { file: `${file}.2`, perNamespace: 2 })).namespaces).toEqual({
    default: { running: ids.length, recorded: 2, types },
  });
  expect((await snapshotRunning(target, { file: `${file}.3`, exclude: ['default'] })).namespaces).toEqual({});
  expect(await compareRunning(target, file)).toMatchObject({ checked: 6, counts: { running: 6 }, examples: [] });

  await workflow.getHandle('terminated').terminate();
  await target.grpc.workflowService.deleteWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId: 'deleted' },
  });
  const runOf = async (workflowId: string) => ({
    workflowId,
    runId: (await workflow.getHandle(workflowId).describe()).runId,
  });
  const timedOut = await runOf('timed-out');
  while ((await readRun(target, 'default', timedOut)).status === 'running') await sleep(500);
  await eventually(async () => (await compareRunning(target, file)).counts.missing === 1);
  const comparison = await compareRunning(target, file);
  expect(comparison.counts).toEqual({ running: 3, terminated: 1, timedOut: 1, missing: 1 });
  expect(comparison.examples).toContainEqual(
    expect.objectContaining({ namespace: 'default', workflowId: 'deleted', fate: 'missing' }),
  );
  expect(comparison.examples).toHaveLength(3);

  // The same file, as if the retention of the namespace were over: then a closed one may have been deleted by rights.
  const [header = '', ...rest] = (await readFile(file, 'utf8')).split('\n');
  await writeFile(file, [header.replace(/"takenAt":"[^"]+"/, '"takenAt":"2020-01-01T00:00:00Z"'), ...rest].join('\n'));
  expect((await compareRunning(target, file)).counts).toMatchObject({ retained: 1 });
}, 120_000);

async function eventually(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(200);
}
