import type { Behaviour } from './behaviour.js';
import type { Container, Pod } from './pod.js';

/** What is to run, and where. */
export interface ContainerOrder {
  readonly pod: Pod;
  readonly container: Container;
  readonly podIp: string;
  /** File that its output goes to. */
  readonly logFile: string;
  /** How it is to behave; asked again whenever that matters, as rules change. */
  readonly behaviour: () => Behaviour;
}

/** A container that was started. */
export interface RunningContainer {
  /** With its exit code, when it has ended, of itself or stopped. */
  readonly exited: Promise<number>;
  /** Undefined when it is ready, else what keeps it from that. */
  readiness(): Promise<string | undefined>;
  /** Ends it: SIGTERM, and SIGKILL after `graceMs` milliseconds. */
  stop(graceMs: number): Promise<void>;
}

/** What runs containers. */
export interface ContainerRuntime {
  /** @throws ImageError when its image cannot be had; Error when it cannot be started */
  start(order: ContainerOrder): Promise<RunningContainer>;
}

/** An image that cannot be pulled, in the words of a registry. */
export class ImageError extends Error {
  override readonly name = 'ImageError';
  constructor(image: string, reason: string) {
    super(`failed to pull and unpack image "${image}": failed to resolve reference "${image}": ${reason}`);
  }
}
