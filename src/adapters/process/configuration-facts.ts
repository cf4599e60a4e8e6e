import type { Role } from '../../core/input/input.js';
import type { ConfiguredStore, ConfiguredStoreFacts, NodeConfiguration } from '../../core/survey/node-configuration.js';
import { STORE_PARTS, type StorePart } from '../../core/stores.js';
import { isRecord, type ConfigurationFile } from './parse-configuration.js';

type Value = Readonly<Record<string, unknown>>;

/** Field of `persistence` that names the data store of each part. */
const STORE_FIELDS = {
  default: 'defaultStore',
  visibility: 'visibilityStore',
  secondaryVisibility: 'secondaryVisibilityStore',
  advancedVisibility: 'advancedVisibilityStore',
} as const satisfies Record<ConfiguredStore, string>;

/** What the files say together, and which file holds the dynamic configuration. */
export function configurationFacts(
  files: readonly ConfigurationFile[],
  role: Role,
): { readonly facts: Omit<NodeConfiguration, 'dynamic'>; readonly dynamicFile: string | undefined } {
  const value = merged(files);
  const numHistoryShards = at(value, 'persistence', 'numHistoryShards');
  const broadcastAddress = text(at(value, 'global', 'membership', 'broadcastAddress'));
  const facts = {
    files: files.map(({ file }) => file),
    numHistoryShards: typeof numHistoryShards === 'number' ? numHistoryShards : undefined,
    stores: storesOf(value),
    settings: files.flatMap(({ file, settings }) =>
      settings.map(({ path, line }) => ({ key: path.join('.'), file, line })),
    ),
    ringAddress: ringAddressOf(value, role, broadcastAddress),
    broadcastAddress,
    hasPublicClient: text(at(value, 'publicClient', 'hostPort')) !== undefined,
    tls: { internode: hasTls(value, 'internode'), frontend: hasTls(value, 'frontend') },
    archival: {
      history: at(value, 'archival', 'history', 'state') === 'enabled',
      visibility: at(value, 'archival', 'visibility', 'state') === 'enabled',
    },
    clusters: Object.keys(record(at(value, 'clusterMetadata', 'clusterInformation'))),
  };
  return { facts, dynamicFile: text(at(value, 'dynamicConfigClient', 'filepath')) };
}

/** How a process reads its dynamic configuration, and where it says what it read. */
export interface DynamicClientFacts {
  /** As it is written: absolute, or relative to the folder in which the process runs. Absent when it has none. */
  readonly file: string | undefined;
  /** As it is written, in Go's way: `10s`, or nanoseconds. */
  readonly pollInterval: unknown;
  readonly logLevel: string;
  /** A file that the log goes to, when not to the output of the process. */
  readonly logOutputFile: string | undefined;
}

/** What the files say together of the dynamic configuration and the log. */
export function dynamicClientFacts(files: readonly ConfigurationFile[]): DynamicClientFacts {
  const value = merged(files);
  return {
    file: text(at(value, 'dynamicConfigClient', 'filepath')),
    pollInterval: at(value, 'dynamicConfigClient', 'pollInterval'),
    logLevel: text(at(value, 'log', 'level')) ?? 'info',
    // The output wins over the file where both are asked for (common/log/zap_logger.go).
    logOutputFile: at(value, 'log', 'stdout') === true ? undefined : text(at(value, 'log', 'outputFile')),
  };
}

function storesOf(value: Value): NodeConfiguration['stores'] {
  const stores = Object.entries(STORE_FIELDS).flatMap(([part, field]) => {
    const name = text(at(value, 'persistence', field));
    return name === undefined
      ? []
      : [[part, storeFacts(record(at(value, 'persistence', 'datastores', name)))] as const];
  });
  return Object.fromEntries(stores);
}

function storeFacts(store: Value): ConfiguredStoreFacts {
  const { sql, cassandra, elasticsearch } = store;
  if (isRecord(sql)) {
    return { plugin: text(sql['pluginName']), database: text(sql['databaseName']), maxConns: count(sql['maxConns']) };
  }
  if (isRecord(cassandra)) {
    return { plugin: 'cassandra', database: text(cassandra['keyspace']), maxConns: count(cassandra['maxConns']) };
  }
  if (!isRecord(elasticsearch)) return {};
  return { plugin: 'elasticsearch', database: text(at(elasticsearch, 'indices', 'visibility')) };
}

/** The ring binds to the process's own address; what it tells the others is the broadcast address where one is set. */
function ringAddressOf(value: Value, role: Role, broadcastAddress: string | undefined): string | undefined {
  const rpc = record(at(value, 'services', role, 'rpc'));
  const host = broadcastAddress ?? text(rpc['bindOnIP']) ?? (rpc['bindOnLocalHost'] === true ? '127.0.0.1' : undefined);
  const port = count(rpc['membershipPort']);
  return host === undefined || port === undefined ? undefined : `${host}:${port}`;
}

/** TLS is on where a certificate of the server is named, or clients are made to use it. */
function hasTls(value: Value, group: string): boolean {
  const { server, client } = record(at(value, 'global', 'tls', group));
  return (
    ['certFile', 'certData'].some((field) => text(record(server)[field]) !== undefined) ||
    record(client)['forceTLS'] === true
  );
}

/** All files as the server lays one over the other. */
function merged(files: readonly ConfigurationFile[]): Value {
  return files.reduce<Value>((below, { value: over }) => merge(below, over), {});
}

function merge(below: Value, over: Value): Value {
  const entries = Object.entries(over).map(([key, value]) => {
    const other = below[key];
    return [key, isRecord(other) && isRecord(value) ? merge(other, value) : value] as const;
  });
  return { ...below, ...Object.fromEntries(entries) };
}

function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((inner, key) => (isRecord(inner) ? inner[key] : undefined), value);
}

function record(value: unknown): Value {
  return isRecord(value) ? value : {};
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function count(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) ? value : undefined;
}

/** Where a process listens and which databases it uses. Passwords are not among it. */
export interface PlaceFacts {
  readonly grpcPort: number | undefined;
  readonly metricsAddress: string | undefined;
  readonly stores: Readonly<Partial<Record<StorePart, FoundPlace>>>;
}

/** Where a store is, by its make. */
export type FoundPlace = SqlPlace | CassandraPlace | SearchPlace;

export interface SqlPlace {
  readonly plugin: string | undefined;
  readonly host: string;
  readonly port: number | undefined;
  readonly database: string;
  readonly user: string | undefined;
  readonly tls: boolean;
}

export interface CassandraPlace {
  readonly hosts: readonly string[];
  readonly port: number | undefined;
  readonly keyspace: string;
  readonly datacenter: string | undefined;
  readonly user: string | undefined;
  readonly tls: boolean;
}

export interface SearchPlace {
  readonly url: string;
  readonly index: string;
  readonly user: string | undefined;
}

/** What the files say together of where things are. */
export function placeFacts(files: readonly ConfigurationFile[], role: Role): PlaceFacts {
  const value = merged(files);
  const stores = STORE_PARTS.flatMap((part) => {
    const name = text(at(value, 'persistence', STORE_FIELDS[part]));
    const place = name === undefined ? undefined : placeOf(record(at(value, 'persistence', 'datastores', name)));
    return place === undefined ? [] : [[part, place] as const];
  });
  return {
    grpcPort: count(at(value, 'services', role, 'rpc', 'grpcPort')),
    metricsAddress: text(at(value, 'global', 'metrics', 'prometheus', 'listenAddress')),
    stores: Object.fromEntries(stores),
  };
}

function placeOf({ sql, cassandra, elasticsearch }: Value): FoundPlace | undefined {
  if (isRecord(sql)) return sqlPlace(sql);
  if (isRecord(cassandra)) return cassandraPlace(cassandra);
  return isRecord(elasticsearch) ? searchPlace(elasticsearch) : undefined;
}

function cassandraPlace(cassandra: Value): CassandraPlace | undefined {
  const hosts = (text(cassandra['hosts']) ?? '')
    .split(',')
    .map((host) => host.trim())
    .filter((host) => host !== '');
  const keyspace = text(cassandra['keyspace']);
  if (hosts.length === 0 || keyspace === undefined) return undefined;
  return {
    hosts,
    port: count(cassandra['port']),
    keyspace,
    datacenter: text(cassandra['datacenter']),
    user: text(cassandra['user']),
    tls: at(cassandra, 'tls', 'enabled') === true,
  };
}

function searchPlace(elasticsearch: Value): SearchPlace | undefined {
  const host = text(at(elasticsearch, 'url', 'host'));
  const index = text(at(elasticsearch, 'indices', 'visibility'));
  if (host === undefined || index === undefined) return undefined;
  const scheme = text(at(elasticsearch, 'url', 'scheme')) ?? 'http';
  return { url: `${scheme}://${host}`, index, user: text(elasticsearch['username']) };
}

function sqlPlace(sql: Value): SqlPlace | undefined {
  const [, host, port] = /^(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(text(sql['connectAddr']) ?? '') ?? [];
  const database = text(sql['databaseName']);
  if (host === undefined || database === undefined) return undefined;
  return {
    plugin: text(sql['pluginName']),
    host: host.replace(/^\[|\]$/g, ''),
    port: port === undefined ? undefined : Number(port),
    database,
    user: text(sql['user']),
    tls: at(sql, 'tls', 'enabled') === true,
  };
}
