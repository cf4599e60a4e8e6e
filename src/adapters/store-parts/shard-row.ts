import protobuf from 'protobufjs';
import type { ShardRow } from '../../core/cluster.js';
import { SHARD_INFO, shardRowOf } from '../shard-info.js';

const ShardInfo = protobuf.Root.fromJSON({ nested: SHARD_INFO }).lookupType('ShardInfo');

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
  return {
    ...shardRowOf(ShardInfo.decode(row.data).toJSON()),
    shardId: row.shard_id,
    rangeId: row.range_id, // the column is the one that the server's conditional writes compare
  };
}
