import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { TO_FILL_IN } from '../../../src/adapters/discovery/commented.js';
import type { FoundPodTarget } from '../../../src/adapters/discovery/find-release.js';
import type { FoundConfiguration } from '../../../src/adapters/discovery/release-configuration.js';
import { releaseFile } from '../../../src/adapters/discovery/release-file.js';
import { parseTarget } from '../../../src/core/input/input.js';

const ANSWERS = { name: 'prod', backupDir: '/backups' };
const ROLES = ['frontend', 'history', 'matching', 'worker'] as const;
const PLACE = { plugin: 'postgres12', host: 'db', port: 5432, user: 'temporal', tls: false };
const SEEN: FoundConfiguration = {
  shards: 512,
  stores: { default: { ...PLACE, database: 'temporal' }, visibility: { ...PLACE, database: 'temporal_visibility' } },
  rpcPorts: { frontend: 7233, history: 8234 },
  metricsAddress: '10.0.0.1:9090',
  tls: { internode: false, frontend: false },
  dynamic: ['configmap/temporal-dynamic-config: dynamic_config.yaml'],
  unseen: [],
};

function found(more: Partial<FoundPodTarget> = {}): FoundPodTarget {
  return {
    release: { namespace: 'temporal', name: 'temporal', by: 'chart', workloads: [] },
    context: 'admin@prod',
    workloads: ROLES.map((role) => ({
      role,
      name: `deployment/temporal-${role}`,
      container: `temporal-${role}`,
      image: 'temporalio/server:1.30.7',
      pods: 2,
      versions: ['1.30.7'],
    })),
    change: { by: 'helm', chart: 'temporal-1.1.1' },
    configuration: SEEN,
    address: 'temporal-frontend.temporal.svc:7233',
    unseen: [],
    ...more,
  };
}

test('a release of helm: all that ConfigMaps tell stands there, and what helm alone knows is to be filled in', () => {
  const { text, toDo } = releaseFile(found(), ANSWERS);
  expect(parseTarget(parse(text))).toMatchObject({
    ...{ name: 'prod', version: '1.30.7', connection: { address: 'temporal-frontend.temporal.svc:7233' } },
    stores: { default: { type: 'postgresql', host: 'db', password: { env: 'PROD_DB_PASSWORD' } } },
    driver: {
      ...{ type: 'kubernetes', namespace: 'temporal', context: 'admin@prod', release: 'temporal' },
      rpcPorts: { frontend: 7233, history: 8234 },
      change: { by: 'helm', chart: TO_FILL_IN },
    },
  });
  expect(parse(text)).not.toHaveProperty('driver.container');
  expect(text).toMatch(/^# Release temporal in namespace temporal, 512 shards\./);
  expect(text).toContain('its chart is temporal-1.1.1');
  expect(text).toContain('history deployment/temporal-history (2)');
  expect(text).toContain('# Dynamic configuration: configmap/temporal-dynamic-config: dynamic_config.yaml');
  expect(toDo).toEqual([
    expect.stringContaining('PROD_DB_PASSWORD'),
    expect.stringMatching(/^driver\.change\.chart: /),
    expect.stringContaining('helm get values temporal --namespace temporal'),
  ]);
});

test('a cluster of temporal-operator: its workloads by name, and the container that is named otherwise', () => {
  const { workloads } = found();
  const operated = found({
    release: { namespace: 'temporal', name: 'prod', by: 'operator', workloads: [] },
    workloads: workloads.map((one) => ({ ...one, container: 'service', name: `deployment/prod-${one.role}` })),
    change: { by: 'operator' },
  });
  const { driver } = parseTarget(parse(releaseFile(operated, ANSWERS).text));
  expect(driver).toMatchObject({
    workloads: { history: 'deployment/prod-history' },
    container: 'service',
    change: { by: 'operator', cluster: 'prod' },
  });
  expect(driver).not.toHaveProperty('release');
});

test('plain manifests that a reconciler keeps: by image, and who would go back is named', () => {
  const evidence = 'argocd.argoproj.io/instance: prod';
  const { text, toDo } = releaseFile(
    found({ change: { by: 'image', reconciler: { by: 'Argo CD', always: false, evidence } } }),
    ANSWERS,
  );
  expect(parseTarget(parse(text)).driver).toMatchObject({ change: { by: 'image' } });
  expect(toDo.at(-1)).toContain(evidence);
});

test('what lies in Secrets, or was not seen at all, is left to people, never guessed', () => {
  const { text, toDo } = releaseFile(
    found({
      address: undefined,
      workloads: found().workloads.map((one) => ({
        ...one,
        versions: one.role === 'history' ? ['1.31.2'] : ['1.30.7'],
      })),
      configuration: {
        ...SEEN,
        stores: { default: { ...PLACE, host: 'HIDDEN', database: 'temporal' } },
        metricsAddress: null,
        tls: { internode: true, frontend: true },
      },
    }),
    ANSWERS,
  );
  const target = parseTarget(parse(text));
  expect(target).toMatchObject({
    connection: { address: `${TO_FILL_IN}:7233` },
    stores: { default: { host: TO_FILL_IN, database: 'temporal' }, visibility: { host: TO_FILL_IN } },
    driver: { metricsPort: null },
  });
  expect(target.version).toBeUndefined();
  expect(text).not.toContain('HIDDEN');
  for (const start of ['its pods run 1.30.7 and 1.31.2', 'connection.address', 'connection.tls', 'driver.internodeTls'])
    expect(toDo).toContainEqual(expect.stringContaining(start));
  expect(toDo).toContainEqual('stores.default: where it is, its name and user');
  expect(toDo).toContainEqual('stores.visibility: where it is, its name and user, and its type');
});

test('an image that tells no version is said, and so is how clients reach it where a flag says so', () => {
  const image = 'registry/server:stable';
  const { text, toDo } = releaseFile(
    found({ workloads: found().workloads.map((one) => ({ ...one, image, versions: [] })) }),
    { ...ANSWERS, connection: { address: '10.0.0.1:7233', tls: true } },
  );
  expect(parseTarget(parse(text))).toMatchObject({ connection: { address: '10.0.0.1:7233', tls: true } });
  expect(toDo[0]).toContain(image);
});
