import { defaultPayloadConverter } from '@temporalio/common';
import proto from '@temporalio/proto';
import type Long from 'long';
import { planCanary, resultOf, valueOf, type CanaryKind } from '../../load/canary-plan.js';
import type { HistoryEvent } from '../../load/canary-target.js';

const { EventType } = proto.temporal.api.enums.v1;

/** Number and type of an event are given when the history is put together. */
export type Step = Omit<HistoryEvent, 'eventId'>;

export const payloads = (value: unknown) => ({ payloads: [defaultPayloadConverter.toPayload(value) ?? {}] });

export const startedAs = (runId: string, continuedExecutionRunId = ''): Step => ({
  eventType: EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
  workflowExecutionStartedEventAttributes: {
    originalExecutionRunId: runId,
    firstExecutionRunId: continuedExecutionRunId === '' ? runId : 'run-1',
    continuedExecutionRunId,
  },
});

export const completedWith = (result: unknown): Step => ({
  eventType: EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
  workflowExecutionCompletedEventAttributes: { result: payloads(result) },
});

export const numbered = (steps: readonly Step[]): HistoryEvent[] =>
  steps.map((step, index) => ({ ...step, eventId: (index + 1) as unknown as Long }));

/** The runs of a canary of which all has come about, oldest first; run n has the id `run-n`. */
export function stepsOfRuns(number: number, kind: CanaryKind, workflowId: string): Step[][] {
  const { runs } = planCanary(number, kind, workflowId);
  return Array.from({ length: runs }, (_, run) => {
    const plan = planCanary(number, kind, workflowId, run);
    const steps: Step[] = [startedAs(`run-${run + 1}`, run === 0 ? '' : `run-${run}`)];
    if (plan.attribute !== null) {
      const indexedFields = { Any: defaultPayloadConverter.toPayload(plan.attribute) ?? {} };
      steps.push({ upsertWorkflowSearchAttributesEventAttributes: { searchAttributes: { indexedFields } } });
    }
    for (const { id } of plan.activities) {
      steps.push({ activityTaskScheduledEventAttributes: { activityId: id } });
      steps.push({ activityTaskCompletedEventAttributes: { scheduledEventId: steps.length as unknown as Long } });
    }
    for (const { call, id } of plan.calls) {
      if (call === 'signal') {
        const input = payloads({ id, value: valueOf(id) });
        steps.push({ workflowExecutionSignaledEventAttributes: { input } });
      }
      if (call === 'update') {
        const meta = { updateId: id };
        steps.push({ workflowExecutionUpdateAcceptedEventAttributes: { acceptedRequest: { meta } } });
        steps.push({ workflowExecutionUpdateCompletedEventAttributes: { meta } });
      }
    }
    for (const index of plan.timersMs.keys()) {
      steps.push({ timerStartedEventAttributes: { timerId: `${index}` } });
      steps.push({ timerFiredEventAttributes: { timerId: `${index}` } });
    }
    if (plan.childId !== null) {
      steps.push({ startChildWorkflowExecutionInitiatedEventAttributes: { workflowId: plan.childId } });
      const workflowExecution = { workflowId: plan.childId };
      steps.push({ childWorkflowExecutionCompletedEventAttributes: { workflowExecution } });
    }
    if (run === runs - 1) steps.push(completedWith(resultOf(number, kind)));
    else steps.push({ eventType: EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW });
    return steps;
  });
}
