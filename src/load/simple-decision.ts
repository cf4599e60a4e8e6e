import { defaultPayloadConverter, toPayloads } from '@temporalio/common';
import { msToTs } from '@temporalio/common/lib/time.js';
import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import { mix, planCanary, type CanaryInput, type CanaryResult } from './canary-plan.js';
import type { HistoryEvent } from './canary-target.js';
import { countSteps } from './history-steps.js';
import { valueIn } from './payload.js';

export type Command = temporal.api.command.v1.ICommand;

const { CommandType } = proto.temporal.api.enums.v1;

/**
 * What a canary of scenario `simple` does next, by its history alone: the same history gives the same commands, so a task
 * that is handed out again does nothing twice. Follows the plan as the workflow `canary` does, without a sandbox.
 */
export function decideSimple(
  events: readonly HistoryEvent[],
  { workflowId, taskQueue }: { readonly workflowId: string; readonly taskQueue: string },
): readonly Command[] {
  const { number } = inputOf(events);
  const planned = planCanary(number, 'simple', workflowId).activities;
  const { scheduled } = countSteps(events);
  const values = activityValues(events);
  const next = planned.find(({ id }) => !values.has(id));
  if (next === undefined) return [complete({ number, digest: planned.reduce(digestOf(values), number) })];
  return scheduled.has(next.id) ? [] : [schedule(next, taskQueue)];
}

function inputOf(events: readonly HistoryEvent[]): CanaryInput {
  const input = valueIn(events[0]?.workflowExecutionStartedEventAttributes?.input?.payloads) as CanaryInput | undefined;
  if (input?.kind !== 'simple') throw new Error(`its input is not that of a simple canary: ${JSON.stringify(input)}`);
  return input;
}

/** What each activity that has ended returned, by its id. */
function activityValues(events: readonly HistoryEvent[]): ReadonlyMap<string, number> {
  const values = new Map<string, number>();
  const idOf = new Map<string, string>();
  for (const event of events) {
    const scheduled = event.activityTaskScheduledEventAttributes;
    if (scheduled) idOf.set(String(event.eventId), scheduled.activityId ?? '');
    const completed = event.activityTaskCompletedEventAttributes;
    const id = completed ? idOf.get(String(completed.scheduledEventId)) : undefined;
    if (id !== undefined) values.set(id, Number(valueIn(completed?.result?.payloads)));
  }
  return values;
}

function digestOf(values: ReadonlyMap<string, number>) {
  return (digest: number, { id }: { readonly id: string }) => mix(digest, values.get(id) ?? Number.NaN);
}

function schedule({ id, behaviour }: { readonly id: string; readonly behaviour: string }, taskQueue: string): Command {
  return {
    commandType: CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK,
    scheduleActivityTaskCommandAttributes: {
      activityId: id,
      activityType: { name: behaviour },
      taskQueue: { name: taskQueue },
      // As the workflow has them; see canary-workflows.ts.
      startToCloseTimeout: msToTs('10s'),
      heartbeatTimeout: msToTs('5s'),
      retryPolicy: { initialInterval: msToTs('200ms'), maximumInterval: msToTs('5s'), backoffCoefficient: 2 },
      requestEagerExecution: true,
    },
  };
}

function complete(result: CanaryResult): Command {
  return {
    commandType: CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
    completeWorkflowExecutionCommandAttributes: {
      result: { payloads: toPayloads(defaultPayloadConverter, result) ?? null },
    },
  };
}
