import type { ShardRow } from '../cluster.js';
import { namesOneLoad } from './owner.js';

/** What looking at the rows of all shards again and again has shown. Times are milliseconds since 1970. */
export interface ShardWatch {
  /** First and last look. */
  readonly since: number;
  readonly at: number;
  readonly shards: ReadonlyMap<number, WatchedShard>;
}

export interface WatchedShard {
  /** As it was seen last. */
  readonly row: ShardRow;
  /** The end of the look at which this owner was seen first. It may have taken the shard up to one look earlier, never later. */
  readonly ownerSince: number;
  /** How often the owner was seen to have changed. */
  readonly changes: number;
  /** How many writes by this owner were seen, that by which it took the shard not among them: at least so many there were. */
  readonly updates: number;
}

/** Adds a look that had ended at `at`. Rows that are not given are as they were, so that those that changed are enough. */
export function watchShards(before: ShardWatch | undefined, rows: readonly ShardRow[], at: number): ShardWatch {
  // A clock that was put back must not make anything look older than it is.
  const now = Math.max(at, before?.at ?? at);
  const shards = new Map(before?.shards);
  for (const row of rows) shards.set(row.shardId, seeAgain(shards.get(row.shardId), row, now));
  return { since: before?.since ?? now, at: now, shards };
}

/** Those of `rows` that are not as they were seen last. */
export function changedRows(before: ShardWatch | undefined, rows: readonly ShardRow[]): ShardRow[] {
  return rows.filter((row) => {
    const known = before?.shards.get(row.shardId)?.row;
    return (
      known?.owner !== row.owner ||
      known.rangeId !== row.rangeId ||
      Date.parse(known.updatedAt) !== Date.parse(row.updatedAt)
    );
  });
}

function seeAgain(known: WatchedShard | undefined, row: ShardRow, at: number): WatchedShard {
  if (known === undefined) return { row, ownerSince: at, changes: 0, updates: 0 };
  if (!isSameLoad(known.row, row)) return { row, ownerSince: at, changes: known.changes + 1, updates: 0 };
  const written = Date.parse(row.updatedAt) > Date.parse(known.row.updatedAt);
  return { ...known, row, updates: known.updates + (written ? 1 : 0) };
}

/**
 * Whether no process took the shard in between. A text that does not tell one load from the next (1.20) may be that of
 * another one, away and back between two looks; its range id rose then. It also rises when a block of task ids is used up,
 * so this may see a change where there was none, never the other way round.
 */
function isSameLoad(before: ShardRow, after: ShardRow): boolean {
  return before.owner === after.owner && (namesOneLoad(after.owner) || before.rangeId === after.rangeId);
}
