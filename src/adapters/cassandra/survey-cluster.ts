import type { ClusterRecord, DeadLetters, MemberRows, ShardRows } from '../../core/survey/store-survey.js';
import { decodeClusterRow, type RawClusterRow } from '../store-parts/cluster-record.js';
import { COUNTED_TO, MOST_GAPS, MOST_MEMBERS, roleOf } from '../store-parts/cluster-tables.js';
import type { CassandraClient } from './cassandra-connection.js';
import { readTables } from './cassandra-inspect.js';
import { readShardIds } from './read-shards.js';

/** What is stored of this cluster and of those that it is connected to. */
export async function readClusterRecords(client: CassandraClient): Promise<ClusterRecord[]> {
  const rows = await client.ask<RawClusterRow>(
    'select cluster_name, data, data_encoding from cluster_metadata_info where metadata_partition = 0',
  );
  return rows.map(decodeClusterRow);
}

interface MemberRow {
  readonly role: number;
  readonly rpc_address: unknown;
  readonly rpc_port: number;
  readonly host_id: unknown;
  readonly session_start: Date;
  readonly last_heartbeat: Date;
  /** Seconds until the row is gone by itself. */
  readonly left: number | null;
}

/** Rows of the membership table; each goes two days after its last heartbeat. */
export async function readMembers(client: CassandraClient): Promise<MemberRows> {
  const [clock] = await client.ask<{ now: Date }>('select toTimestamp(now()) as now from system.local');
  const rows = await client.ask<MemberRow>(
    `select role, rpc_address, rpc_port, host_id, session_start, last_heartbeat, ttl(last_heartbeat) as left
       from cluster_membership where membership_partition = 0`,
  );
  const readAt = clock?.now ?? new Date();
  return {
    readAt: readAt.toISOString(),
    count: rows.length,
    rows: rows
      .toSorted((a, b) => b.last_heartbeat.getTime() - a.last_heartbeat.getTime())
      .slice(0, MOST_MEMBERS)
      .map((row) => ({
        role: roleOf(row.role),
        address: `${String(row.rpc_address)}:${row.rpc_port}`,
        hostId: String(row.host_id).replaceAll('-', ''),
        sessionStart: row.session_start.toISOString(),
        lastHeartbeat: row.last_heartbeat.toISOString(),
        recordExpiry: new Date(readAt.getTime() + (row.left ?? 0) * 1_000).toISOString(),
      })),
  };
}

/** Which shards have rows. */
export async function readShardRows(client: CassandraClient): Promise<ShardRows> {
  const ids = await readShardIds(client);
  const there = new Set(ids);
  const highest = ids.at(-1) ?? 0;
  const gaps: number[] = [];
  for (let id = 1; id <= highest && gaps.length < MOST_GAPS; id += 1) if (!there.has(id)) gaps.push(id);
  return { count: ids.length, lowest: ids[0] ?? 0, highest, gaps };
}

/**
 * Messages in the dead letter queues. Those of namespace replication are kept under the negative number of their queue (type 1 of
 * `queue`); those of history tasks are partitions of `queue_messages` with queue type 2.
 */
export async function readDeadLetters(client: CassandraClient): Promise<DeadLetters> {
  const count = async (cql: string) => (await client.ask(`${cql} limit ${COUNTED_TO}`)).length;
  const queues = (await readTables(client)).has('queues')
    ? await client.ask<{ queue_name: string }>(
        'select queue_type, queue_name from queues where queue_type = 2 allow filtering',
      )
    : [];
  let historyTasks = 0;
  for (const { queue_name } of queues) {
    const rows = await client.ask(
      `select message_id from queue_messages where queue_type = 2 and queue_name = ? and queue_partition = 0 limit ${COUNTED_TO}`,
      [queue_name],
    );
    historyTasks = Math.min(COUNTED_TO, historyTasks + rows.length);
  }
  return {
    namespaceReplication: await count('select message_id from queue where queue_type = -1'),
    historyTasks,
    countedTo: COUNTED_TO,
  };
}
