import type { Policy } from '../input/input.js';
import { SETTLE_MINUTES, SETTLE_STEADY_MINUTES, SETTLE_UPDATES } from '../sources.js';

/** What a settle has to show beyond that every shard is owned once by a new process. */
export interface SettleDemands {
  /** For so long no shard may have changed its owner, in milliseconds. */
  readonly steadyMs: number;
  /** So often each row has to be seen written by the process that owns the shard. */
  readonly updates: number;
}

/**
 * What the policy asks. A settle that was shortened, which takes a reason, is not waited out by rows that are written every
 * five minutes: there no write is asked for, and no more quiet than it is long; unless the policy says otherwise.
 */
export function settleDemands({ atLeast, steady, updates }: Policy['settle']): SettleDemands {
  const shortened = atLeast < SETTLE_MINUTES * 60_000;
  const steadyMs = SETTLE_STEADY_MINUTES * 60_000;
  return {
    steadyMs: steady ?? (shortened ? Math.min(steadyMs, atLeast) : steadyMs),
    updates: updates ?? (shortened ? 0 : SETTLE_UPDATES),
  };
}
