import type pg from 'pg';
import type { ClusterRecord, DeadLetters, MemberRow, MemberRows, ShardRows } from '../../core/survey/store-survey.js';
import { decodeClusterRow, type RawClusterRow } from '../store-parts/cluster-record.js';
import { COUNTED_TO, MOST_CLUSTERS, MOST_GAPS, MOST_MEMBERS, roleOf } from '../store-parts/cluster-tables.js';

/** What is stored of this cluster and of those that it is connected to. */
export async function readClusterRecords(client: pg.Client): Promise<ClusterRecord[]> {
  const { rows } = await client.query<RawClusterRow>(
    `select cluster_name, data, data_encoding from cluster_metadata_info
      where metadata_partition = 0 order by cluster_name limit ${MOST_CLUSTERS}`,
  );
  return rows.map(decodeClusterRow);
}

/** Rows of the membership table, those of processes that are gone too. Their times are written in UTC. */
export async function readMembers(client: pg.Client): Promise<MemberRows> {
  const { rows } = await client.query<{
    read_at: Date;
    count: number;
    rows: (Omit<MemberRow, 'role'> & { readonly role: number })[];
  }>(
    `select clock_timestamp() as read_at, (select count(*)::int from cluster_membership) as count,
            coalesce((select json_agg(row_to_json(m)) from (
              select role, rpc_address || ':' || rpc_port as address, encode(host_id, 'hex') as "hostId",
                     to_char(session_start, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "sessionStart",
                     to_char(last_heartbeat, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "lastHeartbeat",
                     to_char(record_expiry, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "recordExpiry"
                from cluster_membership where membership_partition = 0
               order by last_heartbeat desc limit ${MOST_MEMBERS}) as m), '[]') as rows`,
  );
  const row = rows[0];
  if (row === undefined) throw new Error('PostgreSQL answered without a row');
  return {
    readAt: row.read_at.toISOString(),
    count: row.count,
    rows: row.rows.map((member) => ({ ...member, role: roleOf(member.role) })),
  };
}

/** Which ids the table `shards` has. */
export async function readShardRows(client: pg.Client): Promise<ShardRows> {
  const { rows } = await client.query<ShardRows>(
    `select s.count, s.lowest, s.highest,
            array(select id from generate_series(1, s.highest) as id
                   where not exists (select from shards where shard_id = id) order by id limit ${MOST_GAPS}) as gaps
       from (select count(*)::int as count, coalesce(min(shard_id), 0) as lowest, coalesce(max(shard_id), 0) as highest
               from shards) as s`,
  );
  const row = rows[0];
  if (row === undefined) throw new Error('PostgreSQL answered without a row');
  return row;
}

/**
 * Messages in the dead letter queues: that of namespace replication in `queue`, under the negated type of its queue
 * (common/persistence/sql/queue.go of the server), those of history tasks in `queue_messages`, type 2 (queue_v2.go).
 */
export async function readDeadLetters(client: pg.Client, hasQueueMessages: boolean): Promise<DeadLetters> {
  const count = (from: string) => `(select count(*)::int from (select from ${from} limit ${COUNTED_TO}) as counted)`;
  const { rows } = await client.query<Omit<DeadLetters, 'countedTo'>>(
    `select ${count('queue where queue_type < 0')} as "namespaceReplication",
            ${hasQueueMessages ? count('queue_messages where queue_type = 2') : '0'} as "historyTasks"`,
  );
  const row = rows[0];
  if (row === undefined) throw new Error('PostgreSQL answered without a row');
  return { ...row, countedTo: COUNTED_TO };
}
