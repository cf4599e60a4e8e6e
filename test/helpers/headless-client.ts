import { setTimeout as sleep } from 'node:timers/promises';
import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import { temporal } from '@temporalio/proto';
import { READY } from './ready-resolver.js';

const {
  DescribeNamespaceRequest,
  DescribeNamespaceResponse,
  PollActivityTaskQueueRequest,
  PollActivityTaskQueueResponse,
} = temporal.api.workflowservice.v1;
const SERVICE = '/temporal.api.workflowservice.v1.WorkflowService';
const EVERY_MS = 100;
const TIMEOUT_MS = 10_000;
/** A server ends a poll that finds nothing after a minute; SDKs wait ten seconds longer. */
const POLL_TIMEOUT_MS = 70_000;

/** Calls of one kind that were made. */
export interface HeadlessCalls {
  readonly calls: number;
  /** Calls that failed, each with its reason. */
  readonly failedAttempts: readonly string[];
  /** Those of them that failed again when they were made once more at once, as every SDK does. */
  readonly failedTwice: readonly string[];
}

/**
 * A client that knows the frontends that are ready, as one does that asks DNS for the name of a headless service, and balances by itself:
 * over one channel ten calls a second, and beside them long polls, as of a worker that has nothing to do.
 */
export class HeadlessClient {
  readonly #client: Client;
  readonly #over = new AbortController();
  readonly #calls = new Tally();
  readonly #polls = new Tally();
  readonly #running: Promise<unknown>;
  #cancelPoll: (() => void) | undefined;

  constructor(
    frontends: readonly string[],
    private readonly policy: 'round_robin' | 'pick_first',
  ) {
    this.#client = new Client(`${READY}:${frontends.join(',')}`, credentials.createInsecure(), {
      'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ [policy]: {} }] }),
      'grpc.use_local_subchannel_pool': 1,
    });
    this.#running = Promise.all([this.#call(), this.#poll()]);
  }

  /** Ends it; a poll that waits is given up, and not counted. */
  async stop(): Promise<{ readonly calls: HeadlessCalls; readonly polls: HeadlessCalls }> {
    this.#over.abort();
    this.#cancelPoll?.();
    await this.#running;
    this.#client.close();
    return { calls: this.#calls.counted(), polls: this.#polls.counted() };
  }

  async #call(): Promise<void> {
    const under: Promise<void>[] = [];
    while (!this.#over.signal.aborted) {
      under.push(this.#calls.attempt(() => this.#describe()));
      await sleep(EVERY_MS);
    }
    await Promise.all(under);
  }

  async #poll(): Promise<void> {
    while (!this.#over.signal.aborted) await this.#polls.attempt(() => this.#pollOnce(), this.#over.signal);
  }

  #describe(): Promise<string | undefined> {
    return new Promise((resolve) => {
      this.#client.makeUnaryRequest(
        `${SERVICE}/DescribeNamespace`,
        (request: temporal.api.workflowservice.v1.IDescribeNamespaceRequest) =>
          Buffer.from(DescribeNamespaceRequest.encode(request).finish()),
        (bytes: Buffer) => DescribeNamespaceResponse.decode(bytes),
        { namespace: 'temporal-system' },
        { deadline: Date.now() + TIMEOUT_MS },
        (error: ServiceError | null) => resolve(error === null ? undefined : error.message),
      );
    });
  }

  #pollOnce(): Promise<string | undefined> {
    return new Promise((resolve) => {
      const call = this.#client.makeUnaryRequest(
        `${SERVICE}/PollActivityTaskQueue`,
        (request: temporal.api.workflowservice.v1.IPollActivityTaskQueueRequest) =>
          Buffer.from(PollActivityTaskQueueRequest.encode(request).finish()),
        (bytes: Buffer) => PollActivityTaskQueueResponse.decode(bytes),
        { namespace: 'default', taskQueue: { name: `headless-${this.policy}` }, identity: 'headless' },
        { deadline: Date.now() + POLL_TIMEOUT_MS },
        (error: ServiceError | null) => resolve(error === null ? undefined : error.message),
      );
      this.#cancelPoll = () => call.cancel();
    });
  }
}

/** Counts calls, and makes each that failed once more. */
class Tally {
  #made = 0;
  readonly #failed: string[] = [];
  readonly #failedTwice: string[] = [];

  /** `make` gives why it failed; undefined when it was answered. What ends after `over` does not count. */
  async attempt(make: () => Promise<string | undefined>, over?: AbortSignal): Promise<void> {
    const isOver = () => over?.aborted === true;
    const failure = await make();
    if (isOver()) return;
    this.#made += 1;
    if (failure === undefined) return;
    this.#failed.push(`${new Date().toISOString()} ${failure}`);
    const again = await make();
    if (again !== undefined && !isOver()) this.#failedTwice.push(`${new Date().toISOString()} ${again}`);
  }

  counted(): HeadlessCalls {
    return { calls: this.#made, failedAttempts: this.#failed, failedTwice: this.#failedTwice };
  }
}
