import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { withCassandra, type CassandraClient } from '../../src/adapters/cassandra/cassandra-connection.js';
import {
  bringCassandraTool,
  cassandraScripts,
  cassandraToolEnvironment,
} from '../../src/adapters/cassandra/cassandra-tool.js';
import { onNode } from '../../src/adapters/cassandra/snapshots.js';
import { createStore } from '../../src/adapters/stores.js';
import { createToolResolver } from '../../src/adapters/tools/tool-resolver.js';
import { CassandraStore } from '../../src/core/input/input.js';
import { startCassandra, type LabCassandra } from '../../src/lab/cassandra.js';
import { cassandraServer } from '../../src/lab/store-server.js';
import { testEveryStore } from '../helpers/every-store.js';
import { failureOf } from '../helpers/failure-of.js';
import { SHARD_INFO } from '../helpers/shard-rows.js';

/** What store-contract.test.ts asks of SQL databases, of a keyspace on a real node of Cassandra with the real tools. */

const OLD = '1.28.1';
const OLD_SCHEMA = '1.12';
/** Makes one table. */
const NEXT = { to: '1.13', serverVersion: '1.29.1' } as const;
const TIMEOUT_MS = 180_000;
const tools = createToolResolver();
let cassandra: LabCassandra;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'temporal-upgrade-cassandra-'));
  cassandra = await startCassandra(join(folder, 'node'));
}, 900_000);
afterAll(async () => {
  await cassandra?.stop();
  await rm(folder, { recursive: true, force: true });
}, TIMEOUT_MS);

testEveryStore('Cassandra', {
  part: 'default',
  product: /^Cassandra 4\.1\.7$/,
  server: () => cassandraServer(cassandra),
  elsewhere: (input, port) => CassandraStore.parse({ ...input, port }),
});

function inputOf(keyspace: string, over: object = {}): CassandraStore {
  return CassandraStore.parse({ ...cassandraServer(cassandra).inputOf(keyspace), ...over });
}
const inKeyspace = <T>(keyspace: string, work: (client: CassandraClient) => Promise<T>) =>
  withCassandra(inputOf(keyspace), work);
const versionIn = (keyspace: string) =>
  inKeyspace(keyspace, (client) =>
    client.ask<{ curr_version: string }>('select curr_version from schema_version where keyspace_name = ?', [keyspace]),
  );

/** A keyspace of its own, at the schema of 1.28.1. */
async function freshStore(keyspace: string) {
  await cassandraServer(cassandra).setUp('default', keyspace, { version: OLD, tools });
  return createStore(inputOf(keyspace), 'default', tools);
}

test(
  'describes a store and updates its schema; again is nothing, and back is refused',
  async () => {
    const store = await freshStore('hops');
    expect(await store.describe()).toEqual({
      product: 'Cassandra 4.1.7',
      database: 'hops',
      schemaVersion: OLD_SCHEMA,
      bytes: expect.any(Number),
    });
    await store.updateSchema(NEXT);
    expect(await store.readSchemaVersion()).toBe('1.13');
    const steps = () => inKeyspace('hops', (client) => client.ask('select * from schema_update_history'));
    const before = await steps();
    await store.updateSchema({ to: '1.13', serverVersion: '1.30.7' }); // this hop does not touch it
    expect(await steps()).toEqual(before);
    await expect(store.updateSchema({ to: OLD_SCHEMA, serverVersion: OLD })).rejects.toThrow(
      /^schema too new: .* has schema 1\.13, newer than the 1\.12/,
    );
  },
  TIMEOUT_MS * 2,
);

test(
  'finds nothing wrong with the tables that the scripts made, and sees all that a hop depends on',
  async () => {
    const store = await freshStore('survey');
    const survey = await store.survey({ folder: cassandraScripts('default'), schemaTo: '1.13', backupDir: folder });
    expect(survey.shape).toEqual({ seen: [] });
    expect(survey.scripts).toEqual({
      seen: {
        ...{ from: OLD_SCHEMA, to: '1.13', changes: [], creates: ['tasks_v2'], rewrites: [], missing: [] },
        leftOvers: [],
      },
    });
    expect(survey.nodes).toEqual({
      seen: [
        { address: '127.0.0.1', datacenter: 'datacenter1', version: '4.1.7', schema: expect.any(String), up: true },
      ],
    });
    expect(survey.backup.program).toEqual({ seen: 'nodetool on 1 node' });
    const unseen = Object.entries(survey).filter(
      ([, value]) => typeof value === 'object' && value !== null && 'unseen' in value,
    );
    expect(unseen).toEqual([['disk', { unseen: 'each node has its own' }]]);
    const { queryMs, bytes, connections } = await store.measure(10_000);
    expect(queryMs).toBeGreaterThan(0);
    expect(bytes).toBeGreaterThanOrEqual(0);
    expect(connections).toBeUndefined();
    await store.close(); // what was opened to measure
  },
  TIMEOUT_MS,
);

test(
  'sees what is not as the scripts made it',
  async () => {
    const store = await freshStore('otherwise');
    await inKeyspace('otherwise', async (client) => {
      await client.change('alter table tasks drop task_encoding');
      await client.change('drop index if exists cm_lastheartbeat_idx');
      await client.change('create table of_somebody (id int primary key)');
    });
    const { shape } = await store.survey({ folder: cassandraScripts('default'), backupDir: folder });
    expect(JSON.stringify(shape)).toContain('task_encoding');
    expect(JSON.stringify(shape)).toContain('cm_lastheartbeat_idx');
  },
  TIMEOUT_MS,
);

test(
  'tells each reason apart, and names the place',
  async () => {
    await freshStore('reasons');
    await withCassandra(inputOf('system'), (client) =>
      client.change("create keyspace vacant with replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"),
    );
    const nobodyListens = createServer().listen(0, '127.0.0.1');
    await once(nobodyListens, 'listening');
    const address = nobodyListens.address();
    const freePort = typeof address === 'object' && address !== null ? address.port : 0;
    await new Promise((resolve) => nobodyListens.close(resolve));
    const cases: [reason: string, input: CassandraStore, kind: 'default' | 'visibility', text: RegExp][] = [
      ['no-database', inputOf('nowhere'), 'default', /has no keyspace "nowhere"/],
      ['no-schema-version', inputOf('vacant'), 'default', /no table schema_version/],
      ['unreachable', inputOf('reasons', { port: freePort }), 'default', /cannot be reached/],
      ['unreachable', inputOf('reasons', { hosts: ['no-such-host.invalid'] }), 'default', /cannot be reached/],
      ['tls', inputOf('reasons', { tls: true }), 'default', /TLS settings/],
      ['wrong-kind', inputOf('reasons'), 'visibility', /tables of the default store/],
    ];
    for (const [reason, input, kind, text] of cases) {
      const failure = await failureOf(createStore(input, kind, tools).describe());
      expect(failure.message).toMatch(text);
      expect(failure.facts).toMatchObject({ reason });
    }
  },
  TIMEOUT_MS,
);

describe('a schema step that is not alone, or is killed', () => {
  test(
    'lets one of two at once do the work, and the other wait',
    async () => {
      const store = await freshStore('two_at_once');
      const progress: string[] = [];
      const update = () => store.updateSchema(NEXT, { onProgress: (line) => progress.push(line) });
      await Promise.all([update(), update()]);
      expect(progress.some((line) => line.startsWith('waiting: another roll-out'))).toBe(true);
      expect(await store.readSchemaVersion()).toBe('1.13');
      const runs = await inKeyspace('two_at_once', (client) =>
        client.ask<{ new_version: string }>('select new_version from schema_update_history'),
      );
      expect(runs.filter(({ new_version }) => new_version === '1.13')).toHaveLength(1);
      // The lock is gone, and only the keyspace's own row is left.
      expect(
        await inKeyspace('two_at_once', (client) => client.ask('select keyspace_name from schema_version')),
      ).toHaveLength(1);
    },
    TIMEOUT_MS,
  );

  test(
    'is done by the next try, whenever the tool was killed',
    async () => {
      const tool = await bringCassandraTool(tools, { kind: 'default', serverVersion: NEXT.serverVersion }, {});
      for (const afterMs of [300, 600, 900, 1_200, 1_600, 2_000]) {
        const keyspace = `killed_${afterMs}`;
        const store = await freshStore(keyspace);
        const killed = spawn(tool.program, ['update-schema', ...tool.scripts, '--version', NEXT.to], {
          env: cassandraToolEnvironment(inputOf(keyspace), undefined),
          stdio: 'ignore',
        });
        const ended = once(killed, 'exit');
        await sleep(afterMs);
        killed.kill('SIGKILL');
        await ended;
        await store.updateSchema(NEXT);
        expect(await store.readSchemaVersion()).toBe('1.13');
        const { shape } = await store.survey({ folder: cassandraScripts('default'), backupDir: folder });
        expect(shape).toEqual({ seen: [] });
      }
    },
    TIMEOUT_MS * 2,
  );

  test(
    'reports what the tool says when it fails',
    async () => {
      const store = await freshStore('failing');
      await expect(store.updateSchema({ to: '1.99', serverVersion: '1.29.1' })).rejects.toThrow(
        /end version '?1\.99'? specified but not found/,
      );
      expect(await versionIn('failing')).toEqual([{ curr_version: OLD_SCHEMA }]);
    },
    TIMEOUT_MS,
  );
});

async function addShards(keyspace: string, count: number): Promise<void> {
  await inKeyspace(keyspace, (client) =>
    client.askEach(
      Array.from({ length: count }, (_, index) => index + 1),
      `insert into executions (shard_id, type, namespace_id, workflow_id, run_id, visibility_ts, task_id, shard, shard_encoding, range_id)
       values (?, 0, 10000000-1000-f000-f000-000000000000, '20000000-1000-f000-f000-000000000000', 30000000-1000-f000-f000-000000000000,
               '2000-01-01T00:00:00.000Z', -11, ?, 'Proto3', 9007199254740993)`,
      (id) => [id, Buffer.from(SHARD_INFO, 'base64')],
      64,
    ),
  );
}

test(
  'reads 16,384 shards of a real table, in order',
  async () => {
    const store = await freshStore('shards');
    await addShards('shards', 16_384);
    const rows = await store.readShards();
    expect(rows.map(({ shardId }) => shardId)).toEqual(Array.from({ length: 16_384 }, (_, index) => index + 1));
    expect(rows[16_383]).toEqual({
      shardId: 16_384,
      rangeId: '9007199254740993',
      owner: '127.0.0.1:17234-10-e198ef4c-4cac-484f-852a-5d5f46a7a2e8',
      updatedAt: '2026-11-21T11:33:07.108Z',
    });
  },
  TIMEOUT_MS,
);

test(
  'backs up by a snapshot of each node, reads it back, keeps a whole one and replaces a damaged one',
  async () => {
    const store = await freshStore('backup');
    await addShards('backup', 5);
    const file = join(folder, 'backups', 'default.snapshot');
    const first = await store.backUp(file);
    expect(first).toMatchObject({ file, bytes: (await stat(file)).size });
    expect(first.entries).toBeGreaterThan(20);
    expect((await stat(file)).mode & 0o077).toBe(0);
    const names = await readdir(join(folder, 'backups'));
    expect(names.sort()).toEqual(['default.snapshot', 'default.snapshot.127.0.0.1.tar', 'default.snapshot.json']);
    expect((await stat(join(folder, 'backups', 'default.snapshot.127.0.0.1.tar'))).mode & 0o077).toBe(0);
    const manifest = JSON.parse(await readFile(`${file}.json`, 'utf8')) as Record<string, unknown>;
    expect(manifest).toMatchObject({ database: 'backup', schemaVersion: OLD_SCHEMA, sha256: first.sha256 });
    expect(await store.backUp(file)).toEqual(first);

    await damage(`${file}.127.0.0.1.tar`);
    const order = { file, sha256: first.sha256, schema: OLD_SCHEMA, stamp: '20260101100000' };
    await failureOf(store.restore.checkBackup(order));
    await failureOf(store.restore.bring(order));
    expect(await versionIn('backup')).toEqual([{ curr_version: OLD_SCHEMA }]);
    const other = await freshStore('backup_other');
    expect((await failureOf(other.backUp(file))).message).toContain('it is left alone');
  },
  TIMEOUT_MS,
);

test(
  'a backup that fails leaves no snapshot on the nodes, where it would fill their disks',
  async () => {
    await freshStore('failed');
    const { snapshots } = inputOf('failed');
    const input = inputOf('failed', { snapshots: { ...snapshots, dataDir: join(folder, 'elsewhere') } });
    const store = createStore(input, 'default', tools);
    await expect(store.backUp(join(folder, 'failed.snapshot'))).rejects.toThrow(/elsewhere/);
    const { stdout } = await onNode(input, '127.0.0.1').nodetool(['listsnapshots']);
    expect(stdout).not.toContain('failed');
  },
  TIMEOUT_MS,
);

test(
  'goes back to a backup',
  async () => {
    const store = await freshStore('back');
    await addShards('back', 5);
    const file = join(folder, 'back.snapshot');
    const { sha256 } = await store.backUp(file);
    const before = await store.readShards();
    expect(before).toHaveLength(5);
    await store.updateSchema(NEXT);
    await addShards('back', 9);
    await inKeyspace('back', (client) => client.change('create table later (id int primary key)'));

    const order = { file, sha256, schema: OLD_SCHEMA, stamp: '20260101100000' };
    expect((await store.restore.findWay()).way).toBe('in-place');
    await store.restore.checkBackup(order);
    await store.restore.bring(order);
    const kept = await store.restore.takePlace(order);
    // Run again after it was killed.
    await store.restore.bring(order);
    expect(await store.restore.takePlace(order)).toBe(kept);
    expect(await store.readSchemaVersion()).toBe(OLD_SCHEMA);
    expect(await store.readShards()).toEqual(before);
    const { shape } = await store.survey({ folder: cassandraScripts('default'), backupDir: folder });
    expect(shape).toEqual({ seen: [] });
    // It goes forward again.
    await store.updateSchema(NEXT);
  },
  TIMEOUT_MS,
);

test(
  'makes no second backup of what was there before where an earlier try has had one kept elsewhere',
  async () => {
    const store = await freshStore('elsewhere');
    const file = join(folder, 'elsewhere.snapshot');
    const { sha256 } = await store.backUp(file);
    const before = await store.readShards();
    await addShards('elsewhere', 3);
    const asked: string[] = [];
    const keepBefore = (path: string) => Promise.resolve(void asked.push(path));
    const order = { file, sha256, schema: OLD_SCHEMA, stamp: '20260101100000', keepBefore };
    await store.restore.bring(order);
    expect(asked).toEqual([await store.restore.takePlace(order)]);
    await expect(stat(asked[0] ?? '')).rejects.toThrow('ENOENT');
    expect(await store.readShards()).toEqual(before);
  },
  TIMEOUT_MS,
);

test(
  'leaves no session open',
  async () => {
    const open = () =>
      withCassandra(inputOf('system'), (client) =>
        client.ask<{ address: unknown }>('select address, port, driver_name from system_views.clients'),
      );
    for (let tried = 0; tried < 20 && (await open()).length > 2; tried += 1) await sleep(250);
    // This question has two of its own: one for each connection of the driver.
    expect((await open()).length).toBeLessThanOrEqual(2);
  },
  TIMEOUT_MS,
);

async function damage(file: string): Promise<void> {
  const handle = await open(file, 'r+');
  await handle.write(Buffer.from('damage'), 0, 6, 2_000);
  await handle.close();
}
