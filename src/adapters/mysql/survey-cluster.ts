import type { ClusterRecord, DeadLetters, MemberRows, ShardRows } from '../../core/survey/store-survey.js';
import { decodeClusterRow, type RawClusterRow } from '../store-parts/cluster-record.js';
import { COUNTED_TO, MOST_CLUSTERS, MOST_GAPS, MOST_MEMBERS, roleOf } from '../store-parts/cluster-tables.js';
import type { MysqlClient } from './mysql-connection.js';
import { tablesOf } from './mysql-inspect.js';

/** What is stored of this cluster and of those that it is connected to. */
export async function readClusterRecords(client: MysqlClient): Promise<ClusterRecord[]> {
  const rows = await client.ask<RawClusterRow>(
    `select cluster_name, data, data_encoding from cluster_metadata_info
      where metadata_partition = 0 order by cluster_name limit ${MOST_CLUSTERS}`,
  );
  return rows.map(decodeClusterRow);
}

const MOMENT = (column: string) => `date_format(${column}, '%Y-%m-%dT%H:%i:%s.000Z')`;

/** Rows of the membership table, those of processes that are gone too. Their times are written in UTC. */
export async function readMembers(client: MysqlClient): Promise<MemberRows> {
  const [about] = await client.ask<{ now: string; count: string }>(
    `select ${MOMENT('utc_timestamp()')} as now, count(*) as count from cluster_membership`,
  );
  const rows = await client.ask<{
    role: number | string;
    address: string;
    host_id: string;
    session_start: string;
    last_heartbeat: string;
    record_expiry: string;
  }>(
    `select role, concat(rpc_address, ':', rpc_port) as address, lower(hex(host_id)) as host_id,
            ${MOMENT('session_start')} as session_start, ${MOMENT('last_heartbeat')} as last_heartbeat,
            ${MOMENT('record_expiry')} as record_expiry
       from cluster_membership where membership_partition = 0 order by last_heartbeat desc limit ${MOST_MEMBERS}`,
  );
  if (about === undefined) throw new Error('MySQL answered without a row');
  return {
    readAt: about.now,
    count: Number(about.count),
    rows: rows.map((row) => ({
      role: roleOf(Number(row.role)),
      address: row.address,
      hostId: row.host_id,
      sessionStart: row.session_start,
      lastHeartbeat: row.last_heartbeat,
      recordExpiry: row.record_expiry,
    })),
  };
}

/** Which ids the table `shards` has. */
export async function readShardRows(client: MysqlClient): Promise<ShardRows> {
  const rows = await client.ask<{ id: number }>('select shard_id as id from shards order by shard_id');
  const ids = rows.map(({ id }) => Number(id));
  const there = new Set(ids);
  const highest = ids.at(-1) ?? 0;
  const gaps: number[] = [];
  for (let id = 1; id <= highest && gaps.length < MOST_GAPS; id += 1) if (!there.has(id)) gaps.push(id);
  return { count: ids.length, lowest: ids[0] ?? 0, highest, gaps };
}

/** Messages in the dead letter queues; see the one of PostgreSQL for where they stand. */
export async function readDeadLetters(client: MysqlClient): Promise<DeadLetters> {
  const count = async (from: string) => {
    const [row] = await client.ask<{ count: string }>(
      `select count(*) as count from (select 1 from ${from} limit ${COUNTED_TO}) as counted`,
    );
    return Number(row?.count ?? 0);
  };
  const hasQueueMessages = (await tablesOf(client, ['queue_messages'])).size > 0;
  return {
    namespaceReplication: await count('queue where queue_type < 0'),
    historyTasks: hasQueueMessages ? await count('queue_messages where queue_type = 2') : 0,
    countedTo: COUNTED_TO,
  };
}
