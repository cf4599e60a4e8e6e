import { z } from 'zod';
import type { ShardRow } from '../cluster.js';

/*
 * A look as a line of the file in which a watch is kept: rows that had changed, as tuples, since there are many. The file is a
 * record for people too: who owned which shard, when.
 */

const Line = z.strictObject({
  at: z.number(),
  rows: z.array(z.tuple([z.int(), z.string(), z.string(), z.string()])),
});

/** Without the end of the line. */
export function watchLine(at: number, rows: readonly ShardRow[]): string {
  const tuples = rows.map(({ shardId, rangeId, owner, updatedAt }) => [shardId, rangeId, owner, updatedAt]);
  return JSON.stringify({ at, rows: tuples } satisfies { at: number; rows: unknown[] });
}

/** What {@link watchLine} wrote; undefined for anything else, such as a line whose end was never written. */
export function readWatchLine(text: string): { readonly at: number; readonly rows: readonly ShardRow[] } | undefined {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { data } = Line.safeParse(raw);
  if (data === undefined) return undefined;
  return {
    at: data.at,
    rows: data.rows.map(([shardId, rangeId, owner, updatedAt]) => ({ shardId, rangeId, owner, updatedAt })),
  };
}
