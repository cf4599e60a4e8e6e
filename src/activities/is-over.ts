import { getClient } from '@temporalio/activity';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { RolloutRef } from '../contract/activities.js';

/** Whether a roll-out of this control plane has ended. @throws when the control plane cannot be asked */
export async function isOver({ workflowId, firstRunId }: RolloutRef): Promise<boolean> {
  try {
    const execution = await getClient()
      .workflow.getHandle(workflowId, undefined, { firstExecutionRunId: firstRunId })
      .describe();
    const chain = execution.raw.workflowExecutionInfo?.firstRunId;
    return execution.status.name !== 'RUNNING' || (chain !== undefined && chain !== '' && chain !== firstRunId);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return true;
    throw error;
  }
}
