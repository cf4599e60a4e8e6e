import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { defaultPayloadConverter, toPayloads } from '@temporalio/common';
import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import { hasCode } from '../adapters/cluster/target-connection.js';
import type { ReachableBy } from '../adapters/connection-options.js';
import { messageOf } from '../core/errors.js';
import { valueOf } from './canary-plan.js';
import { decideSimple } from './simple-decision.js';

type WorkflowTask = temporal.api.workflowservice.v1.IPollWorkflowTaskQueueResponse;
type ActivityTask = temporal.api.workflowservice.v1.IPollActivityTaskQueueResponse;

/** Answers a task that a poll brought. */
type Answer = () => Promise<void>;

const { QueryResultType, WorkflowTaskFailedCause } = proto.temporal.api.enums.v1;

/** The server answers a poll without a task after a minute. */
const POLL_DEADLINE_MS = 70_000;
/** That of a workflow task: whoever answers later is not heard. */
const ANSWER_DEADLINE_MS = 10_000;
const RETRY_MS = 1_000;
const NOT_FOUND = 5;
const CANCELLED = 1;
/** Two workflow tasks a canary, and a tenth of a second until a poll has one. */
const POLLS_PER_START = 0.2;
const MOST_POLLS = 40;

interface SimpleWorkerOptions {
  readonly reachableBy: ReachableBy;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly identity: string;
  readonly startsPerSecond: number;
  readonly stop: AbortSignal;
  readonly onProblem: (message: string) => void;
}

/**
 * Works on the canaries of scenario `simple` until `stop` is aborted, in Temporal's protocol and without the SDK's worker:
 * that takes a multiple of the CPU for a sandbox that a canary of one activity has no use for. Keeps nothing in memory
 * between two tasks; a task whose answer is lost is handed out again by the server.
 */
export async function runSimpleWorker(options: SimpleWorkerOptions): Promise<void> {
  const { reachableBy, startsPerSecond } = options;
  // No retries by the SDK: each loop below has its own.
  const connection = Connection.lazy({ ...reachableBy, interceptors: [] });
  const worker = new SimpleWorker(connection, options);
  const polls = Math.min(MOST_POLLS, 2 + Math.ceil(startsPerSecond * POLLS_PER_START));
  try {
    await Promise.all([
      ...Array.from({ length: polls }, (_, index) => worker.pollWorkflowTasks(index === 0)),
      ...Array.from({ length: 2 }, () => worker.pollActivityTasks()),
    ]);
    await worker.ended();
  } finally {
    await connection.close();
  }
}

class SimpleWorker {
  readonly #connection: Connection;
  readonly #options: SimpleWorkerOptions;
  readonly #atWork = new Set<Promise<void>>();

  constructor(connection: Connection, options: SimpleWorkerOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  /** Polls one task after the other; only one of the polls `reports`, as all have the same problem. */
  async pollWorkflowTasks(reports: boolean): Promise<void> {
    const { namespace, taskQueue, identity } = this.#options;
    await this.#poll(reports, async () => {
      const task = await this.#connection.workflowService.pollWorkflowTaskQueue({
        namespace,
        taskQueue: { name: taskQueue },
        identity,
      });
      return task.taskToken.length > 0 ? () => this.#answerWorkflowTask(task) : undefined;
    });
  }

  /** For activities that the server does not hand out with the answer to a workflow task. */
  async pollActivityTasks(): Promise<void> {
    const { namespace, taskQueue, identity } = this.#options;
    await this.#poll(false, async () => {
      const task = await this.#connection.workflowService.pollActivityTaskQueue({
        namespace,
        taskQueue: { name: taskQueue },
        identity,
      });
      return task.taskToken.length > 0 ? () => this.#answerActivityTask(task) : undefined;
    });
  }

  /** Resolves when every task that was begun has been answered, or given up. */
  async ended(): Promise<void> {
    // An answer may bring another task with it.
    while (this.#atWork.size > 0) await Promise.all(this.#atWork);
  }

  async #poll(reports: boolean, once: () => Promise<Answer | undefined>): Promise<void> {
    const { stop, onProblem } = this.#options;
    while (!stop.aborted) {
      try {
        const answer = await this.#untilStopped(once);
        // Only here, outside of the poll: within, the answer would have the poll's signal too, and be cancelled with it.
        if (answer !== undefined) this.#begin(answer);
      } catch (error) {
        if (stop.aborted) return;
        if (reports && !hasCode(error, CANCELLED)) onProblem(`worker of simple canaries: ${messageOf(error)}`);
        await sleep(RETRY_MS, undefined, { signal: stop }).catch(() => undefined);
      }
    }
  }

  /**
   * Ends a poll when the load is stopped. The SDK adds a listener for each call and never removes it (client/lib/connection.js),
   * so each poll has a signal of its own, which goes with it: that of the load would have millions by its end.
   */
  async #untilStopped<T>(poll: () => Promise<T>): Promise<T> {
    const { stop } = this.#options;
    const own = new AbortController();
    const end = () => own.abort();
    stop.addEventListener('abort', end);
    try {
      return await this.#connection.withDeadline(Date.now() + POLL_DEADLINE_MS, () =>
        this.#connection.withAbortSignal(own.signal, poll),
      );
    } finally {
      stop.removeEventListener('abort', end);
    }
  }

  /** The next poll does not wait for this. What fails is handed out again by the server after its timeout. */
  #begin(work: Answer): void {
    const { onProblem } = this.#options;
    const task = this.#connection
      .withDeadline(Date.now() + ANSWER_DEADLINE_MS, work)
      .catch((error: unknown) => {
        // Timed out, or ended by someone else: not ours any more.
        if (!hasCode(error, NOT_FOUND)) onProblem(`answer of a simple canary: ${messageOf(error)}`);
      })
      .finally(() => this.#atWork.delete(task));
    this.#atWork.add(task);
  }

  async #answerWorkflowTask(task: WorkflowTask): Promise<void> {
    const { namespace, identity } = this.#options;
    const taskToken = task.taskToken ?? null;
    if (task.query) return this.#refuseQuery(taskToken);
    let commands;
    try {
      commands = await this.#decide(task);
    } catch (error) {
      await this.#connection.workflowService.respondWorkflowTaskFailed({
        namespace,
        identity,
        taskToken,
        cause: WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE,
        failure: { message: messageOf(error) },
      });
      throw error;
    }
    const { activityTasks } = await this.#connection.workflowService.respondWorkflowTaskCompleted({
      namespace,
      identity,
      taskToken,
      commands: [...commands],
    });
    for (const eager of activityTasks) this.#begin(() => this.#answerActivityTask(eager));
  }

  async #decide(task: WorkflowTask) {
    const { namespace, taskQueue } = this.#options;
    const execution = task.workflowExecution ?? {};
    const events = [...(task.history?.events ?? [])];
    // A simple canary has a dozen events; one that was tried many times may have a second page.
    for (let token = task.nextPageToken; token?.length;) {
      const page = await this.#connection.workflowService.getWorkflowExecutionHistory({
        namespace,
        execution,
        nextPageToken: token,
      });
      events.push(...(page.history?.events ?? []));
      token = page.nextPageToken;
    }
    return decideSimple(events, { workflowId: execution.workflowId ?? '', taskQueue });
  }

  async #answerActivityTask({ taskToken, activityId }: ActivityTask): Promise<void> {
    const { namespace, identity } = this.#options;
    await this.#connection.workflowService.respondActivityTaskCompleted({
      namespace,
      identity,
      taskToken: taskToken ?? null,
      result: { payloads: toPayloads(defaultPayloadConverter, valueOf(activityId ?? '')) ?? null },
    });
  }

  async #refuseQuery(taskToken: Uint8Array | null): Promise<void> {
    await this.#connection.workflowService.respondQueryTaskCompleted({
      namespace: this.#options.namespace,
      taskToken,
      completedType: QueryResultType.QUERY_RESULT_TYPE_FAILED,
      errorMessage: 'a simple canary of temporal-upgrade answers no queries',
    });
  }
}
