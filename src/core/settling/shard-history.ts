import { addressOf, namesOneLoad } from './owner.js';
import type { ShardRow } from '../cluster.js';

/** Who owned how many shards, look by look, while a settle was watched. */
export interface ShardHistory {
  /** Names the settle: environment, versions and try. */
  readonly name: string;
  /** Addresses, in the order in which they were seen. */
  readonly owners: readonly string[];
  /** Shards by owner, in the order of `owners`; `moved` of them had another owner, or another load of it, at the look before. */
  readonly looks: readonly ShardHistoryLook[];
}

export interface ShardHistoryLook {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly counts: readonly number[];
  readonly moved: number;
}

/** One look with the rows that had changed since the one before. */
export interface ChangedRows {
  readonly at: number;
  readonly rows: readonly ShardRow[];
}

/**
 * Counts the owners at each look, at most `most` looks: of those that are left out the moves count for the next one that is
 * shown.
 */
export function shardHistory(name: string, looks: readonly ChangedRows[], most: number): ShardHistory {
  const owners: string[] = [];
  const held = new Map<number, string>();
  const counts = new Map<string, number>();
  const shown: ShardHistoryLook[] = [];
  const every = Math.max(1, Math.ceil(looks.length / most));
  let moved = 0;
  for (const [index, { at, rows }] of looks.entries()) {
    for (const { shardId, owner } of rows) {
      const before = held.get(shardId);
      if (before === owner) continue;
      const address = addressOf(owner);
      if (!owners.includes(address)) owners.push(address);
      counts.set(address, (counts.get(address) ?? 0) + 1);
      held.set(shardId, owner);
      if (before === undefined) continue;
      const left = addressOf(before);
      counts.set(left, (counts.get(left) ?? 0) - 1);
      if (namesOneLoad(owner) || left !== address) moved += 1;
    }
    if ((index + 1) % every !== 0 && index !== looks.length - 1) continue;
    shown.push({ at, counts: owners.map((owner) => counts.get(owner) ?? 0), moved });
    moved = 0;
  }
  return { name, owners, looks: shown.map((look) => ({ ...look, counts: padded(look.counts, owners.length) })) };
}

function padded(counts: readonly number[], length: number): number[] {
  return Array.from({ length }, (_, index) => counts[index] ?? 0);
}
