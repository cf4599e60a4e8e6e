import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { TO_FILL_IN } from '../../../src/adapters/discovery/commented.js';
import type { FoundNode, FoundProcess, FoundTarget } from '../../../src/adapters/discovery/find-target.js';
import { rolloutFile } from '../../../src/adapters/discovery/rollout-file.js';
import { targetFile } from '../../../src/adapters/discovery/target-file.js';
import { asSqlStore, parseRolloutInput, parseTarget, type Role } from '../../../src/core/input/input.js';
import { listedNodes } from '../../../src/core/input/listed-nodes.js';

const ANSWERS = { name: 'prod', connection: { address: '10.0.0.1:7233' }, backupDir: '/backups' };
const ROLES: readonly Role[] = ['frontend', 'history', 'matching', 'worker'];
const PLACE = { plugin: 'postgres12', host: 'db', port: 5432, user: 'temporal', tls: false };

const plain = (role: Role): FoundProcess => ({
  program: '/opt/temporal/1.30.7/temporal-server',
  configDir: `/etc/temporal/${role}`,
  configEnv: 'production',
  logFile: `/var/log/temporal/${role}.log`,
  metricsAddress: '0.0.0.0:9090',
  allowNoAuth: false,
});

function found(processOf: (role: Role) => FoundProcess | undefined, more: Partial<FoundTarget> = {}): FoundTarget {
  return {
    info: {
      clusterId: 'id',
      clusterName: 'active',
      serverVersion: '1.30.7',
      historyShardCount: 512,
      persistenceStore: 'postgres12',
      visibilityStore: 'postgres12',
    },
    nodes: ROLES.map((role, index): FoundNode => {
      const process = processOf(role);
      return { name: `${role}-1`, role, rpcAddress: `10.0.0.${index + 1}:7233`, ...(process && { process }) };
    }),
    stores: { default: { ...PLACE, database: 'temporal' }, visibility: { ...PLACE, database: 'temporal_visibility' } },
    unseen: [],
    ...more,
  };
}

test('plain processes: everything was found but the password, and no word of it is a secret', () => {
  const { text, toDo } = targetFile(found(plain), ANSWERS);
  expect(parseTarget(parse(text))).toMatchObject({
    name: 'prod',
    version: '1.30.7',
    frontends: ['10.0.0.1:7233'],
    stores: { default: { host: 'db', database: 'temporal', password: { env: 'PROD_DB_PASSWORD' } } },
    driver: {
      type: 'process',
      nodes: expect.arrayContaining([
        expect.objectContaining({
          name: 'history-1',
          rpcAddress: '10.0.0.2:7233',
          // Where it listens on every address, others reach it by that of the ring.
          metricsAddress: '10.0.0.2:9090',
          configDir: '/etc/temporal/history',
          configEnv: 'production',
        }),
      ]),
    },
  });
  expect(toDo).toEqual([expect.stringContaining('PROD_DB_PASSWORD')]);
  expect(text).toMatch(/^# Cluster active: 1\.30\.7, 512 shards\./);
  expect(text).toContain('# yaml-language-server: $schema=./target.schema.json');
  expect(text).toContain('# Seen by the workers of this target, with room');
});

test('units: the program of each version is where that of this one is', () => {
  const { text, toDo } = targetFile(
    found((role) => ({ ...plain(role), unit: `temporal-${role}.service` })),
    ANSWERS,
  );
  expect(parseTarget(parse(text)).driver).toMatchObject({
    type: 'systemd',
    versionSwitch: { by: 'dropIn', program: '/opt/temporal/{version}/temporal-server' },
    nodes: expect.arrayContaining([expect.objectContaining({ unit: 'temporal-worker.service' })]),
  });
  expect(toDo).toHaveLength(1);
});

test('units whose program does not tell its version: the place has to be filled in', () => {
  const { text, toDo } = targetFile(
    found((role) => ({ ...plain(role), program: '/usr/bin/temporal-server', unit: `temporal-${role}.service` })),
    ANSWERS,
  );
  expect(text).toContain(TO_FILL_IN);
  expect(toDo).toContain('driver.versionSwitch.program: where the server of each version will be');
});

test('processes that share a unit are no units of their own', () => {
  const { text } = targetFile(
    found((role) => ({ ...plain(role), unit: 'temporal.service' })),
    ANSWERS,
  );
  expect(parseTarget(parse(text)).driver.type).toBe('process');
});

test('servers elsewhere: the rings still name each of them, and what is missing is said where it is missing', () => {
  const { text, toDo } = targetFile(
    found((role) => (role === 'history' ? plain(role) : undefined), { stores: {} }),
    ANSWERS,
  );
  const target = parseTarget(parse(text));
  const { driver, stores } = target;
  expect(driver.type).toBe('command');
  expect(listedNodes(target)?.map(({ name }) => name)).toEqual(ROLES.map((role) => `${role}-1`));
  expect(asSqlStore(stores.default).host).toBe(TO_FILL_IN);
  expect(text).toContain('# frontend-1: not on this host');
  expect(text).not.toContain('# history-1: not on this host');
  expect(toDo).toEqual([
    expect.stringMatching(/^driver: /),
    expect.stringMatching(/^stores\.default: /),
    expect.stringMatching(/^stores\.visibility: /),
    expect.stringContaining('PROD_DB_PASSWORD'),
  ]);
});

test('Cassandra with a search server beside it', () => {
  const cassandra = {
    hosts: ['c1', 'c2'],
    port: 9042,
    keyspace: 'temporal',
    user: 'temporal',
    datacenter: 'dc1',
    tls: true,
  };
  const search = { url: 'https://search:9200', index: 'temporal_visibility_v1_prod', user: undefined };
  const { text } = targetFile(found(plain, { stores: { default: cassandra, visibility: search } }), ANSWERS);
  expect(parseTarget(parse(text)).stores).toMatchObject({
    default: {
      ...{ type: 'cassandra', hosts: ['c1', 'c2'], port: 9042, keyspace: 'temporal', datacenter: 'dc1', tls: true },
      password: { env: 'PROD_DB_PASSWORD' },
    },
    visibility: { type: 'elasticsearch', url: 'https://search:9200', index: 'temporal_visibility_v1_prod' },
  });
  const info = { ...found(plain).info, persistenceStore: 'cassandra', visibilityStore: 'elasticsearch' };
  const unseen = targetFile(found(plain, { stores: {}, info }), ANSWERS).text;
  expect(parseTarget(parse(unseen)).stores).toMatchObject({
    default: { type: 'cassandra', hosts: [TO_FILL_IN] },
    visibility: { type: 'elasticsearch', index: expect.stringContaining('visibility') },
  });
});

test('a roll-out of two target files is one that can be started, with their comments and without those about the files', () => {
  const live = targetFile(found(plain), ANSWERS).text;
  const staging = live
    .replaceAll('prod', 'staging')
    .replaceAll('10.0.0.', '10.0.1.')
    .replaceAll('host: db', 'host: db2');
  const text = rolloutFile({ to: '1.31', staging, live });
  const input = parseRolloutInput(parse(text));
  expect([input.to, input.staging.name, input.live.name]).toEqual(['1.31', 'staging', 'prod']);
  expect(text).toContain('$schema=./rollout.schema.json');
  expect(text).not.toContain('target.schema.json');
  expect(text.match(/# Seen by the workers of this target/g)).toHaveLength(2);
});
