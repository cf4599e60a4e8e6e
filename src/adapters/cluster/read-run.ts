import proto, { type temporal } from '@temporalio/proto';
import type { ActivityFacts, HistoryFacts, RunFacts, WorkflowTaskFacts } from '../../core/running-work/run-facts.js';
import { millisecondsOf, momentOf } from './proto-time.js';
import { STATUSES, type RunId, type RunStatus } from './target-cluster.js';
import { grpcCodeOf, type TargetConnection } from './target-connection.js';

const NOT_FOUND = 5;
const { PendingActivityState, PendingWorkflowTaskState } = proto.temporal.api.enums.v1;
const PAGE_SIZE = 1_000;
/** Longer histories are left unread: they belong to busy workflows, and cost both sides. */
const MAX_EVENTS = 5_000;

type Description = temporal.api.workflowservice.v1.IDescribeWorkflowExecutionResponse;
type PendingActivity = temporal.api.workflow.v1.IPendingActivityInfo;
type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

/** What the history store has of one run. */
export interface Run {
  readonly runId: string;
  readonly status: RunStatus;
  /** Null when it is not running, or missing. */
  readonly facts: RunFacts | null;
  readonly historyLength: number;
}

/** Describes one run, the newest of its workflow for an empty run id; its history is not read, see {@link withHistory}. */
export async function readRun(target: TargetConnection, namespace: string, run: RunId): Promise<Run> {
  let description: Description;
  try {
    description = await target.ask(`describing ${run.workflowId} of ${namespace}`, () =>
      target.grpc.workflowService.describeWorkflowExecution({ namespace, execution: run }),
    );
  } catch (error) {
    if (grpcCodeOf(error) === NOT_FOUND) return { runId: run.runId, status: 'missing', facts: null, historyLength: 0 };
    throw error;
  }
  const info = description.workflowExecutionInfo;
  const status = STATUSES[info?.status ?? 0] ?? 'unspecified';
  const facts = status === 'running' ? factsOf(description) : null;
  return { runId: info?.execution?.runId ?? run.runId, status, facts, historyLength: Number(info?.historyLength ?? 0) };
}

function factsOf({ workflowExecutionInfo: info, ...description }: Description): RunFacts {
  const { workflowExtendedInfo: extended, executionConfig: config } = description;
  const beginsAt = momentOf(info?.executionTime) ?? momentOf(info?.startTime);
  const runTimeoutMs = millisecondsOf(config?.workflowRunTimeout) ?? 0;
  return {
    running: (extended?.pauseInfo ?? null) === null,
    versioned:
      (info?.versioningInfo ?? null) !== null ||
      (info?.assignedBuildId ?? '') !== '' ||
      info?.mostRecentWorkerVersionStamp?.useVersioning === true,
    taskQueue: config?.taskQueue?.name ?? info?.taskQueue ?? '',
    beginsAt,
    // Servers before 1.25 do not say it; the run's timeout counts from its first workflow task on.
    expiresAt:
      momentOf(extended?.runExpirationTime) ?? (beginsAt !== null && runTimeoutMs > 0 ? beginsAt + runTimeoutMs : null),
    workflowTask: workflowTaskOf(description),
    activities: (description.pendingActivities ?? []).map(activityOf),
    history: null,
  };
}

function workflowTaskOf({ pendingWorkflowTask: task, executionConfig }: Description): WorkflowTaskFacts | null {
  if (task === null || task === undefined) return null;
  const started = task.state === PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_STARTED;
  return {
    state: started ? 'started' : 'scheduled',
    scheduledAt: momentOf(task.scheduledTime),
    startedAt: momentOf(task.startedTime),
    attempt: task.attempt ?? 1,
    timeoutMs: millisecondsOf(executionConfig?.defaultWorkflowTaskTimeout),
  };
}

function activityOf(activity: PendingActivity): ActivityFacts {
  const { activityOptions: options } = activity;
  return {
    id: activity.activityId ?? '',
    state: activity.paused === true ? 'other' : stateOf(activity),
    scheduledAt: momentOf(activity.nextAttemptScheduleTime) ?? momentOf(activity.scheduledTime),
    startedAt: momentOf(activity.lastStartedTime),
    heartbeatAt: momentOf(activity.lastHeartbeatTime),
    taskQueue: options?.taskQueue?.name ?? null,
    startToCloseMs: millisecondsOf(options?.startToCloseTimeout),
    heartbeatTimeoutMs: millisecondsOf(options?.heartbeatTimeout),
  };
}

function stateOf({ state }: PendingActivity): ActivityFacts['state'] {
  if (state === PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED) return 'scheduled';
  return state === PendingActivityState.PENDING_ACTIVITY_STATE_STARTED ? 'started' : 'other';
}

/** `run` with what only its history tells; undefined when that is too long, or gone. */
export async function withHistory(
  target: TargetConnection,
  namespace: string,
  { id, run }: { readonly id: RunId; readonly run: Run & { readonly facts: RunFacts } },
): Promise<RunFacts | undefined> {
  if (run.historyLength > MAX_EVENTS) return undefined;
  const reading = new HistoryReading();
  let nextPageToken: Uint8Array | undefined;
  try {
    do {
      const page = await target.ask(`reading the history of ${id.workflowId} of ${namespace}`, () =>
        target.grpc.workflowService.getWorkflowExecutionHistory({
          namespace,
          execution: id,
          maximumPageSize: PAGE_SIZE,
          nextPageToken,
        }),
      );
      for (const event of page.history?.events ?? []) reading.add(event);
      nextPageToken = page.nextPageToken;
    } while (nextPageToken !== undefined && nextPageToken.length > 0);
  } catch (error) {
    if (grpcCodeOf(error) === NOT_FOUND) return undefined; // ended and deleted in between
    throw error;
  }
  const activities = run.facts.activities.map((activity) => reading.completed(activity));
  return { ...run.facts, activities, history: reading.facts() };
}

/** Keeps what is open in a history, event by event. */
class HistoryReading {
  readonly #timers = new Map<string, { readonly id: string; readonly dueAt: number }>();
  readonly #activities = new Map<string, Pick<ActivityFacts, 'taskQueue' | 'startToCloseMs' | 'heartbeatTimeoutMs'>>();
  #hadWorkflowTask = false;

  add(event: HistoryEvent): void {
    this.#hadWorkflowTask ||= Boolean(event.workflowTaskScheduledEventAttributes);
    const { timerStartedEventAttributes: started, activityTaskScheduledEventAttributes: activity } = event;
    const ended = event.timerFiredEventAttributes ?? event.timerCanceledEventAttributes;
    const at = momentOf(event.eventTime);
    if (started && at !== null) {
      const dueAt = at + (millisecondsOf(started.startToFireTimeout) ?? 0);
      this.#timers.set(String(event.eventId), { id: started.timerId ?? '', dueAt });
    }
    if (ended) this.#timers.delete(String(ended.startedEventId));
    if (activity) {
      this.#activities.set(activity.activityId ?? '', {
        taskQueue: activity.taskQueue?.name ?? null,
        startToCloseMs: millisecondsOf(activity.startToCloseTimeout),
        heartbeatTimeoutMs: millisecondsOf(activity.heartbeatTimeout),
      });
    }
  }

  facts(): HistoryFacts {
    return { openTimers: [...this.#timers.values()], hadWorkflowTask: this.#hadWorkflowTask };
  }

  /** Older servers do not say with what options an activity was scheduled; what newer ones say comes first. */
  completed(activity: ActivityFacts): ActivityFacts {
    const scheduled = this.#activities.get(activity.id);
    return {
      ...activity,
      taskQueue: activity.taskQueue ?? scheduled?.taskQueue ?? null,
      startToCloseMs: activity.startToCloseMs ?? scheduled?.startToCloseMs ?? null,
      heartbeatTimeoutMs: activity.heartbeatTimeoutMs ?? scheduled?.heartbeatTimeoutMs ?? null,
    };
  }
}
