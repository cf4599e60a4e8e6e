import proto, { type temporal } from '@temporalio/proto';
import type { QueueFacts, QueueKind } from '../../core/running-work/run-facts.js';
import { allEnded } from '../at-once.js';
import { momentOf } from './proto-time.js';
import type { TargetConnection } from './target-connection.js';

const { TaskQueueType, WorkerVersioningMode } = proto.temporal.api.enums.v1;
/** A poll lasts a minute, so an idle worker asks at least that often. */
const POLLED_WITHIN_MS = 2 * 60_000;

type Description = temporal.api.workflowservice.v1.IDescribeTaskQueueResponse;
type Poller = temporal.api.taskqueue.v1.IPollerInfo;

/** Asks matching about one task queue, partition by partition: frontends before 1.24 cannot put them together. */
export async function readQueue(
  target: TargetConnection,
  namespace: string,
  { kind, name }: { readonly kind: QueueKind; readonly name: string },
): Promise<QueueFacts> {
  const { workflowService } = target.grpc;
  const partitions = await target.ask(`listing partitions of task queue ${name} of ${namespace}`, () =>
    workflowService.listTaskQueuePartitions({ namespace, taskQueue: { name } }),
  );
  const ofKind = kind === 'workflow' ? partitions.workflowTaskQueuePartitions : partitions.activityTaskQueuePartitions;
  const taskQueueType =
    kind === 'workflow' ? TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW : TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY;
  const descriptions = await target.ask(`describing task queue ${name} of ${namespace}`, () =>
    allEnded(
      [name, ...ofKind.flatMap(({ key }) => (key && key !== name ? [key] : []))].map((partition) =>
        workflowService.describeTaskQueue({
          namespace,
          taskQueue: { name: partition },
          taskQueueType,
          includeTaskQueueStatus: true,
        }),
      ),
    ),
  );
  return join(descriptions, Date.now());
}

function join(descriptions: readonly Description[], now: number): QueueFacts {
  const pollers = descriptions.flatMap((description) => description.pollers ?? []);
  return {
    pollers: pollers.filter(({ lastAccessTime }) => now - (momentOf(lastAccessTime) ?? 0) < POLLED_WITHIN_MS).length,
    backlog: descriptions.reduce((sum, description) => sum + backlogOf(description), 0),
    versioned:
      descriptions.some(({ versioningInfo }) => Boolean(versioningInfo?.currentDeploymentVersion)) ||
      pollers.some(isVersioned),
  };
}

/**
 * A count of 0 is not enough: after a crash of its process it may be too small. What was read from the store and is not done
 * counts as well.
 */
function backlogOf({ taskQueueStatus: status }: Description): number {
  if (status === null || status === undefined) return Number.POSITIVE_INFINITY; // not known
  const unfinished = Number(status.readLevel ?? 0) > Number(status.ackLevel ?? 0) ? 1 : 0;
  return Math.max(Number(status.backlogCountHint ?? 0), unfinished);
}

function isVersioned({ workerVersionCapabilities: capabilities, deploymentOptions }: Poller): boolean {
  return (
    capabilities?.useVersioning === true ||
    deploymentOptions?.workerVersioningMode === WorkerVersioningMode.WORKER_VERSIONING_MODE_VERSIONED
  );
}
