import { condition } from '@temporalio/workflow';

/**
 * Waits without limit, in sight: a wait without a timer shows nothing in the Web UI's timeline, a long timer shows its
 * summary.
 */
export async function waitFor(fulfilled: () => boolean, summary: string): Promise<void> {
  let done = fulfilled();
  while (!done) done = await condition(fulfilled, '365 days', { summary });
}
