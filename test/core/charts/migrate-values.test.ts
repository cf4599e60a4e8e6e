import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { migrateValues } from '../../../src/core/charts/migrate-values.js';
import { moveLine } from '../../../src/core/charts/migration.js';
import { isMap, type Values } from '../../../src/core/charts/values.js';

const yaml = (text: string): Values => {
  const values: unknown = parse(text);
  if (!isMap(values)) throw new Error('the test wants a map');
  return values;
};
/** A release of 0.7x on databases of its own, with nothing that a chart brought. */
const OLD = `
imagePullSecrets: {}
cassandra: { enabled: false }
mysql: { enabled: false }
postgresql: { enabled: false }
elasticsearch: { enabled: false }
prometheus: { enabled: false }
grafana: { enabled: false }
schema: { createDatabase: { enabled: false }, setup: { enabled: false, backoffLimit: 7 }, update: { enabled: false }, podLabels: { a: b } }
server:
  replicaCount: 2
  metrics: { tags: { env: prod }, annotations: { enabled: false } }
  internalFrontend: { enabled: true }
  config:
    numHistoryShards: 4
    prometheus: { timerType: histogram, listenAddress: '0.0.0.0:9095' }
    persistence:
      default:
        driver: sql
        cassandra: { keyspace: unused }
        sql: { driver: postgres12, host: db, port: 5432, user: temporal, existingSecret: store, maxConns: 50 }
      visibility:
        driver: sql
        sql: { driver: postgres12, host: db, port: 5432, database: seen, user: temporal, password: very-secret, tls: { enabled: true } }
`;
const NEW = `
imagePullSecrets: []
schema: { backoffLimit: 7, podLabels: { a: b } }
server:
  replicaCount: 2
  metrics: { annotations: { enabled: false } }
  internal-frontend: { enabled: true }
  config:
    metrics:
      tags: { env: prod }
      prometheus: { timerType: histogram, listenAddress: '0.0.0.0:9095' }
    persistence:
      numHistoryShards: 4
      datastores:
        default:
          sql:
            createDatabase: false
            manageSchema: false
            pluginName: postgres12
            driverName: postgres12
            databaseName: temporal
            connectAddr: db:5432
            connectProtocol: tcp
            user: temporal
            existingSecret: store
            maxConns: 50
            maxIdleConns: 20
            maxConnLifetime: 1h
        visibility:
          sql:
            createDatabase: false
            manageSchema: false
            pluginName: postgres12
            driverName: postgres12
            databaseName: seen
            connectAddr: db:5432
            connectProtocol: tcp
            user: temporal
            password: very-secret
            maxConns: 20
            maxIdleConns: 20
            maxConnLifetime: 1h
            tls: { enabled: true }
`;

test('values of a chart before 1.0 as the newest one wants them; what is said of it has keys, no values', () => {
  const { values, moved, left } = migrateValues(yaml(OLD), { to: '1.6.0' });
  expect(values).toEqual(yaml(NEW));
  expect(left).toEqual([]);
  expect(moved.map(moveLine).sort()).toEqual(
    [
      'cassandra goes',
      'elasticsearch goes',
      'grafana goes',
      'imagePullSecrets: {} -> imagePullSecrets: []',
      'mysql goes',
      'postgresql goes',
      'prometheus goes',
      'schema.createDatabase -> createDatabase of each store',
      'schema.setup -> manageSchema of each store',
      'schema.setup.backoffLimit -> schema.backoffLimit',
      'schema.update -> manageSchema of each store',
      'server.config.numHistoryShards -> server.config.persistence.numHistoryShards',
      'server.config.persistence.default -> server.config.persistence.datastores.default (driver: pluginName and driverName; host and port: connectAddr; database: databaseName)',
      'server.config.persistence.visibility -> server.config.persistence.datastores.visibility (driver: pluginName and driverName; host and port: connectAddr; database: databaseName)',
      'server.config.prometheus -> server.config.metrics.prometheus',
      'server.internalFrontend -> server.internal-frontend',
      'server.metrics.tags -> server.config.metrics.tags',
    ].sort(),
  );
  expect(JSON.stringify(moved)).not.toContain('very-secret');
});

test('twice is once, what was given stays as it is, and nothing is moved for the chart that the values were written for', () => {
  const given = yaml(OLD);
  expect(migrateValues(given, { to: '0.74.0' })).toEqual({ values: yaml(OLD), moved: [], left: [] });
  const { values } = migrateValues(given, { to: '1.6.0' });
  expect(given).toEqual(yaml(OLD));
  expect(migrateValues(values, { to: '1.6.0' })).toEqual({ values, moved: [], left: [] });
});

/** What a version of the chart does with a key of the values above: fails on it, ignores it, or reads it as it is. */
const fate = (key: string, to: string) => {
  const move = migrateValues(yaml(OLD), { to }).moved.find(({ from }) => from === key);
  return move === undefined ? 'read' : move.refused ? 'refused' : 'ignored';
};
test.each([
  ['server.config.persistence.default', ['0.74.0', 'read'], ['1.0.0-rc.1', 'ignored'], ['1.0.0', 'refused']],
  ['server.config.numHistoryShards', ['0.74.0', 'read'], ['1.0.0-rc.1', 'ignored'], ['1.6.0', 'ignored']],
  ['server.metrics.tags', ['1.0.0-rc.2', 'read'], ['1.0.0-rc.3', 'ignored'], ['1.6.0', 'ignored']],
  ['server.internalFrontend', ['1.0.0-rc.2', 'read'], ['1.0.0', 'ignored'], ['1.1.0', 'refused']],
  ['schema.update', ['0.74.0', 'read'], ['1.0.0-rc.3', 'ignored'], ['1.0.0', 'refused']],
  ['imagePullSecrets: {}', ['0.74.0', 'read'], ['1.0.0-rc.1', 'ignored'], ['1.0.0', 'refused']],
])('%s', (key, ...fates) => {
  for (const [version = '', expected] of fates) expect([version, fate(key, version)]).toEqual([version, expected]);
});

test('what is there in the new shape counts, so that one file may serve both charts', () => {
  const both = yaml(`
server:
  internalFrontend: { enabled: false }
  internal-frontend: { enabled: true }
  config: { persistence: { default: { driver: sql }, datastores: { default: { sql: { existingSecret: x } } } } }
cassandra: { enabled: false }
elasticsearch: { external: true, host: search }
`);
  const { values } = migrateValues(both, { to: '1.6.0' });
  expect(values).toMatchObject({
    server: {
      'internal-frontend': { enabled: true },
      config: { persistence: { datastores: { default: { sql: { existingSecret: 'x' } } } } },
    },
  });
  expect(JSON.stringify(values)).not.toMatch(/internalFrontend|persistence":{"default/);
});

test('Cassandra, and Elasticsearch of the operator’s own', () => {
  const { values, left } = migrateValues(
    yaml(`
cassandra: { enabled: false }
elasticsearch: { enabled: false, external: true, host: search, port: 9243, scheme: https, username: u, secretName: es, visibilityIndex: seen, imageTag: 7 }
prometheus: { enabled: false }
grafana: { enabled: false }
schema: { setup: { enabled: false } }
server: { config: { persistence: { default: { driver: cassandra, cassandra: { hosts: [a, b], port: 9042, password: p } } } } }
`),
    { to: '1.6.0' },
  );
  expect(left).toEqual([]);
  expect(values).toEqual({
    server: {
      config: {
        persistence: {
          datastores: {
            default: {
              cassandra: {
                createDatabase: true,
                manageSchema: true,
                hosts: 'a,b',
                port: 9042,
                keyspace: 'temporal',
                user: 'user',
                password: 'p',
                replicationFactor: 1,
                consistency: { default: { consistency: 'local_quorum', serialConsistency: 'local_serial' } },
              },
            },
            visibility: {
              elasticsearch: {
                manageSchema: true,
                version: 'v7',
                url: { scheme: 'https', host: 'search:9243' },
                username: 'u',
                existingSecret: 'es',
                logLevel: 'error',
                indices: { visibility: 'seen' },
              },
            },
          },
        },
      },
    },
  });
});

const left = (text: string, chart: { to: string; from?: string } = { to: '1.6.0' }) =>
  migrateValues(yaml(text), chart).left.map(({ key, stops }) => [key, stops]);
const SQL = 'driver: sql, sql: { host: db, existingSecret: s }';
const STORES = `server: { config: { persistence: { default: { ${SQL} }, visibility: { ${SQL} } } } }`;

test('what a chart brought is named: databases stop the upgrade, also where values say nothing of them', () => {
  expect(left(STORES)).toEqual([
    ['cassandra.enabled', true],
    ['elasticsearch.enabled', true],
    ['prometheus.enabled', false],
    ['grafana.enabled', false],
  ]);
  const off = 'cassandra: { enabled: false }\nelasticsearch: { enabled: false }\nprometheus: { enabled: false }\n';
  expect(left(`${off}grafana: { enabled: false }\n${STORES}`)).toEqual([]);
  expect(left(`${off}grafana: { enabled: true }\nmysql: { enabled: true }\n${STORES}`)).toEqual([
    ['mysql.enabled', true],
    ['grafana.enabled', false],
  ]);
  // A store whose database would be deleted is not moved: the chart goes on refusing it.
  expect(migrateValues(yaml(STORES), { to: '1.6.0' }).values).toMatchObject(yaml(STORES));
  expect(left('server: { config: { persistence: { datastores: { default: { sql: {} } } } } }')).toEqual([]);
});

test.each([
  ['sidecars', 'server: { sidecarContainers: [{ name: proxy }] }', '0.56.0', [['server.sidecarContainers', true]]],
  ['sidecars, read', 'server: { sidecarContainers: [{ name: proxy }] }', '0.55.0', []],
  ['no sidecars', 'server: { sidecarContainers: [] }', '1.6.0', []],
  ['a map of pull secrets', 'imagePullSecrets: { name: x }', '1.6.0', [['imagePullSecrets', true]]],
  [
    'visibility in Cassandra',
    'cassandra: { enabled: false }\nelasticsearch: { enabled: false }\nprometheus: { enabled: false }\ngrafana: { enabled: false }\nserver: { config: { persistence: { visibility: { driver: cassandra }, datastores: { default: {} } } } }',
    '1.6.0',
    [['server.config.persistence.visibility', true]],
  ],
  [
    'a password of another store',
    `cassandra: { enabled: false }\nelasticsearch: { enabled: false }\nprometheus: { enabled: false }\ngrafana: { enabled: false }\nserver: { config: { persistence: { default: { ${SQL} }, visibility: { ${SQL} }, additionalStores: { second: { sql: { password: p } } } } } }`,
    '1.6.0',
    [['server.config.persistence.datastores.second', true]],
  ],
])('left to the operator: %s', (_, text, to, expected) => {
  expect(left(text, { to })).toEqual(expected);
});

test('a password whose Secret a roll-out would leave out is named, where the present chart still makes it by itself', () => {
  const values = (more = '') =>
    `${more}\nserver: { config: { persistence: { datastores: { default: { sql: { password: p } }, visibility: { sql: { existingSecret: s } } } } } }`;
  const key = 'server.config.persistence.datastores.default.sql.existingSecret';
  expect(left(values(), { from: '1.0.0', to: '1.1.0' })).toEqual([[key, true]]);
  expect(left(values(), { from: '1.1.0', to: '1.6.0' })).toEqual([]);
  expect(left(values(), { to: '1.6.0' })).toEqual([]);
  expect(left(values('schema: { useHelmHooks: false }'), { from: '1.0.0', to: '1.6.0' })).toEqual([]);
});
