import { chmod, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import protobuf from 'protobufjs';
import { SHARD_INFO } from '../adapters/shard-info.js';
import { ShardWatchFile } from '../adapters/shard-watch-file.js';
import { createToolResolver } from '../adapters/tools/tool-resolver.js';
import { drawPicture } from '../core/settling/draw-picture.js';
import { proveSettle, type SettleCase } from '../core/settling/prove-settle.js';
import { startShardFrontend } from './shards-by-admin.js';
import { startShardTable, type ShardStore, type WrittenShard } from './shard-tables.js';

/** How long looking at a large cluster's shards took. */
export interface MeasuredSettle {
  readonly product: string;
  readonly shards: number;
  /** Of each pass: rows read, changes written to the file, judged and drawn. */
  readonly seconds: readonly number[];
  readonly rowBytes: number;
  readonly fileBytes: number;
}

const VERSION = '1.31.2';
const SHARDS = 16_384;
const PASSES = 5;
const HISTORY_NODES = 16;
const STARTED = Date.UTC(2026, 0, 1, 10);
const MINUTE = 60_000;

const ShardInfo = protobuf.Root.fromJSON({ nested: SHARD_INFO }).lookupType('ShardInfo');
/** As five queues leave it, field 17, which is skipped when it is read; an idle shard of a real cluster has so much. */
const QUEUE_STATES = Buffer.concat(
  Array.from({ length: 5 }, () => Buffer.concat([Buffer.from([0x8a, 0x01, 60]), Buffer.alloc(60)])),
);

/**
 * Fills the rows of shards in a real database, or those that an AdminService tells one by one; has every one written anew before
 * each pass, and proves the settle of them.
 */
export async function measureSettle(
  product: ShardStore | 'admin',
  onProgress: (line: string) => void,
): Promise<MeasuredSettle> {
  const directory = await mkdtemp(join(tmpdir(), 'bench-settle-'));
  await chmod(directory, 0o711); // PostgreSQL's user has to pass through
  const table =
    product === 'admin'
      ? await startShardFrontend(SHARDS)
      : await startShardTable(product, { directory, version: VERSION, tools: createToolResolver() });
  try {
    onProgress(`filling ${SHARDS} shards of ${table.product}`);
    const write = (written: Written) => table.write(rowsOf(written));
    await write({ rangeId: 4, minute: -10 });
    const before = await table.readShards();
    await write({ rangeId: 5, minute: 1 });
    const watched = join(directory, 'watched.jsonl');
    const file = await ShardWatchFile.open(watched);
    const seconds: number[] = [];
    for (let pass = 0; pass < PASSES; pass += 1) {
      await write({ rangeId: 5, minute: 5 * (pass + 1) });
      const began = performance.now();
      const after = await table.readShards();
      const lookedAt = STARTED + 5 * (pass + 1) * MINUTE;
      const watch = await file.add(after, lookedAt);
      const settling: SettleCase = { ...caseOf(before), after, lookedAt, watch };
      const proof = proveSettle(settling);
      const { owners } = drawPicture(settling, proof, { from: '1.30.7', to: VERSION });
      seconds.push((performance.now() - began) / 1_000);
      // A pass that proves too early, or never, would be one of nothing.
      if (proof.proved !== pass >= 2 || owners.length !== HISTORY_NODES) {
        throw new Error(`pass ${pass + 1}: ${JSON.stringify(proof.missing[0])}, ${owners.length} owners`);
      }
    }
    const rowBytes = blobOf(1, { rangeId: 5, minute: 1 }).length;
    return { product: table.product, shards: SHARDS, seconds, rowBytes, fileBytes: (await stat(watched)).size };
  } finally {
    await table.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

function caseOf(before: SettleCase['before']): Omit<SettleCase, 'after' | 'lookedAt' | 'watch'> {
  const ids = Array.from({ length: SHARDS }, (_, index) => index + 1);
  const nodes = Array.from({ length: HISTORY_NODES }, (_, index) => addressOfNode(index));
  return {
    shardCount: SHARDS,
    before,
    beforeTakenAt: new Date(STARTED - MINUTE).toISOString(),
    owners: nodes.map((address) => ({ address, startedAt: new Date(STARTED).toISOString() })),
    ownedByNode: Object.fromEntries(nodes.map((node) => [node, ids.filter((id) => ownerOfShard(id) === node)])),
    demands: { steadyMs: 2 * MINUTE, updates: 2 },
  };
}

interface Written {
  readonly rangeId: number;
  /** After the servers began. */
  readonly minute: number;
}

function rowsOf(written: Written): WrittenShard[] {
  return Array.from({ length: SHARDS }, (_, index) => {
    const shardId = index + 1;
    return { shardId, rangeId: written.rangeId, blob: blobOf(shardId, written) };
  });
}

function blobOf(shardId: number, { rangeId, minute }: Written): Buffer {
  const owner = `${ownerOfShard(shardId)}-${rangeId}-9b1c2f3a-0000-4000-8000-${String(shardId).padStart(12, '0')}`;
  const updateTime = { seconds: (STARTED + minute * MINUTE) / 1_000, nanos: 0 };
  return Buffer.concat([ShardInfo.encode({ shardId, rangeId, owner, updateTime }).finish(), QUEUE_STATES]);
}

function ownerOfShard(shardId: number): string {
  return addressOfNode(shardId % HISTORY_NODES);
}

function addressOfNode(index: number): string {
  return `10.0.0.${index + 1}:7234`;
}
