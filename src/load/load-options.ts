import { z } from 'zod';
import { Connection, LoadPolicy } from '../core/input/input.js';

/** What the load process is told on the first line of its stdin. Secrets are only named; they come by environment. */
export const LoadOptions = z.strictObject({
  connection: Connection,
  policy: LoadPolicy,
  ledgerFile: z.string().min(1),
  /** Start nothing: see to it that what was started ends, then exit. For what a killed load process left. */
  drain: z.boolean().optional(),
  loadId: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'expected letters, digits, dot, dash or underscore'),
});
export type LoadOptions = z.infer<typeof LoadOptions>;

/** A line that the load process prints each second. */
export const LoadLine = z.object({
  /** Canaries that the target has confirmed, over the whole load. */
  started: z.int(),
  failedCalls: z.int(),
  inFlight: z.int(),
  /** Of this process, in milliseconds. */
  longestGapMs: z.number(),
  pid: z.int(),
  /** What of the profile is not done, with the reason. */
  leftOut: z.array(z.string()).optional(),
  /** Resident memory of this process. */
  rssBytes: z.int(),
});
export type LoadLine = z.infer<typeof LoadLine>;
