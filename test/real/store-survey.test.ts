import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { chmod, chown, mkdir, mkdtemp, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PG_BIN_VARIABLE } from '../../src/adapters/postgres/pg-programs.js';
import { LONG_TRANSACTION_MS } from '../../src/adapters/postgres/survey-blockers.js';
import { runCommand } from '../../src/adapters/run-command.js';
import type { Finding } from '../../src/core/finding.js';
import { removePostgres, startPostgres } from '../../src/lab/postgres.js';
import { StoreSurveyLab } from '../helpers/store-survey-lab.js';

const OLD = '1.29.1';
const HOP = ['1.29.1', '1.30.7'] as const;
let lab: StoreSurveyLab;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'temporal-upgrade-survey-'));
  await chmod(folder, 0o711); // PostgreSQL's own user passes through to the small disk
  const postgres = await startPostgres();
  process.env[PG_BIN_VARIABLE] = postgres.binDir;
  lab = new StoreSurveyLab(postgres, folder);
  await lab.setUp(OLD, ['1.28.1', '1.30.7', '1.31.2']);
}, 300_000);

afterAll(async () => {
  delete process.env[PG_BIN_VARIABLE];
  await lab.postgres.stop();
  await rm(folder, { recursive: true, force: true });
});

const said = (findings: readonly Finding[]) => findings.map(({ id, severity }) => `${severity} ${id}`);

/** The one finding that is no note, which a fault is told by. */
function only(findings: readonly Finding[]): Finding & { readonly severity: 'block' | 'warn' } {
  expect(said(findings)).toHaveLength(1);
  const [finding] = findings;
  if (finding === undefined || finding.severity === 'note') throw new Error('no problem');
  return finding;
}

/** Creates a login without any right, and a file with its password. */
async function makeUser(name: string, options = ''): Promise<{ user: string; password: { file: string } }> {
  const file = join(folder, `${name}-password`);
  await writeFile(file, `${name}-pw`);
  await lab.query('postgres', `create role ${name} login password '${name}-pw' ${options}`);
  return { user: name, password: { file } };
}

/** A disk of its own, writable by PostgreSQL too, for `use`. */
async function withSmallDisk(name: string, size: string, use: (path: string) => Promise<void>): Promise<void> {
  const path = join(folder, name);
  await mkdir(path);
  await runCommand('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=755`, 'tmpfs', path]);
  try {
    const { uid, gid } = await stat(lab.postgres.dataDir);
    await chown(path, uid, gid);
    await use(path);
  } finally {
    await runCommand('umount', [path]);
  }
}

// Mounting a small disk takes root, which is what the tests are run as in a container; others have no way to a full disk
// that leaves the machine's own alone.
const onSmallDisk = process.getuid?.() === 0 ? test : test.skip;

test.each(['1.28.1', '1.29.1', '1.30.7', '1.31.2'])('a healthy cluster of %s has no problem', async (version) => {
  const databases = await lab.copy(version);
  expect(await lab.findings(databases, { running: version })).toEqual([]);
});

test.each([
  ['1.28.1', '1.29.1', []],
  ['1.29.1', '1.30.7', ['note table-rewrite']],
  ['1.30.7', '1.31.2', ['note table-rewrite']],
])('a healthy cluster has none before the hop from %s to %s', async (from, to, notes) => {
  const databases = await lab.copy(from);
  expect(said(await lab.findings(databases, { hop: [from, to] }))).toEqual(notes);
});

test('nor when its schema was brought there already, or half-way', async () => {
  const databases = await lab.copy('1.30.7');
  expect(await lab.findings(databases, { hop: HOP })).toEqual([]);
});

test('everything that the database tells is seen', async () => {
  const databases = await lab.copy(OLD);
  const { stores } = await lab.survey(databases, { hop: HOP });
  const { default: store, visibility } = stores;
  const unseen = [store, visibility].flatMap((each) => JSON.stringify(each).match(/"unseen":"[^"]*"/g) ?? []);
  expect(unseen).toEqual([]);
  expect(store?.schemaVersion).toEqual({ seen: '1.18' });
  expect(store?.cluster?.records).toEqual({
    seen: [
      {
        clusterName: 'active',
        clusterId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        historyShardCount: 8,
        address: expect.any(String),
        isGlobalNamespaceEnabled: false,
        isConnectionEnabled: expect.any(Boolean),
        initialFailoverVersion: 1,
        failoverVersionIncrement: 10,
      },
    ],
  });
  expect(store?.cluster?.shards).toEqual({ seen: { count: 8, lowest: 1, highest: 8, gaps: [] } });
  const members = store?.cluster?.members;
  const rows = members !== undefined && 'seen' in members ? members.seen.rows : [];
  expect(rows.map(({ role }) => role).toSorted()).toEqual(['frontend', 'history', 'matching', 'worker']);
  for (const { address, lastHeartbeat, recordExpiry, sessionStart } of rows) {
    expect(address).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(Date.parse(lastHeartbeat)).toBeGreaterThanOrEqual(Date.parse(sessionStart));
    expect(Date.parse(recordExpiry) - Date.parse(lastHeartbeat)).toBe(48 * 3_600_000);
  }
  expect(visibility?.scripts).toEqual({
    seen: {
      from: '1.9',
      to: '1.13',
      changes: ['executions_visibility'],
      creates: [],
      rewrites: [
        expect.objectContaining({ table: 'executions_visibility', indexBytes: expect.any(Number) as unknown }),
      ],
      missing: [],
      leftOvers: [],
    },
  });
  const [mine, theirs] = [store?.location, visibility?.location];
  expect(mine).toEqual({
    seen: { server: expect.stringMatching(/^\d+$/), database: databases.default, schema: 'public' },
  });
  expect(theirs).not.toEqual(mine);
});

test('changes nothing, makes no folder, and leaves no connection', async () => {
  const databases = await lab.copy(OLD);
  const backupDir = join(folder, 'not-made');
  const written = () => Promise.all(Object.values(databases).map((database) => lab.dump(database)));
  const before = await written();
  await lab.survey(databases, { hop: HOP, backupDir });
  expect(await written()).toEqual(before);
  await expect(stat(backupDir)).rejects.toThrow('ENOENT');
  const left = await lab.query('postgres', `select 1 from pg_stat_activity where application_name like 'temporal-up%'`);
  expect(left).toEqual([]);
});

test('a schema that is behind what the servers want', async () => {
  const databases = await lab.copy(OLD);
  const finding = only(await lab.problems(databases, { running: '1.30.7' }));
  expect(finding).toMatchObject({
    id: 'schema-behind',
    severity: 'block',
    found: `the schema of the visibility store (database "${databases.visibility}" at 127.0.0.1:${lab.postgres.port}) is 1.9`,
    expected: expect.stringContaining('1.13, which server 1.30.7 wants'),
    action:
      'Run "temporal-sql-tool update-schema --schema-name postgresql/v12/visibility --version 1.13" of server 1.30.7 on it',
  });
  const inHop = await lab.problems(databases, { hop: ['1.30.7', '1.31.2'] });
  expect(said(inHop)).toEqual(['block schema-behind']);
});

test('a schema that is ahead: of a roll-back, or in the way of a hop', async () => {
  const databases = await lab.copy('1.30.7');
  const doctor = only(await lab.problems(databases, { running: OLD }));
  expect(doctor).toMatchObject({ id: 'schema-ahead', severity: 'warn' });
  expect(doctor.expected).toContain('rolled back');
  const hop = only(await lab.problems(databases, { hop: ['1.28.1', '1.29.1'] }));
  expect(hop).toMatchObject({ id: 'schema-ahead', severity: 'block' });
  expect(hop.found).toContain(`(database "${databases.visibility}" at `);
});

test('a dropped index, with the statement that builds it', async () => {
  const databases = await lab.copy(OLD);
  await lab.query(databases.visibility, 'drop index by_workflow_id');
  const finding = only(await lab.problems(databases, { running: OLD }));
  expect(finding).toMatchObject({ id: 'schema-index-missing', severity: 'warn' });
  expect(finding.found).toContain('table "executions_visibility": index by_workflow_id on btree (namespace_id');
  expect(finding.action).toMatch(/^CREATE INDEX CONCURRENTLY by_workflow_id ON executions_visibility USING btree/);
  await lab.query(databases.visibility, finding.action);
  expect(await lab.findings(databases, { running: OLD })).toEqual([]);
});

test('a missing column, with the statement that adds it', async () => {
  const databases = await lab.copy(OLD);
  await lab.query(databases.default, 'alter table executions drop column db_record_version');
  const finding = only(await lab.problems(databases, { hop: HOP }));
  expect(finding).toMatchObject({ id: 'schema-column-missing', severity: 'block', expected: 'bigint' });
  expect(finding.found).toContain('the default store');
  expect(finding.found).toContain('table "executions": column db_record_version (bigint) is missing');
  await lab.query(databases.default, finding.action);
  expect(await lab.problems(databases, { hop: HOP })).toEqual([]);
});

test('a column of another type', async () => {
  const databases = await lab.copy(OLD);
  await lab.query(databases.default, 'alter table executions alter column next_event_id type integer');
  const finding = only(await lab.problems(databases, { running: OLD }));
  expect(finding).toMatchObject({ id: 'schema-column-type', severity: 'block', expected: 'bigint' });
  expect(finding.found).toContain('table "executions": type of column next_event_id is integer');
});

test('an index that was left half-built', async () => {
  const databases = await lab.copy(OLD);
  const reader = await lab.connect(databases.visibility);
  await reader.query('begin isolation level repeatable read; select * from schema_version');
  const builder = await lab.connect(databases.visibility);
  await builder.query('drop index by_status; set statement_timeout = 300');
  await expect(
    builder.query(
      `create index concurrently by_status on executions_visibility (namespace_id, status,
         (coalesce(close_time, '9999-12-31 23:59:59')) desc, start_time desc, run_id)`,
    ),
  ).rejects.toThrow('statement timeout');
  await Promise.all([reader.end(), builder.end()]);
  const finding = only(await lab.problems(databases, { hop: HOP }));
  expect(finding).toMatchObject({
    id: 'schema-index-invalid',
    severity: 'block',
    action: 'REINDEX INDEX CONCURRENTLY by_status;',
  });
  await lab.query(databases.visibility, finding.action);
  expect(await lab.problems(databases, { hop: HOP })).toEqual([]);
});

test('a user who may use the tables, and not change them', async () => {
  const databases = await lab.copy('1.30.7');
  const server = await makeUser('server_only');
  for (const database of Object.values(databases)) {
    await lab.query(database, 'grant select, insert, update, delete on all tables in schema public to server_only');
    await lab.query(database, 'grant select on all sequences in schema public to server_only');
    await lab.query(database, 'revoke create on schema public from public'); // as it is from PostgreSQL 15 on
  }
  const looked = { inputs: { visibility: server } };
  const inHop = await lab.problems(databases, { ...looked, hop: ['1.30.7', '1.31.2'] });
  expect(said(inHop)).toEqual(['block rights-missing', 'warn rewrite-space-unseen']);
  expect(inHop[0]?.found).toContain(
    'does not own executions_visibility (owner "postgres"), and may not create in schema "public"',
  );
  expect(inHop[0]?.action).toContain('GRANT postgres TO server_only; GRANT CREATE ON SCHEMA public TO server_only;');
  expect(said(await lab.problems(databases, { ...looked, running: '1.30.7' }))).toEqual(['warn rights-missing']);
  // A hop that leaves the store as it is needs none of it.
  const old = await lab.copy('1.28.1');
  for (const database of Object.values(old)) {
    await lab.query(database, 'grant select on all tables in schema public to server_only');
    await lab.query(database, 'grant select on all sequences in schema public to server_only');
  }
  expect(await lab.problems(old, { ...looked, hop: ['1.28.1', '1.29.1'] })).toEqual([]);
});

test('a user who owns everything and is no superuser lacks nothing but a look at the disk', async () => {
  const owner = await makeUser('owner');
  const databases = await lab.copy('1.30.7');
  for (const database of Object.values(databases)) {
    await lab.query('postgres', `alter database ${database} owner to owner`);
    const tables = await lab.query(database, `select tablename as name from pg_tables where schemaname = 'public'`);
    for (const { name } of tables) await lab.query(database, `alter table "${String(name)}" owner to owner`);
  }
  const looked = { inputs: { default: owner, visibility: owner } };
  expect(await lab.findings(databases, { ...looked, running: '1.30.7' })).toEqual([]);
  const { stores } = await lab.survey(databases, { ...looked, hop: ['1.30.7', '1.31.2'] });
  const unseen = Object.entries(stores.visibility ?? {}).filter(([, value]) =>
    JSON.stringify(value).includes('unseen'),
  );
  expect(unseen.map(([field]) => field)).toEqual(['disk']);
  const finding = only(await lab.problems(databases, { ...looked, hop: ['1.30.7', '1.31.2'] }));
  expect(finding).toMatchObject({ id: 'rewrite-space-unseen', severity: 'warn' });
});

test('a superuser who is not the owner would make tables that the servers cannot read', async () => {
  const databases = await lab.copy('1.30.7');
  const admin = await makeUser('admin', 'superuser');
  const finding = only(await lab.problems(databases, { inputs: { default: admin }, hop: ['1.30.7', '1.31.2'] }));
  expect(finding).toMatchObject({ id: 'rights-new-owner', severity: 'warn' });
  expect(finding.action).toContain('ALTER TABLE current_chasm_executions OWNER TO postgres;');
});

test('a user who may not read what a backup reads', async () => {
  const databases = await lab.copy(OLD);
  const stranger = await makeUser('stranger');
  await lab.query(databases.default, 'grant select on all tables in schema public to stranger');
  await lab.query(databases.default, 'revoke select on shards from stranger');
  const findings = await lab.problems(databases, { inputs: { default: stranger }, hop: HOP });
  expect(said(findings)).toEqual(['block backup-rights-missing', 'warn shard-rows-unseen']);
  expect(findings[0]?.found).toContain('may not read shards');
  expect(findings[1]?.found).toContain('permission denied for table shards');
});

test('both stores in one database, by two names', async () => {
  const databases = await lab.copy(OLD);
  const dump = join(folder, 'visibility.sql');
  await lab.run('pg_dump', ['--exclude-table=schema_*', `--file=${dump}`, databases.visibility]);
  await lab.run('psql', ['--quiet', '--set=ON_ERROR_STOP=1', `--file=${dump}`, databases.default]);
  const shared = { default: databases.default, visibility: databases.default };
  const inputs = { visibility: { host: 'localhost' } };
  for (const looked of [
    { inputs, hop: HOP },
    { inputs, running: OLD },
  ]) {
    const finding = only(await lab.problems(shared, looked));
    expect(finding).toMatchObject({ id: 'shared-database', severity: 'block' });
    expect(finding.found).toContain(`the default store (database "${databases.default}" at 127.0.0.1:`);
    expect(finding.found).toContain(`and the visibility store (database "${databases.default}" at localhost:`);
  }
});

test('two stores that are mixed up, and a database without tables', async () => {
  const { default: first, visibility: second } = await lab.copy(OLD);
  const mixed = await lab.problems({ default: second, visibility: first }, { hop: HOP });
  expect(said(mixed)).toEqual(['block store-mixed-up', 'block store-mixed-up']);
  await lab.query('postgres', 'create database without_tables');
  const empty = await lab.problems({ default: 'without_tables', visibility: second }, { hop: HOP });
  expect(said(empty)).toEqual(['block store-empty']);
});

test('no connection left', async () => {
  const databases = await lab.copy(OLD);
  const owner = await makeUser('few', 'superuser');
  await lab.query('postgres', `alter database ${databases.visibility} connection limit 4`);
  const busy = await Promise.all([1, 2].map(() => lab.connect(databases.visibility)));
  const exhausted = only(await lab.problems(databases, { hop: HOP, maxConns: 1 }));
  expect(exhausted).toMatchObject({ id: 'connections-exhausted', severity: 'block' });
  expect(exhausted.found).toContain(
    `2 of 4 connections (CONNECTION LIMIT of database "${databases.visibility}") are in use`,
  );
  // Superusers pass over such limits; everybody else is refused.
  await lab.query('postgres', `alter role few nosuperuser; alter database ${databases.visibility} connection limit 2`);
  const refused = only(await lab.problems(databases, { hop: HOP, inputs: { visibility: owner }, maxConns: 1 }));
  expect(refused).toMatchObject({ id: 'store-unreachable', severity: 'block' });
  expect(refused.found).toMatch(/has no connection left.*too many connections for database/);
  await Promise.all(busy.map((client) => client.end()));
});

test('pools that are larger than what the database server has', async () => {
  const databases = await lab.copy(OLD);
  const finding = only(await lab.problems(databases, { hop: HOP, maxConns: 300 }));
  expect(finding).toMatchObject({ id: 'connections-headroom', severity: 'warn' });
  expect(finding.found).toContain('may open 600 connections');
  expect(finding.expected).toBe('at most 497 (500 connections less 3 reserved)');
});

test('a database that is read-only', async () => {
  const databases = await lab.copy(OLD);
  await lab.query('postgres', `alter database ${databases.visibility} set default_transaction_read_only = on`);
  const finding = only(await lab.problems(databases, { hop: HOP }));
  expect(finding).toMatchObject({ id: 'database-read-only', severity: 'block' });
  expect(finding.found).toContain(`(database "${databases.visibility}"`);
});

test('a standby', async () => {
  const databases = await lab.copy(OLD);
  const directory = join(folder, 'standby');
  const primary = await startPostgres({ directory });
  await lab.copyTo(primary, databases);
  await primary.stop();
  const { uid, gid } = await stat(primary.dataDir);
  await writeFile(join(primary.dataDir, 'standby.signal'), '');
  await chown(join(primary.dataDir, 'standby.signal'), uid, gid);
  const standby = await startPostgres({ directory });
  try {
    const { port, passwordFile } = standby;
    const inputs = { default: { port, password: { file: passwordFile } } };
    const finding = only(await lab.problems(databases, { hop: HOP, inputs }));
    expect(finding).toMatchObject({ id: 'database-standby', severity: 'block' });
    expect(finding.found).toContain(`the default store (database "${databases.default}" at 127.0.0.1:${port})`);
  } finally {
    await removePostgres(directory);
  }
}, 60_000);

onSmallDisk('no room for the backups', async () => {
  const databases = await lab.copy(OLD);
  await withSmallDisk('backup-disk', '1m', async (path) => {
    const backupDir = join(path, 'made', 'later');
    const finding = only(await lab.problems(databases, { hop: HOP, backupDir }));
    expect(finding).toMatchObject({ id: 'backup-space-missing', severity: 'block' });
    expect(finding.found).toBe(`backup folder ${backupDir} has 1.0 MiB (1048576 bytes) free`);
    expect(finding.expected).toMatch(/for the backups of the default store .* and the visibility store/);
  });
});

test('a backup folder that cannot be one', async () => {
  const databases = await lab.copy(OLD);
  await writeFile(join(folder, 'a-file'), '');
  const finding = only(await lab.problems(databases, { hop: HOP, backupDir: join(folder, 'a-file') }));
  expect(finding).toMatchObject({ id: 'backup-folder-unusable', severity: 'block' });
  expect(finding.found).toContain('a-file is no folder');
});

onSmallDisk('no room for the rewrite of a table', async () => {
  await withSmallDisk('data-disk', '64m', async (path) => {
    await lab.query('postgres', `create tablespace small location '${path}'`);
    const databases = await lab.copy(OLD, { with: 'tablespace small' });
    try {
      expect(await lab.problems(databases, { hop: HOP })).toEqual([]);
      const { bavail, bsize } = await statfs(path);
      await writeFile(join(path, 'filler'), Buffer.alloc(bavail * bsize - 100 * 1024));
      const finding = only(await lab.problems(databases, { hop: HOP }));
      expect(finding).toMatchObject({ id: 'rewrite-space-missing', severity: 'block' });
      expect(finding.found).toContain(`${path}, where the visibility store`);
      expect(finding.expected).toContain('for the rewrite of executions_visibility');
    } finally {
      await rm(join(path, 'filler'), { force: true }); // a database server does not let go of a disk that is full
      for (const database of Object.values(databases)) await lab.query('postgres', `drop database ${database}`);
      await lab.query('postgres', 'drop tablespace small');
    }
  });
});

test('a wrong password, a database that is not there, and no server', async () => {
  const databases = await lab.copy(OLD);
  const file = join(folder, 'wrong-password');
  await writeFile(file, 'not-the-password');
  const wrong = only(await lab.problems(databases, { hop: HOP, inputs: { visibility: { password: { file } } } }));
  expect(wrong).toMatchObject({ id: 'store-unreachable', severity: 'block' });
  expect(wrong.found).toContain(`the visibility store (database "${databases.visibility}"`);
  expect(wrong.found).toContain('refuses the password of user "postgres"');
  expect(JSON.stringify(wrong)).not.toContain('not-the-password');
  const absent = only(await lab.problems({ ...databases, default: 'nowhere' }, { running: OLD }));
  expect(absent).toMatchObject({ id: 'store-unreachable', severity: 'block' });
  expect(absent.found).toContain('has no database "nowhere"');
  const gone = only(await lab.problems(databases, { running: OLD, inputs: { default: { port: 1 } } }));
  expect(gone.found).toContain('cannot be reached');
});

test('a schema version that cannot be read', async () => {
  const databases = await lab.copy(OLD);
  await lab.query(databases.default, `update schema_version set db_name = 'another'`);
  const finding = only(await lab.problems(databases, { running: OLD }));
  expect(finding).toMatchObject({ id: 'schema-version-unseen', severity: 'block' });
  expect(finding.found).toContain('names there: "another"');
  await lab.query(databases.default, `update schema_version set db_name = current_database(), curr_version = 'x'`);
  expect(only(await lab.problems(databases, { hop: HOP })).found).toContain('says "x", which is no version');
});

test('no pg_dump but one that is too old', async () => {
  const databases = await lab.copy(OLD);
  const old = join(folder, 'old-pg');
  await mkdir(old);
  for (const name of ['pg_dump', 'pg_restore']) {
    await writeFile(join(old, name), '#!/bin/sh\necho "pg_dump (PostgreSQL) 9.6.24"\n', { mode: 0o755 });
  }
  process.env[PG_BIN_VARIABLE] = old;
  try {
    const finding = only(await lab.problems(databases, { hop: HOP }));
    expect(finding).toMatchObject({ id: 'backup-program-missing', severity: 'block' });
    expect(finding.found).toMatch(/the default store .* and the visibility store .*found only .*pg_dump 9\.6\.24/);
  } finally {
    process.env[PG_BIN_VARIABLE] = lab.postgres.binDir;
  }
});

/** Who is no superuser does not see the transactions of others; but it does see their locks, and says so. */
async function expectHidden(databases: { readonly default: string; readonly visibility: string }): Promise<void> {
  const watcher = await makeUser('watcher');
  await lab.query(databases.visibility, 'grant select on all tables in schema public to watcher');
  const findings = await lab.problems(databases, { hop: HOP, inputs: { visibility: watcher } });
  const [blocker, ...more] = findings.filter(({ id }) => /lock|transaction|blocker/.test(id));
  expect(more).toEqual([]);
  expect(blocker).toMatchObject({ id: 'blockers-unseen', severity: 'warn' });
  expect(blocker?.found).toMatch(
    /^transactions of 1 sessions of other users that hold locks on tables of the visibility/,
  );
}

test('a long transaction that holds a lock on the visibility table', async () => {
  const databases = await lab.copy(OLD);
  const client = await lab.connect(databases.visibility, { application_name: 'nightly-report' });
  await client.query('begin');
  await client.query(`select 1 from executions_visibility where workflow_id = 'order-of-a-customer'`);
  await sleep(LONG_TRANSACTION_MS + 500);
  const finding = only(await lab.problems(databases, { hop: HOP }));
  expect(finding).toMatchObject({ id: 'lock-in-the-way', severity: 'block' });
  expect(finding.found).toMatch(
    /^session \d+ \(user "postgres", application "nightly-report", idle in transaction\) has a transaction open for \d+ s/,
  );
  expect(finding.found).toContain('holding AccessShareLock on executions_visibility');
  expect(finding.found).toContain('"select ? from executions_visibility where workflow_id = ?"');
  expect(JSON.stringify(finding)).not.toContain('customer');
  // A hop that leaves this store as it is, and a look for its own sake, take no offence at some seconds.
  expect(await lab.problems(databases, { hop: ['1.28.1', '1.29.1'] })).toEqual([]);
  expect(await lab.problems(databases, { running: OLD })).toEqual([]);
  await expectHidden(databases);
  await lab.query('postgres', finding.action.replace(/^.*end it: /, ''));
  expect(await lab.problems(databases, { hop: HOP })).toEqual([]);
}, 60_000);

test('what is locked is not seen, and that is said; the survey does not wait for it', async () => {
  const databases = await lab.copy(OLD);
  const client = await lab.connect(databases.default);
  await client.query('begin; lock table shards in access exclusive mode');
  const findings = await lab.problems(databases, { running: OLD });
  await client.end();
  expect(said(findings)).toEqual(['warn schema-shape-unseen', 'warn shard-rows-unseen']);
  for (const { found } of findings) {
    expect(found).toContain(`the default store (database "${databases.default}"`);
    expect(found).toContain('another session holds a lock');
  }
});

test('shards without a row, and rows that are no shard', async () => {
  const databases = await lab.copy(OLD);
  await lab.query(databases.default, 'delete from shards where shard_id in (3, 8)');
  const missing = only(await lab.problems(databases, { hop: HOP }));
  expect(missing).toMatchObject({ id: 'shard-rows-missing', severity: 'block' });
  expect(missing.found).toContain('has no row for 2 of 8 shards: 3, 8');
  const more = await lab.copy(OLD);
  await lab.query(more.default, `insert into shards select 9, range_id, data, data_encoding from shards limit 1`);
  const extra = only(await lab.problems(more, { hop: HOP }));
  expect(extra).toMatchObject({ id: 'shard-rows-extra', severity: 'warn' });
});

test('an extension that the scripts use is gone', async () => {
  const databases = await lab.copy(OLD);
  await lab.query(databases.visibility, 'drop extension btree_gin cascade');
  const findings = await lab.problems(databases, { hop: HOP });
  const need = findings.find(({ id }) => id === 'script-need-missing');
  expect(need).toMatchObject({ severity: 'block', action: 'CREATE EXTENSION btree_gin;' });
  expect(need?.found).toContain('has no operator class of gin for type character');
  // Its indexes went with it.
  const lost = findings.filter(({ id }) => id === 'schema-index-missing');
  expect(lost.length).toBe(findings.length - 1);
  await lab.query(databases.visibility, need?.action ?? '');
  for (const { action = '' } of lost) await lab.query(databases.visibility, action);
  expect(await lab.problems(databases, { hop: HOP })).toEqual([]);
});

test('messages in the dead letter queue are a note', async () => {
  const databases = await lab.copy(OLD);
  await lab.query(databases.default, `insert into queue_messages values (2, 'q', 0, 1, '', 'Proto3')`);
  const findings = await lab.findings(databases, { running: OLD });
  expect(said(findings)).toEqual(['note dead-letters']);
  expect(findings[0]?.found).toContain('1 of history tasks');
});
