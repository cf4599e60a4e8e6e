import type { HistoryEvent } from './canary-target.js';
import { valueIn } from './payload.js';

export type Counts = Map<string, number>;

/** How often each step is in a history, by its id. */
export interface Steps {
  readonly scheduled: Counts;
  readonly completed: Counts;
  readonly timersStarted: Counts;
  readonly timersEnded: Counts;
  readonly timersFired: Counts;
  readonly signals: Counts;
  readonly updatesAccepted: Counts;
  readonly updatesCompleted: Counts;
  readonly childrenStarted: Counts;
  readonly childrenCompleted: Counts;
  /** By their values. */
  readonly attributes: Counts;
}

const STEP_NAMES: Readonly<Record<keyof Steps, string>> = {
  scheduled: 'activity scheduled',
  completed: 'activity completed',
  timersStarted: 'timer started',
  timersEnded: 'timer ended',
  timersFired: 'timer fired',
  signals: 'signal received',
  updatesAccepted: 'update accepted',
  updatesCompleted: 'update completed',
  childrenStarted: 'child started',
  childrenCompleted: 'child completed',
  attributes: 'search attribute set',
};

/** Counts the steps of one run. */
export function countSteps(events: readonly HistoryEvent[]): Steps {
  const steps: Steps = {
    scheduled: new Map(),
    completed: new Map(),
    timersStarted: new Map(),
    timersEnded: new Map(),
    timersFired: new Map(),
    signals: new Map(),
    updatesAccepted: new Map(),
    updatesCompleted: new Map(),
    childrenStarted: new Map(),
    childrenCompleted: new Map(),
    attributes: new Map(),
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
    if (signal) count(steps.signals, signalIdOf(valueIn(signal.input?.payloads)));
    count(steps.updatesAccepted, event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest?.meta?.updateId);
    count(steps.updatesCompleted, event.workflowExecutionUpdateCompletedEventAttributes?.meta?.updateId);
    count(steps.childrenStarted, event.startChildWorkflowExecutionInitiatedEventAttributes?.workflowId);
    count(steps.childrenCompleted, event.childWorkflowExecutionCompletedEventAttributes?.workflowExecution?.workflowId);
    const upserted = event.upsertWorkflowSearchAttributesEventAttributes?.searchAttributes?.indexedFields ?? {};
    for (const payload of Object.values(upserted)) count(steps.attributes, String(valueIn([payload])));
  }
  return steps;
}

/** Names a step that is there more than once, undefined when none is. */
export function findTwice(steps: Steps): string | undefined {
  for (const [kind, name] of Object.entries(STEP_NAMES) as [keyof Steps, string][]) {
    for (const [id, times] of steps[kind]) if (times > 1) return `${name} ${times} times: ${id}`;
  }
  return undefined;
}

function count(counts: Counts, id: string | null | undefined): void {
  if (id !== null && id !== undefined) counts.set(id, (counts.get(id) ?? 0) + 1);
}

function signalIdOf(value: unknown): string {
  const id = (value as { readonly id?: unknown } | null | undefined)?.id;
  return typeof id === 'string' ? id : 'one without an id';
}
