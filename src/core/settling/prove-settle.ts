import type { ShardRow } from '../cluster.js';
import { formatDuration } from '../duration.js';
import type { SettleDemands } from './demands.js';
import { ownerOf, type ShardOwner } from './owner.js';
import type { ShardWatch } from './shard-watch.js';

export interface SettleCase {
  /** Number of history shards of the cluster; their ids are 1 to this. */
  readonly shardCount: number;
  /** Rows of the shards before the servers were replaced. */
  readonly before: readonly ShardRow[];
  /** When they were read, ISO 8601. */
  readonly beforeTakenAt: string;
  /** As they are now. */
  readonly after: readonly ShardRow[];
  /** When reading them began, milliseconds since 1970. */
  readonly lookedAt: number;
  /** The history processes of the wanted version. */
  readonly owners: readonly ShardOwner[];
  /** Shard ids that each history node says it holds. */
  readonly ownedByNode: Readonly<Record<string, readonly number[]>>;
  /** What was seen since the servers were replaced, `after` the last of it. */
  readonly watch: ShardWatch;
  readonly demands: SettleDemands;
}

export interface SettleProof {
  readonly proved: boolean;
  /** How many shards lack something. */
  readonly missingCount: number;
  /** The first twenty of them. */
  readonly missing: readonly { readonly shardId: number; readonly reason: string }[];
  /** What is wrong with the cluster as a whole, a line each. */
  readonly problems: readonly string[];
  /** Shards by the host:port that the table names as owner, processes of the wanted version only. */
  readonly owned: Readonly<Record<string, number>>;
}

const LISTED = 20;

/**
 * Whether every shard is owned, once, by a process of the wanted version: its owner is one of them and wrote its row after
 * it had begun, so that it is this process and not its predecessor at the same address; and where the owner is newer than
 * `before`, its range id rose too. The range id alone proves nothing, as it also rises when a process uses up its block of
 * task ids; and it fences: once it rose, no process before can write the shard. That each is held by exactly one process
 * is what the processes themselves say. And that it stays so is what was seen: no owner changed for a while, and each has
 * written its shards' rows as often as is asked.
 */
export function proveSettle(given: SettleCase): SettleProof {
  const { shardCount } = given;
  const before = byShard(given.before);
  const after = byShard(given.after);
  const holders = countHolders(given.ownedByNode);
  const owned: Record<string, number> = Object.fromEntries(given.owners.map(({ address }) => [address, 0]));
  const missing: { shardId: number; reason: string }[] = [];

  for (let shardId = 1; shardId <= shardCount; shardId += 1) {
    const rows = after.get(shardId) ?? [];
    const owner = rows[0] && ownerOf(rows[0].owner, given.owners);
    if (owner !== undefined) owned[owner.address] = (owned[owner.address] ?? 0) + 1;
    const reason =
      rowProblem(before.get(shardId) ?? [], rows, owner, given.beforeTakenAt) ??
      holderProblem(holders.get(shardId) ?? 0) ??
      watchProblem(given, shardId, rows[0]);
    if (reason !== undefined) missing.push({ shardId, reason });
  }
  for (const shardId of new Set([...after.keys(), ...holders.keys()])) {
    if (Number.isInteger(shardId) && shardId >= 1 && shardId <= shardCount) continue;
    missing.push({ shardId, reason: `is not one of the ${shardCount} shards of the cluster` });
  }
  const problems = sumProblem(given);
  return {
    proved: shardCount >= 1 && missing.length === 0 && problems.length === 0,
    missingCount: missing.length,
    missing: missing.slice(0, LISTED),
    problems,
    owned,
  };
}

function rowProblem(
  [before, ...moreBefore]: readonly ShardRow[],
  [after, ...moreAfter]: readonly ShardRow[],
  owner: ShardOwner | undefined,
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

/** Owners that flip, or a process that holds the shard and does not write it, do not show in one look. */
function watchProblem(
  { watch, lookedAt, demands }: SettleCase,
  shardId: number,
  row: ShardRow | undefined,
): string | undefined {
  const seen = watch.shards.get(shardId);
  if (seen === undefined || seen.row.owner !== row?.owner) return 'is not the one that was watched';
  const since = new Date(seen.ownerSince).toISOString();
  // From the end of the look that saw the owner first to the beginning of this one: reading may take long, one by one.
  if (demands.steadyMs > 0 && !(lookedAt - seen.ownerSince >= demands.steadyMs)) {
    const asked = `no change for ${formatDuration(demands.steadyMs)} is asked`;
    if (seen.changes === 0) return `is watched since ${since} only; ${asked}`;
    return `changed its owner ${times(seen.changes)} while it was watched, last seen at ${since}; ${asked}`;
  }
  if (seen.updates >= demands.updates) return undefined;
  return `was written ${times(seen.updates)} since ${since}, when its owner was first seen; ${times(demands.updates)} asked for`;
}

/** The same that is asked shard by shard, in one number: it shows at a glance that processes hold too many or too few. */
function sumProblem({ shardCount, ownedByNode }: SettleCase): string[] {
  const held = Object.values(ownedByNode).reduce((sum, ids) => sum + ids.length, 0);
  return held === shardCount ? [] : [`history processes hold ${held} shards in all, and the cluster has ${shardCount}`];
}

function times(count: number): string {
  if (count === 0) return 'never';
  return count === 1 ? 'once' : `${count} times`;
}

function isGreater(a: string, b: string): boolean {
  return /^\d+$/.test(a) && /^\d+$/.test(b) && BigInt(a) > BigInt(b);
}

function byShard(rows: readonly ShardRow[]): Map<number, ShardRow[]> {
  const shards = new Map<number, ShardRow[]>();
  for (const row of rows) {
    const known = shards.get(row.shardId);
    if (known === undefined) shards.set(row.shardId, [row]);
    else known.push(row);
  }
  return shards;
}

function countHolders(ownedByNode: SettleCase['ownedByNode']): Map<number, number> {
  const counts = new Map<number, number>();
  for (const shardId of Object.values(ownedByNode).flat()) counts.set(shardId, (counts.get(shardId) ?? 0) + 1);
  return counts;
}
