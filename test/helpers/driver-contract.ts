import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { loadCatalogue } from '../../src/adapters/catalogue-file.js';
import type { Driver } from '../../src/adapters/driver.js';
import { checkHealth, HEALTH_SERVICES } from '../../src/adapters/grpc-health.js';
import { listServerProcesses, type ServerProcess } from '../../src/adapters/process/server-process.js';
import { surveyTarget } from '../../src/adapters/survey-target.js';
import { createToolResolver } from '../../src/adapters/tools/tool-resolver.js';
import { examine } from '../../src/core/checks/examine.js';
import { PreconditionError } from '../../src/core/errors.js';
import { CommandDriver, type ProcessNode, type Target } from '../../src/core/input/input.js';
import { stopServersBelow } from '../../src/lab/clean-up.js';
import { startCluster, type LabCluster } from '../../src/lab/cluster.js';
import { removePostgres, startPostgres } from '../../src/lab/postgres.js';
import { compileSource } from './compiled-source.js';
import { changesSomething, commandOf, journaling } from './command-lines.js';
import { layOutReleases, SCRIPT, UNIT_USER, type DriverCase, type NamedCase } from './driver-cases.js';

const OLD = '1.29.1';
const NEW = '1.30.7';
const NODE = 'matching-1';
const OTHER = 'worker-1';
const TIMEOUT_MS = 120_000;
const CLI = fileURLToPath(new URL('../../bin/temporal-upgrade', import.meta.url));

/** What every driver does, tried with real servers: two nodes of a cluster, whose schema both versions take. */
export function driverContract(cases: readonly NamedCase[]): void {
  let directory: string;
  let releases: string;
  let cluster: LabCluster;
  let nodes: readonly ProcessNode[];
  let compiled: ReturnType<typeof compileSource>;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'driver-contract-'));
    await chmod(directory, 0o755);
    compiled = compileSource(['core', 'adapters']);
    releases = await layOutReleases(join(directory, 'releases'), [OLD, NEW]);
    const postgres = await startPostgres({ directory: join(directory, 'postgres') });
    const options = { name: 'contract', version: NEW, database: postgres, directory: join(directory, 'contract') };
    cluster = await startCluster({ ...options, tools: createToolResolver() });
    nodes = [NODE, OTHER].map((name) => nodeNamed(name));
    // Units run as another user; the password of a database that lives for minutes is no secret.
    for (const { configDir, configEnv } of nodes) await chmod(join(configDir, `${configEnv}.yaml`), 0o644);
    for (const { name } of nodes) await cluster.driver.stopNode(name);
  }, 300_000);

  afterAll(async () => {
    compiled.remove();
    await stopServersBelow(directory);
    await removePostgres(join(directory, 'postgres'));
    await rm(directory, { recursive: true, force: true });
  }, 60_000);

  function nodeNamed(name: string): ProcessNode {
    const found = cluster.nodes.find((node) => node.name === name);
    if (found === undefined) throw new Error(`the lab has no ${name}`);
    return found;
  }

  async function processesOf(name: string): Promise<ServerProcess[]> {
    const { configDir } = nodeNamed(name);
    return (await listServerProcesses()).filter((server) => server.configDir === configDir);
  }

  async function stateOf(driver: Driver, name = NODE) {
    return (await driver.listNodes()).find((state) => state.name === name);
  }

  async function waitUntil(holds: () => Promise<boolean>): Promise<void> {
    for (let tried = 0; tried < 300; tried += 1) {
      if (await holds()) return;
      await sleep(100);
    }
    throw new Error('half a minute was not enough');
  }

  const isServing = async () => (await checkHealth(nodeNamed(NODE).rpcAddress, HEALTH_SERVICES.matching)) === 'SERVING';

  /** User, limit of open files, and environment of a running server. */
  async function surroundingsOf({ pid }: ServerProcess) {
    const read = (file: string) => readFile(`/proc/${pid}/${file}`, 'utf8');
    const environment = (await read('environ'))
      .split('\0')
      .filter((text) => !/^(INVOCATION_ID|JOURNAL_STREAM|SYSTEMD_EXEC_PID|PWD|OLDPWD|_|SHLVL|HOSTNAME)=/.test(text));
    return {
      user: /^Uid:\s+(\d+)/m.exec(await read('status'))?.[1],
      files: /^Max open files\s+(\d+)/m.exec(await read('limits'))?.[1],
      environment: environment.toSorted(),
    };
  }

  describe.each([...cases])('$name', ({ name: caseName, missing, open }) => {
    // Said by jest as skipped; what is missing is in the name.
    const check = missing === undefined ? test : test.skip;
    const title = (text: string) => (missing === undefined ? text : `${text} (there is no ${missing})`);
    const it = (text: string, doing: () => Promise<void>) => check(title(text), doing, TIMEOUT_MS);
    let opened: DriverCase;
    let driver: Driver;

    beforeAll(async () => {
      if (missing !== undefined) return;
      const own = join(directory, `case-${cases.findIndex(({ name }) => name === caseName)}`);
      await mkdir(own, { mode: 0o755 });
      opened = await open({ cluster, nodes, directory: own, releases });
      ({ driver } = opened);
      for (const { name } of nodes) await driver.startNode(name, NEW);
    }, TIMEOUT_MS);

    afterAll(async () => {
      if (missing !== undefined) return;
      for (const { name } of nodes) await driver.stopNode(name);
      await opened.remove();
    }, TIMEOUT_MS);

    it('lists the nodes in the order of the input, with what runs', async () => {
      const states = await driver.listNodes();
      expect(states).toHaveLength(nodes.length);
      for (const [index, { name, role, rpcAddress, metricsAddress }] of nodes.entries()) {
        expect(states[index]).toMatchObject({ name, role, rpcAddress, metricsAddress, running: true, version: NEW });
      }
      expect(await driver.listNodes()).toEqual(states);
    });

    it('starting what runs changes nothing, and another version is started only after a stop', async () => {
      const before = await driver.listNodes();
      expect(await driver.startNode(NODE, NEW)).toEqual(before[0]);
      await expect(driver.startNode(NODE, OLD)).rejects.toThrow(
        `node ${NODE} runs ${NEW}; stop it before ${OLD} is started in its place`,
      );
      expect(await driver.listNodes()).toEqual(before);
    });

    it('stops a node; twice changes nothing; then it goes to another version, and back, by what it said', async () => {
      const before = await driver.listNodes();
      for (const version of [OLD, NEW]) {
        const said = await driver.explain(NODE, version);
        const { result: after, ran } = await journaling(join(directory, `${caseName}-${version}.jsonl`), async () => {
          await driver.prepare(version);
          await driver.stopNode(NODE);
          await driver.stopNode(NODE);
          expect(await processesOf(NODE)).toEqual([]);
          const { name, role, rpcAddress, metricsAddress } = nodeNamed(NODE);
          const stopped = await stateOf(driver);
          expect(stopped).toMatchObject({ name, role, rpcAddress, metricsAddress, running: false });
          for (const field of ['version', 'instance', 'startedAt', 'pid']) expect(stopped).not.toHaveProperty(field);
          return driver.startNode(NODE, version);
        });
        expect(ran.filter(changesSomething)).toEqual(said.map(commandOf));
        expect(after).toMatchObject({ running: true, version });
        expect(after.instance).toMatch(/./);
        expect(after.instance).not.toBe(before[0]?.instance);
        expect(Math.abs(Date.parse(after.startedAt ?? '') - Date.now())).toBeLessThan(60_000);
        expect(await stateOf(driver)).toEqual(after);
        await waitUntil(isServing);
      }
      expect(await stateOf(driver, OTHER)).toEqual(before[1]);
    });

    it('a restart keeps user, limits and environment', async () => {
      const [before] = await processesOf(NODE);
      const surroundings = before && (await surroundingsOf(before));
      await driver.stopNode(NODE);
      await driver.startNode(NODE, NEW);
      const [after] = await processesOf(NODE);
      expect(after && (await surroundingsOf(after))).toEqual(surroundings);
      if (caseName.startsWith('compose')) expect(surroundings?.environment).toContain('CONTRACT=kept');
      if (!caseName.startsWith('systemd')) return;
      const { stdout: uid } = await promisify(execFile)('id', ['-u', UNIT_USER]);
      expect(surroundings).toMatchObject({ user: uid.trim(), files: '4096' });
      expect(surroundings?.environment).toContain('CONTRACT=kept');
    });

    it('a version that is not there is refused before anything is stopped', async () => {
      const before = await driver.listNodes();
      await expect(driver.prepare('1.30.99')).rejects.toThrow(/1\.30\.99|exit code/);
      expect(await driver.listNodes()).toEqual(before);
    });

    it('a server that ends at once: its own words, nothing left running, and the next start works', async () => {
      await driver.stopNode(NODE);
      // The rest of the cluster knows this address and calls: whoever does is turned away, or close() would wait for it.
      const stranger = createServer((socket) => socket.destroy());
      stranger.listen(Number(nodeNamed(NODE).rpcAddress.split(':')[1]), '127.0.0.1');
      await once(stranger, 'listening');
      try {
        const failure = await driver.startNode(NODE, NEW).catch((error: unknown) => error);
        expect(String(failure)).toMatch(/ended at once/);
        expect(String(failure)).toMatch(/address already in use/);
        expect(failure).toBeInstanceOf(PreconditionError);
        await sleep(1_500); // longer than systemd waits before it starts one again
        expect(await processesOf(NODE)).toEqual([]);
        expect(await stateOf(driver)).toMatchObject({ running: false });
      } finally {
        await new Promise((done) => stranger.close(done));
      }
      expect(await driver.startNode(NODE, NEW)).toMatchObject({ running: true, version: NEW });
    });

    it('a server that heeds no SIGTERM is gone in the end', async () => {
      const [server] = await processesOf(NODE);
      process.kill(server?.pid ?? 0, 'SIGSTOP');
      await driver.stopNode(NODE);
      expect(await processesOf(NODE)).toEqual([]);
      await driver.startNode(NODE, NEW);
    });

    it('what it says that it will run replaces the node when it is run by hand', async () => {
      const { instance } = (await stateOf(driver)) ?? {};
      const lines = await driver.explain(NODE, OLD);
      expect(await stateOf(driver)).toMatchObject({ instance, version: NEW });
      for (const line of lines) {
        await promisify(execFile)('sh', ['-c', line]);
        if (/stop|kill/.test(line)) await waitUntil(async () => (await stateOf(driver))?.running === false);
      }
      await waitUntil(async () => (await stateOf(driver))?.version === OLD);
      await waitUntil(isServing);
      expect(await processesOf(NODE)).toHaveLength(1);
      await driver.stopNode(NODE);
      await driver.startNode(NODE, NEW);
    });

    it('a worker killed while it replaces a node leaves what the next attempt finishes', async () => {
      const [before] = await processesOf(NODE);
      const script = `
        const [folder] = process.argv.slice(1);
        ${opened.script}
        await driver.stopNode('${NODE}');
        await driver.startNode('${NODE}', '${OLD}');`;
      const options = ['--input-type=module', '-e', script, '--', compiled.directory];
      const child = spawn(process.execPath, options, { stdio: ['ignore', 'ignore', 'inherit'] });
      const ended = once(child, 'close');
      await waitUntil(async () =>
        (await processesOf(NODE)).every(({ startTicks }) => startTicks !== before?.startTicks),
      );
      child.kill('SIGKILL');
      await ended;
      // As the activity does: who runs what is asked anew.
      const { running, version } = (await stateOf(driver)) ?? {};
      if (running === true && version !== OLD) await driver.stopNode(NODE);
      expect(await driver.startNode(NODE, OLD)).toMatchObject({ running: true, version: OLD });
      expect(await processesOf(NODE)).toHaveLength(1);
      await driver.stopNode(NODE);
      await driver.startNode(NODE, NEW);
    });

    it('names the nodes that there are when it is asked for another', async () => {
      const attempts: (() => Promise<unknown>)[] = [
        () => driver.stopNode('history-9'),
        () => driver.startNode('history-9', NEW),
        () => driver.explain('x', NEW),
      ];
      for (const attempt of attempts) {
        await expect(attempt()).rejects.toThrow(new RegExp(`the nodes are ${NODE}, ${OTHER}`));
      }
    });
  });

  /** The whole cluster, as an operator describes it whose worker sees neither files nor processes. */
  async function targetElsewhere(): Promise<Target> {
    const folder = join(directory, 'contract');
    const driver = CommandDriver.parse({
      type: 'command',
      nodes: cluster.nodes.map(({ name, role, rpcAddress, metricsAddress }) => ({
        name,
        role,
        rpcAddress,
        metricsAddress,
      })),
      environment: {
        RELEASES: releases,
        NODES: join(folder, 'nodes'),
        LOGS: join(folder, 'logs'),
        TOKEN: { file: join(directory, 'token') },
      },
      commands: {
        status: [SCRIPT, 'status', '{node}'],
        stop: [SCRIPT, 'stop', '{node}'],
        start: [SCRIPT, 'start', '{node}', '{role}', '{version}'],
      },
    });
    await writeFile(join(directory, 'token'), 'open-sesame\n');
    for (const { name } of nodes) await cluster.driver.startNode(name, NEW);
    await waitUntil(isServing);
    return { ...cluster.target, driver };
  }

  test(
    'plan --explain says what will replace each server of a cluster that runs, without its secrets',
    async () => {
      const file = join(directory, 'target.json');
      await writeFile(file, JSON.stringify(await targetElsewhere()));
      const plan = async (output: string) => {
        const args = [
          'plan',
          '--target',
          file,
          '--to',
          '1.31',
          '--pin',
          '1.31=1.31.2',
          '--explain',
          '--output',
          output,
        ];
        return (await promisify(execFile)(CLI, args, { maxBuffer: 16 * 1024 * 1024 })).stdout;
      };
      const [text, json] = [await plan('text'), await plan('json')];
      expect(JSON.parse(json)).toMatchObject({
        replacements: expect.arrayContaining([expect.objectContaining({ to: '1.31.2' })]),
      });
      expect(text).toMatch(/^ {4}\$ .*TOKEN="\$\(cat \S+\/token\)" .*servers-by-script\.sh stop matching-1$/m);
      expect(text).toMatch(/^ {4}\$ .*servers-by-script\.sh start history-1 history 1\.31\.2$/m);
      expect(text + json).not.toContain('open-sesame');
    },
    TIMEOUT_MS,
  );

  test(
    'a target whose files and processes are elsewhere is surveyed; what is not seen there is said, and nothing fails',
    async () => {
      const target = await targetElsewhere();
      const catalogue = await loadCatalogue();
      const survey = await surveyTarget(target, { catalogue, tools: createToolResolver() });
      expect(survey.cluster.nodes).toMatchObject({
        seen: cluster.nodes.map(({ name }) => ({ name, running: true, version: NEW })),
      });
      const unseen = 'the input names no "configDir" that this worker could read';
      for (const { health, metrics, configuration, supervisors } of survey.cluster.processes) {
        expect({ health, configuration, supervisors }).toMatchObject({
          health: { seen: expect.stringMatching(/^(SERVING|NO_SERVICE)$/) },
          configuration: { unseen },
          supervisors: { seen: [] },
        });
        expect(metrics).toHaveProperty('seen');
      }
      const found = examine(survey, { catalogue, stores: { default: 'postgres12', visibility: 'postgres12' } });
      const aboutFiles = found.filter(({ id }) => id === 'configuration-unseen');
      expect(aboutFiles).toMatchObject([{ severity: 'warn', found: expect.stringContaining(unseen) }]);
      expect(found.filter(({ severity }) => severity === 'block')).toEqual([]);
    },
    TIMEOUT_MS,
  );
}
