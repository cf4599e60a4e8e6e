import type { WorkflowService } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import type { EventPlace, Identity } from '../core/identity.js';
import { momentOf } from './cluster/proto-time.js';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

/** One run of a workflow. */
export interface RunRef {
  readonly namespace: string;
  readonly workflowId: string;
  readonly runId: string;
}

/** Every event of a run, from its first on, page by page. */
export async function* readEvents(
  service: WorkflowService,
  { namespace, ...execution }: RunRef,
): AsyncGenerator<HistoryEvent> {
  let nextPageToken: Uint8Array | undefined;
  do {
    const page = await service.getWorkflowExecutionHistory({
      namespace,
      execution,
      ...(nextPageToken === undefined ? {} : { nextPageToken }),
    });
    yield* page.history?.events ?? [];
    nextPageToken = page.nextPageToken;
  } while (nextPageToken.length > 0);
}

/**
 * What an event says of who caused it. The principal is there from server 1.31 on, where an authorizer names one. An update has
 * none: its event is written as its worker accepts it, and carries the principal of the worker (`closeTransaction` in
 * service/history/workflow/mutable_state_impl.go of the server).
 */
export function identityOf(event: HistoryEvent): Omit<Identity, 'said'> {
  const update = event.workflowExecutionUpdateAcceptedEventAttributes;
  const claimed =
    event.workflowExecutionSignaledEventAttributes?.identity ??
    event.workflowExecutionStartedEventAttributes?.identity ??
    update?.acceptedRequest?.meta?.identity;
  const proved = update ? undefined : event.principal?.name;
  return { ...(claimed ? { claimed } : {}), ...(proved ? { proved } : {}) };
}

/** Where an event of a run stands. */
export function placeOf({ eventId, eventTime }: HistoryEvent, { runId }: Pick<RunRef, 'runId'>): EventPlace {
  return { runId, eventId: String(eventId), at: new Date(momentOf(eventTime) ?? 0).toISOString() };
}
