import { isDeepStrictEqual } from 'node:util';
import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import { planCanary, resultOf, valueOf, type CanaryPlan, type PlannedCall } from './canary-plan.js';
import type { HistoryEvent } from './canary-target.js';
import { countSteps, findTwice, type Steps } from './history-steps.js';
import type { CanaryRow, Judgement } from './ledger.js';
import { valueIn } from './payload.js';

const { EventType } = proto.temporal.api.enums.v1;
const RESET = proto.temporal.api.enums.v1.WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW;
const CONTINUED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW;

/** How a workflow can end other than well. */
const BAD_ENDS = new Map<temporal.api.enums.v1.EventType | null | undefined, string>([
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED, 'it failed'],
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT, 'it timed out'],
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED, 'it was cancelled'],
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED, 'it was terminated'],
  [CONTINUED, 'it continued as a new run'],
]);

const COMPLETED: Judgement = { outcome: 'completed', reason: null, final: true };

type Judged = Pick<CanaryRow, 'workflowId' | 'number' | 'kind' | 'runId' | 'callsDone' | 'wrongAnswer'>;
type Runs = readonly (readonly HistoryEvent[])[];

/** Compares what the target recorded of a canary with its plan. `runs` are the whole histories of its runs, oldest first. */
export function judgeHistory(canary: Judged, runs: Runs): Judgement {
  if (canary.kind === 'own') return judgeOwn(canary, runs.at(-1) ?? []);
  const plans = runs.map((_, run) => planOf(canary, run));
  const steps = runs.map(countSteps);
  const twice = findSecondRun(canary.runId, runs) ?? steps.map(findTwice).find((found) => found !== undefined);
  if (twice !== undefined) return { outcome: 'duplicated', reason: twice, final: true };

  let result: Judgement = { outcome: 'running', reason: null, final: false };
  for (const [run, events] of runs.entries()) {
    const [plan, stepsOfRun] = [plans[run], steps[run]];
    if (plan === undefined || stepsOfRun === undefined) continue;
    result = judgeRun(canary, { run, isLast: run === runs.length - 1, events, plan, steps: stepsOfRun });
    if (result.outcome !== 'completed') return result;
  }
  return result;
}

/** One run of a canary. One that continued as new, as planned, is `completed`. */
function judgeRun(
  canary: Judged,
  {
    run,
    isLast,
    events,
    plan,
    steps,
  }: {
    readonly run: number;
    readonly isLast: boolean;
    readonly events: readonly HistoryEvent[];
    readonly plan: CanaryPlan;
    readonly steps: Steps;
  },
): Judgement {
  const wrong = (reason: string): Judgement => ({ outcome: 'wrong', reason, final: true });
  if (events.length === 0)
    return { outcome: 'lost', reason: `the target does not know its run ${run + 1}`, final: true };
  const gap = events.findIndex((event, index) => Number(event.eventId) !== index + 1);
  if (gap !== -1) return wrong(`event ${gap + 1} is missing from its history`);

  const last = events.at(-1);
  const continues = last?.eventType === CONTINUED;
  if (continues && run + 1 < plan.runs) {
    const missing = findMissing(plan, steps);
    if (missing !== undefined) return wrong(missing);
    // Its next run is written together with this event.
    return isLast ? { outcome: 'lost', reason: `its run ${run + 2} is not in the target`, final: false } : COMPLETED;
  }
  const badEnd = BAD_ENDS.get(last?.eventType);
  if (badEnd !== undefined) return { outcome: 'failed', reason: badEnd, final: true };
  const missingCall = findMissingCall(plan, steps, canary.callsDone);
  const unconfirmed =
    missingCall === undefined
      ? undefined
      : `${missingCall.call} ${missingCall.id} was confirmed, and is not in its history`;
  if (last?.eventType !== EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED) {
    // No proof yet while it runs: a signal that meets a workflow task in progress waits beside the history until that ends.
    return { outcome: 'running', reason: unconfirmed ?? canary.wrongAnswer, final: false };
  }
  if (run + 1 < plan.runs) return wrong(`it ended in run ${run + 1} of ${plan.runs}`);
  const problem =
    unconfirmed ?? findMissing(plan, steps) ?? compareResult(expectedResult(canary), last) ?? canary.wrongAnswer;
  return problem === null || problem === undefined ? COMPLETED : wrong(problem);
}

/** Of a workflow of the operator's nothing is known but that it is started once, and completes. */
function judgeOwn({ runId }: Judged, events: readonly HistoryEvent[]): Judgement {
  const start = events[0]?.workflowExecutionStartedEventAttributes;
  const first = start?.firstExecutionRunId ?? '';
  if (runId !== null && first !== runId) {
    return { outcome: 'duplicated', reason: `two runs under its id: ${runId} and ${first}`, final: true };
  }
  if (wasReset(events)) return { outcome: 'duplicated', reason: 'two runs under its id: it was reset', final: true };
  const end = events.at(-1)?.eventType;
  if (end === EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED) return COMPLETED;
  const badEnd = end === CONTINUED ? undefined : BAD_ENDS.get(end);
  if (badEnd !== undefined) return { outcome: 'failed', reason: badEnd, final: true };
  return { outcome: 'running', reason: null, final: false };
}

function planOf({ kind, number, workflowId }: Judged, run: number): CanaryPlan {
  if (kind !== 'tick' && kind !== 'own') return planCanary(number, kind, workflowId, run);
  return {
    activities: [{ id: 'tick', behaviour: 'plain' }],
    ...{ runs: 1, timersMs: [], alarmMs: null, calls: [], childId: null, attribute: null },
  };
}

function expectedResult({ kind, number, workflowId }: Judged): unknown {
  return kind === 'tick' || kind === 'own' ? valueOf(workflowId) : resultOf(number, kind);
}

function findSecondRun(runId: string | null, runs: Runs): string | undefined {
  const ids = runs.map((events) => events[0]?.workflowExecutionStartedEventAttributes?.originalExecutionRunId);
  const [found] = ids;
  if (runId !== null && runs[0]?.length !== 0 && found !== runId) {
    return `two runs under its id: ${runId} and ${found ?? 'one without an id'}`;
  }
  return runs.some(wasReset) ? 'two runs under its id: it was reset' : undefined;
}

function wasReset(events: readonly HistoryEvent[]): boolean {
  return events.some((event) => event.workflowTaskFailedEventAttributes?.cause === RESET);
}

/** The first of the first `count` calls that the history does not have; a query leaves nothing there. */
function findMissingCall(plan: CanaryPlan, steps: Steps, count: number): PlannedCall | undefined {
  return plan.calls
    .slice(0, count)
    .find(({ call, id }) => call !== 'query' && !(call === 'signal' ? steps.signals : steps.updatesCompleted).has(id));
}

function findMissing(plan: CanaryPlan, steps: Steps): string | undefined {
  const activity = plan.activities.find(({ id }) => !steps.completed.has(id));
  if (activity !== undefined) return `activity ${activity.id} is not completed in its history`;
  if (steps.completed.size > plan.activities.length) return 'it completed more activities than planned';
  // Whoever released it, or nobody in time: a long canary may end without its signal.
  const missing = plan.alarmMs !== null ? undefined : findMissingCall(plan, steps, plan.calls.length);
  if (missing !== undefined) return `${missing.call} ${missing.id} is not in its history`;
  if (plan.childId !== null && !steps.childrenCompleted.has(plan.childId)) {
    return `child ${plan.childId} is not completed in its history`;
  }
  if (plan.attribute !== null && !steps.attributes.has(plan.attribute)) {
    return `search attribute ${plan.attribute} is not in its history`;
  }
  return findMissingTimer(plan, steps);
}

function findMissingTimer(plan: CanaryPlan, steps: Steps): string | undefined {
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

function compareResult(expected: unknown, last: HistoryEvent | undefined): string | undefined {
  const found = valueIn(last?.workflowExecutionCompletedEventAttributes?.result?.payloads);
  if (isDeepStrictEqual(found, expected)) return undefined;
  return `result is ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`;
}
