import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { aborted } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { bundleWorkflowCode, NativeConnection, Worker, type WorkflowBundleOption } from '@temporalio/worker';
import { messageOf } from '../core/errors.js';
import type { Target } from '../core/input/input.js';
import type { marcher, stepSignal, visitedQuery } from './marcher-workflow.js';

const NAMESPACE = 'default';
const TASK_QUEUE = 'marchers';
const WORKFLOW = 'marcher';
const STEP: (typeof stepSignal)['name'] = 'step';
const VISITED: (typeof visitedQuery)['name'] = 'visited';
const WORKFLOWS = fileURLToPath(new URL('./marcher-workflow.js', import.meta.url));
const POLL_MS = 200;
const VISITED_WITHIN_MS = 60_000;
const CALL_DEADLINE_MS = 30_000;

const marcherActivities = {
  /** Says the version back, so that an activity task goes through the servers of that version. */
  visit: (version: string): Promise<string> => Promise.resolve(version),
};
export type MarcherActivities = typeof marcherActivities;

/** What became of the marchers. */
export interface MarchSummary {
  readonly started: number;
  readonly signalsSent: number;
  /** Ended with exactly the versions that were signalled, each once and in order. */
  readonly finishedRight: number;
}

/** Workflows of somebody else on a cluster, with a worker and a client of an ordinary SDK, from the first version to the last. */
export class Marchers {
  readonly #versions: string[] = [];
  #signalsSent = 0;
  readonly #stop = new AbortController();
  readonly #working: Promise<void>;

  private constructor(
    private readonly connection: Connection,
    /** Workflow ids. */
    readonly ids: readonly string[],
    working: (stop: AbortSignal) => Promise<void>,
  ) {
    this.#working = working(this.#stop.signal);
  }

  /** Starts `count` of them, which end with the version `last`. */
  static async start(
    { target, frontends }: { readonly target: Target; readonly frontends: readonly string[] },
    options: {
      readonly count: number;
      readonly last: string;
      readonly say: (line: string) => void;
      /** File of their workflow; that of this build when left out. */
      readonly workflowsPath?: string;
    },
  ): Promise<Marchers> {
    const { count, last, say, workflowsPath = WORKFLOWS } = options;
    const [address = ''] = frontends;
    const connection = await Connection.connect({ address });
    const { workflow } = new Client({ connection, namespace: NAMESPACE });
    const ids = Array.from({ length: count }, (_, index) => `marcher-${target.name}-${index}`);
    for (const workflowId of ids) {
      await workflow.start<typeof marcher>(WORKFLOW, { workflowId, taskQueue: TASK_QUEUE, args: [last] });
    }
    const workflowBundle = await bundleWorkflowCode({ workflowsPath, logger: silent });
    return new Marchers(connection, ids, (stop) => keepWorking({ address, workflowBundle, stop, say }));
  }

  /** The versions that were signalled. */
  get versions(): readonly string[] {
    return this.#versions;
  }

  /** Signals `version` to each, and waits until each has had it answered by its activity. Does nothing when it was done. */
  async signal(version: string): Promise<void> {
    if (this.#versions.includes(version)) return;
    this.#versions.push(version);
    for (const id of this.ids) {
      await this.#call(() => this.#handle(id).signal<[string]>(STEP, version));
      this.#signalsSent += 1;
    }
    await Promise.all(this.ids.map((id) => this.#untilVisited(id, version)));
  }

  /** Waits for the result of each, after the last version was signalled. */
  async finish(): Promise<MarchSummary> {
    const expected = JSON.stringify(this.#versions);
    const results = await Promise.all(
      this.ids.map((id) => this.#call(() => this.#handle(id).result()).catch((error: unknown) => messageOf(error))),
    );
    const finishedRight = results.filter((result) => JSON.stringify(result) === expected).length;
    return { started: this.ids.length, signalsSent: this.#signalsSent, finishedRight };
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#working;
    await this.connection.close();
  }

  async #untilVisited(id: string, version: string): Promise<void> {
    const giveUpAt = Date.now() + VISITED_WITHIN_MS;
    for (;;) {
      // One that has ended answers too, as long as its worker is there.
      const visited = await this.#call(() => this.#handle(id).query<readonly string[]>(VISITED));
      if (visited.includes(version)) return;
      if (Date.now() > giveUpAt) {
        throw new Error(`${id} was signalled ${version} and did not take it; it visited ${visited.join(', ')}`);
      }
      await sleep(POLL_MS);
    }
  }

  #handle(id: string) {
    return new Client({ connection: this.connection, namespace: NAMESPACE }).workflow.getHandle<typeof marcher>(id);
  }

  #call<T>(call: () => Promise<T>): Promise<T> {
    return this.connection.withDeadline(Date.now() + CALL_DEADLINE_MS, call);
  }
}

/** A worker that connects again whenever its frontend was away for too long. */
async function keepWorking(options: {
  readonly address: string;
  readonly workflowBundle: WorkflowBundleOption;
  readonly stop: AbortSignal;
  readonly say: (line: string) => void;
}): Promise<void> {
  const { address, workflowBundle, stop, say } = options;
  while (!stop.aborted) {
    try {
      const connection = await NativeConnection.connect({ address });
      try {
        const worker = await Worker.create({
          connection,
          namespace: NAMESPACE,
          taskQueue: TASK_QUEUE,
          workflowBundle,
          activities: marcherActivities,
        });
        await worker.runUntil(aborted(stop, connection));
      } finally {
        await connection.close();
      }
    } catch (error) {
      say(`  worker of the marchers: ${messageOf(error)}`);
      await sleep(1_000);
    }
  }
}

const silent = { trace() {}, debug() {}, info() {}, warn: console.error, error: console.error, log() {} };
