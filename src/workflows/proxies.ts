import { proxyActivities, type ActivityOptions } from '@temporalio/workflow';
import type { ControlActivities, TargetActivities } from '../contract/activities.js';
import type { Target } from '../core/input/input.js';

/**
 * Every activity heartbeats every few seconds by itself (see `activities/guard.ts`), so that a dead worker is noticed in
 * twenty seconds, whatever the activity is allowed to take.
 */
const HEARTBEAT_TIMEOUT = '20s';

/** Reads, or writes what is small. Tried for about half a minute, then a person is asked. */
const LOOK: ActivityOptions = {
  startToCloseTimeout: '10 minutes',
  heartbeatTimeout: HEARTBEAT_TIMEOUT,
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '10s', maximumAttempts: 5 },
};

/** Before anything is begun: what is wrong then is mostly the input, and whoever started it waits for the answer. */
const GLANCE: ActivityOptions = { ...LOOK, retry: { ...LOOK.retry, maximumAttempts: 3 } };

/** Changes the target, or waits for it: as long as a big database needs, for one attempt. */
const ACT: ActivityOptions = {
  startToCloseTimeout: '2 days',
  heartbeatTimeout: HEARTBEAT_TIMEOUT,
  retry: { initialInterval: '2s', backoffCoefficient: 2, maximumInterval: '30s', maximumAttempts: 5 },
};

/** For the report, which does without it rather than keep a roll-out from its end. */
const GATHER: ActivityOptions = {
  scheduleToCloseTimeout: '5 minutes',
  // Where nobody works on the task queue of a target, the report does without it.
  scheduleToStartTimeout: '30s',
  startToCloseTimeout: '2 minutes',
  heartbeatTimeout: HEARTBEAT_TIMEOUT,
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumAttempts: 3 },
};

/** Runs for as long as the load is wanted, on whichever worker is there. */
const KEEP_RUNNING: ActivityOptions = {
  startToCloseTimeout: '365 days',
  heartbeatTimeout: HEARTBEAT_TIMEOUT,
  retry: { initialInterval: '1s', backoffCoefficient: 1.5, maximumInterval: '10s' },
};

export const control = proxyActivities<ControlActivities>(LOOK);

/** A person waits for the answer: what cannot be found out soon is told. */
export const identify = proxyActivities<Pick<ControlActivities, 'identifySender'>>({
  scheduleToCloseTimeout: '20s',
  startToCloseTimeout: '10s',
  retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '2s' },
});

/** Nobody waits for a notice, and one of yesterday is of no use. */
export const notices = proxyActivities<Pick<ControlActivities, 'sendNotice'>>({
  startToCloseTimeout: '2 minutes',
  scheduleToCloseTimeout: '24 hours',
  retry: { initialInterval: '5s', backoffCoefficient: 2, maximumInterval: '10 minutes' },
});

/** Activities near `target`: on its own task queue where it has one. */
export function near(target: Pick<Target, 'taskQueue'>) {
  const on = (options: ActivityOptions) =>
    proxyActivities<TargetActivities>(
      target.taskQueue === undefined ? options : { ...options, taskQueue: target.taskQueue },
    );
  return { glance: on(GLANCE), look: on(LOOK), act: on(ACT), gather: on(GATHER), keepRunning: on(KEEP_RUNNING) };
}
