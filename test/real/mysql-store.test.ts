import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MYSQL_BIN_VARIABLE } from '../../src/adapters/mysql/mysql-programs.js';
import { withMysql } from '../../src/adapters/mysql/mysql-connection.js';
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
import type { MysqlStore } from '../../src/core/input/input.js';
import { startMysql, type LabMysql } from '../../src/lab/mysql.js';

const OLD = '1.29.1';
const tools = createToolResolver();
let mysql: LabMysql;
let folder: string;

beforeAll(async () => {
  mysql = await startMysql();
  folder = await mkdtemp(join(tmpdir(), 'temporal-upgrade-mysql-'));
  process.env[MYSQL_BIN_VARIABLE] = mysql.binDir;
}, 600_000);
afterAll(async () => {
  await mysql?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

function inputOf(database: string, over: Partial<MysqlStore> = {}): MysqlStore {
  const { host, port, user, passwordFile } = mysql;
  return { type: 'mysql', plugin: 'mysql8', host, port, database, user, password: { file: passwordFile }, ...over };
}

/** A pair of databases of their own, at the schema of 1.29.1. */
async function freshStores(name: string) {
  const names = { default: name, visibility: `${name}_visibility` };
  for (const kind of ['default', 'visibility'] as const) {
    const input = inputOf(names[kind]);
    await withMysql({ ...input, database: 'mysql' }, (client) =>
      client.act(`create database ${client.name(names[kind])} character set utf8mb4`),
    );
    const tool = await bringSchemaTool(tools, { folder: scriptsFolder(input, kind), serverVersion: OLD }, {});
    const env = sqlToolEnvironment(input, mysql.password);
    await runCommand(tool.program, ['setup-schema', '--version', '0.0'], { env });
    await runCommand(tool.program, updateSchemaArguments(tool), { env });
  }
  const store = (kind: StoreRole) => createStore(inputOf(names[kind]), kind, tools);
  return { names, default: store('default'), visibility: store('visibility') };
}

test('describes both stores, and updates their schemas hop by hop with the real tools', async () => {
  const stores = await freshStores('hops');
  expect(await stores.default.describe()).toEqual({
    product: 'MySQL 8.0.31',
    database: 'hops',
    schemaVersion: '1.18',
    bytes: expect.any(Number),
  });
  expect((await stores.visibility.describe()).schemaVersion).toBe('1.9');
  await stores.visibility.updateSchema({ to: '1.13', serverVersion: '1.30.7' });
  await stores.default.updateSchema({ to: '1.19', serverVersion: '1.31.2' });
  await stores.visibility.updateSchema({ to: '1.14', serverVersion: '1.31.2' });
  expect(await stores.default.readSchemaVersion()).toBe('1.19');
  expect(await stores.visibility.readSchemaVersion()).toBe('1.14');
  await expect(stores.visibility.updateSchema({ to: '1.13', serverVersion: '1.30.7' })).rejects.toThrow(
    /^schema too new: .* has schema 1\.14, newer than the 1\.13/,
  );
}, 300_000);

test('surveys both stores', async () => {
  const stores = await freshStores('survey');
  for (const kind of ['default', 'visibility'] as const) {
    const survey = await stores[kind].survey({
      folder: scriptsFolder({ plugin: 'mysql8' }, kind),
      schemaTo: kind === 'default' ? '1.19' : '1.14',
      backupDir: folder,
    });
    expect(survey.database).toEqual({ seen: { product: 'MySQL', version: '8.0.31' } });
    // The tables are as the scripts make them, by the catalogue's shapes of MySQL.
    expect(survey.shape).toEqual({ seen: [] });
    expect(Object.entries(survey).filter(([, value]) => typeof value === 'object' && 'unseen' in value)).toEqual([]);
  }
}, 300_000);

test('goes back to a backup, beside the database and in place', async () => {
  const stores = await freshStores('restored');
  const file = join(folder, 'restored.sql');
  await withMysql(inputOf('restored'), async (client) => {
    for (let id = 1; id <= 3; id += 1)
      await client.act('insert into shards (shard_id, range_id, data, data_encoding) values (?, ?, ?, ?)', [
        id,
        7,
        Buffer.from([39, 92, 40, 41, 59, 0, 255]),
        'Proto3',
      ]);
  });
  const backup = await stores.default.backUp(file);
  await stores.default.updateSchema({ to: '1.19', serverVersion: '1.31.2' });
  const order = { file, sha256: backup.sha256, schema: '1.18', stamp: 's1' };
  expect((await stores.default.restore.findWay()).way).toBe('beside');
  const manifest = await stores.default.restore.bring(order);
  expect(manifest.rows).toMatchObject({ shards: 3 });
  expect(await stores.default.readSchemaVersion()).toBe('1.19');
  expect(await stores.default.restore.takePlace(order)).toBe('database restored_before_restore_s1');
  expect(await stores.default.restore.takePlace(order)).toBe('database restored_before_restore_s1');
  expect(await stores.default.readSchemaVersion()).toBe('1.18');
}, 300_000);
