import { randomBytes } from 'node:crypto';
import { messageOf } from '../../core/errors.js';
import type { Behaviour } from './behaviour.js';
import { now, type ContainerStatus, type Ended } from './container-status.js';
import type { Container, Pod } from './pod.js';
import { ImageError, type ContainerRuntime, type RunningContainer } from './runtime.js';

/** What a container's life needs of its pod. */
export interface ContainerSurroundings {
  readonly pod: Pod;
  readonly podIp: string;
  readonly runtime: ContainerRuntime;
  readonly behaviour: () => Behaviour;
  /** Of its run with this number, from 0. */
  readonly logFile: (run: number) => string;
  /** The first wait before something that failed is tried again, in milliseconds; each one after that is twice as long. */
  readonly backOffMs: number;
  readonly onChange: () => void;
  readonly onEvent: (type: 'Normal' | 'Warning', reason: string, message: string) => void;
}

/** Kubelets wait 5 minutes at most, 30 times their first wait. */
const LONGEST_BACK_OFF = 30;

/** A container from its first start to its last end, as a kubelet leads it: pulled, started, probed, started again. */
export class ContainerLife {
  private current: ContainerStatus;
  private running: RunningContainer | undefined;
  private readonly stopping = new AbortController();
  private graceMs = 0;
  private wake: () => void = () => undefined;
  /** Resolves when it will not run again, with its last exit code; undefined when it never ran. */
  readonly ended: Promise<number | undefined>;

  constructor(
    readonly container: Container,
    private readonly around: ContainerSurroundings,
  ) {
    const { name, image } = container;
    this.current = {
      ...{ name, image, imageID: '', ready: false, started: false, restartCount: 0 },
      ...{ state: { waiting: { reason: 'ContainerCreating' } }, lastState: {} },
    };
    this.ended = this.live();
  }

  get status(): ContainerStatus {
    return this.current;
  }

  /** Looks at once whether it is ready, and whether its image can be had: what decides that has changed. */
  reconsider(): void {
    this.wake();
  }

  /** Ends it for good. A second call with less patience counts. */
  async stop(graceMs: number): Promise<void> {
    this.graceMs = graceMs;
    const again = this.stopping.signal.aborted;
    this.stopping.abort();
    this.wake();
    if (again) await this.running?.stop(graceMs);
    await this.ended;
  }

  private async live(): Promise<number | undefined> {
    await Promise.resolve(); // for `ended` to be there before anybody is told of a change
    const { restartPolicy } = this.around.pod.spec;
    for (let failures = 0; ; failures += 1) {
      const run = await this.pullAndStart();
      if (run === undefined) return undefined;
      const exitCode = await this.watch(run);
      if (this.stopping.signal.aborted) return exitCode;
      if (restartPolicy === 'Never' || (restartPolicy === 'OnFailure' && exitCode === 0)) return exitCode;
      await this.backOffAfterCrash(failures);
      if (this.stopping.signal.aborted) return exitCode;
    }
  }

  /** Undefined when it is to stop before it could be started. */
  private async pullAndStart(): Promise<RunningContainer | undefined> {
    const { pod, podIp, runtime, behaviour, logFile, onEvent } = this.around;
    const { container } = this;
    const { image } = container;
    for (let failures = 0; !this.stopping.signal.aborted; failures += 1) {
      try {
        if (behaviour().kind === 'no-image') throw new ImageError(image, `${image}: not found`);
        const order = { pod, container, podIp, behaviour, logFile: logFile(this.current.restartCount) };
        const run = await runtime.start(order);
        onEvent('Normal', 'Started', `Started container ${container.name}`);
        return run;
      } catch (error) {
        const isImage = error instanceof ImageError;
        const reason = isImage ? 'ErrImagePull' : 'CreateContainerError';
        onEvent(
          'Warning',
          'Failed',
          isImage ? `Failed to pull image "${image}": ${messageOf(error)}` : `Error: ${messageOf(error)}`,
        );
        this.waits(reason, messageOf(error));
        if (await this.pause(this.backOff(failures) / 2)) continue;
        if (isImage && !this.stopping.signal.aborted) {
          onEvent('Normal', 'BackOff', `Back-off pulling image "${image}"`);
          this.waits('ImagePullBackOff', `Back-off pulling image "${image}": ErrImagePull: ${messageOf(error)}`);
        }
        await this.pause(this.backOff(failures) / 2);
      }
    }
    return undefined;
  }

  private async watch(run: RunningContainer): Promise<number> {
    this.running = run;
    const startedAt = now();
    const containerID = `lab://${randomBytes(32).toString('hex')}`;
    const imageID = `lab://${this.container.image}`;
    this.becomes({ containerID, imageID, started: true, ready: false, state: { running: { startedAt } } });
    let exitCode: number | undefined;
    const exited = run.exited.then((code) => {
      exitCode = code;
      this.wake();
    });
    while (exitCode === undefined && !this.stopping.signal.aborted) {
      const woken = this.pause(this.untilNextProbe());
      await this.probe(run);
      await woken;
    }
    if (exitCode === undefined) {
      this.around.onEvent('Normal', 'Killing', `Stopping container ${this.container.name}`);
      await run.stop(this.graceMs);
    }
    await exited;
    this.running = undefined;
    const code = exitCode ?? 0;
    const reason = code === 0 ? 'Completed' : 'Error';
    const terminated: Ended = { exitCode: code, reason, startedAt, finishedAt: now(), containerID };
    this.becomes({ started: false, ready: false, state: { terminated } });
    return code;
  }

  private async probe(run: RunningContainer): Promise<void> {
    const problem = await run.readiness();
    const ready = problem === undefined;
    if (!ready) this.around.onEvent('Warning', 'Unhealthy', `Readiness probe failed: ${problem}`);
    if (this.current.ready !== ready && this.running !== undefined) this.becomes({ ready });
  }

  /** A kubelet's period while it is ready; ten times a second until then, so that no test waits for it. */
  private untilNextProbe(): number {
    return this.current.ready ? (this.container.readinessProbe?.periodSeconds ?? 10) * 1_000 : 100;
  }

  private async backOffAfterCrash(failures: number): Promise<void> {
    const { pod, onEvent } = this.around;
    const { name } = this.container;
    const { namespace, uid } = pod.metadata;
    const wait = this.backOff(failures);
    const which = `pod ${pod.metadata.name}_${namespace}(${uid})`;
    const { state } = this.current;
    this.becomes({
      lastState: state,
      state: {
        waiting: {
          reason: 'CrashLoopBackOff',
          message: `back-off ${wait}ms restarting failed container=${name} ${which}`,
        },
      },
    });
    onEvent('Warning', 'BackOff', `Back-off restarting failed container ${name} in ${which}`);
    await this.pause(wait);
    this.current = { ...this.current, restartCount: this.current.restartCount + 1 };
  }

  private waits(reason: string, message: string): void {
    this.becomes({ state: { waiting: { reason, message } } });
  }

  private becomes(change: Partial<ContainerStatus>): void {
    this.current = { ...this.current, ...change };
    this.around.onChange();
  }

  private backOff(failures: number): number {
    return this.around.backOffMs * Math.min(2 ** failures, LONGEST_BACK_OFF);
  }

  /** Until the time is over, or somebody wakes it: then true. */
  private async pause(ms: number): Promise<boolean> {
    if (this.stopping.signal.aborted) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), ms);
    this.wake = () => resolve(true);
    const woken = await promise;
    clearTimeout(timer);
    return woken;
  }
}
