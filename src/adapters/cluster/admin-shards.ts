import type { ShardRow } from '../../core/cluster.js';
import { messageOf } from '../../core/errors.js';
import type { Connection } from '../../core/input/input.js';
import { shardRowOf } from '../shard-info.js';
import { mapAtMost } from './look.js';
import { readClusterInfo } from './target-cluster.js';
import { withTarget } from './target-connection.js';

/** Each is one read of the database by the history process that owns the shard, beside what its clients want of it. */
const AT_ONCE = 16;

/**
 * The rows of all shards, asked one by one of the AdminService, for who may not read the database. The frontend sends each
 * question to the owner of the shard, so that a shard without one is an error here, not a row.
 */
export async function readShardsByAdmin(connection: Connection): Promise<ShardRow[]> {
  return withTarget(connection, async (frontend) => {
    const { historyShardCount } = await readClusterInfo(frontend);
    // Never beyond the count: the server makes the row of a shard that it is asked for and does not find (GetOrCreateShard).
    const ids = Array.from({ length: historyShardCount }, (_, index) => index + 1);
    const over = new AbortController();
    return mapAtMost(AT_ONCE, ids, async (shardId) => {
      // After a failure nobody wants the others, and the connection is about to be closed.
      over.signal.throwIfAborted();
      try {
        const info = await frontend.ask(`asking for shard ${shardId}`, () => frontend.grpc.getShard(shardId));
        return { ...shardRowOf(info), shardId };
      } catch (cause) {
        over.abort();
        throw new Error(`shard ${shardId} cannot be asked for: ${messageOf(cause)}`, { cause });
      }
    });
  });
}
