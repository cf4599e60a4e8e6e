import { getExternalWorkflowHandle, isCancellation, log, ParentClosePolicy, startChild } from '@temporalio/workflow';
import type { SignalDefinition } from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';

/**
 * Starts a workflow that works beside the roll-out, once: it outlives this run, which continues as new, and ends when told to,
 * or when it sees that the roll-out is over.
 */
export async function startBeside(
  type: string,
  { workflowId, request, summary }: { readonly workflowId: string; readonly request: object; readonly summary: string },
): Promise<void> {
  await startChild(type, {
    args: [request],
    workflowId,
    parentClosePolicy: ParentClosePolicy.ABANDON,
    staticSummary: summary,
  }).catch((error: unknown) => {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  });
}

/** Tells it to end, for good. One that has ended already is no failure. */
export async function stopBeside(workflowId: string, stop: SignalDefinition): Promise<void> {
  try {
    await getExternalWorkflowHandle(workflowId).signal(stop);
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn('it had ended already', { workflowId, error: String(error) });
  }
}
