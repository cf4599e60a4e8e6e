import { z } from 'zod';
import type { ElasticsearchStore } from '../../core/input/input.js';
import type { RestoreOrder } from '../store-restore.js';
import { withSearch, type SearchClient } from './search-connection.js';

/** What is written into `_meta` of a mapping, which servers leave alone: how far a restore has come. */
const Meta = z.object({
  /** The backup that the index has all of. */
  restored: z.string().optional(),
  /** What was removed and corrected when it was brought in step. */
  inStep: z.object({ removed: z.number(), corrected: z.number() }).optional(),
});
export type Meta = z.infer<typeof Meta>;
const Mapped = z.record(
  z.string(),
  z.object({ mappings: z.object({ _meta: z.looseObject({ temporalUpgrade: Meta.optional() }).optional() }) }),
);
const Done = z.object({ acknowledged: z.literal(true) });

/** What says of an index that it has all of a backup, for this order. */
export function markOf({ stamp, sha256 }: RestoreOrder): string {
  return `${stamp} ${sha256}`;
}

/** How far a restore has come, by the index of `client`; nothing where there is none. */
export async function readMeta(client: SearchClient): Promise<Meta> {
  const path = `/${encodeURIComponent(client.index)}`;
  if (!(await client.has(path))) return {};
  const [first] = Object.values(await client.get(`${path}/_mapping`, Mapped));
  return first?.mappings._meta?.temporalUpgrade ?? {};
}

/** Writes down how far it has come. */
export async function writeMeta(client: SearchClient, meta: Meta): Promise<void> {
  const body = { _meta: { temporalUpgrade: meta } };
  await client.send('PUT', { path: `/${encodeURIComponent(client.index)}/_mapping`, body }, Done);
}

/** Whether the index of the input is what the order restored. */
export async function isInPlace(input: ElasticsearchStore, order: RestoreOrder): Promise<boolean> {
  return (await withSearch(input, readMeta)).restored === markOf(order);
}
