import type { ShardPicture } from '../shard-picture.js';
import { addressOf, ownerOf } from './owner.js';
import type { SettleCase, SettleProof } from './prove-settle.js';

const SHOWN = 3;

interface Versions {
  /** Of the servers before. */
  readonly from: string;
  /** The wanted one. */
  readonly to: string;
}

/** Who owns how many shards, by address and version as the rows tell it, and what the proof still waits for. */
export function drawPicture(given: SettleCase, proof: SettleProof, { from, to }: Versions): ShardPicture {
  const earlier = new Map(given.before.map(({ shardId, owner }) => [shardId, owner]));
  const counts = new Map<string, { address: string; version?: string; shards: number }>();
  const count = (address: string, version: string | undefined, shards: number) => {
    const key = `${address} ${version ?? ''}`;
    const entry = counts.get(key) ?? { address, ...(version === undefined ? {} : { version }), shards: 0 };
    counts.set(key, { ...entry, shards: entry.shards + shards });
  };
  for (const { address } of given.owners) count(address, to, 0);
  for (const row of given.after) {
    const owner = ownerOf(row.owner, given.owners);
    const isNew = owner !== undefined && Date.parse(row.updatedAt) > Date.parse(owner.startedAt);
    const isOld = earlier.get(row.shardId) === row.owner;
    count(addressOf(row.owner) || 'nobody', isNew ? to : isOld ? from : undefined, 1);
  }
  return {
    at: new Date(given.watch.at).toISOString(),
    wanted: to,
    shards: given.shardCount,
    owners: [...counts.values()].sort((a, b) => b.shards - a.shards || a.address.localeCompare(b.address)),
    unproved: proof.missingCount,
    waitsFor: waitingLines(proof, SHOWN),
  };
}

/** What a proof lacks, a line each: what is wrong with the whole, then the first `limit` of the shards. */
export function waitingLines({ problems, missing, missingCount }: SettleProof, limit: number): string[] {
  const shown = missing.slice(0, limit);
  const more = missingCount - shown.length;
  return [
    ...problems,
    ...shown.map(({ shardId, reason }) => `shard ${shardId} ${reason}`),
    ...(more > 0 ? [`and ${more} more shards`] : []),
  ];
}
