import { expect, test } from '@jest/globals';
import { defaultPayloadConverter } from '@temporalio/common';
import type Long from 'long';
import { planCanary, resultOf, valueOf, type CanaryKind } from '../../src/load/canary-plan.js';
import type { HistoryEvent } from '../../src/load/canary-target.js';
import { valueIn } from '../../src/load/payload.js';
import { decideSimple } from '../../src/load/simple-decision.js';

const NUMBER = 7;
const ID = 'canary-x-7';
const ACTIVITY = planCanary(NUMBER, 'simple', ID).activities[0]?.id ?? '';

const payloads = (value: unknown) => ({ payloads: [defaultPayloadConverter.toPayload(value) ?? {}] });
const started = (kind: CanaryKind = 'simple'): HistoryEvent => ({
  workflowExecutionStartedEventAttributes: { input: payloads({ number: NUMBER, kind, deadlineMs: 1 }) },
});
const scheduled: HistoryEvent = { activityTaskScheduledEventAttributes: { activityId: ACTIVITY } };
const completed = (value: number): HistoryEvent => ({
  activityTaskCompletedEventAttributes: { scheduledEventId: 2 as unknown as Long, result: payloads(value) },
});

function decide(...events: readonly HistoryEvent[]) {
  const numbered = events.map((event, index) => ({ ...event, eventId: (index + 1) as unknown as Long }));
  return decideSimple(numbered, { workflowId: ID, taskQueue: 'queue' });
}

test('a canary that was started: its activity, by the id of its plan', () => {
  const commands = decide(started());
  expect(commands).toHaveLength(1);
  expect(commands[0]?.scheduleActivityTaskCommandAttributes).toMatchObject({
    activityId: ACTIVITY,
    activityType: { name: 'plain' },
    taskQueue: { name: 'queue' },
  });
});

test('a task that comes while the activity is on its way: nothing is done twice', () => {
  expect(decide(started(), scheduled)).toEqual([]);
});

test('the activity has ended: the result is what the ledger expects', () => {
  const [command] = decide(started(), scheduled, completed(valueOf(ACTIVITY)));
  const { result } = command?.completeWorkflowExecutionCommandAttributes ?? {};
  expect(valueIn(result?.payloads)).toEqual(resultOf(NUMBER, 'simple'));
});

test('a value that came back changed makes another result', () => {
  const [command] = decide(started(), scheduled, completed(valueOf(ACTIVITY) + 1));
  const { result } = command?.completeWorkflowExecutionCommandAttributes ?? {};
  expect(valueIn(result?.payloads)).not.toEqual(resultOf(NUMBER, 'simple'));
});

test('a workflow that is no simple canary is not worked on', () => {
  expect(() => decide(started('steps'))).toThrow(/not that of a simple canary/);
  expect(() => decide()).toThrow(/not that of a simple canary/);
});
