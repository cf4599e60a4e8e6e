import { isMap, type Values } from './values.js';

/**
 * A store as charts up to 0.74.0 have it, as a datastore of 1.0.0-rc.1 and newer. What each field becomes was read in
 * templates/server-configmap.yaml and _helpers.tpl of 0.74.0 against `temporal.persistence.filterConfig` and _admintools-env.yaml of
 * 1.0.0. Defaults are those of values.yaml of 0.74.0: the new charts have none for a store, so what counted has to be said.
 */

/** Fields that the old chart filled in by others, or never gave to the server. */
const SQL_FIELDS = [
  'driver',
  'driverName',
  'host',
  'port',
  'connectAddr',
  'connectProtocol',
  'database',
  'databaseName',
];
const SECRET_FIELDS = ['password', 'existingSecret', 'secretName', 'secretKey'];

/** An SQL store. `database`: its default name. */
export function sqlStore(given: Values, database: string): Values {
  const old: Values = { ...SQL_DEFAULTS, database, ...given };
  return {
    pluginName: old['driver'],
    driverName: old['driver'],
    databaseName: old['database'],
    connectAddr: address(old),
    connectProtocol: 'tcp',
    ...secretOf(old),
    ...without(old, [...SQL_FIELDS, ...SECRET_FIELDS]),
  };
}

const SQL_DEFAULTS: Values = {
  driver: 'mysql8',
  host: 'mysql',
  port: 3306,
  user: 'temporal',
  password: 'temporal',
  maxConns: 20,
  maxIdleConns: 20,
  maxConnLifetime: '1h',
};

/** A Cassandra store; only the default one may be. */
export function cassandraStore(given: Values): Values {
  const old: Values = { ...CASSANDRA_DEFAULTS, ...given };
  const hosts = old['hosts'];
  return {
    hosts: Array.isArray(hosts) ? hosts.join(',') : hosts,
    ...secretOf(old),
    ...without(old, ['hosts', ...SECRET_FIELDS]),
  };
}

const CASSANDRA_DEFAULTS: Values = {
  hosts: [],
  keyspace: 'temporal',
  user: 'user',
  password: 'password',
  replicationFactor: 1,
  consistency: { default: { consistency: 'local_quorum', serialConsistency: 'local_serial' } },
};

/** The visibility store of the old key `elasticsearch` at the top. */
export function elasticsearchStore(given: Values): Values {
  const old: Values = { ...ELASTICSEARCH_DEFAULTS, ...given };
  return {
    version: old['version'],
    url: { scheme: old['scheme'], host: address(old) },
    username: old['username'],
    ...secretOf(old),
    logLevel: old['logLevel'],
    indices: { visibility: old['visibilityIndex'] },
    ...(isMap(old['tls']) ? { tls: old['tls'] } : {}),
  };
}

const ELASTICSEARCH_DEFAULTS: Values = {
  host: 'elasticsearch-master-headless',
  scheme: 'http',
  port: 9200,
  version: 'v7',
  logLevel: 'error',
  username: '',
  password: '',
  visibilityIndex: 'temporal_visibility_v1_dev',
};

function address(old: Values): string {
  return `${String(old['host'])}:${String(old['port'])}`;
}

/** A Secret of the operator's comes before a password, as in the old chart; the new one knows no `secretName`. */
function secretOf(old: Values): Values {
  const secret = isSaid(old['existingSecret']) ? old['existingSecret'] : old['secretName'];
  if (!isSaid(secret)) return { password: old['password'] };
  return { existingSecret: secret, ...(isSaid(old['secretKey']) ? { secretKey: old['secretKey'] } : {}) };
}

function isSaid(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}

function without(values: Values, keys: readonly string[]): Values {
  return Object.fromEntries(Object.entries(values).filter(([key, value]) => !keys.includes(key) && value !== null));
}
