import { setTimeout as sleep } from 'node:timers/promises';
import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import { temporal } from '@temporalio/proto';

const { DescribeNamespaceRequest, DescribeNamespaceResponse } = temporal.api.workflowservice.v1;
const METHOD = '/temporal.api.workflowservice.v1.WorkflowService/DescribeNamespace';
const EVERY_MS = 100;
const TIMEOUT_MS = 10_000;

export interface HeadlessCalls {
  readonly calls: number;
  /** Calls that failed, each with its reason. */
  readonly failed: readonly string[];
  /** Those of them that failed again when they were made once more at once, as every SDK does. */
  readonly failedTwice: readonly string[];
}

/**
 * A client that knows every frontend, as one does that asks DNS for the name of a headless service, and balances by itself: ten calls
 * a second, over one channel. The addresses are given to gRPC as DNS would give them; one machine has no two hosts with the
 * same port.
 */
export class HeadlessClient {
  readonly #client: Client;
  readonly #over = new AbortController();
  readonly #under: Promise<void>[] = [];
  readonly #failed: string[] = [];
  readonly #failedTwice: string[] = [];
  readonly #calling: Promise<void>;

  constructor(frontends: readonly string[], policy: 'round_robin' | 'pick_first') {
    this.#client = new Client(`ipv4:${frontends.join(',')}`, credentials.createInsecure(), {
      'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ [policy]: {} }] }),
      'grpc.use_local_subchannel_pool': 1,
    });
    this.#calling = this.#call();
  }

  async stop(): Promise<HeadlessCalls> {
    this.#over.abort();
    await this.#calling;
    await Promise.all(this.#under);
    this.#client.close();
    return { calls: this.#under.length, failed: this.#failed, failedTwice: this.#failedTwice };
  }

  async #call(): Promise<void> {
    while (!this.#over.signal.aborted) {
      this.#under.push(this.#attempt());
      await sleep(EVERY_MS);
    }
  }

  async #attempt(): Promise<void> {
    const failure = await this.#describe();
    if (failure === undefined) return;
    this.#failed.push(`${new Date().toISOString()} ${failure}`);
    const again = await this.#describe();
    if (again !== undefined) this.#failedTwice.push(`${new Date().toISOString()} ${again}`);
  }

  /** Why the call failed; undefined when it was answered. */
  async #describe(): Promise<string | undefined> {
    return new Promise((resolve) => {
      this.#client.makeUnaryRequest(
        METHOD,
        (request: temporal.api.workflowservice.v1.IDescribeNamespaceRequest) =>
          Buffer.from(DescribeNamespaceRequest.encode(request).finish()),
        (bytes: Buffer) => DescribeNamespaceResponse.decode(bytes),
        { namespace: 'temporal-system' },
        { deadline: Date.now() + TIMEOUT_MS },
        (error: ServiceError | null) => resolve(error === null ? undefined : error.message),
      );
    });
  }
}
