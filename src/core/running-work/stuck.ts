import { queueKey, type ActivityFacts, type QueueFacts, type RunFacts } from './run-facts.js';

/** Older than any delay of a server that works: it hands out tasks and fires timers within seconds. */
export const OVERDUE_MS = 5 * 60_000;

/** The rule by which a workflow should have gone on. */
export type StuckRule =
  'first-task' | 'workflow-task' | 'workflow-task-timeout' | 'timer' | 'activity-task' | 'activity-timeout' | 'timeout';

/** Something that was due and did not come. */
export interface Stuck {
  readonly rule: StuckRule;
  /** When it was due, in milliseconds since 1970. */
  readonly dueAt: number;
  readonly why: string;
}

/** As {@link Stuck}, if the queue has nothing for its workers to do; a task that only waits for them is no fault. */
interface WaitsForQueue extends Stuck {
  readonly queue: string;
}

/** What a run waits for beyond all delay, as far as the server alone has to do it, and what workers might still do. */
export interface Overdue {
  readonly byServer: readonly Stuck[];
  /** Decided by the facts of the queues that they name; see {@link queueKey}. */
  readonly byQueue: readonly WaitsForQueue[];
}

/** A look at a moment. */
export interface Look {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** How late is too late; {@link OVERDUE_MS} when left out. */
  readonly overdueMs?: number | undefined;
}

const NOTHING: Overdue = { byServer: [], byQueue: [] };

/** Everything of `run` that was due too long ago and did not come. */
export function findOverdue(run: RunFacts, { now, overdueMs = OVERDUE_MS }: Look): Overdue {
  if (!run.running) return NOTHING;
  const isOverdue = ({ dueAt }: Stuck) => now - dueAt > overdueMs;
  const byServer = [...timeout(run), ...firstTask(run), ...timers(run), ...workflowTaskTimeout(run)];
  return {
    byServer: [...byServer, ...run.activities.flatMap(activityTimeouts)].filter(isOverdue),
    byQueue: run.versioned ? [] : [...workflowTask(run), ...run.activities.flatMap(activityTask)].filter(isOverdue),
  };
}

/**
 * Why `run` is stuck; undefined when it is not, or when nothing proves it. A run that waits for a signal, a timer of the future,
 * a child, or workers that are busy or away, is not stuck. Holds where the run's namespace is active.
 */
export function findStuck(run: RunFacts, queues: ReadonlyMap<string, QueueFacts>, look: Look): Stuck | undefined {
  const { byServer, byQueue } = findOverdue(run, look);
  const lost = byQueue.filter(({ queue }) => isIdle(queues.get(queue)));
  const [first] = [...byServer, ...lost].toSorted((a, b) => a.dueAt - b.dueAt);
  return first === undefined ? undefined : { rule: first.rule, dueAt: first.dueAt, why: first.why };
}

/** Workers ask this queue for tasks, and it has none: then a task that should be in it is lost. */
function isIdle(queue: QueueFacts | undefined): boolean {
  return queue !== undefined && queue.pollers > 0 && queue.backlog === 0 && !queue.versioned;
}

function timeout({ expiresAt }: RunFacts): Stuck[] {
  if (expiresAt === null) return [];
  return [{ rule: 'timeout', dueAt: expiresAt, why: 'its timeout is over, and it still runs' }];
}

function firstTask({ beginsAt, workflowTask: pending, history }: RunFacts): Stuck[] {
  if (beginsAt === null || pending !== null || history === null || history.hadWorkflowTask) return [];
  return [{ rule: 'first-task', dueAt: beginsAt, why: 'its first workflow task was never scheduled' }];
}

function timers({ workflowTask: pending, history }: RunFacts): Stuck[] {
  // While a worker has a workflow task, a timer that fired waits outside the history for its end.
  if (history === null || pending?.state === 'started') return [];
  return history.openTimers.map(({ id, dueAt }) => ({ rule: 'timer', dueAt, why: `timer ${id} did not fire` }));
}

function workflowTaskTimeout({ workflowTask: pending }: RunFacts): Stuck[] {
  if (pending?.state !== 'started' || pending.startedAt === null || pending.timeoutMs === null) return [];
  // The server gives later attempts more time, by minutes.
  if (pending.attempt > 1) return [];
  const why = 'a worker took its workflow task, and the timeout of that is over';
  return [{ rule: 'workflow-task-timeout', dueAt: pending.startedAt + pending.timeoutMs, why }];
}

function workflowTask({ workflowTask: pending, taskQueue }: RunFacts): WaitsForQueue[] {
  if (pending?.state !== 'scheduled' || pending.scheduledAt === null) return [];
  const why = `its workflow task is scheduled, but not in task queue ${taskQueue}, where workers wait for one`;
  return [{ rule: 'workflow-task', dueAt: pending.scheduledAt, why, queue: queueKey('workflow', taskQueue) }];
}

function activityTask({ id, state, scheduledAt, taskQueue }: ActivityFacts): WaitsForQueue[] {
  if (state !== 'scheduled' || scheduledAt === null || taskQueue === null) return [];
  const why = `activity ${id} is scheduled, but not in task queue ${taskQueue}, where workers wait for one`;
  return [{ rule: 'activity-task', dueAt: scheduledAt, why, queue: queueKey('activity', taskQueue) }];
}

/** Not its schedule-to-close timeout: what the server counts that from differs between versions once it was retried. */
function activityTimeouts(activity: ActivityFacts): Stuck[] {
  const { id, state, startedAt, heartbeatAt, startToCloseMs, heartbeatTimeoutMs } = activity;
  if (state !== 'started' || startedAt === null) return [];
  const over = (what: string, since: number, ms: number | null): Stuck[] =>
    ms === null || ms <= 0
      ? []
      : [{ rule: 'activity-timeout', dueAt: since + ms, why: `the ${what} timeout of activity ${id} is over` }];
  return [
    ...over('start-to-close', startedAt, startToCloseMs),
    ...over('heartbeat', Math.max(heartbeatAt ?? 0, startedAt), heartbeatTimeoutMs),
  ];
}
