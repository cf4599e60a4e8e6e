import { defaultPayloadConverter } from '@temporalio/common';
import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import { planCanary, type CanaryPlan, type CanaryResult } from './canary-plan.js';
import type { HistoryEvent } from './canary-target.js';
import type { CanaryRow, Judgement } from './ledger.js';

const { EventType } = proto.temporal.api.enums.v1;
const RESET = proto.temporal.api.enums.v1.WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW;

/** How a workflow can end other than well. */
const BAD_ENDS = new Map<temporal.api.enums.v1.EventType | null | undefined, string>([
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED, 'it failed'],
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT, 'it timed out'],
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED, 'it was cancelled'],
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED, 'it was terminated'],
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW, 'it continued as a new run'],
]);

/** Compares what the target recorded of a canary with its plan. `events` is the whole history of the newest run. */
export function judgeHistory(
  canary: Pick<CanaryRow, 'workflowId' | 'number' | 'kind' | 'runId' | 'signalsSent'>,
  events: readonly HistoryEvent[],
): Judgement {
  const plan = planCanary(canary.number, canary.kind, canary.workflowId);
  const steps = countSteps(events);

  const twice = findSecondRun(canary.runId, events) ?? findTwice(steps);
  if (twice !== undefined) return { outcome: 'duplicated', reason: twice, final: true };
  const gap = events.findIndex((event, index) => Number(event.eventId) !== index + 1);
  if (gap !== -1) return { outcome: 'wrong', reason: `event ${gap + 1} is missing from its history`, final: true };

  const last = events.at(-1);
  const badEnd = BAD_ENDS.get(last?.eventType);
  if (badEnd !== undefined) return { outcome: 'failed', reason: badEnd, final: true };
  const missingSignal = plan.signals.slice(0, canary.signalsSent).find((id) => !steps.signals.has(id));
  const signalProblem =
    missingSignal === undefined ? undefined : `signal ${missingSignal} was confirmed, and is not in its history`;
  if (last?.eventType !== EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED) {
    // No proof yet while it runs: a signal that meets a workflow task in progress waits beside the history until that ends.
    return { outcome: 'running', reason: signalProblem ?? null, final: false };
  }
  const problem = signalProblem ?? findMissing(plan, steps) ?? compareResult(plan.result, last);
  return problem === undefined
    ? { outcome: 'completed', reason: null, final: true }
    : { outcome: 'wrong', reason: problem, final: true };
}

/** How often each step is in the history, by its id. */
interface Steps {
  readonly scheduled: Counts;
  readonly completed: Counts;
  readonly timersStarted: Counts;
  readonly timersEnded: Counts;
  readonly timersFired: Counts;
  readonly signals: Counts;
  readonly childrenStarted: Counts;
  readonly childrenCompleted: Counts;
}
type Counts = Map<string, number>;

function countSteps(events: readonly HistoryEvent[]): Steps {
  const steps: Steps = {
    scheduled: new Map(),
    completed: new Map(),
    timersStarted: new Map(),
    timersEnded: new Map(),
    timersFired: new Map(),
    signals: new Map(),
    childrenStarted: new Map(),
    childrenCompleted: new Map(),
  };
  const activityOf = new Map<string, string>();
  for (const event of events) {
    const scheduled = event.activityTaskScheduledEventAttributes;
    if (scheduled) {
      activityOf.set(String(event.eventId), scheduled.activityId ?? '');
      count(steps.scheduled, scheduled.activityId);
    }
    const completed = event.activityTaskCompletedEventAttributes;
    if (completed) count(steps.completed, activityOf.get(String(completed.scheduledEventId)));
    count(steps.timersStarted, event.timerStartedEventAttributes?.timerId);
    count(steps.timersFired, event.timerFiredEventAttributes?.timerId);
    count(steps.timersEnded, event.timerFiredEventAttributes?.timerId ?? event.timerCanceledEventAttributes?.timerId);
    const signal = event.workflowExecutionSignaledEventAttributes;
    if (signal) count(steps.signals, signalIdOf(signal.input?.payloads?.[0]));
    count(steps.childrenStarted, event.startChildWorkflowExecutionInitiatedEventAttributes?.workflowId);
    count(steps.childrenCompleted, event.childWorkflowExecutionCompletedEventAttributes?.workflowExecution?.workflowId);
  }
  return steps;
}

function count(counts: Counts, id: string | null | undefined): void {
  if (id !== null && id !== undefined) counts.set(id, (counts.get(id) ?? 0) + 1);
}

function findSecondRun(runId: string | null, events: readonly HistoryEvent[]): string | undefined {
  const start = events[0]?.workflowExecutionStartedEventAttributes;
  const found = start?.originalExecutionRunId;
  if (runId !== null && found !== runId) return `two runs under its id: ${runId} and ${found ?? 'one without an id'}`;
  const reset = events.some((event) => event.workflowTaskFailedEventAttributes?.cause === RESET);
  return reset ? 'two runs under its id: it was reset' : undefined;
}

const STEP_NAMES: Readonly<Record<keyof Steps, string>> = {
  scheduled: 'activity scheduled',
  completed: 'activity completed',
  timersStarted: 'timer started',
  timersEnded: 'timer ended',
  timersFired: 'timer fired',
  signals: 'signal received',
  childrenStarted: 'child started',
  childrenCompleted: 'child completed',
};

function findTwice(steps: Steps): string | undefined {
  for (const [kind, name] of Object.entries(STEP_NAMES) as [keyof Steps, string][]) {
    for (const [id, times] of steps[kind]) if (times > 1) return `${name} ${times} times: ${id}`;
  }
  return undefined;
}

function findMissing(plan: CanaryPlan, steps: Steps): string | undefined {
  const activity = plan.activities.find(({ id }) => !steps.completed.has(id));
  if (activity !== undefined) return `activity ${activity.id} is not completed in its history`;
  if (steps.completed.size > plan.activities.length) return 'it completed more activities than planned';
  // Whoever released it, or nobody in time: a long canary may end without its signal.
  const signal = plan.alarmMs !== null ? undefined : plan.signals.find((id) => !steps.signals.has(id));
  if (signal !== undefined) return `signal ${signal} is not in its history`;
  if (plan.childId !== null && !steps.childrenCompleted.has(plan.childId)) {
    return `child ${plan.childId} is not completed in its history`;
  }
  // Alarm and deadline of a long canary may be cancelled, even before they reach the target.
  const most = plan.timersMs.length + (plan.alarmMs === null ? 0 : 2);
  if (steps.timersStarted.size > most) return `${steps.timersStarted.size} timers started, planned were ${most}`;
  if (steps.timersEnded.size !== steps.timersStarted.size) {
    return `${steps.timersEnded.size} of ${steps.timersStarted.size} timers ended`;
  }
  if (steps.timersFired.size < plan.timersMs.length) {
    return `${steps.timersFired.size} of ${plan.timersMs.length} timers fired`;
  }
  return undefined;
}

function compareResult(expected: CanaryResult, last: HistoryEvent | undefined): string | undefined {
  const found = decode(last?.workflowExecutionCompletedEventAttributes?.result?.payloads?.[0]) as
    CanaryResult | undefined;
  if (found?.number === expected.number && found.digest === expected.digest) return undefined;
  return `result is ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`;
}

function signalIdOf(payload: temporal.api.common.v1.IPayload | undefined): string {
  const value = decode(payload) as { readonly id?: unknown } | undefined;
  return typeof value?.id === 'string' ? value.id : 'one without an id';
}

/** The value of a payload, undefined when there is none or it cannot be read. */
function decode(payload: temporal.api.common.v1.IPayload | undefined): unknown {
  if (payload === undefined) return undefined;
  try {
    return defaultPayloadConverter.fromPayload(payload);
  } catch {
    return undefined;
  }
}
