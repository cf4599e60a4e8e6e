import type { TaskQueueSurvey } from '../../core/survey/namespace-survey.js';
import { mapAtMost } from './look.js';
import type { TargetConnection } from './target-connection.js';

const QUEUES = 20;
const AT_ONCE = 8;
const CALL_TIMEOUT_MS = 3_000;
/** Of `temporal.api.enums.v1.TaskQueueType`. */
const KINDS = [
  ['workflow', 1],
  ['activity', 2],
] as const;

/**
 * Who polls the task queues of these workflows, and what waits there. An activity may wait in another queue, which nothing
 * names. @throws what the frontend answers
 */
export async function readTaskQueues(
  target: TargetConnection,
  namespace: string,
  runs: readonly { readonly taskQueue: string }[],
): Promise<TaskQueueSurvey[]> {
  const names = [...new Set(runs.map(({ taskQueue }) => taskQueue))].filter((name) => name !== '').slice(0, QUEUES);
  const asked = names.flatMap((name) => KINDS.map(([kind, taskQueueType]) => ({ name, kind, taskQueueType })));
  return mapAtMost(AT_ONCE, asked, async ({ name, kind, taskQueueType }) => {
    const { pollers, stats, taskQueueStatus } = await target.ask(
      `describing task queue ${name} of ${namespace}`,
      () =>
        target.grpc.workflowService.describeTaskQueue({
          namespace,
          taskQueue: { name },
          taskQueueType,
          reportStats: true,
          // What older servers have in place of the statistics: a hint, of one partition.
          includeTaskQueueStatus: true,
        }),
      CALL_TIMEOUT_MS,
    );
    const counts = [stats?.approximateBacklogCount, taskQueueStatus?.backlogCountHint].map((count) =>
      Number(count ?? 0),
    );
    return { name, kind, pollers: pollers.length, backlog: Math.max(...counts) };
  });
}
