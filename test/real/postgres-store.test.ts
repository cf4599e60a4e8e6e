import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { PG_BIN_VARIABLE } from '../../src/adapters/postgres/pg-programs.js';
import { measurePostgres } from '../../src/adapters/postgres/postgres-measure.js';
import { createPostgresStore } from '../../src/adapters/postgres/postgres-store.js';
import type { StoreRole } from '../../src/adapters/store.js';
import { runCommand } from '../../src/adapters/run-command.js';
import { SCHEMA_TOOL_NAME, sqlToolEnvironment, updateSchemaArguments } from '../../src/adapters/sql/sql-tool.js';
import { createStore } from '../../src/adapters/stores.js';
import { createToolResolver } from '../../src/adapters/tools/tool-resolver.js';
import { PreconditionError } from '../../src/core/errors.js';
import type { PostgresStore } from '../../src/core/input/input.js';
import { setUpDatabases } from '../../src/lab/databases.js';
import { startPostgres, type LabPostgres } from '../../src/lab/postgres.js';
import { databasesOf } from '../../src/lab/server-config.js';

const OLD = '1.29.1';
const tools = createToolResolver();
let postgres: LabPostgres;
let folder: string;

beforeAll(async () => {
  postgres = await startPostgres();
  folder = await mkdtemp(join(tmpdir(), 'temporal-upgrade-store-'));
  process.env[PG_BIN_VARIABLE] = postgres.binDir; // the lab's server may be newer than the programs of the host
}, 120_000);

afterAll(async () => {
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
});

function inputOf(database: string, over: Partial<PostgresStore> = {}): PostgresStore {
  const { host, port, user, passwordFile } = postgres;
  return {
    type: 'postgresql',
    plugin: 'postgres12',
    host,
    port,
    database,
    user,
    password: { file: passwordFile },
    ...over,
  };
}

/** A pair of databases of their own, at the schema of 1.29.1. */
async function freshStores(clusterName: string) {
  await setUpDatabases(postgres, { clusterName, version: OLD, tools });
  const names = databasesOf(clusterName);
  const store = (kind: StoreRole) => createStore(inputOf(names[kind]), kind, tools);
  return { names, default: store('default'), visibility: store('visibility') };
}

async function query<T extends pg.QueryResultRow>(
  database: string,
  sql: string,
  parameters: unknown[] = [],
): Promise<T[]> {
  const { host, port, user, password } = postgres;
  const client = new pg.Client({ host, port, user, password, database });
  await client.connect();
  try {
    return (await client.query<T>(sql, parameters)).rows;
  } finally {
    await client.end();
  }
}

async function failureOf(work: Promise<unknown>): Promise<PreconditionError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(PreconditionError);
  return error as PreconditionError;
}

test('describes both stores, and updates their schemas hop by hop with the real tools', async () => {
  const stores = await freshStores('hops');
  const major = (await query<{ v: string }>('postgres', `select current_setting('server_version') v`))[0]?.v.split(
    ' ',
  )[0];
  expect(await stores.default.describe()).toEqual({
    product: `PostgreSQL ${major}`,
    database: stores.names.default,
    schemaVersion: '1.18',
    bytes: expect.any(Number),
  });
  expect((await stores.visibility.describe()).schemaVersion).toBe('1.9');

  await stores.default.updateSchema({ to: '1.18', serverVersion: '1.30.7' }); // this hop does not touch it
  await stores.visibility.updateSchema({ to: '1.13', serverVersion: '1.30.7' });
  expect(await stores.visibility.readSchemaVersion()).toBe('1.13');
  await stores.default.updateSchema({ to: '1.19', serverVersion: '1.31.2' });
  await stores.visibility.updateSchema({ to: '1.14', serverVersion: '1.31.2' });
  expect(await stores.default.readSchemaVersion()).toBe('1.19');
  expect(await stores.visibility.readSchemaVersion()).toBe('1.14');

  const steps = () => query(stores.names.visibility, 'select * from schema_update_history');
  const before = await steps();
  await stores.visibility.updateSchema({ to: '1.14', serverVersion: '1.31.2' });
  expect(await steps()).toEqual(before);

  const tooNew = await failureOf(stores.visibility.updateSchema({ to: '1.13', serverVersion: '1.30.7' }));
  expect(tooNew.message).toMatch(/^schema too new: .* has schema 1\.14, newer than the 1\.13/);
}, 120_000);

test('works with the pgx plugin too', async () => {
  const { names } = await freshStores('pgx');
  const store = createPostgresStore(inputOf(names.default, { plugin: 'postgres12_pgx' }), 'default', tools);
  await store.updateSchema({ to: '1.19', serverVersion: '1.31.2' });
  expect(await store.readSchemaVersion()).toBe('1.19');
}, 60_000);

test('tells each reason apart, names the place and no secret', async () => {
  const { names } = await freshStores('reasons');
  await query('postgres', `create role stranger login password 'stranger-pw'`);
  await query('postgres', 'create database empty');
  const wrongFile = join(folder, 'wrong-password');
  const strangerFile = join(folder, 'stranger-password');
  await writeFile(wrongFile, 'not-the-password\n');
  await writeFile(strangerFile, 'stranger-pw');
  const nobodyListens = createServer().listen(0, '127.0.0.1');
  await once(nobodyListens, 'listening');
  const { port: freePort } = nobodyListens.address() as { port: number };
  nobodyListens.close();

  const cases: [reason: string, input: PostgresStore, kind: StoreRole, text: RegExp][] = [
    ['wrong-password', inputOf(names.default, { password: { file: wrongFile } }), 'default', /refuses the password/],
    ['wrong-password', inputOf(names.default, { password: undefined }), 'default', /the input names none/],
    ['no-database', inputOf('nowhere'), 'default', /has no database "nowhere"/],
    ['no-schema-version', inputOf('empty'), 'default', /no table schema_version/],
    ['unreachable', inputOf(names.default, { port: freePort }), 'default', /cannot be reached/],
    ['unreachable', inputOf(names.default, { host: 'no-such-host.invalid' }), 'default', /cannot be reached/],
    [
      'no-rights',
      inputOf(names.default, { user: 'stranger', password: { file: strangerFile } }),
      'default',
      /no right/,
    ],
    ['tls', inputOf(names.default, { tls: true }), 'default', /TLS settings.*does not support SSL/],
    ['wrong-kind', inputOf(names.visibility), 'default', /tables of the visibility store; are the two/],
    ['wrong-kind', inputOf(names.default), 'visibility', /tables of the default store; are the two/],
  ];
  for (const [reason, input, kind, text] of cases) {
    const failure = await failureOf(createPostgresStore(input, kind, tools).describe());
    expect(failure.message).toMatch(text);
    expect(failure.message).toContain(`${input.host}:${input.port}`);
    expect(failure.message).toContain(`"${input.database}"`);
    expect(failure.facts).toMatchObject({ reason, database: input.database });
    expect(failure.message).not.toMatch(/not-the-password|stranger-pw/);
    expect(failure.message).not.toContain(postgres.password);
  }
}, 60_000);

test('says so when the database was restored under another name', async () => {
  const { names } = await freshStores('renamed');
  await query('postgres', `alter database ${pg.escapeIdentifier(names.default)} rename to renamed_copy`);
  const failure = await failureOf(createPostgresStore(inputOf('renamed_copy'), 'default', tools).readSchemaVersion());
  expect(failure.message).toContain(`no row for that name (names there: "${names.default}")`);
}, 60_000);

test('refuses to run the scripts of one kind on a database of the other, or of both', async () => {
  const { names } = await freshStores('mixed');
  const swapped = createPostgresStore(inputOf(names.default), 'visibility', tools);
  await failureOf(swapped.updateSchema({ to: '1.19', serverVersion: '1.31.2' }));
  await query(names.default, 'create table executions_visibility (namespace_id char(64))');
  const shared = await failureOf(
    createPostgresStore(inputOf(names.default), 'default', tools).updateSchema({ to: '1.19', serverVersion: '1.31.2' }),
  );
  expect(shared.message).toContain('holds the tables of both stores');
  expect(await query(names.default, 'select curr_version from schema_version')).toEqual([{ curr_version: '1.18' }]);
}, 60_000);

/** Holds the visibility table as a busy database would, so that the schema tool has to wait in its first statement. */
async function holdTable(database: string) {
  const { host, port, user, password } = postgres;
  const client = new pg.Client({ host, port, user, password, database });
  await client.connect();
  await client.query('begin; lock table executions_visibility in access share mode');
  return async () => {
    await client.query('rollback');
    await client.end();
  };
}

async function waitForTool(database: string): Promise<number> {
  for (;;) {
    const [row] = await query<{ pid: number }>(
      database,
      `select pid from pg_stat_activity where application_name = $1 and datname = $2 and wait_event_type = 'Lock'`,
      [SCHEMA_TOOL_NAME, database],
    );
    if (row !== undefined) return row.pid;
    await sleep(100);
  }
}

test('passes after it was cancelled in the middle of a statement that the database goes on with', async () => {
  const { names, visibility } = await freshStores('cancelled');
  const giveBack = await holdTable(names.visibility);
  const cancel = new AbortController();
  const first = visibility.updateSchema({ to: '1.13', serverVersion: '1.30.7' }, { signal: cancel.signal });
  const backend = await waitForTool(names.visibility);
  cancel.abort();
  await expect(first).rejects.toThrow(/cancelled|ended/);

  const progress: string[] = [];
  const second = visibility.updateSchema(
    { to: '1.13', serverVersion: '1.30.7' },
    { onProgress: (line) => progress.push(line) },
  );
  while (!progress.some((line) => line.startsWith('waiting for the statement of an earlier attempt: ALTER TABLE'))) {
    await sleep(100);
  }
  // The first tool is gone; its statement is not.
  expect(await query('postgres', 'select pid from pg_stat_activity where pid = $1', [backend])).toHaveLength(1);
  await giveBack();
  await second;
  expect(await visibility.readSchemaVersion()).toBe('1.13');
  const invalid = await query(names.visibility, 'select indexrelid::regclass from pg_index where not indisvalid');
  expect(invalid).toEqual([]);
}, 120_000);

/** A reader with an old snapshot: CREATE INDEX CONCURRENTLY has its index in place, not valid yet, and waits for it. */
async function holdSnapshot(database: string) {
  const { host, port, user, password } = postgres;
  const reader = new pg.Client({ host, port, user, password, database });
  await reader.connect();
  await reader.query('begin isolation level repeatable read');
  await reader.query('select * from schema_version');
  return () => reader.end();
}

const invalidIndexes = (database: string) =>
  query<{ name: string }>(database, 'select indexrelid::regclass as name from pg_index where not indisvalid');

test('passes after an index was left half-built', async () => {
  const { names, visibility } = await freshStores('half-built');
  const giveBack = await holdSnapshot(names.visibility);
  const cancel = new AbortController();
  const first = visibility.updateSchema({ to: '1.13', serverVersion: '1.30.7' }, { signal: cancel.signal });
  const backend = await waitForTool(names.visibility);
  cancel.abort();
  await expect(first).rejects.toThrow(/cancelled|ended/);
  await query('postgres', 'select pg_terminate_backend($1)', [backend]);
  expect(await invalidIndexes(names.visibility)).toHaveLength(1);
  await giveBack();

  await visibility.updateSchema({ to: '1.13', serverVersion: '1.30.7' });
  expect(await visibility.readSchemaVersion()).toBe('1.13');
  expect(await invalidIndexes(names.visibility)).toEqual([]);
}, 60_000);

test('does not take it for done when the tool lost its connection and passed over a half-built index', async () => {
  const { names, visibility } = await freshStores('passed-over');
  const giveBack = await holdSnapshot(names.visibility);
  const update = () => visibility.updateSchema({ to: '1.13', serverVersion: '1.30.7' });
  const first = update().catch((error: unknown) => error);
  const backend = await waitForTool(names.visibility);
  await query('postgres', 'select pg_terminate_backend($1)', [backend]); // as a restart of the database does
  await giveBack();
  const [index] = await invalidIndexes(names.visibility);
  expect(String(await first)).toContain(`REINDEX INDEX CONCURRENTLY ${index?.name};`);
  // The tool has written the version: a second attempt must not find that there is nothing to do.
  expect(await visibility.readSchemaVersion()).toBe('1.13');
  expect((await failureOf(update())).facts).toMatchObject({ indexes: [index?.name] });
  await query(names.visibility, `reindex index concurrently ${index?.name}`);
  await update();
}, 60_000);

test('lets one of two at once do the work, and the other wait', async () => {
  const { names, visibility } = await freshStores('two-at-once');
  const progress: string[] = [];
  const update = () =>
    visibility.updateSchema({ to: '1.13', serverVersion: '1.30.7' }, { onProgress: (line) => progress.push(line) });
  const giveBack = await holdTable(names.visibility);
  const first = update();
  await waitForTool(names.visibility);
  const second = update();
  while (!progress.some((line) => line.startsWith('waiting: another roll-out'))) await sleep(100);
  while (!progress.some((line) => /^ALTER TABLE .*waiting for a lock/.test(line))) await sleep(100);
  await giveBack();
  await Promise.all([first, second]);
  expect(await visibility.readSchemaVersion()).toBe('1.13');
  const runs = await query(names.visibility, `select * from schema_update_history where new_version = '1.13'`);
  expect(runs).toHaveLength(1);
}, 120_000);

/** The tool as a worker leaves it that was killed on the line after starting it: at work, and nobody holds the lock. */
async function orphanedTool(database: string) {
  const tool = await tools.serverTool('temporal-sql-tool', '1.30.7');
  const scripts = ['--schema-name', 'postgresql/v12/visibility'] as const;
  return spawn(tool, updateSchemaArguments({ scripts }, '1.13'), {
    env: sqlToolEnvironment(inputOf(database), postgres.password),
    stdio: 'ignore',
  });
}

test('waits for the tool of a worker that was killed, and finds nothing to do', async () => {
  const { names, visibility } = await freshStores('orphaned');
  const giveBack = await holdTable(names.visibility);
  const orphan = await orphanedTool(names.visibility);
  const ended = once(orphan, 'exit');
  await waitForTool(names.visibility);
  const progress: string[] = [];
  const again = visibility.updateSchema(
    { to: '1.13', serverVersion: '1.30.7' },
    { onProgress: (line) => progress.push(line) },
  );
  while (!progress.some((line) => line.startsWith('waiting for the statement of an earlier attempt'))) await sleep(100);
  await giveBack();
  expect(await ended).toEqual([0, null]);
  await again;
  const runs = await query(names.visibility, `select * from schema_update_history where new_version = '1.13'`);
  expect(runs).toHaveLength(1);
}, 120_000);

test('passes after the tool was killed with SIGKILL', async () => {
  const { names, visibility } = await freshStores('sigkill');
  const giveBack = await holdTable(names.visibility);
  const child = await orphanedTool(names.visibility);
  await waitForTool(names.visibility);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const again = visibility.updateSchema({ to: '1.13', serverVersion: '1.30.7' });
  await giveBack();
  await again;
  expect(await visibility.readSchemaVersion()).toBe('1.13');
}, 120_000);

test('reports what the tool says when it fails, without the password', async () => {
  const { names, visibility } = await freshStores('failing');
  const failure: unknown = await visibility
    .updateSchema({ to: '1.99', serverVersion: '1.30.7' })
    .catch((e: unknown) => e);
  expect(String(failure)).toMatch(/end version '1\.99' specified but not found/);
  expect(String(failure)).not.toContain(postgres.password);
  expect(await query(names.visibility, 'select curr_version from schema_version')).toEqual([{ curr_version: '1.9' }]);
}, 60_000);

test('backs up, reads back, keeps a whole backup and replaces a damaged one', async () => {
  const { names, default: store } = await freshStores('backup');
  const file = join(folder, 'backups', 'default.dump');
  const first = await store.backUp(file);
  expect(first).toMatchObject({ file, bytes: (await stat(file)).size });
  expect(first.entries).toBeGreaterThan(30);
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

  // It really holds the database: restored elsewhere, it is the same.
  await query('postgres', 'create database restored');
  const { host, port, user, password, binDir } = postgres;
  const env = { PGHOST: host, PGPORT: String(port), PGUSER: user, PGPASSWORD: password };
  await runCommand(join(binDir, 'pg_restore'), ['--dbname=restored', '--exit-on-error', file], { env });
  expect(await query('restored', 'select db_name, curr_version from schema_version')).toEqual([
    { db_name: names.default, curr_version: '1.18' },
  ]);

  const other = await freshStores('backup-other');
  expect((await failureOf(other.default.backUp(file))).message).toContain('it is left alone');
}, 120_000);

test('leaves nothing behind when a backup is cancelled', async () => {
  const { names, visibility } = await freshStores('backup-cancelled');
  const { host, port, user, password } = postgres;
  const blocker = new pg.Client({ host, port, user, password, database: names.visibility });
  await blocker.connect();
  await blocker.query('begin; lock table executions_visibility in access exclusive mode');
  const cancel = new AbortController();
  const directory = join(folder, 'cancelled');
  const backup = visibility.backUp(join(directory, 'visibility.dump'), {
    signal: cancel.signal,
    onProgress: () => cancel.abort(),
  });
  await expect(backup).rejects.toThrow(/pg_dump was cancelled/);
  expect(await readdir(directory)).toEqual([]);
  await blocker.end();
}, 60_000);

test('refuses a pg_dump that is missing or older than the server', async () => {
  const { default: store } = await freshStores('pgbin');
  const file = join(folder, 'pgbin.dump');
  const fake = join(folder, 'old-pg');
  await mkdir(fake);
  for (const name of ['pg_dump', 'pg_restore']) {
    await writeFile(join(fake, name), '#!/bin/sh\necho "pg_dump (PostgreSQL) 9.6.24"\n');
    await chmod(join(fake, name), 0o755);
  }
  try {
    process.env[PG_BIN_VARIABLE] = fake;
    expect((await failureOf(store.backUp(file))).message).toMatch(/found only .*old-pg\/pg_dump 9\.6\.24\. Install/);
    process.env[PG_BIN_VARIABLE] = folder;
    expect((await failureOf(store.backUp(file))).message).toMatch(
      /none was found\. Install the package postgresql-client-/,
    );
  } finally {
    process.env[PG_BIN_VARIABLE] = postgres.binDir;
  }
}, 60_000);

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
      await writeFile(join(disk, 'filler'), Buffer.alloc(120 * 1024));
      await expect(store.backUp(join(disk, 'default.dump'))).rejects.toThrow(/No space left/);
      expect(await readdir(disk)).toEqual(['filler']);
    } finally {
      await runCommand('umount', [disk]);
    }
  },
  60_000,
);

test('reads 16,384 shards of a real table, in order', async () => {
  const { names, default: store, visibility } = await freshStores('shards');
  const info =
    'CAEQARo3MTI3LjAuMC4xOjE3MjM0LTEwLWUxOThlZjRjLTRjYWMtNDg0Zi04NTJhLTVkNWY0NmE3YTJlODoLCPOChtgGEK2y2jOKAQwIARIIEgYKABCAgEA=';
  await query(
    names.default,
    `insert into shards (shard_id, range_id, data, data_encoding)
       select id, 9007199254740993, decode($1, 'base64'), 'Proto3' from generate_series(16384, 1, -1) id`,
    [info],
  );
  const rows = await store.readShards();
  expect(rows.map(({ shardId }) => shardId)).toEqual(Array.from({ length: 16_384 }, (_, index) => index + 1));
  expect(rows[16_383]).toEqual({
    shardId: 16_384,
    rangeId: '9007199254740993',
    owner: '127.0.0.1:17234-10-e198ef4c-4cac-484f-852a-5d5f46a7a2e8',
    updatedAt: '2026-11-21T11:33:07.108Z',
  });
  await expect(visibility.readShards()).rejects.toThrow('only the default store has shards');
}, 60_000);

test('a user who may not see the sessions of others counts their connections too', async () => {
  await query('postgres', `create role measurer login password 'measurer-pw'`);
  const file = join(folder, 'measurer-password');
  await writeFile(file, 'measurer-pw');
  const { host, port, user, password } = postgres;
  const others = Array.from({ length: 5 }, () => new pg.Client({ host, port, user, password, database: 'postgres' }));
  for (const client of others) await client.connect();
  try {
    const input = inputOf('postgres', { user: 'measurer', password: { file } });
    const { connections } = await measurePostgres(input, 5_000);
    expect(connections?.inUse).toBeGreaterThanOrEqual(6);
    const [limits] = await query<{ max: number; reserved: number }>(
      'postgres',
      `select setting::int as max, (select sum(setting::int)::int from pg_settings
         where name in ('superuser_reserved_connections', 'reserved_connections')) as reserved
       from pg_settings where name = 'max_connections'`,
    );
    expect(connections?.allowed).toBe((limits?.max ?? 0) - (limits?.reserved ?? 0));
  } finally {
    for (const client of others) await client.end();
  }
});

test('leaves no connection open', async () => {
  const left = await query<{ application_name: string }>(
    'postgres',
    `select application_name from pg_stat_activity where application_name like 'temporal-upgrade%'`,
  );
  expect(left).toEqual([]);
});
