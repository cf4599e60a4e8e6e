import {
  Client,
  type Connection,
  isGrpcServiceError,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowHandle,
} from '@temporalio/client';
import { defaultPayloadConverter, toPayloads } from '@temporalio/common';
import type { temporal } from '@temporalio/proto';
import { CANARY_SIGNAL, CANARY_WORKFLOW, planCanary, valueOf, type CanaryInput } from './canary-plan.js';
import type { CanaryRow } from './ledger.js';

export type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

/** gRPC's status codes that are told apart here. */
const NOT_FOUND = 5;
const CALL_DEADLINE_MS = 30_000;
/** A long canary that nobody releases ends by itself after a week. */
const DEADLINE_MS = 7 * 24 * 3_600_000;

/** Workflow id of a short canary; the same number always gives the same id, so a start can be repeated. */
export function canaryIdOf(loadId: string, number: number): string {
  return `canary-${loadId}-${number}`;
}

export function longCanaryIdOf(loadId: string, hop: string, number: number): string {
  return `canary-${loadId}-long-${hop}-${number}`;
}

/** Task queue on the target that the load's own worker polls. */
export function canaryTaskQueueOf(loadId: string): string {
  return `canary-${loadId}`;
}

/** The calls that canaries need, each safe to repeat: the target itself refuses what it has already. */
export class CanaryTarget {
  readonly #client: Client;

  constructor(
    readonly connection: Connection,
    readonly namespace: string,
    readonly loadId: string,
  ) {
    this.#client = new Client({ connection, namespace, identity: `temporal-upgrade-load-${loadId}` });
  }

  /** Starts the canary, or finds that it has been started. Returns its run id. */
  async start(canary: Pick<CanaryRow, 'workflowId' | 'number' | 'kind'>): Promise<string> {
    const { workflowId, number, kind } = canary;
    const input: CanaryInput = { number, kind, deadlineMs: DEADLINE_MS };
    return this.#withDeadline(async () => {
      try {
        const handle = await this.#client.workflow.start(CANARY_WORKFLOW, {
          workflowId,
          taskQueue: canaryTaskQueueOf(this.loadId),
          args: [input],
          workflowIdReusePolicy: 'REJECT_DUPLICATE',
          // A canary whose worker is gone for good does not stay on the target for ever.
          workflowExecutionTimeout: 2 * DEADLINE_MS,
        });
        return handle.firstExecutionRunId;
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
        return (await this.#handle(workflowId).describe()).runId;
      }
    });
  }

  /**
   * Sends signal `index` of the canary's plan. Its id is the request id too, so that the target keeps a repeated one only
   * once, also when another process repeats it. Returns false when the canary is not there any more to take it.
   */
  async signal(canary: Pick<CanaryRow, 'workflowId' | 'number' | 'kind'>, index: number): Promise<boolean> {
    const { workflowId, number, kind } = canary;
    const id = planCanary(number, kind, workflowId).signals[index];
    if (id === undefined) return true;
    try {
      await this.#withDeadline(() =>
        this.connection.workflowService.signalWorkflowExecution({
          namespace: this.namespace,
          workflowExecution: { workflowId },
          signalName: CANARY_SIGNAL,
          input: { payloads: toPayloads(defaultPayloadConverter, { id, value: valueOf(id) }) ?? null },
          identity: `temporal-upgrade-load-${this.loadId}`,
          requestId: `${workflowId}/${id}`,
        }),
      );
      return true;
    } catch (error) {
      if (isGrpcServiceError(error) && Number(error.code) === NOT_FOUND) return false;
      throw error;
    }
  }

  /** All events of the newest run under `workflowId`, or null when the target has none. */
  async fetchHistory(workflowId: string): Promise<readonly HistoryEvent[] | null> {
    const events: HistoryEvent[] = [];
    let nextPageToken: Uint8Array | null | undefined;
    try {
      do {
        const page = await this.#withDeadline(() =>
          this.connection.workflowService.getWorkflowExecutionHistory({
            namespace: this.namespace,
            execution: { workflowId },
            nextPageToken: nextPageToken ?? null,
          }),
        );
        events.push(...(page.history?.events ?? []));
        nextPageToken = page.nextPageToken;
      } while (nextPageToken !== null && nextPageToken !== undefined && nextPageToken.length > 0);
    } catch (error) {
      if (isGrpcServiceError(error) && Number(error.code) === NOT_FOUND) return null;
      throw error;
    }
    return events;
  }

  #handle(workflowId: string): WorkflowHandle {
    return this.#client.workflow.getHandle(workflowId);
  }

  #withDeadline<T>(call: () => Promise<T>): Promise<T> {
    return this.connection.withDeadline(Date.now() + CALL_DEADLINE_MS, call);
  }
}
