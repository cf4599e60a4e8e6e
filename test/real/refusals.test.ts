import { execFile } from 'node:child_process';
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import pg from 'pg';
import { createActivities } from '../../src/activities/index.js';
import { loadCatalogue } from '../../src/adapters/catalogue-file.js';
import { PG_BIN_VARIABLE } from '../../src/adapters/postgres/pg-programs.js';
import { claim, readClaim, release, type LockHolder } from '../../src/adapters/cluster/cluster-lock.js';
import { runCommand } from '../../src/adapters/run-command.js';
import { withTarget } from '../../src/adapters/cluster/target-connection.js';
import { createToolResolver, type ToolResolverOptions } from '../../src/adapters/tools/tool-resolver.js';
import { planPath } from '../../src/core/planning/path.js';
import { asSqlStore, parseRolloutInput, type RolloutInputText, type Target } from '../../src/core/input/input.js';
import { findFreePort } from '../../src/lab/free-ports.js';
import {
  FROM,
  SCHEMA,
  SHORT_POLICY,
  startTestLab,
  startWorkflow,
  stateOf,
  TO,
  waitForStatus,
} from '../helpers/rollout-lab.js';

/** What must not go on is refused before anything is changed, with the thing that is wrong and the way out. */

type TargetText = RolloutInputText['staging'];

const execute = promisify(execFile);
const CLI = fileURLToPath(new URL('../../bin/temporal-upgrade', import.meta.url));
const HALF_MEBIBYTE = 512 * 1_024;

let lab: Awaited<ReturnType<typeof startTestLab>>;
let before: { readonly staging: unknown; readonly live: unknown };
let closedPort: number;

const bothStates = async () => ({ staging: await stateOf(lab.staging), live: await stateOf(lab.live) });
const lockOf = ({ connection }: Target) => withTarget(connection, (frontend) => readClaim(frontend));

beforeAll(async () => {
  lab = await startTestLab();
  await lab.startWorker();
  before = await bothStates();
  closedPort = await findFreePort();
  process.env[PG_BIN_VARIABLE] = lab.sqlDatabase().binDir; // the lab's server may be newer than the programs of the host
}, 600_000);

afterAll(async () => {
  delete process.env[PG_BIN_VARIABLE];
  await lab?.remove();
}, 120_000);

/** The roll-out of the lab with some of it changed. */
function input(
  change: { to?: string; staging?: Partial<TargetText>; live?: Partial<TargetText> } = {},
): RolloutInputText {
  const { to = '1.30', staging, live } = change;
  const pins: Record<string, string> = to === '1.30' ? { '1.29': FROM, '1.30': TO } : {};
  const good = lab.input(to, { pins, policy: SHORT_POLICY });
  return { ...good, staging: { ...good.staging, ...staging }, live: { ...good.live, ...live } };
}

interface Refusal {
  readonly input: unknown;
  readonly type: string;
  readonly says: readonly (string | RegExp)[];
}

describe('before it takes hold of a cluster', () => {
  const store = (change: object): Partial<TargetText> => {
    const { stores } = lab.staging.target;
    return { stores: { ...stores, default: { ...stores.default, ...change } } };
  };
  const cases: Record<string, () => Refusal | Promise<Refusal>> = {
    'an address where nobody answers': () => ({
      input: input({ staging: { connection: { address: `127.0.0.1:${closedPort}` } } }),
      type: 'PreflightFailed',
      says: [`127.0.0.1:${closedPort}`, /nothing answers there.*is the address right/],
    }),
    'a wrong database password': async () => {
      const file = join(lab.directory, 'wrong-password');
      await writeFile(file, 'not-the-password', { mode: 0o600 });
      return {
        input: input({ staging: store({ password: { file } }) }),
        type: 'PreflightFailed',
        says: [
          'database "staging"',
          'refuses the password of user "postgres"',
          'correct the secret that "password" names',
        ],
      };
    },
    'a database that is down': () => ({
      input: input({ staging: store({ port: closedPort }) }),
      type: 'PreflightFailed',
      says: [`PostgreSQL at 127.0.0.1:${closedPort}`, /cannot be reached.*is it running/],
    }),
    'another version than the one stated': () => ({
      input: input({ staging: { version: '1.28.1' } }),
      type: 'PreflightFailed',
      says: [`runs ${FROM}, but the input says 1.28.1`, 'correct "version", or leave it out'],
    }),
    'a version that both run already': () => ({
      input: input({ to: FROM }),
      type: 'UnsupportedPath',
      says: [`run ${FROM} already`, `Ask for a version above ${FROM}`],
    }),
    'a downgrade': () => ({
      input: input({ to: '1.28.1' }),
      type: 'UnsupportedPath',
      says: [`the target runs ${FROM}, which is newer than 1.28.1`, `Ask for a version above ${FROM}`],
    }),
    'a patch that was never released': () => ({
      input: input({ to: '1.30.99' }),
      type: 'UnsupportedPath',
      says: ['version 1.30.99 is not in the catalogue', 'known are 1.30.0', 'hand in a newer catalogue'],
    }),
    'a target that is the control plane itself': () => ({
      input: input({ live: { connection: { address: lab.controlPlane.address } } }),
      type: 'TargetIsControlPlane',
      says: ['live is the Temporal that runs this roll-out', 'another control plane'],
    }),
    'one cluster as staging and live': () => ({
      // Other names of the same: the input alone does not show it.
      input: input({ staging: { ...seenOtherwise(lab.live.target), name: 'staging' } }),
      type: 'PreflightFailed',
      says: ['staging (staging) and live (live) are one and the same cluster', 'a staging cluster of its own'],
    }),
    'a mistake in the input': () => ({
      input: { ...input(), policy: { settle: { atLeast: '1m' } } },
      type: 'InvalidRollout',
      says: ['policy.settle.reason', 'shorter than ten minutes needs a reason'],
    }),
  };
  /** Each case with what became of it; all run at once. */
  let outcomes: Map<string, Omit<Refusal, 'input'> & { readonly failure: ApplicationFailure }>;

  beforeAll(async () => {
    outcomes = new Map(
      await Promise.all(
        Object.entries(cases).map(async ([name, make], number) => {
          const { input: given, ...expected } = await make();
          const workflowId = await startWorkflow(lab, given, `refused-${number}`);
          const failure = await failureOf(workflowId);
          return [name, { failure, ...expected }] as const;
        }),
      ),
    );
  }, 300_000);

  test.each(Object.keys(cases))('%s is refused', (name) => {
    const outcome = outcomes.get(name);
    if (outcome === undefined) throw new Error('it was not tried');
    const { failure, type, says } = outcome;
    expect(failure.type).toBe(type);
    for (const text of says) expect(failure.message).toMatch(text);
    expect(failure.message).not.toContain(lab.sqlDatabase().password);
  });

  test('nothing was changed by any of them, and nothing is held', async () => {
    expect(await bothStates()).toEqual(before);
    expect(await Promise.all([lockOf(lab.staging.target), lockOf(lab.live.target)])).toEqual([undefined, undefined]);
  });
});

describe('before a hop', () => {
  const holder: LockHolder = {
    controlPlaneClusterId: 'test',
    controlPlaneNamespace: 'default',
    workflowId: 'test',
    firstRunId: 'test',
  };
  afterEach(() => withTarget(lab.staging.target.connection, (frontend) => release(frontend, holder)));

  /** What the activity of the worker says, with tools as `options` name them. */
  async function preflight(options: ToolResolverOptions = {}, staging: Partial<TargetText> = {}): Promise<string> {
    const { staging: target, dataDir } = parseRolloutInput(input({ staging }));
    const catalogue = await loadCatalogue();
    const activities = createActivities({ tools: createToolResolver(options), catalogue });
    await withTarget(target.connection, (frontend) => claim(frontend, holder));
    const stores = { default: 'postgres12', visibility: 'postgres12' } as const;
    const [hop] = planPath({ catalogue, from: FROM, to: TO, pins: { '1.29': FROM }, stores }).hops;
    if (hop === undefined) throw new Error('the path has no hop');
    const place = {
      target,
      environment: 'staging',
      rolloutId: 'test',
      dataDir,
      from: FROM,
      to: TO,
      attempt: 1,
      firstRunId: 'test',
    } as const;
    const run = (): Promise<unknown> => activities.preflight({ ...place, hop, holder });
    return new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run(run).then(
      () => 'passed',
      (error: unknown) => {
        expect(error).toBeInstanceOf(ApplicationFailure);
        expect((error as ApplicationFailure).type).toBe('PreflightFailed');
        return (error as ApplicationFailure).message;
      },
    );
  }

  async function setSchemaVersion(version: string): Promise<void> {
    const { host, port, user, password } = lab.sqlDatabase();
    const client = new pg.Client({ host, port, user, password, database: 'staging_visibility' });
    await client.connect();
    await client.query('update schema_version set curr_version = $1', [version]);
    await client.end();
  }

  test('it passes as things are', async () => {
    expect(await preflight()).toBe('passed');
  }, 120_000);

  test.each([
    [
      'behind',
      '1.8',
      /the schema of [^;]*visibility[^;]* is 1\.8; expected 1\.9, which server 1\.29\.1 wants.*Run "temporal-sql-tool update-schema/,
    ],
    [
      'ahead',
      '1.14',
      /the schema of [^;]*visibility[^;]* is 1\.14; expected 1\.9 of server 1\.29\.1, or at most 1\.13 of server 1\.30\.7\. Plan from the version/,
    ],
  ])(
    'a schema %s of the version is refused',
    async (_, version, says) => {
      await setSchemaVersion(version);
      try {
        expect(await preflight()).toMatch(says);
        expect((await stateOf(lab.staging)).schema.visibility).toBe(version);
      } finally {
        await setSchemaVersion(SCHEMA.before.visibility);
      }
    },
    120_000,
  );

  test('tools that cannot be had are named with every place and the way out', async () => {
    const empty = join(lab.directory, 'no-tools');
    await mkdir(empty, { recursive: true });
    const message = await preflight({
      toolsDir: empty,
      cacheDir: join(empty, 'cache'),
      releasesUrl: `http://127.0.0.1:${closedPort}`,
      allowBuild: false,
      path: empty,
    });
    for (const tool of ['temporal-server', 'temporal-sql-tool']) {
      expect(message).toContain(`${tool} ${TO} cannot be had on this machine`);
    }
    expect(message).toContain(`TEMPORAL_UPGRADE_TOOLS_DIR ${empty}: has no temporal-server`);
    expect(message).toContain('ECONNREFUSED');
    expect(message).toMatch(/unpack the official release archive into a folder.*set TEMPORAL_UPGRADE_TOOLS_DIR/);
  }, 120_000);

  test('a tool of another version in the configured folder is refused', async () => {
    const folder = join(lab.directory, 'old-tools');
    await mkdir(folder, { recursive: true });
    const old = await createToolResolver().serverTool('temporal-sql-tool', FROM);
    await copyFile(old, join(folder, 'temporal-sql-tool'));
    expect(await preflight({ toolsDir: folder })).toContain(
      `${join(folder, 'temporal-sql-tool')}: it is version ${FROM}, needed is ${TO}; it lies in the configured folder`,
    );
  }, 120_000);

  // A disk of its own is needed to be full, and only root can mount one.
  const whenRoot = process.getuid?.() === 0 ? test : test.skip;
  whenRoot(
    'a disk without room for the backup is refused',
    async () => {
      const backupDir = join(lab.directory, 'small-disk');
      await mkdir(backupDir, { recursive: true });
      await execute('mount', ['-t', 'tmpfs', '-o', `size=${HALF_MEBIBYTE}`, 'tmpfs', backupDir]);
      try {
        expect(await preflight({}, { backupDir })).toMatch(
          new RegExp(
            `backup folder ${backupDir} has .* \\(\\d+ bytes\\) free; expected .* for the backups of .* Free space, or name a folder on another disk`,
          ),
        );
      } finally {
        await execute('umount', [backupDir]);
      }
    },
    120_000,
  );
});

describe('a cluster that another roll-out holds', () => {
  test('a second roll-out is refused and names the first; what a terminated one left is taken over', async () => {
    const { address } = lab.controlPlane;
    const temporal = await createToolResolver().temporalCli();
    const file = join(lab.directory, 'rollout.json');
    await writeFile(file, JSON.stringify(input()));
    const cli = (...args: string[]) => runCommand(temporal, ['workflow', ...args, '--address', address]);
    const start = (workflowId: string) =>
      cli(
        ...['start', '--type', 'rollout', '--task-queue', 'temporal-upgrade'],
        ...['--workflow-id', workflowId, '--input-file', file],
      );
    /** Starts a roll-out that takes hold of both clusters, and then does nothing. */
    const startPaused = async (workflowId: string) => {
      await start(workflowId);
      await cli('signal', '--workflow-id', workflowId, '--name', 'pause');
      await waitForStatus(lab, workflowId, ({ state, live }) => state === 'paused' && live !== undefined);
    };
    const holders = async () =>
      (await Promise.all([lab.staging.target, lab.live.target].map(lockOf))).map((held) =>
        held === undefined || held === 'unknown' ? held : held.workflowId,
      );

    await startPaused('first');
    expect(await holders()).toEqual(['first', 'first']);
    await start('second');
    const { type, message } = await failureOf('second');
    expect(type).toBe('ClusterBusy');
    expect(message).toMatch(/being upgraded by roll-out first .*wait until it is over/);
    expect(await holders()).toEqual(['first', 'first']);

    await cli('terminate', '--workflow-id', 'first', '--reason', 'test');
    expect(await holders()).toEqual(['first', 'first']);
    await startPaused('third');
    expect(await holders()).toEqual(['third', 'third']);

    await cli('signal', '--workflow-id', 'third', '--name', 'abort');
    expect(await lab.client.workflow.getHandle('third').result()).toMatchObject({ status: 'aborted', hops: [] });
    expect(await holders()).toEqual([undefined, undefined]);
    expect(await bothStates()).toEqual(before);
  }, 300_000);
});

describe('on the command line', () => {
  const run = (...args: string[]) =>
    execute(CLI, args, {
      env: { PATH: process.env.PATH, HOME: lab.directory, TEMPORAL_UPGRADE_CACHE_DIR: cacheDir() },
    }).then(
      () => ({ code: 0, stderr: '' }),
      (error: { code: number; stderr: string }) => ({ code: error.code, stderr: error.stderr }),
    );
  const cacheDir = () =>
    process.env.TEMPORAL_UPGRADE_CACHE_DIR ?? join(process.env.HOME ?? '', '.cache', 'temporal-upgrade');

  test('a version before 1.0.0 has no path', async () => {
    const { code, stderr } = await run('plan', '--from', '0.29.0', '--to', '1.31');
    expect(code).toBe(2);
    expect(stderr).toMatch(/version 0\.29\.0 is older than 1\.0\.0.*ask at community\.temporal\.io/);
  }, 60_000);

  test('dev says which port is taken, and stops nothing', async () => {
    const port = await findFreePort();
    const taken = await new Promise<Server>((resolve) => {
      const server = createServer().listen(port, '127.0.0.1', () => resolve(server));
    });
    const dataDir = join(lab.directory, 'taken');
    try {
      const { code, stderr } = await run('dev', '--port', String(port), '--data-dir', dataDir);
      expect(code).toBe(2);
      expect(stderr).toContain(`port ${port} is taken by another program; choose another with --port`);
      expect(taken.listening).toBe(true);
    } finally {
      taken.close();
      await rm(dataDir, { recursive: true, force: true });
    }
  }, 120_000);
});

/** What a roll-out failed with. */
async function failureOf(workflowId: string): Promise<ApplicationFailure> {
  const error: unknown = await lab.client.workflow
    .getHandle(workflowId)
    .result()
    .then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
  expect(error).toBeInstanceOf(WorkflowFailedError);
  const { cause } = error as WorkflowFailedError;
  expect(cause).toBeInstanceOf(ApplicationFailure);
  return cause as ApplicationFailure;
}

/** The same cluster by other names of its hosts, as an operator may write it by mistake. */
function seenOtherwise(target: Target): TargetText {
  const otherName = (address: string) => address.replace('127.0.0.1', 'localhost');
  const address = 'address' in target.connection ? target.connection.address : '';
  return {
    ...target,
    connection: { address: otherName(address) },
    stores: {
      default: { ...asSqlStore(target.stores.default), host: 'localhost' },
      visibility: { ...asSqlStore(target.stores.visibility), host: 'localhost' },
    },
  };
}
