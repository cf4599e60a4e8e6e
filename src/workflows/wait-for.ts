import { condition } from '@temporalio/workflow';

/**
 * Waits without limit, in sight: a wait without a timer shows nothing in the Web UI's timeline, a long timer shows its
 * summary.
 */
export async function waitFor(fulfilled: () => boolean, summary: string): Promise<void> {
  let done = fulfilled();
  while (!done) done = await condition(fulfilled, '365 days', { summary });
}

/** As `waitFor`, for at most `ms` milliseconds. @returns whether it was fulfilled in time */
export async function waitForAtMost(fulfilled: () => boolean, ms: number, summary: string): Promise<boolean> {
  return fulfilled() || condition(fulfilled, ms, { summary });
}
