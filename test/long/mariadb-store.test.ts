import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { withMysql } from '../../src/adapters/mysql/mysql-connection.js';
import { MYSQL_BIN_VARIABLE } from '../../src/adapters/mysql/mysql-programs.js';
import { createStore } from '../../src/adapters/stores.js';
import { createToolResolver } from '../../src/adapters/tools/tool-resolver.js';
import { asSqlStore, StoreInput } from '../../src/core/input/input.js';
import { startCluster, type LabCluster } from '../../src/lab/cluster.js';
import { setUpDatabase } from '../../src/lab/databases.js';
import { startMysql, type LabMysql } from '../../src/lab/mysql.js';
import { startPostgres, type LabPostgres } from '../../src/lab/postgres.js';
import { sqlServer } from '../../src/lab/store-server.js';
import { testEveryStore } from '../helpers/every-store.js';
import { failureOf } from '../helpers/failure-of.js';

/** MariaDB, which speaks as MySQL does: a default store like every other, and none for visibility. */

const TIMEOUT_MS = 180_000;
const tools = createToolResolver();
let mariadb: LabMysql;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'temporal-upgrade-mariadb-'));
  mariadb = await startMysql({ mariadb: true });
  process.env[MYSQL_BIN_VARIABLE] = mariadb.binDir;
}, 600_000);
afterAll(async () => {
  delete process.env[MYSQL_BIN_VARIABLE];
  await mariadb?.stop();
  await rm(folder, { recursive: true, force: true });
}, TIMEOUT_MS);

testEveryStore('MariaDB', {
  part: 'default',
  product: /^MariaDB 1\d\.\d+\.\d+$/,
  server: () => sqlServer(mariadb),
  elsewhere: (input, port) => StoreInput.parse({ ...input, port }),
});

test(
  'visibility on it is refused, with the reason and where to go; its scripts do fail',
  async () => {
    await mariadb.createDatabase('seen');
    const input = asSqlStore(sqlServer(mariadb).inputOf('seen'));
    if (input.type !== 'mysql') throw new TypeError(`${input.type} in place of MariaDB`);
    const setUp = setUpDatabase(mariadb, { part: 'visibility', database: 'seen', version: '1.29.1', tools });
    await expect(setUp).rejects.toThrow(/1064/);
    const { message, facts } = await failureOf(createStore(input, 'visibility', tools).describe());
    expect(message).toMatch(/is MariaDB 1\d\.\S+, not MySQL: the scripts of visibility fail on it .*error 1064/);
    expect(message).toContain('Move visibility to MySQL 8, PostgreSQL 12 or Elasticsearch');
    expect(facts).toMatchObject({ reason: 'mariadb', product: 'MariaDB' });
    expect(await withMysql(input, (client) => client.ask('select 1 as n'))).toEqual([{ n: 1 }]);
  },
  TIMEOUT_MS,
);

test(
  'servers run on it by the connection attribute that the documentation names',
  async () => {
    const postgres: LabPostgres = await startPostgres();
    let cluster: LabCluster | undefined;
    try {
      const database = { default: sqlServer(mariadb), visibility: sqlServer(postgres) };
      cluster = await startCluster({
        name: 'maria',
        version: '1.29.1',
        database,
        tools,
        directory: join(folder, 'maria'),
      });
      const store = createStore(cluster.target.stores.default, 'default', tools);
      const shards = await store.readShards();
      expect(shards).toHaveLength(8);
      expect(new Set(shards.map(({ owner }) => owner !== ''))).toEqual(new Set([true]));
    } finally {
      await cluster?.stop();
      await postgres.stop();
    }
  },
  TIMEOUT_MS,
);
