import { z } from 'zod';

/**
 * Who owns how many shards while a settle is watched: the heartbeat of the activity that proves it, and what `status` draws.
 * An object that may have more fields: a worker of a later release may send them to an older command line.
 */
export const ShardPicture = z.object({
  /** When it was seen, ISO 8601. */
  at: z.string(),
  /** Version that all history processes are to have. */
  wanted: z.string(),
  /** Number of shards of the cluster; 0 while it could not be asked. */
  shards: z.int().nonnegative(),
  /** By owner and version as the rows name them, most shards first. A process of the wanted version that owns none has a 0. */
  owners: z.array(
    z.object({
      address: z.string(),
      /** Absent for an owner of which it is not known. */
      version: z.string().optional(),
      shards: z.int().nonnegative(),
    }),
  ),
  /** How many shards lack something for the proof. */
  unproved: z.int().nonnegative(),
  /** What is missing, a line each; only the first few. */
  waitsFor: z.array(z.string()),
});
export type ShardPicture = z.infer<typeof ShardPicture>;
