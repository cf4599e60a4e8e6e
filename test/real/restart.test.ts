import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { guard } from '../../src/activities/guard.js';
import { createReplaceNodeActivity } from '../../src/activities/replace-node.js';
import { lookAtRestart } from '../../src/adapters/cluster/look-at-restart.js';
import { isRunning } from '../../src/adapters/process/linux-process.js';
import { listServerProcesses, type ServerProcess } from '../../src/adapters/process/server-process.js';
import { createStore } from '../../src/adapters/stores.js';
import { createToolResolver } from '../../src/adapters/tools/tool-resolver.js';
import type { NodeResult, ReplaceNodeRequest } from '../../src/contract/activities.js';
import type { NodeState } from '../../src/core/cluster.js';
import type { ProcessNode, Target } from '../../src/core/input/input.js';
import { lacksOf } from '../../src/core/restart-proof.js';
import { removeLab, stopServersBelow } from '../../src/lab/clean-up.js';
import { startCluster, type LabCluster } from '../../src/lab/cluster.js';
import { startPostgres } from '../../src/lab/postgres.js';
import { compileSource } from '../helpers/compiled-source.js';
import { FROM, SCHEMA, TO } from '../helpers/rollout-lab.js';

/**
 * Replaces single processes of a real cluster that has two histories and two frontends, on the schema of the new version: what
 * does not come up is put back, whatever dies on the way.
 */
const tools = createToolResolver();
const QUIET_MS = 2_000;
let directory: string;
let cluster: LabCluster;
let target: Target;
let compiled: ReturnType<typeof compileSource>;

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') }); // here attempts are meant to fail
  directory = await mkdtemp(join(tmpdir(), 'restart-test-'));
  compiled = compileSource(['core', 'contract', 'adapters', 'activities']);
  const postgres = await startPostgres({ directory: join(directory, 'postgres') });
  cluster = await startCluster({
    name: 'restarted',
    version: FROM,
    database: postgres,
    directory: join(directory, 'restarted'),
    tools,
    nodesPerRole: { history: 2, frontend: 2 },
  });
  target = { ...cluster.target, driver: { ...cluster.target.driver, stopTimeout: 3_000, startTimeout: 60_000 } };
  const store = createStore(target.stores.visibility, 'visibility', tools);
  await store.updateSchema({ to: SCHEMA.after.visibility, serverVersion: TO });
  await store.close();
}, 300_000);

afterAll(async () => {
  compiled.remove();
  await stopServersBelow(directory);
  await removeLab(join(directory, 'postgres'));
  await rm(directory, { recursive: true, force: true });
}, 60_000);

function requestFor(node: string, version = TO): ReplaceNodeRequest {
  return { target, node, version, previous: version === TO ? FROM : TO, quietMs: QUIET_MS };
}

interface Attempt {
  readonly result?: NodeResult;
  readonly failure?: ApplicationFailure;
  /** What its heartbeats told, in their order. */
  readonly told: readonly unknown[];
}

/** An attempt at the activity, as a worker makes it. */
async function attempt(
  request: ReplaceNodeRequest,
  info: ConstructorParameters<typeof MockActivityEnvironment>[0] = {},
): Promise<Attempt> {
  const environment = new MockActivityEnvironment(info);
  const told: unknown[] = [];
  environment.on('heartbeat', (details: unknown) => told.push(details));
  const { replaceNode } = guard(createReplaceNodeActivity({ tools }));
  try {
    return { result: await environment.run(replaceNode, request), told };
  } catch (failure) {
    if (!(failure instanceof ApplicationFailure)) throw failure;
    return { failure, told };
  }
}

/** The same in a worker of its own, which can be killed. */
function startAttempt(request: ReplaceNodeRequest): ChildProcess {
  const script = `
    const [folder, request] = process.argv.slice(1);
    const { createReplaceNodeActivity } = await import(folder + '/activities/replace-node.js');
    const { guard } = await import(folder + '/activities/guard.js');
    const { createToolResolver } = await import(folder + '/adapters/tools/tool-resolver.js');
    const { MockActivityEnvironment } = await import('@temporalio/testing');
    const { replaceNode } = guard(createReplaceNodeActivity({ tools: createToolResolver() }));
    await new MockActivityEnvironment().run(replaceNode, JSON.parse(request));`;
  const args = ['--input-type=module', '-e', script, '--', compiled.directory, JSON.stringify(request)];
  return spawn(process.execPath, args, { stdio: 'ignore', cwd: compiled.directory });
}

async function kill(child: ChildProcess): Promise<void> {
  expect({ exitCode: child.exitCode, signal: child.signalCode }).toEqual({ exitCode: null, signal: null });
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

function node(name: string): ProcessNode {
  const found = cluster.nodes.find((one) => one.name === name);
  if (found === undefined) throw new Error(`the lab has no ${name}`);
  return found;
}

async function processesOf(name: string): Promise<ServerProcess[]> {
  const { configDir } = node(name);
  return (await listServerProcesses()).filter((one) => one.configDir === configDir);
}

/** Undefined while it cannot be told, as of a process that is just ending. */
async function stateOfNode(name: string): Promise<NodeState | undefined> {
  const nodes = await cluster.driver.listNodes().catch(() => []);
  return nodes.find((one) => one.name === name);
}

/** Waits for a process of the node that is none of those known. */
async function newProcessOf(name: string, known: readonly ServerProcess[]): Promise<ServerProcess> {
  for (;;) {
    const found = (await processesOf(name)).find(({ pid }) => !known.some((one) => one.pid === pid));
    if (found !== undefined) return found;
    await sleep(5);
  }
}

async function gone(process: ServerProcess): Promise<void> {
  while (await isRunning(process)) await sleep(5);
}

/** That every frontend sees the node, and nothing that does not run, and that it is one process. */
async function expectProved(name: string, version: string): Promise<void> {
  expect(lacksOf(await lookAtRestart(target, await cluster.driver.listNodes(), name), { version })).toEqual({
    ofNode: [],
    ofCluster: [],
  });
  expect(await processesOf(name)).toHaveLength(1);
}

const configFile = (name: string) => join(node(name).configDir, `${node(name).configEnv}.yaml`);

test('a restart is proved: another run, its version by every word, its place in the rings', async () => {
  const [before] = await processesOf('matching-1');
  const { result, told } = await attempt(requestFor('matching-1'));
  expect(result).toMatchObject({ node: 'matching-1', before: FROM, after: TO, changed: true });
  await expectProved('matching-1', TO);
  expect((await processesOf('matching-1'))[0]?.pid).not.toBe(before?.pid);
  expect(told.join('\n')).toContain('the rings to be quiet for 2s');
  // Once more finds it done.
  expect((await attempt(requestFor('matching-1'))).result).toMatchObject({ before: TO, after: TO, changed: false });
}, 60_000);

/** 1.30 reads this setting, at which it ends; 1.29 does not know it. */
const WRONG = '\nvisibility:\n  persistenceCustomSearchAttributes:\n    Keyword: many\n';

test('a version that crashes at its start is put back, also when the worker dies on the way back', async () => {
  const right = await readFile(configFile('history-2'), 'utf8');
  await appendFile(configFile('history-2'), WRONG);
  const before = await stateOfNode('history-2');
  const worker = startAttempt(requestFor('history-2'));
  // On the way back: the old version runs, and it is another run. The one that crashes lives too shortly to be waited for.
  for (
    let now = before;
    now?.version !== FROM || now.instance === before?.instance;
    now = await stateOfNode('history-2')
  )
    await sleep(20);
  await kill(worker);

  // The next attempt knows nothing of the first: it tries the new version once more.
  const second = await attempt(requestFor('history-2'), { attempt: 2 });
  expect(second.failure).toMatchObject({ type: 'NodePutBack', nonRetryable: true });
  expect(second.failure?.details).toEqual([{ node: 'history-2', version: TO, previous: FROM }]);
  const message = second.failure?.message ?? '';
  expect(message).toContain(`node history-2 did not come up with ${TO}:\nnode history-2 ended at once`);
  expect(message).toContain(node('history-2').logFile);
  expect(message).toMatch(/cannot unmarshal.*many/);
  expect(message).toContain(`It was put back to ${FROM}, which was proved to serve.`);
  await expectProved('history-2', FROM);

  // One that got the heartbeat of an attempt on its way back goes on there, and starts nothing that runs already.
  const [serving] = await processesOf('history-2');
  const heartbeatDetails = second.told.at(-1);
  const third = await attempt(requestFor('history-2'), { attempt: 3, heartbeatDetails });
  expect(third.failure?.message).toBe(message);
  expect(await processesOf('history-2')).toEqual([serving]);
  await writeFile(configFile('history-2'), right);
}, 150_000);

test('mended, the same request succeeds; a worker killed at each step of it loses nothing', async () => {
  const [old] = await processesOf('history-2');
  if (old === undefined) throw new Error('history-2 does not run');
  const first = startAttempt(requestFor('history-2'));
  await gone(old);
  await kill(first);
  expect(await processesOf('history-2')).toEqual([]);
  const second = startAttempt(requestFor('history-2'));
  const started = await newProcessOf('history-2', []);
  await kill(second);
  // What the dead worker started is proved as if it had been its own, not started anew.
  const { result, told } = await attempt(requestFor('history-2'), { attempt: 3 });
  expect(result).toMatchObject({ after: TO });
  expect(told.join('\n')).toContain('the rings to be quiet for 2s');
  expect((await processesOf('history-2')).map(({ pid }) => pid)).toEqual([started.pid]);
  await expectProved('history-2', TO);
}, 120_000);

test('a history that is killed while the other one is replaced: both are proved in the end', async () => {
  const [[old], [other]] = [await processesOf('history-1'), await processesOf('history-2')];
  if (old === undefined || other === undefined) throw new Error('the histories do not run');
  const replacing = attempt(requestFor('history-1'));
  await gone(old);
  process.kill(other.pid, 'SIGKILL');
  // What is wrong beside it puts nothing back: it is waited for until the dead one has left every ring.
  expect(await replacing).toMatchObject({ result: { before: FROM, after: TO, changed: true } });
  const { result } = await attempt(requestFor('history-2'));
  expect(result).toMatchObject({ after: TO, changed: true });
  await expectProved('history-1', TO);
  await expectProved('history-2', TO);
}, 150_000);

test('a process that hangs and does not hear SIGTERM is killed, and its successor proved', async () => {
  const [hung] = await processesOf('frontend-2');
  if (hung === undefined) throw new Error('frontend-2 does not run');
  process.kill(hung.pid, 'SIGSTOP'); // SIGTERM now waits for a SIGCONT that never comes
  const { result, told } = await attempt(requestFor('frontend-2'));
  expect(result).toMatchObject({ before: FROM, after: TO, changed: true });
  expect(told.join('\n')).toContain('is killed with SIGKILL');
  await expectProved('frontend-2', TO);
}, 90_000);

test('a new version that runs and never serves is put back when its time is over, hung as it is', async () => {
  const known = await processesOf('frontend-1');
  const impatient = { ...target, driver: { ...target.driver, startTimeout: 8_000 } };
  const running = attempt({ ...requestFor('frontend-1'), target: impatient });
  const hanging = await newProcessOf('frontend-1', known);
  process.kill(hanging.pid, 'SIGSTOP');
  const { failure } = await running;
  expect(failure).toMatchObject({ type: 'NodePutBack', nonRetryable: true });
  expect(failure?.message).toMatch(/frontend-1 was started with 1\.30\.7: it is not ready after 8s: /);
  expect(failure?.message).toContain(`Its log is ${node('frontend-1').logFile}`);
  expect(await isRunning(hanging)).toBe(false);
  await expectProved('frontend-1', FROM);
}, 120_000);
