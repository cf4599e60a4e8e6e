import type { RolloutStatus } from '../../src/core/status.js';
import { type Followed, statusNow, until } from './rollout-lab.js';

/** On live, as pods are rolled. */
export const LOAD = { startsPerSecond: 1, longRunning: 2, probesPerSecond: 5 };

/**
 * Dynamic configuration of servers that drain in seconds, and lose no call: no connection is left when a frontend closes; history and
 * matching leave their rings at a moment that all know.
 */
export const DRAINING = {
  'frontend.keepAliveMaxConnectionAge': '5s',
  'frontend.shutdownFailHealthCheckDuration': '10s',
  'frontend.shutdownDrainDuration': '5s',
  'history.alignMembershipChange': '5s',
  'history.shutdownDrainDuration': '5s',
  'matching.alignMembershipChange': '5s',
  'matching.shutdownDrainDuration': '5s',
};

/** Follows the roll-out until `isOver`, and approves what it asks: staging rehearses nothing. @throws Error with what an incident says */
export async function followApproving(
  lab: Followed,
  workflowId: string,
  isOver: (status: RolloutStatus) => boolean,
): Promise<void> {
  await until(async () => {
    const status = await statusNow(lab, workflowId);
    if (status === undefined) return undefined;
    if (isOver(status)) return true;
    if (status.state === 'incident' || status.state === 'aborted' || status.state === 'completed')
      throw new Error(`the roll-out is ${status.state}: ${status.problem ?? JSON.stringify(status.current)}`);
    if (status.waiting?.for !== 'decision') return undefined;
    await lab.client.workflow.getHandle(workflowId).signal('approve', { gate: status.waiting.name, by: 'test' });
    return undefined;
  }, 500);
}
