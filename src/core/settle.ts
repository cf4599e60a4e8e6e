import type { ShardRow } from './cluster.js';

export interface SettleCase {
  /** Number of history shards of the cluster; their ids are 1 to this. */
  readonly shardCount: number;
  /** Rows of the table `shards` before the servers were replaced. */
  readonly before: readonly ShardRow[];
  /** When they were read, ISO 8601. */
  readonly beforeTakenAt: string;
  readonly after: readonly ShardRow[];
  /** The history processes of the wanted version: host:port as they broadcast themselves, and when they began, ISO 8601. */
  readonly owners: readonly { readonly address: string; readonly startedAt: string }[];
  /** Shard ids that each history node says it holds. */
  readonly ownedByNode: Readonly<Record<string, readonly number[]>>;
}

export interface SettleProof {
  readonly proved: boolean;
  /** How many shards lack something. */
  readonly missingCount: number;
  /** The first twenty of them. */
  readonly missing: readonly { readonly shardId: number; readonly reason: string }[];
  /** Shards by the host:port that the table names as owner, processes of the wanted version only. */
  readonly owned: Readonly<Record<string, number>>;
}

const LISTED = 20;

/**
 * Whether every shard is owned, once, by a process of the wanted version: its owner is one of them and wrote its row after
 * it had begun, so that it is this process and not its predecessor at the same address; and where the owner is newer than
 * `before`, its range id rose too. The range id alone proves nothing, as it also rises when a process uses up its block of
 * task ids; and it fences: once it rose, no process before can write the shard. That each is held by exactly one process
 * is what the processes themselves say.
 */
export function proveSettle(given: SettleCase): SettleProof {
  const before = byShard(given.before);
  const after = byShard(given.after);
  const holders = countHolders(given.ownedByNode);
  const owned: Record<string, number> = Object.fromEntries(given.owners.map(({ address }) => [address, 0]));
  const missing: { shardId: number; reason: string }[] = [];

  for (let shardId = 1; shardId <= given.shardCount; shardId += 1) {
    const rows = after.get(shardId) ?? [];
    const owner = rows[0] && ownerOf(rows[0].owner, given.owners);
    if (owner !== undefined) owned[owner.address] = (owned[owner.address] ?? 0) + 1;
    const reason =
      rowProblem(before.get(shardId) ?? [], rows, owner, given.beforeTakenAt) ??
      holderProblem(holders.get(shardId) ?? 0);
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
  owner: SettleCase['owners'][number] | undefined,
  beforeTakenAt: string,
): string | undefined {
  if (before === undefined) return 'has no row from before the servers were replaced';
  if (after === undefined) return 'has no row now';
  if (moreBefore.length > 0 || moreAfter.length > 0) return 'has more than one row';
  if (owner === undefined) return `its owner, ${after.owner || 'nobody'}, is no process of the wanted version`;
  // NaN for what is no date, and every comparison with it is false: not proved.
  if (!(Date.parse(after.updatedAt) > Date.parse(owner.startedAt))) {
    return `was last written at ${after.updatedAt}, not after its owner ${owner.address} began at ${owner.startedAt}`;
  }
  // A process that was there before and was not replaced may keep what it had.
  if (Date.parse(owner.startedAt) <= Date.parse(beforeTakenAt)) return undefined;
  // A text without a suffix says nothing of the process; then the range id alone tells that the shard was taken anew.
  if (after.owner === before.owner && after.owner !== owner.address) return `its owner is still ${after.owner}`;
  if (!isGreater(after.rangeId, before.rangeId))
    return `its range id did not rise: ${before.rangeId}, now ${after.rangeId}`;
  return undefined;
}

function holderProblem(count: number): string | undefined {
  if (count === 0) return 'no history process says that it holds it';
  return count === 1 ? undefined : `${count} history processes say that they hold it`;
}

/**
 * The process that an owner text names. The text is `host:port-sequence-uuid`: fmt.Sprintf("%s-%v-%v") in
 * service/history/shard/context_impl.go at 1.21.6, 1.28.1, 1.29.1, 1.30.7 and 1.31.2; at 1.20.5 it is `host:port` alone.
 */
function ownerOf(text: string, owners: SettleCase['owners']): SettleCase['owners'][number] | undefined {
  return owners.find(
    ({ address }) => text === address || (text.startsWith(`${address}-`) && /^\d/.test(text.slice(address.length + 1))),
  );
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
