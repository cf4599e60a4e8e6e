import type { WatchedPod } from '../lab/kubernetes/pod-watch.js';

/** One step of a roll: the driver replaced one pod of a role. Times in milliseconds, of `performance.now()`. */
export interface RollStep {
  readonly role: string;
  readonly from: number;
  readonly to: number;
}

/** What the steps of a role took, in seconds, and which part of that its pods needed to become ready. */
export interface RoleOverhead {
  readonly role: string;
  readonly pods: number;
  readonly seconds: number;
  readonly readySeconds: number;
  /** The rest. */
  readonly overhead: number;
}

/**
 * What each role took beyond what its pods needed, in the order in which they were rolled. A pod counts that was first seen in a step of
 * its role; steps make one pod at a time. @throws Error when a step has made no pod that became ready: all of it would count as overhead
 */
export function roleOverheads(steps: readonly RollStep[], watched: readonly WatchedPod[]): RoleOverhead[] {
  return [...Map.groupBy(steps, ({ role }) => role)].map(([role, own]) => {
    const lives = own.map(({ from, to }, index) => {
      const made = watched.find((pod) => pod.role === role && pod.seenAt >= from && pod.seenAt <= to);
      if (made?.readyAt === undefined)
        throw new Error(`step ${index + 1} of ${role} has made no pod that became ready`);
      return made.readyAt - made.seenAt;
    });
    const seconds = sum(own.map(({ from, to }) => to - from)) / 1_000;
    const readySeconds = sum(lives) / 1_000;
    return { role, pods: own.length, seconds, readySeconds, overhead: seconds - readySeconds };
  });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
