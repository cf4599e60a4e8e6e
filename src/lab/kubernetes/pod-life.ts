import { setTimeout as sleep } from 'node:timers/promises';
import type { Behaviour } from './behaviour.js';
import { ContainerLife } from './container-life.js';
import { now } from './container-status.js';
import { KubeApiError, type KubeApi } from './kube-api.js';
import type { KubeEvents } from './kube-events.js';
import { podStatus, type Condition } from './pod-status.js';
import type { Pod } from './pod.js';
import type { ContainerRuntime } from './runtime.js';

/** What the life of a pod needs of its node. */
export interface PodSurroundings {
  readonly api: KubeApi;
  readonly events: KubeEvents;
  readonly runtime: ContainerRuntime;
  readonly behaviourOf: (pod: Pod) => Behaviour;
  readonly podIp: string;
  readonly hostIp: string;
  readonly backOffMs: number;
  /** Where the output of a container's run with this number goes. */
  readonly logFile: (pod: Pod, container: string, run: number) => string;
}

const AGAIN_MS = 300;
const GONE = [404, 409];

/** A pod on the lab's node, from when it is first seen until it is gone. */
export class PodLife {
  private readonly lives: readonly ContainerLife[];
  private readonly startTime = now();
  private conditions: readonly Condition[] = [];
  private isGone = false;
  private isEnding = false;
  private isWriting = false;
  private isChanged = false;

  constructor(
    readonly pod: Pod,
    private readonly around: PodSurroundings,
  ) {
    const { podIp, runtime, events, backOffMs } = around;
    this.lives = pod.spec.containers.map(
      (container) =>
        new ContainerLife(container, {
          ...{ pod, podIp, runtime, backOffMs },
          behaviour: () => around.behaviourOf(pod),
          logFile: (run) => around.logFile(pod, container.name, run),
          onChange: () => void this.write(),
          onEvent: (type, reason, message) => events.tell(pod, container.name, type, reason, message),
        }),
    );
    void this.write();
  }

  get podIp(): string {
    return this.around.podIp;
  }

  /** The number of a container's run, or of the one before it that has ended; undefined where there is none. */
  runOf(container: string, previous: boolean): number | undefined {
    const status = this.lives.find((life) => life.container.name === container)?.status;
    if (status === undefined) return undefined;
    // What waits to be started again has the run that has ended as its last one, and as the one before.
    const isWaiting = status.state.waiting !== undefined && status.lastState.terminated !== undefined;
    const run = status.restartCount - (previous && !isWaiting ? 1 : 0);
    return run < 0 ? undefined : run;
  }

  /** As it is now in the API: it may be on its way out. */
  update({ metadata: { deletionTimestamp, deletionGracePeriodSeconds = 30 } }: Pod): void {
    if (deletionTimestamp === undefined) return;
    void this.end(deletionGracePeriodSeconds * 1_000);
  }

  reconsider(): void {
    for (const life of this.lives) life.reconsider();
  }

  /** Ends its containers without patience and tells nobody: it is gone from the API, or the lab ends. */
  async kill(): Promise<void> {
    this.isGone = true;
    await Promise.all(this.lives.map((life) => life.stop(0)));
  }

  private async end(graceMs: number): Promise<void> {
    const stopped = Promise.all(this.lives.map((life) => life.stop(graceMs)));
    if (this.isEnding) return;
    this.isEnding = true;
    await stopped;
    await this.write();
    const { uid } = this.pod.metadata;
    await this.insist(() => this.around.api.delete(this.path(), { gracePeriodSeconds: 0, preconditions: { uid } }));
  }

  /** Writes its status, once more when it has changed meanwhile. */
  private async write(): Promise<void> {
    this.isChanged = true;
    if (this.isWriting) return;
    this.isWriting = true;
    while (this.isChanged) {
      this.isChanged = false;
      const { podIp, hostIp, api } = this.around;
      const status = podStatus(this.pod, this.lives, {
        ...{ podIp, hostIp, startTime: this.startTime },
        before: this.conditions,
      });
      this.conditions = status.conditions;
      const { uid } = this.pod.metadata;
      await this.insist(() => api.patch(`${this.path()}/status`, { metadata: { uid }, status }));
    }
    this.isWriting = false;
  }

  /** Until the API server has taken it, or the pod is gone: it may be away for a while. */
  private async insist(call: () => Promise<unknown>): Promise<void> {
    while (!this.isGone) {
      try {
        await call();
        return;
      } catch (error) {
        if (error instanceof KubeApiError && (GONE.includes(error.status) || isOfSuccessor(error))) return;
        if (error instanceof KubeApiError && error.status < 500 && error.status !== 429) throw error;
      }
      await sleep(AGAIN_MS);
    }
  }

  private path(): string {
    const { namespace, name } = this.pod.metadata;
    return `/api/v1/namespaces/${namespace}/pods/${name}`;
  }
}

/** Of a StatefulSet another pod has the name by now: the API server then refuses the id of the one before. */
function isOfSuccessor({ status, message }: KubeApiError): boolean {
  return status === 422 && message.includes('metadata.uid');
}
