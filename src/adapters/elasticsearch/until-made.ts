import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Work } from '../store.js';
import type { SearchClient } from './search-connection.js';

const POLL_MS = 500;

const Health = z.object({
  indices: z.record(z.string(), z.object({ number_of_shards: z.number(), active_primary_shards: z.number() })),
});

/**
 * Waits until an index that is made of another, or of a snapshot, has all of it: until each of its primaries has started. Its colour does
 * not tell: while a primary is being made of something it is yellow (ClusterShardHealth of both products). Says `what` meanwhile.
 */
export async function untilMade(
  client: SearchClient,
  { index, what }: { readonly index: string; readonly what: string },
  work: Work,
): Promise<void> {
  const path = `/_cluster/health/${encodeURIComponent(index)}`;
  for (;;) {
    const { indices } = await client.get(path, Health, { level: 'indices' });
    const found = indices[index];
    if (found !== undefined && found.active_primary_shards === found.number_of_shards) return;
    work.onProgress?.(what);
    await sleep(POLL_MS, undefined, { signal: work.signal });
  }
}
