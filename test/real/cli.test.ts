import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { isRunning, listProcesses, signalProcess } from '../../src/adapters/process/linux-process.js';
import { createToolResolver } from '../../src/adapters/tools/tool-resolver.js';
import type { Finding } from '../../src/core/finding.js';
import type { RolloutInputText } from '../../src/core/input/input.js';
import type { RolloutStatus } from '../../src/core/status.js';
import { startCluster, type LabCluster } from '../../src/lab/cluster.js';
import { findFreePorts } from '../../src/lab/free-ports.js';
import { startPostgres, type LabPostgres } from '../../src/lab/postgres.js';
import { FROM, SCHEMA, SHORT_POLICY, stateOf, TO, until } from '../helpers/rollout-lab.js';

/** The command line as an operator uses it: a process for each command, against the control plane that `dev` keeps. */

const CLI = fileURLToPath(new URL('../../bin/temporal-upgrade', import.meta.url));

let directory: string;
let dataDir: string;
let port: number;
let uiPort: number;
let environment: NodeJS.ProcessEnv;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'temporal-upgrade-cli-'));
  await chmod(directory, 0o711);
  dataDir = join(directory, 'control-plane');
  [port = 0, uiPort = 0] = await findFreePorts(2);
  environment = { ...process.env, TEMPORAL_ADDRESS: `127.0.0.1:${port}`, TEMPORAL_NAMESPACE: 'default' };
});

afterAll(async () => {
  dev?.kill('SIGKILL');
  const server = await findServer();
  if (server !== undefined) await signalProcess(server, 'SIGKILL');
  await rm(directory, { recursive: true, force: true });
});

interface Answer {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(...args: string[]): Promise<Answer> {
  const child = spawn(CLI, args, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

async function json<T>(...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await run(...args, '--output', 'json');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as T;
}

/** The embedded control plane's server process. */
async function findServer() {
  return (await listProcesses()).find(({ argv }) => argv.includes(join(dataDir, 'control-plane.db')));
}

let dev: ChildProcess | undefined;

/** Starts `dev`, and returns when its worker polls. */
async function startDev(): Promise<ChildProcess> {
  const logFile = join(directory, 'dev.log');
  const log = openSync(logFile, 'w');
  dev = spawn(CLI, ['dev', '--port', String(port), '--ui-port', String(uiPort), '--data-dir', dataDir], {
    env: environment,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const started = dev;
  await until(async () => {
    const said = await readFile(logFile, 'utf8');
    if (started.exitCode !== null) throw new Error(`dev ended:\n${said}`);
    return said.includes('task queue     temporal-upgrade') ? true : undefined;
  });
  return started;
}

describe('plan', () => {
  const args = ['plan', '--from', '1.27.3', '--to', '1.31', '--store', 'postgres12'];

  test('prints the path as JSON of the agreed shape', async () => {
    const plan = await json<{ path: string[]; hops: Record<string, unknown>[] }>(...args);
    expect(Object.keys(plan)).toEqual(['direction', 'path', 'hops', 'findings']);
    expect(plan.path[0]).toBe('1.27.3');
    expect(plan.path.map((version) => version.split('.').slice(0, 2).join('.'))).toEqual([
      '1.27',
      '1.28',
      '1.29',
      '1.30',
      '1.31',
    ]);
    const version = expect.stringMatching(/^\d+\.\d+$/) as unknown;
    const text = expect.any(String) as unknown;
    const step = {
      from: version,
      to: version,
      store: 'postgres12',
      folder: text,
      scripts: expect.any(Array) as unknown,
    };
    expect(plan.hops).toHaveLength(4);
    plan.hops.forEach((hop, index) => {
      expect(hop).toEqual({
        from: plan.path[index],
        to: plan.path[index + 1],
        reasons: expect.any(Array) as unknown,
        moves: [],
        schema: { default: step, visibility: step },
        rollBack: { by: expect.stringMatching(/^(servers|backup)$/) as unknown, reasons: expect.any(Array) as unknown },
        findings: expect.any(Array) as unknown,
      });
    });
    const findings = plan.hops.flatMap(({ findings }) => findings);
    expect(findings.length).toBeGreaterThan(0);
    for (const finding of findings) {
      expect(finding).toMatchObject({
        id: expect.stringMatching(/^[a-z0-9-]+$/) as unknown,
        severity: expect.stringMatching(/^(block|warn|note)$/) as unknown,
        found: text,
        source: text,
      });
    }
  }, 60_000);

  test('prints it for people within 80 columns', async () => {
    const { code, stdout } = await run(...args);
    expect(code).toBe(0);
    expect(stdout).toContain('1.27.3 → ');
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  }, 60_000);
});

test('a command without a control plane says so, with exit code 2', async () => {
  const { code, stderr } = await run('status', 'upgrade-live');
  expect(code).toBe(2);
  expect(stderr).toContain(`no Temporal answers at 127.0.0.1:${port}: nothing answers there`);
  expect(stderr).toContain('start one with "temporal-upgrade dev"');
}, 60_000);

describe('with dev and two clusters', () => {
  let postgres: LabPostgres;
  const clusters: LabCluster[] = [];
  let staging: LabCluster;
  let live: LabCluster;
  let file: string;

  beforeAll(async () => {
    postgres = await startPostgres();
    environment = { ...environment, TEMPORAL_UPGRADE_PG_BIN: postgres.binDir };
    const start = async (name: string) => {
      const tools = createToolResolver();
      const cluster = await startCluster({
        name,
        version: FROM,
        database: postgres,
        tools,
        directory: join(directory, name),
      });
      clusters.push(cluster);
      return cluster;
    };
    staging = await start('staging');
    live = await start('live');
    const input: RolloutInputText = {
      to: '1.30',
      pins: { '1.29': FROM, '1.30': TO },
      staging: staging.target,
      live: live.target,
      dataDir: join(directory, 'data'),
      policy: { ...SHORT_POLICY, gates: { staging: ['schema', 'servers'], live: [] } },
    };
    file = join(directory, 'rollout.yaml');
    await writeFile(file, `# both clusters, a gate before each change\n${stringify(input)}`);
  }, 600_000);

  afterAll(async () => {
    // The worker first: it would only report that the clusters are gone.
    dev?.kill('SIGKILL');
    for (const cluster of clusters) await cluster.stop();
    await postgres?.stop();
  }, 120_000);

  const statusOf = () => json<RolloutStatus>('status', 'upgrade-live');
  const openGate = async (gate: string) =>
    until(async () => {
      const { state, waiting, problem } = await statusOf();
      if (state === 'incident') throw new Error(problem);
      return waiting?.for === 'decision' && waiting.name === gate ? waiting : undefined;
    });
  const schemaGate = `staging/${TO}/schema`;
  const serversGate = `staging/${TO}/servers`;

  describe('one running cluster', () => {
    let targetFile: string;
    beforeAll(async () => {
      targetFile = join(directory, 'staging.yaml');
      await writeFile(targetFile, stringify(staging.target));
    });

    /** Findings that are no notes. */
    const worth = (findings: readonly Finding[]) =>
      findings.filter(({ severity }) => severity !== 'note').map(({ id, severity }) => `${severity} ${id}`);

    test('doctor finds nothing in the way of a healthy one, and says what is not maintained', async () => {
      const { code, stdout, stderr } = await run('doctor', '--target', targetFile, '--output', 'json');
      expect({ code, stderr }).toEqual({ code: 4, stderr: '' });
      const [examined] = JSON.parse(stdout) as { target: string; findings: Finding[]; diagnoses: unknown[] }[];
      expect(examined?.target).toBe('staging');
      expect(worth(examined?.findings ?? [])).toEqual(['warn version-unsupported']);
      expect(examined?.diagnoses).toHaveLength(5);
    }, 60_000);

    test('doctor of a broken one names it, for people within 80 columns, and exits by it', async () => {
      const broken = join(directory, 'broken.yaml');
      const { stores, ...rest } = staging.target;
      const visibility = { ...stores.visibility, database: 'nowhere' };
      await writeFile(broken, stringify({ ...rest, stores: { ...stores, visibility } }));
      const { code, stdout } = await run('doctor', '--target', broken);
      expect(code).toBe(5);
      expect(stdout).toMatch(/✗ block store-unreachable: .*nowhere/s);
      expect(stdout).toMatch(/\? the schema migration fails: the database cannot be reached/);
      expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
    }, 60_000);

    test('check asks its frontend, and plan starts from what it runs', async () => {
      const { code, stdout } = await run('check', '--target', targetFile, '--output', 'json');
      expect(code).toBe(4);
      const { version, findings } = JSON.parse(stdout) as { version: string; findings: Finding[] };
      expect(version).toBe(FROM);
      expect(findings.map(({ id }) => id)).toEqual(
        expect.arrayContaining(['version-unsupported', 'newer-patch', 'newer-minor']),
      );
      const plan = await json<{ path: string[] }>(
        'plan',
        '--target',
        targetFile,
        '--to',
        '1.30',
        '--pin',
        `1.29=${FROM}`,
      );
      expect(plan.path).toEqual([FROM, expect.stringMatching(/^1\.30\./)]);
    }, 60_000);
  });

  test('dev that was killed leaves its server, and the next dev takes it over', async () => {
    const first = await startDev();
    const server = await findServer();
    expect(server).toBeDefined();
    const ended = once(first, 'exit');
    first.kill('SIGKILL');
    await ended;
    await startDev();
    expect(await findServer()).toMatchObject({ pid: server?.pid, startTicks: server?.startTicks });
  }, 240_000);

  test('plan of a file looks at both clusters', async () => {
    const plan = await json<Record<string, { path: string[] }>>('plan', '--file', file);
    expect([plan['staging']?.path, plan['live']?.path]).toEqual([
      [FROM, TO],
      [FROM, TO],
    ]);
  }, 60_000);

  test('start refuses a file with mistakes, with each of them', async () => {
    const wrong = join(directory, 'wrong.yaml');
    await writeFile(
      wrong,
      (await readFile(file, 'utf8')).replace('to: "1.30"', 'to: newest').replace('backupDir', 'backupdir'),
    );
    const { code, stdout } = await run('start', '--file', wrong, '--output', 'json');
    expect(code).toBe(2);
    const { problems } = JSON.parse(stdout) as { problems: { path: string }[] };
    expect(problems.map(({ path }) => path)).toEqual(expect.arrayContaining(['to', 'staging.backupDir']));
  }, 60_000);

  test('start takes YAML; a second one is refused while the first is running', async () => {
    expect(await json('start', '--file', file)).toEqual({
      workflowId: 'upgrade-live',
      runId: expect.any(String) as unknown,
    });
    const again = await run('start', '--file', file);
    expect(again.code).toBe(2);
    expect(again.stderr).toContain('a roll-out of live is running already: upgrade-live');
  }, 120_000);

  test('status shows the open gate and how to decide, and report what has been done until now', async () => {
    await openGate(schemaGate);
    const { code, stdout } = await run('status', 'upgrade-live');
    expect(code).toBe(0);
    expect(stdout).toContain(`GATE    ${schemaGate}`);
    expect(stdout).toContain(`temporal-upgrade approve upgrade-live --gate ${schemaGate}`);
    const report = await run('report', 'upgrade-live');
    expect(report.code).toBe(0);
    expect(report.stdout).toMatch(/^# Roll-out upgrade-live: waiting\n/);
    expect(report.stdout).toMatch(/^## Under way\n[^#]*\| backup \|/m);
    const other = await run('status', 'upgrade-other');
    expect(other.code).toBe(2);
    expect(other.stderr).toContain('there is no roll-out upgrade-other here');
  }, 300_000);

  test('approve names its gate; without one, or at another, nothing is approved', async () => {
    const nameless = await run('approve', 'upgrade-live');
    expect(nameless.code).toBe(2);
    expect(nameless.stderr).toContain(`nothing was sent. Open is ${schemaGate}`);
    expect(nameless.stderr).toContain(`visibility schema ${SCHEMA.before.visibility} → ${SCHEMA.after.visibility}`);
    const other = await run('approve', 'upgrade-live', '--gate', serversGate);
    expect(other.code).toBe(2);
    expect(other.stderr).toContain(`gate ${serversGate} is not open; the open one is ${schemaGate}`);
    expect((await stateOf(staging)).schema).toEqual(SCHEMA.before);
  }, 120_000);

  test('approve lets the gate pass, and a second approval does not pass the next one', async () => {
    const answer = await json('approve', 'upgrade-live', '--gate', schemaGate, '--by', 'ada', '--reason', 'read it');
    expect(answer).toMatchObject({ decision: 'approve', gate: schemaGate, by: 'ada', answer: 'approve taken' });
    await openGate(serversGate);
    expect((await stateOf(staging)).schema).toEqual(SCHEMA.after);
    expect((await run('approve', 'upgrade-live', '--gate', schemaGate)).code).toBe(2);
    const { waiting, decisions } = await statusOf();
    expect(waiting).toMatchObject({ for: 'decision', name: serversGate });
    expect(decisions.filter(({ counted }) => counted)).toEqual([
      expect.objectContaining({ kind: 'approve', gate: schemaGate, by: 'ada', reason: 'read it', via: 'update' }),
    ]);
  }, 300_000);

  test('watch follows to the end, with exit code 3 when it was aborted', async () => {
    const watching = run('watch', 'upgrade-live', '--interval', '0.2', '--output', 'json');
    await until(async () =>
      (await run('abort', 'upgrade-live', '--by', 'ada', '--reason', 'enough')).code === 0 ? true : undefined,
    );
    const { code, stdout } = await watching;
    expect(code).toBe(3);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.at(-1)).toMatchObject({ rolloutId: 'upgrade-live', status: 'aborted', reason: 'enough' });
  }, 240_000);

  test('report is Markdown for people, JSON for scripts', async () => {
    const { code, stdout } = await run('report', 'upgrade-live');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^# Roll-out upgrade-live: aborted\n/);
    expect(stdout).toContain('Reason: enough');
    expect(await json('report', 'upgrade-live')).toMatchObject({
      rollout: {
        status: 'aborted',
        staging: { from: FROM, to: FROM },
        hops: [{ environment: 'staging', outcome: 'aborted' }],
      },
      evidence: [{ environment: 'staging' }, { environment: 'live' }],
      earlier: [],
    });
  }, 120_000);

  test('Ctrl-C stops dev and its server', async () => {
    const server = await findServer();
    if (dev === undefined || server === undefined) throw new Error('dev does not run');
    const ended = once(dev, 'exit');
    dev.kill('SIGINT');
    expect(await ended).toEqual([0, null]);
    expect(await isRunning(server)).toBe(false);
    expect(await findServer()).toBeUndefined();
  }, 120_000);
});
