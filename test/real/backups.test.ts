import { execFile } from 'node:child_process';
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { PG_BIN_VARIABLE } from '../../src/adapters/postgres/pg-programs.js';
import { createStore } from '../../src/adapters/stores.js';
import { createToolResolver } from '../../src/adapters/tools/tool-resolver.js';
import type { Target } from '../../src/core/input/input.js';
import { setUpDatabases } from '../../src/lab/databases.js';
import { startPostgres, type LabPostgres } from '../../src/lab/postgres.js';
import { databasesOf } from '../../src/lab/server-config.js';

/** `backups list` and `backups verify` on backups as roll-outs lay them out. */

const CLI = fileURLToPath(new URL('../../bin/temporal-upgrade', import.meta.url));
const ROLES = ['frontend', 'history', 'matching', 'worker'];
const names = databasesOf('kept');
const tools = createToolResolver();
let postgres: LabPostgres;
let folder: string;
let backupDir: string;
let targetFile: string;

beforeAll(async () => {
  postgres = await startPostgres();
  process.env[PG_BIN_VARIABLE] = postgres.binDir;
  folder = await mkdtemp(join(tmpdir(), 'temporal-upgrade-backups-'));
  backupDir = join(folder, 'backups');
  targetFile = join(folder, 'kept.json');
  await setUpDatabases(postgres, { clusterName: 'kept', version: '1.29.1', tools });
  await writeFile(targetFile, JSON.stringify(target()));
}, 120_000);

afterAll(async () => {
  delete process.env[PG_BIN_VARIABLE];
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
});

function storeInput(kind: 'default' | 'visibility'): Target['stores']['default'] {
  const { host, port, user, passwordFile } = postgres;
  const access = { host, port, user, password: { file: passwordFile } };
  return { type: 'postgresql', plugin: 'postgres12', ...access, database: names[kind] };
}

function target() {
  const nodes = ROLES.map((role, index) => ({
    name: `${role}-1`,
    role,
    rpcAddress: `127.0.0.1:${7_000 + index}`,
    configDir: join(folder, role),
    logFile: join(folder, `${role}.log`),
  }));
  return {
    name: 'kept',
    connection: { address: '127.0.0.1:7000' },
    stores: { default: storeInput('default'), visibility: storeInput('visibility') },
    driver: { type: 'process', nodes },
    backupDir,
  };
}

const fileOf = (hop: string, kind: 'default' | 'visibility') =>
  join(backupDir, 'upgrade-kept', hop, `${names[kind]}.dump`);

async function backUp(hop: string): Promise<void> {
  for (const kind of ['default', 'visibility'] as const) {
    await createStore(storeInput(kind), kind, tools).backUp(fileOf(hop, kind));
  }
}

interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(...args: string[]): Promise<Answer> {
  return promisify(execFile)(CLI, ['backups', ...args, '--target', targetFile], { env: process.env }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }: Answer) => ({ code, stdout, stderr }),
  );
}

test('names what there is, and reads all of it again', async () => {
  expect(await run('list')).toMatchObject({ code: 0, stdout: `no backups of kept below ${backupDir}\n` });
  await backUp('staging-1.29.1-to-1.30.7-1');
  await backUp('live-1.29.1-to-1.30.7-1');
  const list = await run('list');
  expect(list).toMatchObject({ code: 0, stderr: '' });
  expect(list.stdout.replaceAll(/\d{4}-[\d-]+T[\d:]+Z|[\d.]+ [KM]iB/g, '…').replaceAll(/ +/g, ' ')).toBe(
    [
      'upgrade-kept/staging-1.29.1-to-1.30.7-1:',
      ' … default schema 1.18 … kept.dump',
      ' … visibility schema 1.9 … kept_visibility.dump',
      'upgrade-kept/live-1.29.1-to-1.30.7-1:',
      ' … default schema 1.18 … kept.dump',
      ' … visibility schema 1.9 … kept_visibility.dump',
      '',
    ].join('\n'),
  );
  const verified = await run('verify', '--output', 'json');
  expect(verified.code).toBe(0);
  const all = JSON.parse(verified.stdout) as object[];
  expect(all).toMatchObject([
    {
      rollout: 'upgrade-kept',
      hop: 'staging-1.29.1-to-1.30.7-1',
      store: 'default',
      schemaVersion: '1.18',
      whole: true,
    },
    { store: 'visibility', whole: true },
    { hop: 'live-1.29.1-to-1.30.7-1', store: 'default', whole: true },
    { store: 'visibility', whole: true },
  ]);
}, 120_000);

test('says which of them cannot be restored, and why', async () => {
  const hop = 'live-1.30.7-to-1.31.2-1';
  await backUp(hop);
  await appendFile(fileOf(hop, 'default'), 'damage');
  await rm(fileOf(hop, 'visibility'));
  const answer = await run('verify', fileOf(hop, 'default'), fileOf(hop, 'visibility'));
  expect(answer.code).toBe(5);
  expect(answer.stdout).toContain('! kept.dump: the file has');
  expect(answer.stdout).toContain('! kept_visibility.dump: the file is not there');
  expect(answer.stdout).toContain('2 of 2 cannot be restored');
  const other = await run('verify', targetFile);
  expect(other).toMatchObject({ code: 2, stdout: '' });
  expect(other.stderr).toContain(`${targetFile} is no backup below ${backupDir}`);
}, 120_000);
