import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { BackupKeeper } from '../../src/adapters/backups/backup-keeper.js';
import { withRestoreLock } from '../../src/adapters/backups/backup-lock.js';
import type { KeptList } from '../../src/adapters/backups/kept-list.js';
import { withTarget } from '../../src/adapters/open-target.js';
import { PG_BIN_VARIABLE } from '../../src/adapters/postgres/pg-programs.js';
import { withPostgres } from '../../src/adapters/postgres/postgres-connection.js';
import { createToolResolver } from '../../src/adapters/tools/tool-resolver.js';
import { parseTarget, PostgresStore, type Target } from '../../src/core/input/input.js';
import { setUpDatabase, setUpDatabases } from '../../src/lab/databases.js';
import { startPostgres, type LabPostgres } from '../../src/lab/postgres.js';
import { databasesOf } from '../../src/lab/server-config.js';
import { failureOf } from '../helpers/failure-of.js';
import { startS3, type S3Server } from '../helpers/s3-server.js';

/** Backups of a real PostgreSQL, encrypted by a real openssl, in a real object store. */

const CLI = fileURLToPath(new URL('../../bin/temporal-upgrade', import.meta.url));
const OPENED = fileURLToPath(new URL('../../dist/adapters/open-target.js', import.meta.url));
const RESOLVER = fileURLToPath(new URL('../../dist/adapters/tools/tool-resolver.js', import.meta.url));
const INPUT = fileURLToPath(new URL('../../dist/core/input/input.js', import.meta.url));
const ROLES = ['frontend', 'history', 'matching', 'worker'];
const HOP = 'live-1.29.1-to-1.30.7-1';
const TIMEOUT_MS = 120_000;
const names = databasesOf('kept');
const tools = createToolResolver();
let postgres: LabPostgres;
let s3: S3Server;
let folder: string;
let number = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'temporal-upgrade-kept-'));
  postgres = await startPostgres();
  process.env[PG_BIN_VARIABLE] = postgres.binDir;
  s3 = await startS3(join(folder, 's3'));
  await setUpDatabases(postgres, { clusterName: 'kept', version: '1.29.1', tools });
  await writeFile(join(folder, 'passphrase'), 'correct horse battery staple\n', { mode: 0o600 });
  await writeFile(join(folder, 'key-id'), s3.access);
  await writeFile(join(folder, 'secret'), s3.secret);
}, 600_000);

afterAll(async () => {
  delete process.env[PG_BIN_VARIABLE];
  await s3?.stop();
  await postgres?.stop();
  await rm(folder, { recursive: true, force: true });
});

const openssl = (...more: string[]) => [
  ...['openssl', 'enc', '-aes-256-cbc', '-pbkdf2'],
  ...['-pass', `file:${join(folder, 'passphrase')}`, ...more],
];
const encryption = () => ({ encrypt: openssl(), decrypt: openssl('-d') });
const objectStore = (over: object = {}) => ({
  endpoint: s3.endpoint,
  bucket: s3.bucket,
  prefix: `test-${number}/`,
  pathStyle: true,
  accessKeyId: { file: join(folder, 'key-id') },
  secretAccessKey: { file: join(folder, 'secret') },
  ...over,
});

interface Case {
  readonly target: Target;
  /** The same as text, for the command line. */
  readonly targetFile: string;
  readonly hopDir: string;
  readonly file: string;
}

/** A target with a folder of backups of its own. */
async function caseOf(backups: () => object): Promise<Case> {
  number += 1;
  const backupDir = join(folder, `backups-${number}`);
  const { host, port, user, passwordFile } = postgres;
  const store = (kind: 'default' | 'visibility') => ({
    ...{ type: 'postgresql', plugin: 'postgres12', host, port, user },
    ...{ password: { file: passwordFile }, database: names[kind] },
  });
  const nodes = ROLES.map((role, index) => ({
    ...{ name: `${role}-1`, role, rpcAddress: `127.0.0.1:${7_000 + index}` },
    ...{ configDir: join(folder, role), logFile: join(folder, `${role}.log`) },
  }));
  const text = {
    name: 'kept',
    connection: { address: '127.0.0.1:7000' },
    stores: { default: store('default'), visibility: store('visibility') },
    driver: { type: 'process', nodes },
    backupDir,
    backups: backups(),
  };
  const targetFile = join(folder, `target-${number}.json`);
  await writeFile(targetFile, JSON.stringify(text));
  const hopDir = join(backupDir, 'upgrade-kept', HOP);
  return { target: parseTarget(text), targetFile, hopDir, file: join(hopDir, `${names.default}.dump`) };
}

/** The same database server, as another of its users. */
const inputAs = (user: string, passwordFile: string, database: string) =>
  PostgresStore.parse({
    ...{ type: 'postgresql', plugin: 'postgres12', host: postgres.host, port: postgres.port },
    ...{ user, password: { file: passwordFile }, database },
  });
const backUp = ({ target, file }: Case) => withTarget(target, tools, ({ stores }) => stores.default.backUp(file));
const orderOf = ({ file }: Case, { sha256 }: { readonly sha256: string }) => ({
  ...{ file, sha256, schema: '1.18', stamp: '20260101100000' },
});
const check = (one: Case, backup: { readonly sha256: string }) =>
  withTarget(one.target, tools, ({ stores }) => stores.default.restore.checkBackup(orderOf(one, backup)));
const stored = (path = '') => join(s3.objects, `test-${number}`, 'upgrade-kept', HOP, path);

interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}
async function run({ targetFile }: Case, ...args: string[]): Promise<Answer> {
  return promisify(execFile)(CLI, ['backups', ...args, '--target', targetFile], { env: process.env }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }: Answer) => ({ code, stdout, stderr }),
  );
}

describe('encrypted', () => {
  test(
    'nothing readable is left, and all of it comes back',
    async () => {
      const one = await caseOf(() => ({ encryption: encryption() }));
      const backup = await backUp(one);
      expect((await readdir(one.hopDir)).sort()).toEqual([
        'kept.dump.encrypted',
        'kept.dump.json',
        'kept.dump.kept.json',
      ]);
      const encrypted = join(one.hopDir, 'kept.dump.encrypted');
      expect((await stat(encrypted)).mode & 0o077).toBe(0);
      expect((await readFile(encrypted)).includes('PGDMP')).toBe(false);
      const made = (await stat(encrypted)).mtimeMs;
      expect(await backUp(one)).toEqual(backup);
      expect((await stat(encrypted)).mtimeMs).toBe(made); // kept, not made again
      expect((await check(one, backup)).schemaVersion).toBe('1.18');
      expect(await readdir(one.hopDir)).toHaveLength(3);
      const other = withTarget(one.target, tools, ({ stores }) => stores.visibility.backUp(one.file));
      expect((await failureOf(other)).message).toContain('it is left alone');
    },
    TIMEOUT_MS,
  );

  test(
    'a way back that is none is found when the backup is made',
    async () => {
      const other = join(folder, 'other-passphrase');
      await writeFile(other, 'another\n');
      const wrong = openssl('-d').map((word) => (word.startsWith('file:') ? `file:${other}` : word));
      const one = await caseOf(() => ({ encryption: { encrypt: openssl(), decrypt: wrong } }));
      expect((await failureOf(backUp(one))).message).toMatch(/cannot be decrypted|makes of it is something else/);
      const silent = await caseOf(() => ({ encryption: { encrypt: openssl(), decrypt: ['true'] } }));
      expect((await failureOf(backUp(silent))).message).toContain('makes of it is something else (0 bytes');
      expect(await readdir(one.hopDir)).not.toContain('kept.dump.kept.json');
    },
    TIMEOUT_MS,
  );

  test(
    'killed while it is encrypted, the next try does all of it',
    async () => {
      const flag = join(folder, 'kill-once');
      const script = join(folder, 'encrypt.sh');
      // Ends the worker itself, in the middle of its work.
      await writeFile(
        script,
        `#!/bin/sh\nif [ -e "${flag}" ]; then rm "${flag}"; head -c 100; kill -9 $PPID; exit 1; fi\nexec ${openssl().join(' ')}\n`,
      );
      await chmod(script, 0o755);
      const one = await caseOf(() => ({ encryption: { encrypt: [script], decrypt: openssl('-d') } }));
      await writeFile(flag, '');
      const program = `
        const { withTarget } = await import(${JSON.stringify(OPENED)});
        const { createToolResolver } = await import(${JSON.stringify(RESOLVER)});
        const { parseTarget } = await import(${JSON.stringify(INPUT)});
        const { readFileSync } = await import('node:fs');
        const target = parseTarget(JSON.parse(readFileSync(${JSON.stringify(one.targetFile)}, 'utf8')));
        await withTarget(target, createToolResolver(), ({ stores }) => stores.default.backUp(${JSON.stringify(one.file)}));`;
      const death = promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], { env: process.env });
      await expect(death).rejects.toMatchObject({ signal: 'SIGKILL' });
      const backup = await backUp(one);
      await check(one, backup);
      expect((await readdir(one.hopDir)).sort()).toEqual([
        'kept.dump.encrypted',
        'kept.dump.json',
        'kept.dump.kept.json',
      ]);
    },
    TIMEOUT_MS,
  );
});

describe('in an object store', () => {
  test(
    'stored, read back, found again where the folder is lost, and damage is told',
    async () => {
      const one = await caseOf(() => ({ encryption: encryption(), objectStore: objectStore({ keepLocal: false }) }));
      const backup = await backUp(one);
      expect((await readdir(stored())).sort()).toEqual([
        'kept.dump.encrypted',
        'kept.dump.json',
        'kept.dump.kept.json',
      ]);
      expect((await readdir(one.hopDir)).sort()).toEqual(['kept.dump.json', 'kept.dump.kept.json']);
      await rm(one.target.backupDir, { recursive: true });
      const list = await run(one, 'list');
      expect(list).toMatchObject({ code: 0, stderr: '' });
      expect(list.stdout).toContain(`kept.dump, encrypted, s3://backups/test-${number}/`);
      expect(await run(one, 'verify')).toMatchObject({ code: 0, stdout: expect.stringContaining('1 read whole') });
      expect((await check(one, backup)).database).toBe(names.default);
      expect((await readdir(one.hopDir)).sort()).toEqual(['kept.dump.json', 'kept.dump.kept.json']);
      const object = stored('kept.dump.encrypted');
      const bytes = await readFile(object);
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
      await writeFile(object, bytes);
      expect((await failureOf(check(one, backup))).message).toContain('is damaged: it is not what was stored');
      expect(await run(one, 'verify')).toMatchObject({ code: 5 });
      await rm(object);
      expect((await failureOf(check(one, backup))).message).toContain('is not there either');
      expect((await backUp(one)).entries).toBe(backup.entries); // made anew
      await check(one, await backUp(one));
    },
    TIMEOUT_MS,
  );

  test(
    'one process at a time has the files here: the others wait, and find what they need',
    async () => {
      const one = await caseOf(() => ({ encryption: encryption(), objectStore: objectStore({ keepLocal: false }) }));
      const backup = await backUp(one);
      const { backupDir, backups = {} } = one.target;
      const waiting = Promise.withResolvers<string>();
      const held = new BackupKeeper({ backupDir, backups }).withPlain(one.file, {}, async () => {
        expect((await stat(one.file)).size).toBe(backup.bytes);
        const verifying = promisify(execFile)(CLI, ['backups', 'verify', '--target', one.targetFile], {
          env: process.env,
        });
        verifying.child.stderr?.on('data', (text: string) => {
          if (text.includes('waiting: another process')) waiting.resolve(text);
        });
        const ended = verifying.then(({ stdout }) => stdout);
        await Promise.race([waiting.promise, ended]); // else it would have read what may go at any time
        return { ended, stillThere: (await stat(one.file)).size };
      });
      const { ended, stillThere } = await held;
      expect(stillThere).toBe(backup.bytes);
      expect(await waiting.promise).toContain('reads or keeps the backup upgrade-kept/');
      expect(await ended).toContain('1 read whole');
      const all = [run(one, 'verify'), check(one, backup), backUp(one), run(one, 'verify')] as const;
      const [first, checked, kept, second] = await Promise.all(all);
      expect([first.code, second.code]).toEqual([0, 0]);
      expect(checked.schemaVersion).toBe('1.18');
      expect(kept.sha256).toBe(backup.sha256);
      expect((await readdir(one.hopDir)).sort()).toEqual(['kept.dump.json', 'kept.dump.kept.json']);
    },
    TIMEOUT_MS,
  );

  test(
    'tells each reason apart',
    async () => {
      const wrong = join(folder, 'wrong-secret');
      await writeFile(wrong, 'nobody');
      const cases: [over: object, reason: string, text: RegExp][] = [
        [{ bucket: 'nowhere' }, 'no-bucket', /is not there; make it, or correct "bucket"/],
        [{ secretAccessKey: { file: wrong } }, 'no-rights', /refuses: SignatureDoesNotMatch/],
        [{ endpoint: 'http://127.0.0.1:1' }, 'unreachable', /cannot be reached/],
      ];
      for (const [over, reason, text] of cases) {
        const one = await caseOf(() => ({ objectStore: objectStore(over) }));
        const failure = await failureOf(backUp(one));
        expect(failure.message).toMatch(text);
        expect(failure.facts).toMatchObject({ reason });
      }
    },
    TIMEOUT_MS,
  );

  test(
    'old hops are removed in both places',
    async () => {
      const one = await caseOf(() => ({ objectStore: objectStore(), keep: { hops: 1, days: 0 } }));
      await backUp(one);
      const newer = { ...one, file: one.file.replace(HOP, 'live-1.30.7-to-1.31.2-1') };
      await backUp(newer);
      const asked = await run(one, 'prune');
      expect(asked.code).toBe(2);
      expect(asked.stderr).toContain(`upgrade-kept/${HOP}`);
      expect(await readdir(stored())).toHaveLength(3);
      expect(await run(one, 'prune', '--yes')).toMatchObject({ code: 0, stdout: `removed:\n  upgrade-kept/${HOP}\n` });
      await expect(stat(stored('kept.dump'))).rejects.toThrow('ENOENT');
      await expect(stat(one.hopDir)).rejects.toThrow('ENOENT');
      expect(await run(one, 'prune', '--yes')).toMatchObject({ code: 0, stdout: 'nothing to remove\n' });
      await backUp(newer); // still whole
    },
    TIMEOUT_MS,
  );
});

describe('by a snapshot of the provider', () => {
  const script = async (text: string) => {
    const file = join(folder, `snapshot-${(number += 1)}.sh`);
    await writeFile(file, `#!/bin/sh\n${text}\n`);
    await chmod(file, 0o755);
    return file;
  };

  test(
    'its id is the backup; the same name in every try; a restore by the tool is refused',
    async () => {
      const log = join(folder, 'snapshots.log');
      const command = await script(`echo "$1" >> ${log}\necho waiting\necho "snap-$SECRET-0815"`);
      await writeFile(join(folder, 'account'), '4711');
      const environment = { SECRET: { file: join(folder, 'account') } };
      const one = await caseOf(() => ({ snapshots: { default: [command, '{name}'], environment } }));
      const backup = await backUp(one);
      expect(JSON.parse(await readFile(one.file, 'utf8'))).toEqual({ snapshot: 'snap-4711-0815', command });
      expect(await backUp(one)).toEqual(backup);
      await rm(one.file);
      await backUp(one);
      const asked = (await readFile(log, 'utf8')).trimEnd().split('\n');
      expect(asked).toHaveLength(2);
      expect(new Set(asked).size).toBe(1);
      expect(asked[0]).toMatch(/^temporal-upgrade-kept-[0-9a-f]{12}$/);
      expect((await check(one, await backUp(one))).schemaVersion).toBe('1.18');
      const ways = withTarget(one.target, tools, ({ stores }) => stores.default.restore.findWay());
      expect((await failureOf(ways)).message).toContain('snapshots of its provider');
    },
    TIMEOUT_MS,
  );

  test(
    'a command that names none, and one that fails, are told',
    async () => {
      const none = await script('true');
      const silent = await caseOf(() => ({ snapshots: { default: [none] } }));
      expect((await failureOf(backUp(silent))).message).toContain('printed no id of a snapshot');
      const bad = await script('echo "quota exceeded" >&2; exit 3');
      const failing = await caseOf(() => ({ snapshots: { default: [bad] } }));
      await expect(backUp(failing)).rejects.toThrow(/ended with exit code 3:\nquota exceeded/);
    },
    TIMEOUT_MS,
  );
});

test(
  'a restore in place that goes on at another host keeps what was there before its first try',
  async () => {
    const [password, passwordFile] = ['limited-pw', join(folder, 'limited-password')];
    await withPostgres(inputAs(postgres.user, postgres.passwordFile, 'postgres'), async (client) => {
      await client.query(`create role limited login password '${password}'`);
      await client.query('create database limited owner limited');
    });
    await writeFile(passwordFile, password);
    const part = { part: 'default', database: 'limited', version: '1.29.1', tools } as const;
    await setUpDatabase({ ...postgres, user: 'limited', password }, part);
    const one = await caseOf(() => ({ encryption: encryption(), objectStore: objectStore({ keepLocal: false }) }));
    const own = inputAs('limited', passwordFile, 'limited');
    const target: Target = { ...one.target, stores: { ...one.target.stores, default: own } };
    const marked = (of: PostgresStore) =>
      withPostgres(of, async (client) => (await client.query('select 1 from namespace_metadata')).rowCount);
    await withTarget(target, tools, async ({ stores }) => {
      const { restore } = stores.default;
      const { sha256 } = await stores.default.backUp(one.file);
      await withPostgres(own, (client) => client.query('insert into namespace_metadata values (7, 1)'));
      expect(await marked(own)).toBe(2);
      expect(await restore.findWay()).toMatchObject({ way: 'in-place' });
      await restore.bring(orderOf(one, { sha256 }));
      expect(await marked(own)).toBe(1);
      // The worker has died; the host of the one that goes on has nothing of it.
      await rm(one.target.backupDir, { recursive: true });
      await restore.bring(orderOf(one, { sha256 }));
      const before = await restore.takePlace(orderOf(one, { sha256 }));
      const list = await readFile(stored(`${basename(before)}.kept.json`), 'utf8');
      const { backup } = JSON.parse(list) as KeptList;
      await restore.bring({ ...orderOf(one, backup), file: before, stamp: '20260101110000' });
      expect(await marked(own)).toBe(2);
    });
  },
  TIMEOUT_MS,
);

test(
  'restore without a roll-out: both databases go back, and what was there is kept',
  async () => {
    const one = await caseOf(() => ({}));
    await withTarget(one.target, tools, async ({ stores }) => {
      await stores.default.backUp(one.file);
      await stores.visibility.backUp(join(one.hopDir, `${names.visibility}.dump`));
      await stores.visibility.updateSchema({ to: '1.13', serverVersion: '1.30.7' });
      // As a restore in place leaves it, should it be killed: of the same database, and not what one goes back to.
      await stores.visibility.backUp(join(one.hopDir, `${names.visibility}-before-restore-20260101000000.dump`));
    });
    const hop = `upgrade-kept/${HOP}`;
    const asked = await run(one, 'restore', '--hop', hop);
    expect(asked.code).toBe(2);
    expect(asked.stderr).toContain('for servers of 1.29.1');
    expect(await run(one, 'restore', '--hop', 'upgrade-kept/elsewhere', '--yes')).toMatchObject({ code: 2 });
    await withRestoreLock(one.target.backupDir, async () => {
      const another = await run(one, 'restore', '--hop', hop, '--yes');
      expect(another).toMatchObject({ code: 2, stderr: expect.stringContaining('another process restores databases') });
    });
    const { code, stdout, stderr } = await run(one, 'restore', '--hop', hop, '--yes', '--output', 'json');
    expect([code, stderr]).toEqual([0, expect.any(String)]);
    const { kept, version } = JSON.parse(stdout) as { kept: Record<string, string>; version: string };
    expect(version).toBe('1.29.1');
    expect(Object.keys(kept)).toEqual(['default', 'visibility']);
    await withTarget(one.target, tools, async ({ stores }) => {
      expect(await stores.visibility.readSchemaVersion()).toBe('1.9');
    });
  },
  TIMEOUT_MS,
);
