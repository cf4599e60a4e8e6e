import { isDeepStrictEqual } from 'node:util';
import type { Connection } from '@temporalio/client';
import { defaultPayloadConverter, toPayloads } from '@temporalio/common';
import { msToTs } from '@temporalio/common/lib/time.js';
import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import { hasCode } from '../adapters/cluster/target-connection.js';
import { messageOf } from '../core/errors.js';
import {
  answerTo,
  CANARY_QUERY,
  CANARY_SIGNAL,
  CANARY_UPDATE,
  CANARY_WORKFLOW,
  planCanary,
  valueOf,
  type CanaryInput,
  type PlannedCall,
} from './canary-plan.js';
import { valueIn } from './payload.js';
import type { CanaryRow } from './ledger.js';
import { requestIdOf } from './request-id.js';

export type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

const { WorkflowIdReusePolicy, UpdateWorkflowExecutionLifecycleStage } = proto.temporal.api.enums.v1;

/** gRPC's status codes that are told apart here. */
const NOT_FOUND = 5;
const ALREADY_EXISTS = 6;
const CANCELLED = 1;
const DEADLINE_EXCEEDED = 4;
const CALL_DEADLINE_MS = 30_000;
/** A query or an update waits for the worker of the canaries, not for the target alone. Below the lease of a call. */
const WORKER_DEADLINE_MS = 60_000;
const WORKER_ATTEMPT_MS = 15_000;
/** A long canary that nobody releases ends by itself after a week. */
const DEADLINE_MS = 7 * 24 * 3_600_000;
/** More runs than any canary has: an end to the search for the first one. */
const MOST_RUNS = 20;

/** Workflow id of a canary; the same number always gives the same id, so a start can be repeated. */
export function canaryIdOf(loadId: string, number: number): string {
  return `canary-${loadId}-${number}`;
}

export function longCanaryIdOf(loadId: string, hop: string, number: number): string {
  return `canary-${loadId}-long-${hop}-${number}`;
}

type Called = Pick<CanaryRow, 'workflowId' | 'number' | 'kind' | 'command'>;

/** What came of a call. */
export interface Answer {
  /** False when the canary is not there any more to take it. */
  readonly taken: boolean;
  /** What was wrong with the answer; null when it was as planned. */
  readonly wrongAnswer: string | null;
}

/** The calls that canaries need, each safe to repeat: the target itself refuses what it has already. */
export class CanaryTarget {
  readonly identity: string;

  constructor(
    readonly connection: Connection,
    readonly loadId: string,
  ) {
    this.identity = `temporal-upgrade-load-${loadId}`;
  }

  /** Starts the canary, or finds that it has been started. Returns its run id. */
  async start(canary: Called): Promise<string> {
    const { workflowId, command } = canary;
    const { namespace } = command;
    const { workflowType, args, timeoutMs } = startOf(canary);
    try {
      const { runId } = await this.withDeadline(() =>
        this.connection.workflowService.startWorkflowExecution({
          namespace,
          workflowId,
          // The same for each repetition, also of another process: the target answers with the run that it has.
          requestId: requestIdOf(workflowId),
          identity: this.identity,
          workflowType: { name: workflowType },
          taskQueue: { name: command.taskQueue },
          input: { payloads: toPayloads(defaultPayloadConverter, ...args) ?? null },
          workflowIdReusePolicy: WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
          workflowExecutionTimeout: msToTs(timeoutMs),
        }),
      );
      return runId;
    } catch (error) {
      if (!hasCode(error, ALREADY_EXISTS)) throw error;
      return this.#firstRunOf(canary);
    }
  }

  /**
   * Makes call `index` of the canary's plan. A signal's id is its request id, an update's its update id, so that the target
   * keeps a repeated one only once, also when another process repeats it.
   */
  async call(canary: Called, index: number): Promise<Answer> {
    if (canary.kind === 'tick' || canary.kind === 'own') return { taken: true, wrongAnswer: null };
    const plan = planCanary(canary.number, canary.kind, canary.workflowId);
    const planned = plan.calls[index];
    if (planned === undefined) return { taken: true, wrongAnswer: null };
    try {
      const wrongAnswer =
        planned.call === 'signal'
          ? await this.withDeadline(() => this.#signal(canary, planned))
          : await this.#patiently(() =>
              planned.call === 'update'
                ? this.#update(canary, planned)
                : this.#query(canary, planned, answerTo(plan, index)),
            );
      return { taken: true, wrongAnswer };
    } catch (error) {
      if (!hasCode(error, NOT_FOUND)) throw error;
      // A signal or an update may come too late; a query is answered long after the end, and its start was confirmed.
      const wrongAnswer = planned.call === 'query' ? `query ${planned.id} was answered with ${messageOf(error)}` : null;
      return { taken: false, wrongAnswer };
    }
  }

  async #signal({ workflowId, command: { namespace } }: Called, { id }: PlannedCall): Promise<null> {
    await this.connection.workflowService.signalWorkflowExecution({
      namespace,
      workflowExecution: { workflowId },
      signalName: CANARY_SIGNAL,
      input: carrying(id),
      identity: this.identity,
      requestId: requestIdOf(workflowId, id),
    });
    return null;
  }

  async #update({ workflowId, command: { namespace } }: Called, { id }: PlannedCall): Promise<string | null> {
    // The server lets go of a waiting caller after a while; asked again for the same id, it goes on waiting.
    for (;;) {
      const { outcome } = await this.connection.workflowService.updateWorkflowExecution({
        namespace,
        workflowExecution: { workflowId },
        request: {
          meta: { updateId: id, identity: this.identity },
          input: { name: CANARY_UPDATE, args: carrying(id) },
        },
        waitPolicy: {
          lifecycleStage: UpdateWorkflowExecutionLifecycleStage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED,
        },
      });
      if (outcome?.failure) return `update ${id} failed: ${outcome.failure.message ?? 'without a message'}`;
      if (outcome?.success) return compareAnswer(`update ${id}`, valueIn(outcome.success.payloads), valueOf(id));
    }
  }

  async #query(
    { workflowId, command: { namespace } }: Called,
    { id }: PlannedCall,
    expected: unknown,
  ): Promise<string | null> {
    const { queryResult } = await this.connection.workflowService.queryWorkflow({
      namespace,
      execution: { workflowId },
      query: { queryType: CANARY_QUERY, queryArgs: { payloads: toPayloads(defaultPayloadConverter, id) ?? null } },
    });
    return compareAnswer(`query ${id}`, valueIn(queryResult?.payloads), expected);
  }

  /**
   * The histories of all runs of a canary, oldest first, or null when the target has none. A run that is not there any more
   * is an empty history. Of workflows of the operator's the newest run alone.
   */
  async fetchRuns(canary: Called): Promise<readonly (readonly HistoryEvent[])[] | null> {
    const newest = await this.#fetchHistory(canary);
    if (newest === null) return null;
    const runs = [newest];
    while (canary.kind === 'continueAsNew' && runs.length < MOST_RUNS) {
      const before = runs[0]?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId ?? '';
      if (before === '') break;
      runs.unshift((await this.#fetchHistory(canary, before)) ?? []);
    }
    return runs;
  }

  async #fetchHistory(
    { workflowId, command: { namespace } }: Called,
    runId?: string,
  ): Promise<readonly HistoryEvent[] | null> {
    const events: HistoryEvent[] = [];
    let nextPageToken: Uint8Array | null | undefined;
    try {
      do {
        const page = await this.withDeadline(() =>
          this.connection.workflowService.getWorkflowExecutionHistory({
            namespace,
            execution: { workflowId, runId: runId ?? null },
            nextPageToken: nextPageToken ?? null,
          }),
        );
        events.push(...(page.history?.events ?? []));
        nextPageToken = page.nextPageToken;
      } while (nextPageToken !== null && nextPageToken !== undefined && nextPageToken.length > 0);
    } catch (error) {
      if (hasCode(error, NOT_FOUND)) return null;
      throw error;
    }
    return events;
  }

  async #firstRunOf({ workflowId, command: { namespace } }: Called): Promise<string> {
    const { history } = await this.withDeadline(() =>
      this.connection.workflowService.getWorkflowExecutionHistory({
        namespace,
        execution: { workflowId },
        maximumPageSize: 1,
      }),
    );
    return history?.events?.[0]?.workflowExecutionStartedEventAttributes?.firstExecutionRunId ?? '';
  }

  /** Asks again when no answer came: the task may have gone to a worker that was killed since. */
  async #patiently<T>(call: () => Promise<T>): Promise<T> {
    const giveUpAt = Date.now() + WORKER_DEADLINE_MS;
    for (;;) {
      try {
        return await this.connection.withDeadline(Math.min(Date.now() + WORKER_ATTEMPT_MS, giveUpAt), call);
      } catch (error) {
        const unanswered = hasCode(error, DEADLINE_EXCEEDED) || hasCode(error, CANCELLED);
        if (!unanswered || Date.now() >= giveUpAt) throw error;
      }
    }
  }

  withDeadline<T>(call: () => Promise<T>): Promise<T> {
    return this.connection.withDeadline(Date.now() + CALL_DEADLINE_MS, call);
  }
}

function startOf({ number, kind, command: { own } }: Called): {
  readonly workflowType: string;
  readonly args: readonly unknown[];
  readonly timeoutMs: number;
} {
  if (own !== undefined) return { workflowType: own.workflowType, args: own.arguments, timeoutMs: own.endsWithinMs };
  if (kind === 'tick' || kind === 'own') throw new Error(`the load does not start ${kind}`);
  const input: CanaryInput = { number, kind, deadlineMs: DEADLINE_MS };
  // A canary whose worker is gone for good does not stay on the target for ever.
  return { workflowType: CANARY_WORKFLOW, args: [input], timeoutMs: 2 * DEADLINE_MS };
}

function carrying(id: string) {
  return { payloads: toPayloads(defaultPayloadConverter, { id, value: valueOf(id) }) ?? null };
}

function compareAnswer(what: string, found: unknown, expected: unknown): string | null {
  if (isDeepStrictEqual(found, expected)) return null;
  return `${what} was answered with ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`;
}
