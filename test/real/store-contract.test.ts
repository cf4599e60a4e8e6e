import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runCommand } from '../../src/adapters/run-command.js';
import {
  bringSchemaTool,
  scriptsFolder,
  sqlToolEnvironment,
  updateSchemaArguments,
} from '../../src/adapters/sql/sql-tool.js';
import type { StoreRole } from '../../src/adapters/store.js';
import { createStore } from '../../src/adapters/stores.js';
import { createToolResolver } from '../../src/adapters/tools/tool-resolver.js';
import { asSqlStore, StoreInput, type SqlStore } from '../../src/core/input/input.js';
import { setUpDatabases } from '../../src/lab/databases.js';
import type { LabDatabase } from '../../src/lab/lab-database.js';
import { databasesOf } from '../../src/lab/server-config.js';
import { sqlServer } from '../../src/lab/store-server.js';
import { testEveryStore } from '../helpers/every-store.js';
import { STORE_CASES, SYSTEM_DATABASE } from '../helpers/store-cases.js';
import { failureOf } from '../helpers/failure-of.js';
import { SHARD_INFO } from '../helpers/shard-rows.js';

/** What every store does, and what those of SQL do besides, tried on real servers of each product with the real tools. */

const OLD = '1.29.1';
/** The hop that changes much of visibility. */
const NEXT = { to: '1.13', serverVersion: '1.30.7' } as const;
const TIMEOUT_MS = 120_000;
const tools = createToolResolver();

describe.each(STORE_CASES)('$name', (product) => {
  let server: LabDatabase;
  let folder: string;

  beforeAll(async () => {
    server = await product.start();
    folder = await mkdtemp(join(tmpdir(), 'store-contract-'));
    process.env[server.binVariable] = server.binDir; // the lab's server may be newer than the programs of the host
  }, 600_000);

  afterAll(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }, TIMEOUT_MS);

  function inputOf(database: string, over: object = {}): SqlStore {
    const { type, plugin, host, port, user, passwordFile } = server;
    return asSqlStore(
      StoreInput.parse({ type, plugin, host, port, database, user, password: { file: passwordFile }, ...over }),
    );
  }

  for (const part of ['default', 'visibility'] as const) {
    testEveryStore(product.name, {
      part,
      product: product.product,
      server: () => sqlServer(server),
      elsewhere: (input, port) => StoreInput.parse({ ...input, port }),
    });
  }

  const storeOf = (input: StoreInput, kind: StoreRole) => createStore(input, kind, tools);
  const ask = (database: string, sql: string) => product.ask(server, database, sql);
  const act = async (database: string, statements: readonly string[]) => {
    for (const statement of statements) await server.run(database, statement);
  };
  const versionIn = (database: string) => ask(database, 'select curr_version from schema_version');
  const runsOf = (database: string, version: string) =>
    ask(database, `select new_version from schema_update_history where new_version = '${version}'`);

  /** A pair of databases of their own, at the schema of 1.29.1. */
  async function freshStores(clusterName: string) {
    await setUpDatabases(server, { clusterName, version: OLD, tools });
    const names = databasesOf(clusterName);
    const store = (kind: StoreRole) => storeOf(inputOf(names[kind]), kind);
    return { names, default: store('default'), visibility: store('visibility') };
  }

  async function newUser(user: string) {
    const password = `${user}-pw`;
    await act(SYSTEM_DATABASE[server.type], product.addUser({ user, password }));
    const file = join(folder, `${user}-password`);
    await writeFile(file, `${password}\n`);
    return { user, password: { file } };
  }

  async function waitForTool(database: string): Promise<void> {
    while ((await ask(database, product.waiting(database))).length === 0) await sleep(100);
  }

  test(
    'describes both stores, and updates their schemas hop by hop; again is nothing, and back is refused',
    async () => {
      const stores = await freshStores('hops');
      expect(await stores.default.describe()).toEqual({
        product: expect.stringMatching(product.product),
        database: stores.names.default,
        schemaVersion: '1.18',
        bytes: expect.any(Number),
      });
      expect((await stores.visibility.describe()).schemaVersion).toBe('1.9');
      await stores.default.updateSchema({ to: '1.18', serverVersion: '1.30.7' }); // this hop does not touch it
      await stores.visibility.updateSchema(NEXT);
      expect(await stores.visibility.readSchemaVersion()).toBe('1.13');
      await stores.default.updateSchema({ to: '1.19', serverVersion: '1.31.2' });
      await stores.visibility.updateSchema({ to: '1.14', serverVersion: '1.31.2' });
      expect(await stores.default.readSchemaVersion()).toBe('1.19');
      expect(await stores.visibility.readSchemaVersion()).toBe('1.14');

      const steps = () => ask(stores.names.visibility, 'select * from schema_update_history');
      const before = await steps();
      await stores.visibility.updateSchema({ to: '1.14', serverVersion: '1.31.2' });
      expect(await steps()).toEqual(before);
      await expect(stores.visibility.updateSchema(NEXT)).rejects.toThrow(
        /^schema too new: .* has schema 1\.14, newer than the 1\.13/,
      );
    },
    TIMEOUT_MS,
  );

  test(
    'finds nothing wrong with the tables that the scripts made, and sees all that a hop depends on',
    async () => {
      const stores = await freshStores('survey');
      for (const kind of ['default', 'visibility'] as const) {
        const survey = await stores[kind].survey({
          folder: scriptsFolder(server, kind),
          schemaTo: kind === 'default' ? '1.19' : '1.14',
          backupDir: folder,
        });
        expect(survey.shape).toEqual({ seen: [] });
        expect(Object.entries(survey).filter(([, value]) => typeof value === 'object' && 'unseen' in value)).toEqual(
          [],
        );
      }
      const { queryMs, bytes, connections } = await stores.default.measure(5_000);
      expect(queryMs).toBeGreaterThan(0);
      expect(bytes).toBeGreaterThan(0);
      expect(connections?.allowed).toBeGreaterThan(connections?.inUse ?? Infinity);
    },
    TIMEOUT_MS,
  );

  test(
    'tells each reason apart, names the place and no secret',
    async () => {
      const { names } = await freshStores('reasons');
      const stranger = await newUser('stranger');
      await server.createDatabase('vacant');
      const wrongFile = join(folder, 'wrong-password');
      await writeFile(wrongFile, 'not-the-password\n');
      const nobodyListens = createServer().listen(0, '127.0.0.1');
      await once(nobodyListens, 'listening');
      const { port: freePort } = nobodyListens.address() as { port: number };
      nobodyListens.close();

      const cases: [reason: string, input: SqlStore, kind: StoreRole, text: RegExp][] = [
        ['wrong-password', inputOf(names.default, { password: { file: wrongFile } }), 'default', /refuses/],
        ['wrong-password', inputOf(names.default, { password: undefined }), 'default', /refuses|the input names none/],
        ['no-database', inputOf('nowhere'), 'default', /has no database "nowhere"/],
        ['no-schema-version', inputOf('vacant'), 'default', /no table schema_version/],
        ['unreachable', inputOf(names.default, { port: freePort }), 'default', /cannot be reached/],
        ['unreachable', inputOf(names.default, { host: 'no-such-host.invalid' }), 'default', /cannot be reached/],
        ['no-rights', inputOf(names.default, stranger), 'default', /no right/],
        ['tls', inputOf(names.default, { tls: true }), 'default', product.tlsRefused],
        ['wrong-kind', inputOf(names.visibility), 'default', /tables of the visibility store; are the two/],
        ['wrong-kind', inputOf(names.default), 'visibility', /tables of the default store; are the two/],
      ];
      for (const [reason, input, kind, text] of cases) {
        const failure = await failureOf(storeOf(input, kind).describe());
        expect(failure.message).toMatch(text);
        expect(failure.message).toContain(`${input.host}:${input.port}`);
        if (reason !== 'tls') expect(failure.message).toContain(`"${input.database}"`);
        expect(failure.facts).toMatchObject({ reason });
        expect(failure.message).not.toMatch(/not-the-password|stranger-pw/);
        expect(failure.message).not.toContain(server.password);
      }
    },
    TIMEOUT_MS,
  );

  test(
    'refuses to run the scripts of one kind on a database of the other, or of both',
    async () => {
      const { names } = await freshStores('mixed');
      const swapped = storeOf(inputOf(names.default), 'visibility');
      await failureOf(swapped.updateSchema({ to: '1.19', serverVersion: '1.31.2' }));
      await act(names.default, ['create table executions_visibility (namespace_id char(64))']);
      const shared = storeOf(inputOf(names.default), 'default').updateSchema({ to: '1.19', serverVersion: '1.31.2' });
      expect((await failureOf(shared)).message).toContain('holds the tables of both stores');
      expect(await versionIn(names.default)).toEqual([{ curr_version: '1.18' }]);
    },
    TIMEOUT_MS,
  );

  test(
    'lets one of two at once do the work, and the other wait; says what it waits for',
    async () => {
      const { names, visibility } = await freshStores('two_at_once');
      const progress: string[] = [];
      const update = () => visibility.updateSchema(NEXT, { onProgress: (line) => progress.push(line) });
      const letGo = await product.hold(server, names.visibility, 'reading');
      const first = update();
      await waitForTool(names.visibility);
      const second = update();
      while (!progress.some((line) => line.startsWith('waiting: another roll-out'))) await sleep(100);
      while (!progress.some((line) => /^alter table .*waiting for/i.test(line))) await sleep(100);
      await letGo();
      await Promise.all([first, second]);
      expect(await visibility.readSchemaVersion()).toBe('1.13');
      expect(await runsOf(names.visibility, '1.13')).toHaveLength(1);
    },
    TIMEOUT_MS,
  );

  test(
    'waits for the tool of a worker that was killed, and finds nothing to do',
    async () => {
      const { names, visibility } = await freshStores('orphaned');
      const letGo = await product.hold(server, names.visibility, 'reading');
      // As a worker leaves it that was killed on the line after starting it: at work, and nobody holds the lock.
      const tool = await bringSchemaTool(
        tools,
        { folder: scriptsFolder(server, 'visibility'), serverVersion: NEXT.serverVersion },
        {},
      );
      const orphan = spawn(tool.program, updateSchemaArguments(tool, NEXT.to), {
        env: sqlToolEnvironment(inputOf(names.visibility), server.password),
        stdio: 'ignore',
      });
      const ended = once(orphan, 'exit');
      await waitForTool(names.visibility);
      const progress: string[] = [];
      const again = visibility.updateSchema(NEXT, { onProgress: (line) => progress.push(line) });
      while (!progress.some((line) => line.startsWith('waiting for the statement of an earlier attempt'))) {
        await sleep(100);
      }
      await letGo();
      expect(await ended).toEqual([0, null]);
      await again;
      expect(await runsOf(names.visibility, '1.13')).toHaveLength(1);
    },
    TIMEOUT_MS,
  );

  test(
    'reports what the tool says when it fails, without the password',
    async () => {
      const { names, visibility } = await freshStores('failing');
      const failure: unknown = await visibility
        .updateSchema({ to: '1.99', serverVersion: '1.30.7' })
        .catch((error: unknown) => error);
      expect(String(failure)).toMatch(/end version '1\.99' specified but not found/);
      expect(String(failure)).not.toContain(server.password);
      expect(await versionIn(names.visibility)).toEqual([{ curr_version: '1.9' }]);
    },
    TIMEOUT_MS,
  );

  test(
    'backs up, reads back, keeps a whole backup, replaces a damaged one and leaves that of another alone',
    async () => {
      const { names, default: store } = await freshStores('backup');
      const file = join(folder, 'backups', 'default.dump');
      const first = await store.backUp(file);
      expect(first).toMatchObject({ file, bytes: (await stat(file)).size });
      expect(first.entries).toBeGreaterThan(20);
      expect((await stat(file)).mode & 0o077).toBe(0);
      const manifest = JSON.parse(await readFile(`${file}.json`, 'utf8')) as Record<string, unknown>;
      expect(manifest).toMatchObject({ database: names.default, schemaVersion: '1.18', sha256: first.sha256 });

      const { mtimeMs } = await stat(file);
      expect(await store.backUp(file)).toEqual(first);
      expect((await stat(file)).mtimeMs).toBe(mtimeMs);

      const handle = await open(file, 'r+');
      await handle.write(Buffer.from('damage'), 0, 6, 2_000);
      await handle.close();
      await writeFile(`${file}.gone.partial`, 'left by a killed worker');
      const again = await store.backUp(file);
      expect(again.bytes).toBe((await stat(file)).size);
      expect((await readdir(join(folder, 'backups'))).sort()).toEqual(['default.dump', 'default.dump.json']);

      const other = await freshStores('backup_other');
      expect((await failureOf(other.default.backUp(file))).message).toContain('it is left alone');
    },
    TIMEOUT_MS,
  );

  test(
    'leaves nothing behind when a backup is cancelled',
    async () => {
      const { names, visibility } = await freshStores('cancelled');
      const letGo = await product.hold(server, names.visibility, 'locked');
      const cancel = new AbortController();
      const directory = join(folder, 'cancelled');
      const backup = visibility.backUp(join(directory, 'visibility.dump'), {
        signal: cancel.signal,
        onProgress: () => cancel.abort(),
      });
      await expect(backup).rejects.toThrow(/dump was cancelled/);
      expect(await readdir(directory)).toEqual([]);
      await letGo();
    },
    TIMEOUT_MS,
  );

  test(
    'names the program that a backup needs, and how to get it',
    async () => {
      const { default: store } = await freshStores('programs');
      try {
        process.env[server.binVariable] = folder;
        const { message } = await failureOf(store.backUp(join(folder, 'programs.dump')));
        expect(message).toMatch(product.missingProgram);
      } finally {
        process.env[server.binVariable] = server.binDir;
      }
    },
    TIMEOUT_MS,
  );

  // Mounting a small disk takes root, which is what the tests are run as in a container.
  (process.getuid?.() === 0 ? test : test.skip)(
    'leaves no half backup on a disk that is too full',
    async () => {
      const { default: store } = await freshStores('full');
      const disk = join(folder, 'disk');
      await mkdir(disk);
      await runCommand('mount', ['-t', 'tmpfs', '-o', 'size=128k', 'tmpfs', disk]);
      try {
        // The preflight would have said so (store-survey.test.ts); who goes on all the same gets an error, and not half a backup.
        await writeFile(join(disk, 'filler'), Buffer.alloc(124 * 1024));
        await expect(store.backUp(join(disk, 'default.dump'))).rejects.toThrow();
        expect(await readdir(disk)).toEqual(['filler']);
      } finally {
        await runCommand('umount', [disk]);
      }
    },
    TIMEOUT_MS,
  );

  async function addShards(database: string, count: number): Promise<void> {
    const data = Buffer.from(SHARD_INFO, 'base64').toString('hex');
    const blob = server.type === 'mysql' ? `x'${data}'` : `decode('${data}', 'hex')`;
    const rows = Array.from({ length: count }, (_, index) => count - index).map(
      (id) => `(${id}, 9007199254740993, ${blob}, 'Proto3')`,
    );
    await act(database, [`insert into shards (shard_id, range_id, data, data_encoding) values ${rows.join(', ')}`]);
  }

  test(
    'reads 16,384 shards of a real table, in order',
    async () => {
      const { names, default: store, visibility } = await freshStores('shards');
      await addShards(names.default, 16_384);
      const rows = await store.readShards();
      expect(rows.map(({ shardId }) => shardId)).toEqual(Array.from({ length: 16_384 }, (_, index) => index + 1));
      expect(rows[16_383]).toEqual({
        shardId: 16_384,
        rangeId: '9007199254740993',
        owner: '127.0.0.1:17234-10-e198ef4c-4cac-484f-852a-5d5f46a7a2e8',
        updatedAt: '2026-11-21T11:33:07.108Z',
      });
      await expect(visibility.readShards()).rejects.toThrow('only the default store has shards');
    },
    TIMEOUT_MS,
  );

  test.each(['beside', 'in-place'] as const)(
    'goes back to a backup: %s',
    async (way) => {
      const { names } = await freshStores(way === 'beside' ? 'beside' : 'inplace');
      const owner = way === 'beside' ? undefined : await newUser('owner_of_one');
      const giveTables = async () => {
        if (owner === undefined) return;
        await act(names.default, product.giveTables({ user: owner.user, database: names.default }));
      };
      await giveTables();
      const store = storeOf(inputOf(names.default, owner), 'default');
      await addShards(names.default, 5);
      const file = join(folder, `${way}.dump`);
      const { sha256 } = await store.backUp(file);
      const before = await store.readShards();
      await store.updateSchema({ to: '1.19', serverVersion: '1.31.2' });
      await act(names.default, ['update shards set range_id = 1', 'create table later (id int)']);
      await giveTables();

      const order = { file, sha256, schema: '1.18', stamp: '20260101100000' };
      expect((await store.restore.findWay()).way).toBe(way);
      expect((await store.restore.checkBackup(order)).rows).toMatchObject({ shards: 5 });
      expect((await store.restore.bring(order)).rows).toMatchObject({ shards: 5 });
      if (way === 'beside') expect(await store.readSchemaVersion()).toBe('1.19');
      const kept = await store.restore.takePlace(order);
      // Run again after it was killed.
      await store.restore.bring(order);
      expect(await store.restore.takePlace(order)).toBe(kept);
      expect(await store.readSchemaVersion()).toBe('1.18');
      expect(await store.readShards()).toEqual(before);
      await expect(ask(names.default, 'select * from later')).rejects.toThrow();
      if (way === 'beside') {
        expect(kept).toBe(`database ${names.default}_before_restore_20260101100000`);
        expect(await ask(`${names.default}_before_restore_20260101100000`, 'select * from later')).toEqual([]);
      }
      // It goes forward again.
      await store.updateSchema({ to: '1.19', serverVersion: '1.31.2' });
    },
    TIMEOUT_MS,
  );

  test(
    'does not restore what is not the backup that was written down',
    async () => {
      const { names, default: store } = await freshStores('damaged');
      const file = join(folder, 'damaged.dump');
      const { sha256 } = await store.backUp(file);
      const order = { file, sha256, schema: '1.18', stamp: '20260101100000' };
      const handle = await open(file, 'r+');
      await handle.write(Buffer.from('damage'), 0, 6, 2_000);
      await handle.close();
      await failureOf(store.restore.checkBackup(order));
      await failureOf(store.restore.bring(order));
      expect(await versionIn(names.default)).toEqual([{ curr_version: '1.18' }]);
    },
    TIMEOUT_MS,
  );

  test(
    'leaves no connection open',
    async () => {
      // MySQL takes a moment to see that one has gone.
      for (let tried = 0; tried < 20; tried += 1) {
        if ((await ask(SYSTEM_DATABASE[server.type], product.ownConnections)).length === 0) return;
        await sleep(250);
      }
      expect(await ask(SYSTEM_DATABASE[server.type], product.ownConnections)).toEqual([]);
    },
    TIMEOUT_MS,
  );
});
