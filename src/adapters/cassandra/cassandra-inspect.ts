import { PreconditionError } from '../../core/errors.js';
import type { CassandraStore } from '../../core/input/input.js';
import type { StoreNode } from '../../core/survey/store-survey.js';
import type { StoreRole } from '../store.js';
import type { CassandraClient } from './cassandra-connection.js';

type Place = Pick<CassandraStore, 'hosts' | 'port' | 'keyspace'>;

/** For people: `keyspace "temporal" at 10.0.0.1, 10.0.0.2, port 9042`. */
export function placeText({ hosts, port, keyspace }: Place): string {
  return `keyspace "${keyspace}" at ${hosts.join(', ')}, port ${port}`;
}

/** Version of the node that answers, such as `4.1.7`. */
export async function readVersion(client: CassandraClient): Promise<string> {
  const [row] = await client.ask<{ release_version: string }>('select release_version from system.local');
  return row?.release_version ?? '';
}

/** Which of its tables the keyspace has. */
export async function readTables(client: CassandraClient): Promise<Set<string>> {
  const rows = await client.ask<{ table_name: string }>(
    'select table_name from system_schema.tables where keyspace_name = ?',
    [client.keyspace],
  );
  return new Set(rows.map(({ table_name }) => table_name));
}

/** Schema version of the keyspace, as the server reads it at its start. @throws PreconditionError when there is none */
export async function readVersionRow(client: CassandraClient, input: Place): Promise<string> {
  const where = placeText(input);
  const facts = { ...input, reason: 'no-schema-version' };
  if (!(await readTables(client)).has('schema_version')) {
    throw new PreconditionError(
      `${where} has no table schema_version, so it holds no Temporal schema; correct "keyspace" (an upgrade never sets up a schema)`,
      facts,
    );
  }
  const [row] = await client.ask<{ curr_version: string }>(
    'select curr_version from schema_version where keyspace_name = ?',
    [client.keyspace],
  );
  if (row !== undefined) return row.curr_version;
  throw new PreconditionError(
    `table schema_version of ${where} has no row for that name; the server would not start on it either`,
    facts,
  );
}

/** Which kinds of Temporal tables a keyspace holds. */
export async function readKinds(client: CassandraClient): Promise<Readonly<Record<StoreRole, boolean>>> {
  const tables = await readTables(client);
  return { default: tables.has('executions'), visibility: tables.has('open_executions') };
}

/**
 * Checks by its tables that the keyspace is the one meant: scripts of one kind would harm the other.
 * @throws PreconditionError when default and visibility are mixed up or share one keyspace
 */
export async function checkKind(client: CassandraClient, input: Place, kind: StoreRole): Promise<void> {
  const found = await readKinds(client);
  const other: StoreRole = kind === 'default' ? 'visibility' : 'default';
  if (found[kind] && !found[other]) return;
  const where = `${placeText(input)}, given as the ${kind} store,`;
  const facts = { ...input, kind, found };
  if (found[kind]) {
    throw new PreconditionError(
      `${where} holds the tables of both stores; one row of schema_version cannot keep two versions, so such a keyspace cannot be ` +
        'upgraded. Separate the two stores first',
      { ...facts, reason: 'shared-database' },
    );
  }
  if (found[other]) {
    throw new PreconditionError(`${where} has the tables of the ${other} store; are the two keyspaces mixed up?`, {
      ...facts,
      reason: 'wrong-kind',
    });
  }
  throw new PreconditionError(
    `${where} has none of the tables of a Temporal store (executions, open_executions); correct "keyspace"`,
    { ...facts, reason: 'no-schema' },
  );
}

/** Every node of the cluster. */
export async function readNodes(client: CassandraClient): Promise<StoreNode[]> {
  const [local] = await client.ask<NodeRow>(
    'select rpc_address as address, data_center, release_version, schema_version from system.local',
  );
  const peers = await client.ask<NodeRow>(
    'select rpc_address as address, data_center, release_version, schema_version from system.peers',
  );
  const up = new Map(client.hosts.map((host) => [host.address.replace(/:\d+$/, ''), host.up]));
  return [...(local === undefined ? [] : [local]), ...peers].map((row) => ({
    address: String(row.address),
    datacenter: row.data_center,
    version: row.release_version,
    schema: String(row.schema_version),
    up: up.get(String(row.address)) ?? true,
  }));
}

interface NodeRow {
  readonly address: unknown; // an address of the driver's own kind; as text it is what people write
  readonly data_center: string;
  readonly release_version: string;
  readonly schema_version: unknown;
}

/**
 * Size of the keyspace in bytes on the disks of all nodes, copies included, as they estimate it: each node counts the partitions
 * that are first of all its own (`system.size_estimates`). What is not on disk yet is not in it.
 */
export async function readBytes(client: CassandraClient): Promise<number> {
  const [described] = await client.ask<{ replication: Readonly<Record<string, string>> }>(
    'select replication from system_schema.keyspaces where keyspace_name = ?',
    [client.keyspace],
  );
  const rows = await client.askEveryHost<{ mean_partition_size: string; partitions_count: string }>(
    'select mean_partition_size, partitions_count from system.size_estimates where keyspace_name = ?',
    [client.keyspace],
  );
  const once = rows.reduce((sum, row) => sum + Number(row.mean_partition_size) * Number(row.partitions_count), 0);
  return once * copiesOf(described?.replication ?? {});
}

/**
 * Copies of each row in all datacenters, of `{class: SimpleStrategy, replication_factor: 3}` or `{class: …, dc1: 3, dc2: 3}`;
 * transient ones are written behind a slash (`3/1`), and are among the first number.
 */
export function copiesOf(replication: Readonly<Record<string, string>>): number {
  const factors = Object.entries(replication).filter(([name]) => name !== 'class');
  return Math.max(
    1,
    factors.reduce((sum, [, factor]) => sum + (Number.parseInt(factor, 10) || 0), 0),
  );
}
