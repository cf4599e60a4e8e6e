import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { loadCatalogue } from '../../src/adapters/catalogue-file.js';
import { withTarget } from '../../src/adapters/cluster/target-connection.js';
import { surveyTarget } from '../../src/adapters/survey-target.js';
import { createToolResolver } from '../../src/adapters/tools/tool-resolver.js';
import type { Catalogue } from '../../src/core/catalogue/catalogue.js';
import { examine } from '../../src/core/checks/examine.js';
import { clusterChecks } from '../../src/core/checks/cluster-checks.js';
import { diagnose } from '../../src/core/diagnoses.js';
import { type Finding, findingText } from '../../src/core/finding.js';
import { asSqlStore, databaseNameOf, PostgresStore, type Target } from '../../src/core/input/input.js';
import type { Hop } from '../../src/core/plan.js';
import { planPath } from '../../src/core/planning/path.js';
import { minorOf } from '../../src/core/version.js';
import { startCluster, type LabCluster } from '../../src/lab/cluster.js';
import { startPostgres, type LabPostgres } from '../../src/lab/postgres.js';

/** Real clusters of four minors: nothing is said of a healthy one but what is so, and each fault is named, and it alone. */

const tools = createToolResolver();
const TWICE = { frontend: 2, history: 2, matching: 2 } as const;
let catalogue: Catalogue;
let folder: string;
let postgres: LabPostgres;
/** By version. */
const clusters = new Map<string, LabCluster>();

beforeAll(async () => {
  catalogue = await loadCatalogue();
  folder = await mkdtemp(join(tmpdir(), 'temporal-upgrade-survey-'));
  postgres = await startPostgres();
  for (const version of ['1.23.1', '1.29.1', '1.30.7', '1.31.2']) {
    const name = `v${version.replaceAll('.', '')}`;
    const nodesPerRole = version === '1.23.1' ? {} : TWICE;
    const options = { name, version, database: postgres, tools, directory: join(folder, name), nodesPerRole };
    clusters.set(version, await startCluster(options));
  }
}, 600_000);

afterAll(async () => {
  for (const cluster of clusters.values()) await cluster.stop();
  await postgres?.stop();
  await rm(folder, { recursive: true, force: true });
}, 300_000);

function clusterOf(version: string): LabCluster {
  const cluster = clusters.get(version);
  if (cluster === undefined) throw new Error(`no cluster of ${version}`);
  return cluster;
}

async function query(cluster: LabCluster, text: string, values: readonly unknown[] = []) {
  const { host, port, user, password } = postgres;
  const database = databaseNameOf(cluster.target.stores.default);
  const client = new pg.Client({ host, port, user, password, database });
  await client.connect();
  try {
    return (await client.query<Readonly<Record<string, unknown>>>(text, [...values])).rows;
  } finally {
    await client.end();
  }
}

interface Looking {
  readonly target?: Target;
  readonly hop?: Hop;
}

async function look(cluster: LabCluster, { target = cluster.target, hop }: Looking = {}) {
  const survey = await surveyTarget(target, { catalogue, tools, hop });
  const stores = { default: 'postgres12', visibility: 'postgres12' } as const;
  const context = { catalogue, stores, hop };
  const findings = clusterChecks.flatMap((check) => check(survey, context));
  return { survey: survey.cluster, findings, all: examine(survey, context) };
}

/** What is worth more than a note, but for what is true of the version alone. */
function faults(findings: readonly Finding[]): string[] {
  return findings
    .filter(({ severity, id }) => severity !== 'note' && !['version-unsupported', 'version-advisory'].includes(id))
    .map((finding) => `${finding.severity} ${finding.id}: ${findingText(finding)}`);
}

/** The faults, once they are `expected`: a ring takes seconds to see what happened. Else what they were last. */
async function faultsInTime(
  cluster: LabCluster,
  expected: readonly RegExp[],
  looking: Looking = {},
): Promise<string[]> {
  let found: string[] = [];
  for (let attempt = 0; attempt < 20; attempt += 1) {
    found = faults((await look(cluster, looking)).findings);
    if (found.length === expected.length && expected.every((words, index) => words.test(found[index] ?? ''))) break;
    await sleep(2_000);
  }
  return found;
}

function hopOf(from: string, to: string): Hop {
  const pins = { [minorOf(from)]: from, [minorOf(to)]: to };
  const stores = { default: 'postgres12', visibility: 'postgres12' } as const;
  const [hop] = planPath({ catalogue, from, to, pins, stores }).hops;
  if (hop === undefined) throw new Error(`no hop from ${from} to ${to}`);
  return hop;
}

/** kill -9, and waits until it is gone. */
async function killNode(cluster: LabCluster, name: string): Promise<void> {
  const instanceOf = async () => (await cluster.driver.listNodes()).find((node) => node.name === name)?.instance;
  const instance = await instanceOf();
  if (instance === undefined) throw new Error(`${name} does not run`);
  process.kill(Number(instance.split(':')[0]), 'SIGKILL');
  while ((await instanceOf()) !== undefined) await sleep(50);
}

describe('a healthy cluster', () => {
  test.each([
    ['1.29.1', ['version-unsupported']],
    ['1.30.7', []],
    ['1.31.2', []],
  ])(
    '%s: nothing but what is so of its version',
    async (version, ofVersion) => {
      const cluster = clusterOf(version);
      const { survey, findings } = await look(cluster);
      const above = findings.filter(({ severity, id }) => severity !== 'note' && id !== 'version-advisory');
      expect(above.map(({ id }) => id)).toEqual(ofVersion);

      expect(survey.frontends).toHaveLength(2);
      for (const { info } of survey.frontends) {
        expect(info).toMatchObject({ seen: { version, historyShardCount: 32, persistenceStore: 'postgres12' } });
      }
      const members = (role: string) =>
        cluster.nodes
          .filter((node) => node.role === role)
          .map(({ rpcAddress }) => rpcAddress)
          .sort();
      for (const { rings } of survey.rings) {
        expect(rings).toEqual({
          seen: Object.fromEntries(['frontend', 'history', 'matching', 'worker'].map((role) => [role, members(role)])),
        });
      }
      for (const { role, health, metrics, configuration, supervisors } of survey.processes) {
        expect(health).toEqual({ seen: role === 'worker' && version !== '1.31.2' ? 'NO_SERVICE' : 'SERVING' });
        expect(metrics).toMatchObject({ seen: { buildVersion: version, restarts: 1 } });
        expect(supervisors).toEqual({ seen: [] });
        expect(configuration).toMatchObject({
          seen: {
            numHistoryShards: 32,
            stores: { default: { plugin: 'postgres12', maxConns: 12 }, visibility: { maxConns: 6 } },
            dynamic: { seen: { file: cluster.dynamicConfigFile, keys: [] } },
          },
        });
      }
      expect(JSON.stringify(survey)).not.toContain(postgres.password);
    },
    120_000,
  );

  test('before a hop: nothing, when its programs are at hand', async () => {
    const { findings } = await look(clusterOf('1.30.7'), { hop: hopOf('1.30.7', '1.31.2') });
    expect(faults(findings)).toEqual([]);
  }, 180_000);
});

describe('a fault is named, and nothing else', () => {
  test('another number of shards in the configuration of one process', async () => {
    const cluster = clusterOf('1.31.2');
    const node = cluster.nodes.find(({ name }) => name === 'matching-1');
    const file = join(node?.configDir ?? '', `${node?.configEnv ?? ''}.yaml`);
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace('numHistoryShards: 32', 'numHistoryShards: 16'), { mode: 0o600 });
    try {
      expect(faults((await look(cluster)).findings)).toEqual([
        expect.stringMatching(
          /^warn shard-count-configured: numHistoryShards is 16 in the configuration of matching-1, and the cluster has 32/,
        ),
      ]);
    } finally {
      await writeFile(file, text, { mode: 0o600 });
    }
  }, 180_000);

  test('a configuration that is a template', async () => {
    const cluster = clusterOf('1.31.2');
    const node = cluster.nodes.find(({ name }) => name === 'worker-1');
    const file = join(node?.configDir ?? '', `${node?.configEnv ?? ''}.yaml`);
    const text = await readFile(file, 'utf8');
    await writeFile(
      file,
      `# enable-template\n${text.replace('numHistoryShards: 32', 'numHistoryShards: {{ env "SHARDS" }}')}`,
      { mode: 0o600 },
    );
    try {
      expect(faults((await look(cluster)).findings)).toEqual([
        expect.stringMatching(
          /^warn configuration-unseen: the configuration of worker-1 is not known: .*lab\.yaml is a template/,
        ),
      ]);
    } finally {
      await writeFile(file, text, { mode: 0o600 });
    }
  }, 180_000);

  test('a zombie in the table of members', async () => {
    const cluster = clusterOf('1.29.1');
    await query(
      cluster,
      `insert into cluster_membership
         (membership_partition, host_id, rpc_address, rpc_port, role, session_start, last_heartbeat, record_expiry)
       values (0, $1, '10.11.12.13', 6934, 2, now() at time zone 'UTC', now() at time zone 'UTC', now() at time zone 'UTC' + interval '2 days')`,
      [Buffer.from(randomUUID().replaceAll('-', ''), 'hex')],
    );
    try {
      expect(faults((await look(cluster)).findings)).toEqual([
        expect.stringMatching(/^warn membership-zombie: cluster_membership has a history at 10\.11\.12\.13:6934/),
      ]);
      await query(
        cluster,
        `update cluster_membership set last_heartbeat = last_heartbeat - interval '1 hour' where rpc_address = '10.11.12.13'`,
      );
      const { findings } = await look(cluster);
      expect(faults(findings)).toEqual([]);
      expect(findings.find(({ id }) => id === 'membership-stale')?.found).toContain('history 10.11.12.13:6934');
    } finally {
      await query(cluster, `delete from cluster_membership where rpc_address = '10.11.12.13'`);
    }
  }, 180_000);

  test('a process killed: in the ring at first, then gone from it, then back', async () => {
    const cluster = clusterOf('1.30.7');
    const isDown = /^block process-down: matching-2 \(matching\) does not run/;
    const isZombie =
      /^block ring-zombie: the ring of matching has 127\.0\.0\.1:\d+, matching-2, which does not run; seen by frontend/;
    try {
      let atOnce: string[] = [];
      // The ring lets go of it within seconds: on a busy machine the look may come too late.
      for (let attempt = 0; attempt < 5 && !atOnce.some((fault) => isZombie.test(fault)); attempt += 1) {
        await cluster.driver.startNode('matching-2', '1.30.7');
        expect(await faultsInTime(cluster, [])).toEqual([]);
        await killNode(cluster, 'matching-2');
        atOnce = faults((await look(cluster)).findings);
      }
      expect(atOnce).toEqual([expect.stringMatching(isDown), expect.stringMatching(isZombie)]);
      expect(await faultsInTime(cluster, [isDown])).toEqual([expect.stringMatching(isDown)]);
    } finally {
      await cluster.driver.startNode('matching-2', '1.30.7');
    }
    expect(await faultsInTime(cluster, [])).toEqual([]);
  }, 600_000);

  test('a process that does not start, as the schema is behind its version', async () => {
    const cluster = clusterOf('1.30.7');
    await cluster.driver.stopNode('worker-1');
    const setVersion = (version: string) => query(cluster, 'update schema_version set curr_version = $1', [version]);
    try {
      await setVersion('1.17');
      await expect(cluster.driver.startNode('worker-1', '1.30.7')).rejects.toThrow('ended at once');
      const isDown = /^block process-down: worker-1 \(worker\) does not run/;
      const why =
        /^warn start-error-schema-behind: the end of the log of worker-1: .*Expected version: 1\.18 cannot be greater than Actual version: 1\.17/;
      expect(await faultsInTime(cluster, [isDown, why])).toEqual([
        expect.stringMatching(isDown),
        expect.stringMatching(why),
      ]);
      const { all } = await look(cluster);
      const start = diagnose(all).find(({ trouble }) => trouble === 'processes-do-not-start');
      expect(start?.causes[0]?.cause).toBe('the schema is behind the version');
    } finally {
      await setVersion('1.18');
      await cluster.driver.startNode('worker-1', '1.30.7');
    }
    expect(await faultsInTime(cluster, [])).toEqual([]);
  }, 400_000);

  test('a frontend that was stopped', async () => {
    const cluster = clusterOf('1.31.2');
    await cluster.driver.stopNode('frontend-2');
    const isDown = /^block process-down: frontend-2 \(frontend\) does not run/;
    expect(await faultsInTime(cluster, [isDown])).toEqual([expect.stringMatching(isDown)]);
    await cluster.driver.startNode('frontend-2', '1.31.2');
    expect(await faultsInTime(cluster, [])).toEqual([]);
  }, 400_000);

  test('a process that the input does not name', async () => {
    const cluster = clusterOf('1.30.7');
    const { driver } = cluster.target;
    const nodes = driver.nodes.filter(({ name }) => name !== 'history-2');
    const stranger = cluster.nodes.find(({ name }) => name === 'history-2')?.rpcAddress ?? '';
    const found = faults(
      (await look(cluster, { target: { ...cluster.target, driver: { ...driver, nodes } } })).findings,
    );
    expect(found).toEqual([
      expect.stringContaining(
        `block ring-stranger: the ring of history has ${stranger} (SERVING), which the input does not name`,
      ),
    ]);
  }, 180_000);

  test('a setting that the coming hop removes', async () => {
    const cluster = clusterOf('1.23.1');
    const before = await readFile(cluster.dynamicConfigFile, 'utf8');
    await writeFile(
      cluster.dynamicConfigFile,
      'frontend.rps:\n  - value: 2000\nsystem.enableReadVisibilityFromES:\n  - value: false\n',
    );
    try {
      const { findings } = await look(cluster, { hop: hopOf('1.23.1', '1.24.2') });
      // The programs of 1.24 are none of those that the tests bring; elsewhere they may be at hand.
      const found = faults(findings.filter(({ id }) => id !== 'tool-missing'));
      expect(found).toEqual([
        expect.stringMatching(
          /^warn setting-removed-set: system\.enableReadVisibilityFromES is set and is removed in 1\.24\.0: .*dynamicconfig\.yaml, line 3 \(.*worker-1/,
        ),
        expect.stringMatching(/^warn single-process: there is one process alone of frontend, history and matching/),
      ]);
    } finally {
      await writeFile(cluster.dynamicConfigFile, before);
    }
  }, 180_000);

  test('a wrong plugin, and a wrong database, in the input', async () => {
    const cluster = clusterOf('1.29.1');
    const { stores } = cluster.target;
    const withStores = (change: Partial<Target['stores']>): Looking => ({
      target: { ...cluster.target, stores: { ...stores, ...change } },
    });
    const plugin = withStores({ default: PostgresStore.parse({ ...stores.default, plugin: 'postgres12_pgx' }) });
    expect(faults((await look(cluster, plugin)).findings)).toEqual([
      expect.stringMatching(
        /^block store-plugin-differs: the default store of v1291 is postgres12, but the input says postgres12_pgx/,
      ),
    ]);
    const database = withStores({ visibility: { ...asSqlStore(stores.visibility), database: 'other' } });
    expect(faults((await look(cluster, database)).findings)).toEqual([
      expect.stringMatching(
        /^block store-database-differs: .* have the visibility store in database "v1291_visibility", but the input says "other"/,
      ),
    ]);
  }, 180_000);

  test('a process under a supervisor', async () => {
    const cluster = clusterOf('1.30.7');
    const node = cluster.nodes.find(({ name }) => name === 'worker-1');
    const server = await tools.serverTool('temporal-server', '1.30.7');
    await cluster.driver.stopNode('worker-1');
    const loop = join(folder, 'keep-running.sh');
    const command = `${server} --root / --config ${node?.configDir ?? ''} --env lab --allow-no-auth start --service=worker`;
    await writeFile(loop, `while true; do\n  ${command} >> ${node?.logFile ?? ''} 2>&1\n  sleep 1\ndone\n`);
    const supervisor = spawn('/bin/sh', [loop], { stdio: 'ignore', detached: true });
    try {
      const found = new RegExp(
        `^block supervisor-found: worker-1 belongs to a supervisor: process sh \\(process ${supervisor.pid}\\)`,
      );
      const hop = hopOf('1.30.7', '1.31.2');
      expect(await faultsInTime(cluster, [found], { hop })).toEqual([expect.stringMatching(found)]);
    } finally {
      supervisor.kill('SIGKILL');
      await cluster.driver.stopNode('worker-1');
    }
    await cluster.driver.startNode('worker-1', '1.30.7');
    expect(await faultsInTime(cluster, [])).toEqual([]);
  }, 400_000);

  test('a hop that was left half-done', async () => {
    const cluster = clusterOf('1.30.7');
    await cluster.driver.stopNode('worker-1');
    await cluster.driver.startNode('worker-1', '1.29.1');
    const found = /^warn hop-half-done: a hop from 1\.29\.1 to 1\.30\.7 is half-done: worker-1 1\.29\.1 and history-1/;
    expect(await faultsInTime(cluster, [found])).toEqual([expect.stringMatching(found)]);
    await cluster.driver.stopNode('worker-1');
    await cluster.driver.startNode('worker-1', '1.30.7');
    expect(await faultsInTime(cluster, [])).toEqual([]);
  }, 400_000);
});

test('workflows that wait for nobody, and the SDK that works on them, are seen', async () => {
  const cluster = clusterOf('1.31.2');
  await withTarget(cluster.target.connection, async (target) => {
    const { workflow } = target.client('default');
    await workflow.start('Order', { workflowId: 'order-1', taskQueue: 'orders' });
    const waits = /^warn task-queue-without-poller: 1 workflow task wait in task queue orders of default/;
    expect(await faultsInTime(cluster, [waits])).toEqual([expect.stringMatching(waits)]);

    // A worker, as far as the server can see.
    const worker = { namespace: 'default', taskQueue: { name: 'orders' }, identity: 'test' };
    const { workflowService } = target.grpc;
    const { taskToken } = await target.ask('polling', () => workflowService.pollWorkflowTaskQueue(worker));
    const sdkMetadata = { sdkName: 'temporal-test', sdkVersion: '9.9.9' };
    await workflowService.respondWorkflowTaskCompleted({ taskToken, identity: 'test', sdkMetadata });
    expect(await faultsInTime(cluster, [])).toEqual([]);
    const { survey, findings } = await look(cluster, { hop: hopOf('1.31.2', '1.32.1') });
    const [namespace] = 'seen' in survey.namespaces ? survey.namespaces.seen.looked : [];
    expect(namespace).toMatchObject({
      name: 'default',
      running: { seen: { count: 1, listed: 1, byType: { Order: 1 } } },
      taskQueues: {
        seen: [
          { name: 'orders', kind: 'workflow', pollers: 1 },
          { name: 'orders', kind: 'activity' },
        ],
      },
      sdks: { seen: [{ name: 'temporal-test', version: '9.9.9', seenIn: 'histories' }] },
    });
    const notes = findings.filter(({ severity }) => severity === 'note').map(({ found }) => found);
    expect(notes).toContain('1 workflow of default run: 1 Order');
    expect(notes).toContain('SDKs at work on default: temporal-test 9.9.9 (histories)');
    await workflow.getHandle('order-1').terminate();
  });
}, 300_000);
