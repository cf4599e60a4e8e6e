import { condition } from '@temporalio/workflow';

/**
 * Waits without limit, in sight: a wait without a timer shows nothing in the Web UI's timeline, a long timer shows its
 * summary.
 */
export async function waitFor(fulfilled: () => boolean, summary: string): Promise<void> {
  let done = fulfilled();
  while (!done) done = await condition(fulfilled, '365 days', { summary });
}

/** How a gate is waited at. */
export interface GateWait {
  /** Undefined: without limit. */
  readonly expiresMs?: number | undefined;
  /** Whether something else shows the gate in the Web UI's timeline, so that it needs no timer: two events each. */
  readonly inSight?: boolean | undefined;
}

/** As `waitFor`, for at most `ms` milliseconds. @returns whether it was fulfilled in time */
export async function waitForAtMost(fulfilled: () => boolean, ms: number, summary: string): Promise<boolean> {
  return fulfilled() || condition(fulfilled, ms, { summary });
}
