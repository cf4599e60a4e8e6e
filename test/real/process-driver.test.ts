import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Driver } from '../../src/adapters/driver.js';
import { isRunning } from '../../src/adapters/process/linux-process.js';
import { createProcessDriver } from '../../src/adapters/process/process-driver.js';
import { listServerProcesses, type ServerProcess } from '../../src/adapters/process/server-process.js';
import { createToolResolver } from '../../src/adapters/tools/tool-resolver.js';
import type { ProcessDriver, ProcessNode, SecretRef } from '../../src/core/input/input.js';
import { PreconditionError } from '../../src/core/errors.js';
import { removeLab, stopServers, stopServersBelow } from '../../src/lab/clean-up.js';
import { startCluster, type LabCluster } from '../../src/lab/cluster.js';
import { startPostgres } from '../../src/lab/postgres.js';
import { compileSource } from '../helpers/compiled-source.js';

const VERSION = '1.29.1';
const NEXT = '1.30.7';
const NODE = 'matching-1';
const tools = createToolResolver();
let directory: string;
let cluster: LabCluster;
let driver: Driver;
let compiled: ReturnType<typeof compileSource>;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'process-driver-test-'));
  compiled = compileSource(['core', 'adapters']);
  const postgres = await startPostgres({ directory: join(directory, 'postgres') });
  cluster = await startCluster({
    name: 'driven',
    version: VERSION,
    database: postgres,
    directory: join(directory, 'driven'),
    tools,
  });
  driver = cluster.driver;
}, 300_000);

afterAll(async () => {
  compiled.remove();
  await stopServersBelow(directory);
  await removeLab(join(directory, 'postgres'));
  await rm(directory, { recursive: true, force: true });
}, 60_000);

/** Each test begins with no process of the node that the tests stop and start. */
beforeEach(async () => stopServers(await processesOf(node())), 60_000);

function node(name = NODE): ProcessNode {
  const found = cluster.nodes.find((one) => one.name === name);
  if (found === undefined) throw new Error(`the lab has no ${name}`);
  return found;
}

async function state(name = NODE) {
  return (await driver.listNodes()).find((one) => one.name === name);
}

async function processesOf({ configDir }: ProcessNode): Promise<ServerProcess[]> {
  return (await listServerProcesses()).filter((one) => one.configDir === configDir);
}

function argumentsOf({ configDir, configEnv, role }: ProcessNode, ...services: string[]): string[] {
  const flags = (services.length === 0 ? [role] : services).flatMap((service) => ['--service', service]);
  return ['--root', '/', '--config', configDir, '--env', configEnv, '--allow-no-auth', 'start', ...flags];
}

/** Starts a server as an operator would in a terminal, past the driver. */
async function startByHand(program: string, args: readonly string[]): Promise<number> {
  const child = spawn(program, args, { stdio: 'ignore', detached: true });
  await once(child, 'spawn');
  child.unref();
  return child.pid ?? 0;
}

/** A worker of its own: another Node process that starts the node and prints what it got. */
function startInOtherProcess(input: ProcessDriver, name: string, version: string) {
  const script = `
    const [folder, input, name, version] = process.argv.slice(1);
    const { createProcessDriver } = await import(folder + '/adapters/process/process-driver.js');
    const { createToolResolver } = await import(folder + '/adapters/tools/tool-resolver.js');
    const driver = createProcessDriver(JSON.parse(input), createToolResolver());
    console.log(JSON.stringify(await driver.startNode(name, version)));`;
  const child = spawn(
    process.execPath,
    ['--input-type=module', '-e', script, '--', compiled.directory, JSON.stringify(input), name, version],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let output = '';
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  const ended = once(child, 'close').then(() => output);
  return { child, ended, output: () => output };
}

/** A driver for one node more: like the node given, with its own folder and log, and `change` made to its configuration. */
async function driverForCopy(
  original: ProcessNode,
  name: string,
  options: {
    readonly change: (config: string) => string;
    readonly environment?: Record<string, string | SecretRef>;
  },
): Promise<{ driver: Driver; node: ProcessNode }> {
  const copy = {
    ...original,
    name,
    configDir: join(directory, 'copies', name),
    logFile: join(directory, 'copies', `${name}.log`),
    environment: options.environment ?? {},
  };
  await mkdir(copy.configDir, { recursive: true });
  const config = await readFile(join(original.configDir, `${original.configEnv}.yaml`), 'utf8');
  await writeFile(join(copy.configDir, `${copy.configEnv}.yaml`), options.change(config));
  const input: ProcessDriver = { ...cluster.target.driver, nodes: [copy] };
  return { driver: createProcessDriver(input, tools), node: copy };
}

async function waitForProcess(of: ProcessNode): Promise<ServerProcess> {
  for (let tried = 0; tried < 400; tried++) {
    const [found] = await processesOf(of);
    if (found !== undefined) return found;
    await sleep(25);
  }
  throw new Error(`no process of ${of.name} came up`);
}

test('runs the version it was told to, and every other node stays as it is', async () => {
  const { driver: own, node: copy } = await driverForCopy(node(), 'newer', { change: (config) => config });
  const others = (await driver.listNodes()).filter(({ name }) => name !== NODE);
  // The schema is that of 1.29: the newer server starts, looks, and refuses it. Its own words reach the operator.
  await expect(own.startNode(copy.name, NEXT)).rejects.toThrow(/schema version compatibility check failed/);
  expect(await processesOf(copy)).toEqual([]);
  expect((await driver.listNodes()).filter(({ name }) => name !== NODE)).toEqual(others);
}, 60_000);

test('finds a node that was started by hand, with flags and paths written in another way', async () => {
  const program = await tools.serverTool('temporal-server', VERSION);
  const { configDir, configEnv } = node();
  const pid = await startByHand(program, [
    `--root=${join(configDir, '..')}`,
    `-c=${NODE}/../${NODE}`,
    `--env=${configEnv}`,
    'start',
    '--service=matching',
  ]);
  const found = await driver.startNode(NODE, VERSION);
  expect(found.instance?.split(':')[0]).toBe(String(pid));
}, 60_000);

test('finds the server itself behind a program that started it and carries the same arguments', async () => {
  const program = await tools.serverTool('temporal-server', VERSION);
  const wrapper = await startByHand('timeout', ['600', program, ...argumentsOf(node())]);
  const server = await waitForServerBelow(wrapper);
  expect(await state()).toMatchObject({ version: VERSION, instance: `${server.pid}:${server.startTicks}` });
  await driver.stopNode(NODE);
  expect(await isRunning(server)).toBe(false);
}, 60_000);

async function waitForServerBelow(parentPid: number): Promise<ServerProcess> {
  for (let tried = 0; tried < 400; tried++) {
    const found = (await processesOf(node())).find((one) => one.parentPid === parentPid);
    if (found !== undefined) return found;
    await sleep(25);
  }
  throw new Error(`process ${parentPid} started no server`);
}

test('knows the version of a server whose binary was replaced while it runs', async () => {
  const program = join(directory, 'temporal-server');
  await copyFile(await tools.serverTool('temporal-server', VERSION), program);
  await startByHand(program, argumentsOf(node()));
  await waitForProcess(node());
  await rm(program);
  await copyFile(await tools.serverTool('temporal-server', NEXT), program);
  expect(await state()).toMatchObject({ running: true, version: VERSION });
}, 60_000);

test('a worker killed while it starts a node leaves one server, which the next attempt finds', async () => {
  // The worker role listens on nothing up to 1.30, so that its first moments are watched to their end: time to kill.
  await driver.stopNode('worker-1');
  const starter = startInOtherProcess(cluster.target.driver, 'worker-1', VERSION);
  const server = await waitForProcess(node('worker-1'));
  starter.child.kill('SIGKILL');
  expect(await starter.ended).toBe('');
  expect(await driver.startNode('worker-1', VERSION)).toMatchObject({
    version: VERSION,
    instance: `${server.pid}:${server.startTicks}`,
  });
  expect(await processesOf(node('worker-1'))).toHaveLength(1);
}, 90_000);

test('attempts that race end with one server, and all of them see that one', async () => {
  const others = [1, 2].map(() => startInOtherProcess(cluster.target.driver, NODE, VERSION));
  const own = await driver.startNode(NODE, VERSION);
  for (const other of others) expect(JSON.parse(await other.ended)).toEqual(own);
  expect(await processesOf(node())).toHaveLength(1);
}, 90_000);

test('names the processes when more than one runs as a node, and touches neither', async () => {
  const program = await tools.serverTool('temporal-server', VERSION);
  await driver.startNode(NODE, VERSION);
  const pid = await startByHand(program, argumentsOf(node()));
  process.kill(pid, 'SIGSTOP'); // before it finds its ports taken and ends
  const both = await processesOf(node());
  expect(both).toHaveLength(2);
  for (const attempt of [driver.listNodes(), driver.stopNode(NODE), driver.startNode(NODE, VERSION)]) {
    await expect(attempt).rejects.toThrow(PreconditionError);
    await expect(attempt).rejects.toThrow(String(pid));
  }
  expect(await processesOf(node())).toEqual(both);
  process.kill(pid, 'SIGKILL');
}, 60_000);

test('refuses a process that runs other roles too', async () => {
  const program = await tools.serverTool('temporal-server', VERSION);
  const pid = await startByHand(program, argumentsOf(node(), 'matching', 'history'));
  process.kill(pid, 'SIGSTOP'); // before it finds the port of the other history taken and ends
  await expect(driver.listNodes()).rejects.toThrow(/runs matching, history from its configuration/);
  process.kill(pid, 'SIGKILL');
}, 60_000);

test('kills a server that does not stop in time, and says so', async () => {
  const impatient = createProcessDriver({ ...cluster.target.driver, stopTimeout: 500 }, tools);
  const { instance } = await impatient.startNode(NODE, VERSION);
  process.kill(Number(instance?.split(':')[0]), 'SIGSTOP'); // SIGTERM now waits for a SIGCONT that never comes
  const said: string[] = [];
  await impatient.stopNode(NODE, { onProgress: (progress) => said.push(progress) });
  expect(said.join('\n')).toMatch(/did not stop within 500ms and is killed with SIGKILL/);
  expect(await state()).toMatchObject({ running: false });
}, 60_000);

test('a wrong database password: the tail of this run’s log alone', async () => {
  const { driver: own, node: copy } = await driverForCopy(node(), 'wrong-password', {
    change: (config) => config.replaceAll(/password: .*/g, 'password: not-the-password'),
  });
  await writeFile(copy.logFile, 'written by an earlier run\n');
  const failure = await own.startNode(copy.name, VERSION).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(PreconditionError);
  expect(String(failure)).toContain('password authentication failed');
  expect(String(failure)).not.toContain('earlier run');
  expect(String(failure)).not.toContain('not-the-password');
  expect(await readFile(copy.logFile, 'utf8')).toMatch(/^written by an earlier run\n/);
  expect(await processesOf(copy)).toEqual([]);
}, 60_000);

test('hands the environment to the server, secrets by reference, and keeps them out of its message', async () => {
  const secretFile = join(directory, 'secret');
  await writeFile(secretFile, 'database-that-nobody-has\n');
  const { driver: own, node: copy } = await driverForCopy(node(), 'environment', {
    change: (config) =>
      `# enable-template\n${config.replaceAll(/databaseName: .*/g, 'databaseName: {{ env "LAB_A" }}-{{ env "LAB_B" }}')}`,
    environment: { LAB_A: 'plain', LAB_B: { file: secretFile } },
  });
  const failure = await own.startNode(copy.name, NEXT).catch((error: unknown) => String(error));
  expect(failure).toMatch(/database \\?"plain-\*\*\*\\?" does not exist/);
  expect(failure).not.toContain('database-that-nobody-has');
}, 60_000);
