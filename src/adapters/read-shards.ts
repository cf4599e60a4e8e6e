import type { ShardRow } from '../core/cluster.js';
import type { Target } from '../core/input/input.js';
import { readShardsByAdmin } from './cluster/admin-shards.js';
import type { OpenTarget } from './open-target.js';

/** The rows of all shards of a target, from where its input says; of the database in one question when it says nothing. */
export function readShards(target: Target, { stores }: Pick<OpenTarget, 'stores'>): Promise<ShardRow[]> {
  return target.shardsFrom === 'admin' ? readShardsByAdmin(target.connection) : stores.default.readShards();
}
