import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { PG_BIN_VARIABLE } from '../../src/adapters/postgres/pg-programs.js';
import { measurePostgres } from '../../src/adapters/postgres/postgres-measure.js';
import { createPostgresStore } from '../../src/adapters/postgres/postgres-store.js';
import type { StoreRole } from '../../src/adapters/store.js';
import {
  SCHEMA_TOOL_NAME,
  scriptsFolder,
  sqlToolEnvironment,
  updateSchemaArguments,
} from '../../src/adapters/sql/sql-tool.js';
import { createStore } from '../../src/adapters/stores.js';
import { createToolResolver } from '../../src/adapters/tools/tool-resolver.js';
import type { PostgresStore } from '../../src/core/input/input.js';
import { setUpDatabase, setUpDatabases } from '../../src/lab/databases.js';
import { startPostgres, type LabPostgres } from '../../src/lab/postgres.js';
import { databasesOf } from '../../src/lab/server-config.js';
import { failureOf } from '../helpers/failure-of.js';
import { killToolAfter } from '../helpers/killed-tool.js';

/** What is PostgreSQL's own; what every store does is in store-contract.test.ts. */

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

test('works with the pgx plugin too', async () => {
  const { names } = await freshStores('pgx');
  const store = createPostgresStore(inputOf(names.default, { plugin: 'postgres12_pgx' }), 'default', tools);
  await store.updateSchema({ to: '1.19', serverVersion: '1.31.2' });
  expect(await store.readSchemaVersion()).toBe('1.19');
}, 60_000);

test('says so when the database was restored under another name', async () => {
  const { names } = await freshStores('renamed');
  await query('postgres', `alter database ${pg.escapeIdentifier(names.default)} rename to renamed_copy`);
  const failure = await failureOf(createPostgresStore(inputOf('renamed_copy'), 'default', tools).readSchemaVersion());
  expect(failure.message).toContain(`no row for that name (names there: "${names.default}")`);
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

/** The tool as a worker leaves it that was killed on the line after starting it: at work, and nobody holds the lock. */
async function orphanedTool(database: string) {
  const tool = await tools.serverTool('temporal-sql-tool', '1.30.7');
  const scripts = ['--schema-name', 'postgresql/v12/visibility'] as const;
  return spawn(tool, updateSchemaArguments({ scripts }, '1.13'), {
    env: sqlToolEnvironment(inputOf(database), postgres.password),
    stdio: 'ignore',
  });
}

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

test.each<{ what: string; kind: StoreRole; to: string; statements: number; gone: string[] }>([
  {
    ...{ what: 'a table that it drops', kind: 'default', to: '1.14', statements: 3 },
    gone: ['table nexus_incoming_services'],
  },
  {
    ...{ what: 'a column that it drops and adds anew', kind: 'default', to: '1.17', statements: 9 },
    gone: ['column data_encoding of table current_executions'],
  },
  {
    ...{ what: 'a column and the indexes of it', kind: 'visibility', to: '1.6', statements: 7 },
    gone: [
      'column root_workflow_id of table executions_visibility',
      'index by_root_run_id of table executions_visibility',
      'index by_root_workflow_id of table executions_visibility',
    ],
  },
])(
  'a tool that was killed after $what: told before, and made anew for the next try',
  async ({ kind, to, statements, gone }) => {
    const database = `killed_${kind}_${statements}`;
    await setUpDatabase(postgres, { part: kind, database, version: '1.23.1', tools });
    const input = inputOf(database);
    const store = createStore(input, kind, tools);
    const update = { to, serverVersion: '1.28.1' };
    expect(await killToolAfter(statements, postgres, { input, kind, ...update, tools })).toBe(true);

    const look = () => store.survey({ folder: scriptsFolder(input, kind), schemaTo: to, backupDir: folder });
    const { scripts } = await look();
    const left = scripts !== undefined && 'seen' in scripts ? scripts.seen.leftOvers : undefined;
    expect(left?.map(({ what }) => what)).toEqual(gone.map((what) => `${what} is gone already`));

    expect(await store.updateSchema(update)).toEqual(
      gone.map(
        (what) => `${what} is gone already, left by an unfinished step: made anew, so that the step can drop it`,
      ),
    );
    expect(await store.readSchemaVersion()).toBe(to);
    expect((await look()).shape).toEqual({ seen: [] });
  },
  60_000,
);

test('what somebody else made under a name of the coming scripts is named, as the tool would pass over it', async () => {
  const { names, visibility } = await freshStores('foreign');
  const column = 'alter table executions_visibility';
  await query(names.visibility, `${column} add column temporalbool01 text`);
  const failure = await failureOf(visibility.updateSchema({ to: '1.13', serverVersion: '1.30.7' }));
  expect(failure.message).toContain(
    'column temporalbool01 of table executions_visibility is there already, and it is not',
  );
  expect(await visibility.readSchemaVersion()).toBe('1.9');
  await query(names.visibility, `${column} drop column temporalbool01`);
  expect(await visibility.updateSchema({ to: '1.13', serverVersion: '1.30.7' })).toEqual([]);
}, 60_000);

test('refuses a pg_dump that is older than the server', async () => {
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
  } finally {
    process.env[PG_BIN_VARIABLE] = postgres.binDir;
  }
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
