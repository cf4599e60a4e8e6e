import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { checkHealth, HEALTH_SERVICES } from '../../src/adapters/grpc-health.js';
import { runCommand } from '../../src/adapters/run-command.js';
import { createToolResolver } from '../../src/adapters/tools/tool-resolver.js';
import { parseTarget, Target } from '../../src/core/input/input.js';
import { findServersBelow, removeLab } from '../../src/lab/clean-up.js';
import { startCluster, type LabCluster } from '../../src/lab/cluster.js';
import { startPostgres, type LabPostgres } from '../../src/lab/postgres.js';

const VERSION = '1.29.1';
const CLI = fileURLToPath(new URL('../../bin/temporal-upgrade', import.meta.url));
const tools = createToolResolver();
let directory: string;
let postgres: LabPostgres;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lab-test-'));
  postgres = await startPostgres({ directory: join(directory, 'postgres') });
}, 300_000);

afterAll(async () => {
  await removeLab(join(directory, 'postgres'));
  await removeLab(directory);
}, 60_000);

/** Runs the Temporal CLI against the cluster, as an operator would. */
async function temporal(cluster: LabCluster, ...args: string[]): Promise<string> {
  const { connection } = cluster.target;
  if (!('address' in connection)) throw new Error('the lab gives an address');
  const tls = typeof connection.tls === 'object' ? connection.tls : undefined;
  const tlsFlags = tls && [
    ...['--tls-ca-path', tls.serverCaFile ?? '', '--tls-cert-path', tls.clientCertFile ?? ''],
    ...['--tls-key-path', tls.clientKeyFile ?? '', '--tls-server-name', tls.serverName ?? ''],
  ];
  const flags = ['--address', connection.address, '--disable-config-env', '--disable-config-file', ...(tlsFlags ?? [])];
  return (await runCommand(await tools.temporalCli(), [...args, ...flags], { timeoutMs: 30_000 })).stdout;
}

async function startWorkflowAndSeeIt(cluster: LabCluster): Promise<void> {
  const start = ['workflow', 'start', '--type', 'any', '--task-queue', 'nobody', '--workflow-id', 'seen'];
  await temporal(cluster, ...start);
  await expectRunning(cluster);
}

async function expectRunning(cluster: LabCluster): Promise<void> {
  const described = await temporal(cluster, 'workflow', 'describe', '--workflow-id', 'seen', '--output', 'json');
  expect(JSON.parse(described)).toMatchObject({
    workflowExecutionInfo: { status: 'WORKFLOW_EXECUTION_STATUS_RUNNING' },
  });
}

/** `init` finds out all that the lab knows of it. */
async function expectDescribed({ target }: LabCluster): Promise<void> {
  const file = join(directory, 'plain.yaml');
  if (!('address' in target.connection)) throw new Error('the lab gives an address');
  const args = [
    'init',
    '--address',
    target.connection.address,
    '--name',
    target.name,
    '--backup-dir',
    target.backupDir,
  ];
  const run = () => runCommand(CLI, [...args, '--write', file, '--output', 'json'], { timeoutMs: 60_000 });
  expect(JSON.parse((await run()).stdout)).toMatchObject({
    version: VERSION,
    shards: 8,
    nodes: 4,
    here: 4,
    unseen: [],
  });
  const text = await readFile(file, 'utf8');
  expect(text).not.toContain(postgres.password);
  const described = parseTarget(parse(text));
  const password = { env: 'LAB_PLAIN_DB_PASSWORD' };
  const { stores, driver, ...rest } = target;
  expect(described).toEqual({
    ...rest,
    stores: { default: { ...stores.default, password }, visibility: { ...stores.visibility, password } },
    driver: { ...driver, nodes: expect.arrayContaining([...driver.nodes]) },
  });
  expect(JSON.parse(await readFile(join(directory, 'target.schema.json'), 'utf8'))).toHaveProperty('properties.stores');
  await expect(run()).rejects.toThrow('is there already and was left as it is');
}

test('a cluster without TLS serves, takes a workflow, and leaves no process behind', async () => {
  const cluster = await startCluster({
    name: 'lab-plain',
    version: VERSION,
    database: postgres,
    directory: join(directory, 'plain'),
    tools,
  });
  expect(Target.parse(JSON.parse(JSON.stringify(cluster.target)))).toEqual(cluster.target);
  expect(JSON.stringify(cluster.target)).not.toContain(postgres.password);
  await startWorkflowAndSeeIt(cluster);
  await expectDescribed(cluster);
  expect(await findServersBelow(join(directory, 'plain'))).toHaveLength(4);
  await cluster.stop();
  expect(await findServersBelow(join(directory, 'plain'))).toEqual([]);
}, 120_000);

test('a cluster with mutual TLS serves those with a certificate, and nobody else', async () => {
  const cluster = await startCluster({
    name: 'lab-tls',
    version: VERSION,
    database: postgres,
    directory: join(directory, 'tls'),
    tools,
    tls: true,
  });
  await startWorkflowAndSeeIt(cluster);
  for (const node of cluster.nodes.filter(({ role }) => role !== 'worker')) {
    const service = HEALTH_SERVICES[node.role];
    expect(await checkHealth(node.rpcAddress, service, cluster.target.driver.internodeTls)).toBe('SERVING');
    expect(await checkHealth(node.rpcAddress, service)).toBe('UNREACHABLE');
  }
  await cluster.stop();
  expect(await findServersBelow(join(directory, 'tls'))).toEqual([]);
}, 120_000);

test('two nodes of each role form one cluster, and a database that was kept is used again', async () => {
  const options = {
    name: 'lab-pairs',
    version: VERSION,
    database: postgres,
    directory: join(directory, 'pairs'),
    tools,
    nodesPerRole: { frontend: 2, history: 2, matching: 2, worker: 2 },
    shards: 16,
  };
  const cluster = await startCluster(options);
  expect(cluster.frontends).toHaveLength(2);
  await startWorkflowAndSeeIt(cluster);
  const members = JSON.parse(await temporal(cluster, 'operator', 'cluster', 'describe', '--output', 'json')) as object;
  expect(members).toMatchObject({ historyShardCount: 16 });
  const { nodes } = cluster;
  for (const node of nodes) {
    expect((await stat(join(node.configDir, `${node.configEnv}.yaml`))).mode & 0o077).toBe(0);
    const metrics: string = await (await fetch(`http://${node.metricsAddress ?? ''}/metrics`)).text();
    // The reporter writes dots of a label as underscores.
    expect(metrics).toMatch(/^build_information\{.*build_version="1_29_1"/m);
  }
  await cluster.stop();

  const again = await startCluster({ ...options, nodesPerRole: {} });
  await expectRunning(again);
  await again.stop();
}, 180_000);

test('a database server left behind by a killed process is found again, and removed for good', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lab-test-kept-'));
  const first = await startPostgres({ directory: folder });
  const second = await startPostgres({ directory: folder });
  expect(second).toMatchObject({ port: first.port, password: first.password });
  await removeLab(folder);
  await expect(stat(first.dataDir)).rejects.toThrow('ENOENT');
  await rm(folder, { recursive: true, force: true });
}, 60_000);
