import { withTarget } from '../adapters/cluster/target-connection.js';
import type { LabCluster } from './cluster.js';

const NAMESPACE = 'default';

/**
 * Starts workflows that nobody works on, as a real cluster has thousands that only wait. Whatever happens to the cluster, they
 * have to be there afterwards. Returns `<workflow id>/<run id>` of each.
 */
export async function startWaitingWorkflows({ target }: LabCluster, count: number): Promise<readonly string[]> {
  return withTarget(target.connection, async (frontend) => {
    const { workflow } = frontend.client(NAMESPACE);
    const numbers = Array.from({ length: count }, (_, index) => index);
    return Promise.all(
      numbers.map(async (number) => {
        const options = { workflowId: `waiting-${target.name}-${number}`, taskQueue: 'nobody' };
        const { workflowId, firstExecutionRunId } = await workflow.start('waiting', options);
        return `${workflowId}/${firstExecutionRunId}`;
      }),
    );
  });
}

/** Those of them that run now, in the same form. */
export async function listWaitingWorkflows({ target }: LabCluster): Promise<readonly string[]> {
  return withTarget(target.connection, async (frontend) => {
    const running = [];
    const query = 'WorkflowType = "waiting" AND ExecutionStatus = "Running"';
    for await (const { workflowId, runId } of frontend.client(NAMESPACE).workflow.list({ query })) {
      running.push(`${workflowId}/${runId}`);
    }
    return running;
  });
}
