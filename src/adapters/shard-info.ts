import type protobuf from 'protobufjs';
import type { ShardRow } from '../core/cluster.js';

/**
 * The fields needed of `temporal.server.api.persistence.v1.ShardInfo`
 * (proto/internal/temporal/server/api/persistence/v1/executions.proto of the server); others are skipped.
 */
export const SHARD_INFO: protobuf.INamespace['nested'] = {
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
};

/** As protobufjs decodes it, 64-bit numbers as objects. */
export interface ShardInfo {
  readonly shardId?: number | null;
  readonly rangeId?: { toString(): string } | null;
  readonly owner?: string | null;
  readonly updateTime?: {
    readonly seconds?: { toString(): string } | null;
    readonly nanos?: number | null;
  } | null;
}

export function shardRowOf(info: ShardInfo): ShardRow {
  const { seconds, nanos } = info.updateTime ?? {};
  return {
    shardId: info.shardId ?? 0,
    rangeId: String(info.rangeId ?? 0),
    owner: info.owner ?? '',
    updatedAt: new Date(Number(seconds ?? 0) * 1_000 + Math.floor((nanos ?? 0) / 1e6)).toISOString(),
  };
}
