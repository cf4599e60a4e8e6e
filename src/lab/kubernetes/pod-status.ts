import type { ContainerLife } from './container-life.js';
import { now, type ContainerStatus } from './container-status.js';
import type { Pod } from './pod.js';

/** A condition of a pod. */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False';
  readonly lastTransitionTime: string;
  readonly reason?: string;
  readonly message?: string;
}

/** What is written as a pod's status. */
export interface PodStatus {
  readonly phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed';
  readonly conditions: readonly Condition[];
  readonly [field: string]: unknown;
}

/** The status of `pod` with these containers, after `before`, whose times of change stay where nothing has changed. */
export function podStatus(
  pod: Pod,
  lives: readonly ContainerLife[],
  at: {
    readonly podIp: string;
    readonly hostIp: string;
    readonly startTime: string;
    readonly before: readonly Condition[];
  },
): PodStatus {
  const statuses = lives.map(({ status }) => status);
  const phase = phaseOf(pod, statuses);
  const isOver = phase === 'Succeeded' || phase === 'Failed';
  const ready = !isOver && statuses.every((status) => status.ready);
  const unready = statuses.filter((status) => !status.ready).map(({ name }) => name);
  const because = isOver
    ? { reason: phase === 'Succeeded' ? 'PodCompleted' : 'PodFailed' }
    : { reason: 'ContainersNotReady', message: `containers with unready status: [${unready.join(' ')}]` };
  const wanted = [
    ...['PodReadyToStartContainers', 'Initialized', 'PodScheduled'].map((type) => ({ type, is: true })),
    ...['Ready', 'ContainersReady'].map((type) => ({ type, is: ready })),
  ];
  return {
    phase,
    ...{ hostIP: at.hostIp, hostIPs: [{ ip: at.hostIp }], podIP: at.podIp, podIPs: [{ ip: at.podIp }] },
    startTime: at.startTime,
    conditions: wanted.map(({ type, is }) => {
      const status = is ? 'True' : 'False';
      const old = at.before.find((one) => one.type === type && one.status === status);
      const base = { type, status, lastTransitionTime: old?.lastTransitionTime ?? now() } as const;
      return is ? base : { ...base, ...because };
    }),
    containerStatuses: statuses,
    initContainerStatuses: pod.spec.initContainers.map(({ name, image }) => {
      const over = { exitCode: 0, reason: 'Completed', startedAt: at.startTime, finishedAt: at.startTime };
      return { name, image, imageID: `lab://${image}`, ready: true, restartCount: 0, state: { terminated: over } };
    }),
  };
}

function phaseOf(pod: Pod, statuses: readonly ContainerStatus[]): PodStatus['phase'] {
  const ended = statuses.map(({ state }) => state.terminated);
  const never = pod.spec.restartPolicy;
  if (ended.every((one) => one !== undefined) && never !== 'Always') {
    if (ended.every((one) => one.exitCode === 0)) return 'Succeeded';
    if (never === 'Never') return 'Failed';
  }
  return statuses.some(({ state, lastState }) => state.waiting === undefined || lastState.terminated !== undefined)
    ? 'Running'
    : 'Pending';
}
