import protobuf from 'protobufjs';
import type { ShardRow } from '../../core/cluster.js';

/**
 * The fields needed of `temporal.server.api.persistence.v1.ShardInfo`
 * (proto/internal/temporal/server/api/persistence/v1/executions.proto of the server); others are skipped.
 */
const ShardInfo = protobuf.Root.fromJSON({
  nested: {
    Timestamp: { fields: { seconds: { type: 'int64', id: 1 }, nanos: { type: 'int32', id: 2 } } },
    ShardInfo: {
      fields: {
        shardId: { type: 'int32', id: 1 },
        rangeId: { type: 'int64', id: 2 },
        owner: { type: 'string', id: 3 },
        stolenSinceRenew: { type: 'int32', id: 6 },
        updateTime: { type: 'Timestamp', id: 7 },
      },
    },
  },
}).lookupType('ShardInfo');

/** A row of `shards` as the database gives it. */
export interface RawShardRow {
  readonly shard_id: number;
  readonly range_id: string;
  readonly data: Uint8Array;
  readonly data_encoding: string;
}

/** Decodes a row of the table `shards`. @throws Error when it is not written in the encoding known here */
export function decodeShardRow(row: RawShardRow): ShardRow {
  if (row.data_encoding !== 'Proto3') {
    throw new Error(`shard ${row.shard_id} is written as "${row.data_encoding}"; this version reads "Proto3" alone`);
  }
  const info = ShardInfo.toObject(ShardInfo.decode(row.data), { longs: Number }) as {
    readonly owner?: string;
    readonly updateTime?: { readonly seconds?: number; readonly nanos?: number };
  };
  const { seconds = 0, nanos = 0 } = info.updateTime ?? {};
  return {
    shardId: row.shard_id,
    rangeId: row.range_id, // the column is the one that the server's conditional writes compare
    owner: info.owner ?? '',
    updatedAt: new Date(seconds * 1_000 + Math.floor(nanos / 1e6)).toISOString(),
  };
}
