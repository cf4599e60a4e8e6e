import type { ShardRow } from './cluster.js';

export interface SettleCase {
  /** Number of history shards of the cluster; their ids are 1 to this. */
  readonly shardCount: number;
  /** Rows of the table `shards` before the servers were replaced. */
  readonly before: readonly ShardRow[];
  readonly after: readonly ShardRow[];
  /** host:port of each history process of the new version, as it broadcasts itself. */
  readonly newOwners: readonly string[];
  /** Shard ids that each history node says it holds. */
  readonly ownedByNode: Readonly<Record<string, readonly number[]>>;
  /** When the last process of the old version was gone, ISO 8601. */
  readonly lastOldExit: string;
}

export interface SettleProof {
  readonly proved: boolean;
  /** How many shards lack something. */
  readonly missingCount: number;
  /** The first twenty of them. */
  readonly missing: readonly { readonly shardId: number; readonly reason: string }[];
  /** Shards by the host:port that the table names as owner, new processes only. */
  readonly owned: Readonly<Record<string, number>>;
}

const LISTED = 20;

/**
 * Whether every shard was taken, once, by a process of the new version: its range id rose, its owner is a new one, and it
 * was written after the last old process had gone. The range id alone proves nothing, as it also rises when a process uses
 * up its block of task ids. That each is held by exactly one process is what the processes themselves say.
 */
export function proveSettle(given: SettleCase): SettleProof {
  const before = byShard(given.before);
  const after = byShard(given.after);
  const holders = countHolders(given.ownedByNode);
  const owned: Record<string, number> = Object.fromEntries(given.newOwners.map((address) => [address, 0]));
  const missing: { shardId: number; reason: string }[] = [];

  for (let shardId = 1; shardId <= given.shardCount; shardId += 1) {
    const rows = after.get(shardId) ?? [];
    const owner = rows[0] && addressOf(rows[0].owner, given.newOwners);
    if (owner !== undefined) owned[owner] = (owned[owner] ?? 0) + 1;
    const reason =
      rowProblem(before.get(shardId) ?? [], rows, owner, given.lastOldExit) ?? holderProblem(holders.get(shardId) ?? 0);
    if (reason !== undefined) missing.push({ shardId, reason });
  }
  for (const shardId of new Set([...after.keys(), ...holders.keys()])) {
    if (Number.isInteger(shardId) && shardId >= 1 && shardId <= given.shardCount) continue;
    missing.push({ shardId, reason: `is not one of the ${given.shardCount} shards of the cluster` });
  }
  return {
    proved: given.shardCount >= 1 && missing.length === 0,
    missingCount: missing.length,
    missing: missing.slice(0, LISTED),
    owned,
  };
}

function rowProblem(
  [before, ...moreBefore]: readonly ShardRow[],
  [after, ...moreAfter]: readonly ShardRow[],
  owner: string | undefined,
  lastOldExit: string,
): string | undefined {
  if (before === undefined) return 'has no row from before the servers were replaced';
  if (after === undefined) return 'has no row now';
  if (moreBefore.length > 0 || moreAfter.length > 0) return 'has more than one row';
  if (owner === undefined) return `its owner, ${after.owner || 'nobody'}, is no process of the new version`;
  if (after.owner === before.owner) return `its owner is still ${after.owner}`;
  if (!isGreater(after.rangeId, before.rangeId))
    return `its range id did not rise: ${before.rangeId}, now ${after.rangeId}`;
  // NaN for what is no date, and every comparison with it is false: not proved.
  if (!(Date.parse(after.updatedAt) > Date.parse(lastOldExit))) {
    return `was last written at ${after.updatedAt}, not after the last old process had gone at ${lastOldExit}`;
  }
  return undefined;
}

function holderProblem(count: number): string | undefined {
  if (count === 0) return 'no history process says that it holds it';
  return count === 1 ? undefined : `${count} history processes say that they hold it`;
}

/**
 * The new process that an owner text names. The text is `host:port-sequence-uuid`: fmt.Sprintf("%s-%v-%v") in
 * service/history/shard/context_impl.go at 1.28.1, 1.29.1, 1.30.7 and 1.31.2.
 */
function addressOf(owner: string, addresses: readonly string[]): string | undefined {
  return addresses.find((address) => owner.startsWith(`${address}-`) && /^\d/.test(owner.slice(address.length + 1)));
}

function isGreater(a: string, b: string): boolean {
  return /^\d+$/.test(a) && /^\d+$/.test(b) && BigInt(a) > BigInt(b);
}

function byShard(rows: readonly ShardRow[]): Map<number, ShardRow[]> {
  const shards = new Map<number, ShardRow[]>();
  for (const row of rows) shards.set(row.shardId, [...(shards.get(row.shardId) ?? []), row]);
  return shards;
}

function countHolders(ownedByNode: SettleCase['ownedByNode']): Map<number, number> {
  const counts = new Map<number, number>();
  for (const shardId of Object.values(ownedByNode).flat()) counts.set(shardId, (counts.get(shardId) ?? 0) + 1);
  return counts;
}
