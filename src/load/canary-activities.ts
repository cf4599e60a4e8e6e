import { activityInfo, heartbeat, sleep } from '@temporalio/activity';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { valueOf } from './canary-plan.js';

const BEATS = 3;

/** The activities of canaries. Each returns the value of its own id, as the server handed it over. */
export const canaryActivities = {
  /** Of `text` instead of its id, when it is given one. */
  plain(text?: string): Promise<number> {
    return Promise.resolve(valueOf(text ?? activityInfo().activityId));
  },
  /** Fails on its first attempt: the server has to keep the activity and try it again. */
  flaky(): Promise<number> {
    const { attempt, activityId } = activityInfo();
    if (attempt > 1) return Promise.resolve(valueOf(activityId));
    return Promise.reject(
      ApplicationFailure.create({
        message: 'fails once, as planned',
        type: 'Planned',
        category: ApplicationFailureCategory.BENIGN, // else each one is a warning in the worker's log
      }),
    );
  },
  /** Heartbeats for half a second, and goes on from its last heartbeat after a retry. */
  async slow(): Promise<number> {
    const details: unknown = activityInfo().heartbeatDetails;
    for (let beat = typeof details === 'number' ? details : 0; beat < BEATS; beat += 1) {
      heartbeat(beat);
      await sleep(150);
    }
    return valueOf(activityInfo().activityId);
  },
  /** Gives back what it got: much, both ways. */
  large(text: string): Promise<string> {
    return Promise.resolve(text);
  },
};

export type CanaryActivities = typeof canaryActivities;
