import { describe, expect, test } from '@jest/globals';
import { defaultPayloadConverter } from '@temporalio/common';
import type Long from 'long';
import proto from '@temporalio/proto';
import { planCanary, resultOf, valueOf, type CanaryKind } from '../../src/load/canary-plan.js';
import type { HistoryEvent } from '../../src/load/canary-target.js';
import { judgeHistory } from '../../src/load/judge-history.js';

const { EventType, WorkflowTaskFailedCause } = proto.temporal.api.enums.v1;
const RUN = 'run-1';
const NUMBER = 7;

/** Number and type of an event are given when the history is put together. */
type Step = Omit<HistoryEvent, 'eventId'>;

const payloads = (value: unknown) => ({ payloads: [defaultPayloadConverter.toPayload(value) ?? {}] });
/** Of a number that has a child. */
const planOf = (kind: CanaryKind) => ({ ...planCanary(NUMBER, kind, 'w'), childId: 'w-child' });
const canaryOf = (kind: CanaryKind) => ({
  workflowId: 'w',
  number: NUMBER,
  kind,
  runId: RUN,
  callsDone: planOf(kind).calls.length,
  wrongAnswer: null,
});

const signalled = (id: string): Step => ({
  workflowExecutionSignaledEventAttributes: { input: payloads({ id, value: valueOf(id) }) },
});
const timerStarted = (timerId: string): Step => ({ timerStartedEventAttributes: { timerId } });
const timerFired = (timerId: string): Step => ({ timerFiredEventAttributes: { timerId } });
const completedWith = (result: unknown): Step => ({
  eventType: EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
  workflowExecutionCompletedEventAttributes: { result: payloads(result) },
});

/** Steps of a canary of which all has come about; the histories of real ones are judged in test/real/load.test.ts. */
function stepsOf(kind: CanaryKind): Step[] {
  const plan = planOf(kind);
  const steps: Step[] = [{ workflowExecutionStartedEventAttributes: { originalExecutionRunId: RUN } }];
  for (const { id } of plan.activities) {
    steps.push({ activityTaskScheduledEventAttributes: { activityId: id } });
    steps.push({ activityTaskCompletedEventAttributes: { scheduledEventId: steps.length as unknown as Long } });
  }
  steps.push(...plan.calls.map(({ id }) => signalled(id)));
  for (const [index] of plan.timersMs.entries()) steps.push(timerStarted(`${index}`), timerFired(`${index}`));
  if (plan.alarmMs !== null) {
    steps.push(timerStarted('alarm'), timerStarted('deadline'), timerFired('alarm'));
    steps.push({ timerCanceledEventAttributes: { timerId: 'deadline' } });
  }
  steps.push({ startChildWorkflowExecutionInitiatedEventAttributes: { workflowId: plan.childId } });
  steps.push({ childWorkflowExecutionCompletedEventAttributes: { workflowExecution: { workflowId: plan.childId } } });
  steps.push(completedWith(resultOf(NUMBER, kind)));
  return steps;
}

function judge(kind: CanaryKind, steps: readonly Step[]) {
  const events = steps.map((step, index) => ({ ...step, eventId: (index + 1) as unknown as Long }));
  return judgeHistory(canaryOf(kind), [events]);
}

/** The steps with one put in before the end. */
function withStep(kind: CanaryKind, step: Step): Step[] {
  const steps = stepsOf(kind);
  return [...steps.slice(0, -1), step, ...steps.slice(-1)];
}

/** The steps without those that `has` is true of; events keep their places. */
function without(kind: CanaryKind, has: (step: Step) => boolean): Step[] {
  return stepsOf(kind).map((step) => (has(step) ? {} : step));
}

test('the canary judged here has a child', () => {
  expect(planCanary(NUMBER, 'steps', 'w').childId).toBe('w-child');
});

test.each(['steps', 'long'] as const)('a %s canary of which all has come about is completed', (kind) => {
  expect(judge(kind, stepsOf(kind))).toEqual({ outcome: 'completed', reason: null, final: true });
});

test('one that has not ended is running, and is asked again', () => {
  expect(judge('steps', stepsOf('steps').slice(0, -1))).toEqual({ outcome: 'running', reason: null, final: false });
});

test('a confirmed signal that is not in the history of a running one is named, and not yet judged', () => {
  const steps = without('steps', (step) => 'workflowExecutionSignaledEventAttributes' in step).slice(0, -1);
  expect(judge('steps', steps)).toMatchObject({ outcome: 'running', reason: expect.stringContaining('c-7-s-0') });
});

test('a long one that ended by its deadline, without its signal, is right', () => {
  const steps = without('long', (step) => 'workflowExecutionSignaledEventAttributes' in step);
  const events = steps.map((step, index) => ({ ...step, eventId: (index + 1) as unknown as Long }));
  expect(judgeHistory({ ...canaryOf('long'), callsDone: 0 }, [events]).outcome).toBe('completed');
  // Once its release was confirmed, that is a signal lost.
  expect(judgeHistory(canaryOf('long'), [events])).toMatchObject({ outcome: 'wrong' });
});

describe('done twice', () => {
  const { activities, calls, childId } = planOf('steps');
  test.each<[string, Step]>([
    ['activity scheduled', { activityTaskScheduledEventAttributes: { activityId: activities[0]?.id ?? '' } }],
    ['activity completed', { activityTaskCompletedEventAttributes: { scheduledEventId: 2 as unknown as Long } }],
    ['signal received', signalled(calls[0]?.id ?? '')],
    ['timer started', timerStarted('0')],
    ['timer ended', timerFired('0')],
    ['child started', { startChildWorkflowExecutionInitiatedEventAttributes: { workflowId: childId } }],
    [
      'child completed',
      { childWorkflowExecutionCompletedEventAttributes: { workflowExecution: { workflowId: childId } } },
    ],
    [
      'two runs',
      {
        workflowTaskFailedEventAttributes: { cause: WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW },
      },
    ],
  ])('%s', (reason, step) => {
    expect(judge('steps', withStep('steps', step))).toMatchObject({
      outcome: 'duplicated',
      reason: expect.stringContaining(reason),
      final: true,
    });
  });

  test('another run than the one that was started', () => {
    const [start, ...rest] = stepsOf('steps');
    const other = { ...start, workflowExecutionStartedEventAttributes: { originalExecutionRunId: 'run-2' } };
    expect(judge('steps', [other, ...rest])).toMatchObject({ outcome: 'duplicated' });
  });
});

describe('completed, but not as planned', () => {
  test.each<[string, (step: Step) => boolean]>([
    ['activity', (step) => 'activityTaskCompletedEventAttributes' in step],
    ['signal', (step) => 'workflowExecutionSignaledEventAttributes' in step],
    ['child', (step) => 'childWorkflowExecutionCompletedEventAttributes' in step],
    ['timers', (step) => 'timerFiredEventAttributes' in step],
  ])('without its %s', (reason, has) => {
    expect(judge('steps', without('steps', has))).toMatchObject({
      outcome: 'wrong',
      reason: expect.stringContaining(reason),
    });
  });

  test.each([
    [{ number: NUMBER, digest: 1 }],
    [{ number: 8, digest: resultOf(NUMBER, 'steps').digest }],
    [null],
    ['x'],
  ])('with the result %j', (result) => {
    const steps = [...stepsOf('steps').slice(0, -1), completedWith(result)];
    expect(judge('steps', steps)).toMatchObject({ outcome: 'wrong', reason: expect.stringContaining('expected') });
  });

  test('with an activity, or a timer, that nobody planned', () => {
    const index = stepsOf('steps').length - 1;
    const more = [
      { activityTaskScheduledEventAttributes: { activityId: 'another' } },
      { activityTaskCompletedEventAttributes: { scheduledEventId: (index + 1) as unknown as Long } },
    ];
    const steps = stepsOf('steps');
    expect(judge('steps', [...steps.slice(0, -1), ...more, ...steps.slice(-1)])).toMatchObject({ outcome: 'wrong' });
    expect(judge('steps', withStep('steps', timerStarted('another')))).toMatchObject({ outcome: 'wrong' });
  });

  test('with an event missing', () => {
    const events = stepsOf('steps').map((step, index) => ({
      ...step,
      eventId: (index < 5 ? index + 1 : index + 2) as unknown as Long,
    }));
    expect(judgeHistory(canaryOf('steps'), [events])).toMatchObject({
      outcome: 'wrong',
      reason: 'event 6 is missing from its history',
    });
  });
});

test.each(['FAILED', 'TIMED_OUT', 'CANCELED', 'TERMINATED', 'CONTINUED_AS_NEW'] as const)(
  'one that ended %s has failed',
  (end) => {
    const steps = [...stepsOf('steps').slice(0, 4), { eventType: EventType[`EVENT_TYPE_WORKFLOW_EXECUTION_${end}`] }];
    expect(judge('steps', steps)).toMatchObject({ outcome: 'failed', final: true });
  },
);
