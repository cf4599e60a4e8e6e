import { expect, test } from '@jest/globals';
import proto from '@temporalio/proto';
import fc from 'fast-check';
import { planCanary, SCENARIOS, valueOf, type Scenario } from '../../src/load/canary-plan.js';
import { judgeHistory } from '../../src/load/judge-history.js';
import { completedWith, numbered, startedAs, stepsOfRuns, type Step } from '../../src/bench/load/right-history.js';

const { EventType } = proto.temporal.api.enums.v1;
const numbers = fc.integer({ min: 0, max: 1_000_000 });
const scenarios = fc.constantFrom(...SCENARIOS);

function judge(number: number, kind: Scenario, runs: readonly (readonly Step[])[], more: object = {}) {
  const callsDone = planCanary(number, kind, 'w').calls.length;
  const canary = { workflowId: 'w', number, kind, runId: 'run-1', callsDone, wrongAnswer: null, ...more };
  return judgeHistory(canary, runs.map(numbered));
}

test('a history in which all has come about is completed, whatever the scenario', () => {
  fc.assert(
    fc.property(numbers, scenarios, (number, kind) => {
      const judgement = judge(number, kind, stepsOfRuns(number, kind, 'w'));
      expect(judgement).toEqual({ outcome: 'completed', reason: null, final: true });
    }),
    { numRuns: 40 },
  );
});

test('with any step but a start left out it is not', () => {
  fc.assert(
    fc.property(numbers, scenarios, fc.nat(), (number, kind, at) => {
      const runs = stepsOfRuns(number, kind, 'w');
      const all = runs.flatMap((steps, run) => steps.slice(1).map((_, index) => ({ run, index: index + 1 })));
      const { run, index } = all[at % all.length] ?? { run: 0, index: 0 };
      // What schedules or accepts is proven by what completes; its own absence is that of an event number.
      const emptied = runs.map((steps, i) => (i === run ? steps.map((step, j) => (j === index ? {} : step)) : steps));
      const removed = runs.map((steps, i) => (i === run ? steps.filter((_, j) => j !== index) : steps));
      const unnumbered = removed.map((steps, i) =>
        numbered(steps).map((event, j) => (i === run && j >= index ? { ...event, eventId: j + 2 } : event)),
      ) as never[];
      const canary = { workflowId: 'w', number, kind, runId: 'run-1', callsDone: 0, wrongAnswer: null };
      expect(judgeHistory(canary, unnumbered).outcome).not.toBe('completed');
      const step = runs[run]?.[index] ?? {};
      if (!('workflowExecutionUpdateAcceptedEventAttributes' in step) && !isChildStart(step)) {
        expect(judge(number, kind, emptied).outcome).not.toBe('completed');
      }
    }),
    { numRuns: 100 },
  );
});

function isChildStart(step: Step): boolean {
  return 'startChildWorkflowExecutionInitiatedEventAttributes' in step;
}

test('with any step done twice it is duplicated', () => {
  fc.assert(
    fc.property(numbers, scenarios, fc.nat(), (number, kind, at) => {
      const runs = stepsOfRuns(number, kind, 'w');
      const all = runs.flatMap((steps, run) => steps.slice(1, -1).map((_, index) => ({ run, index: index + 1 })));
      const { run, index } = all[at % all.length] ?? { run: 0, index: 0 };
      // Put in before the end, so that activities keep the numbers by which their completions name them.
      const twice = runs.map((steps, i) =>
        i === run ? [...steps.slice(0, -1), steps[index] ?? {}, ...steps.slice(-1)] : steps,
      );
      expect(judge(number, kind, twice).outcome).toBe('duplicated');
    }),
    { numRuns: 100 },
  );
});

test('a wrong answer to a query makes it wrong, though its history is right', () => {
  const runs = stepsOfRuns(1, 'queries', 'w');
  expect(judge(1, 'queries', runs, { wrongAnswer: 'query c-1-q-0 was answered with 5' })).toEqual({
    outcome: 'wrong',
    reason: 'query c-1-q-0 was answered with 5',
    final: true,
  });
});

test('an update that was confirmed and is not there is named', () => {
  const runs = stepsOfRuns(1, 'updates', 'w').map((steps) =>
    steps.map((step) => ('workflowExecutionUpdateCompletedEventAttributes' in step ? {} : step)),
  );
  expect(judge(1, 'updates', runs)).toMatchObject({
    outcome: 'wrong',
    reason: 'update c-1-u-0 was confirmed, and is not in its history',
  });
});

test('runs of one that continues as new: each is there, in order, and no other', () => {
  const [first = [], second = [], third = []] = stepsOfRuns(4, 'continueAsNew', 'w');
  const judgeRuns = (...runs: Step[][]) => judge(4, 'continueAsNew', runs);
  // On its way: the newest run is one of those before the last.
  expect(judgeRuns(first.slice(0, 2))).toMatchObject({ outcome: 'running' });
  expect(judgeRuns(first, second.slice(0, 2))).toMatchObject({ outcome: 'running' });
  expect(judgeRuns(first, second)).toMatchObject({ outcome: 'lost', reason: 'its run 3 is not in the target' });
  expect(judgeRuns([], second, third)).toMatchObject({ outcome: 'lost', reason: expect.stringContaining('run 1') });
  // Its first run is another than the one that was started.
  expect(judgeRuns(second, third)).toMatchObject({ outcome: 'duplicated' });
  // It goes on beyond its plan.
  expect(judgeRuns(first, second, [...third.slice(0, -1), ...first.slice(-1)], [])).toMatchObject({
    outcome: 'failed',
    reason: 'it continued as a new run',
  });
  // It ends too early, even with the right result.
  expect(judgeRuns(first, [...second.slice(0, -1), ...third.slice(-1)])).toMatchObject({ outcome: 'wrong' });
});

test('a tick of a schedule is right when it completed once with its own result', () => {
  const tick = { workflowId: 'w-2026-01-01T00:00:00Z', number: 1, kind: 'tick', runId: null, callsDone: 0 } as const;
  const steps: Step[] = [
    startedAs('run-1'),
    { activityTaskScheduledEventAttributes: { activityId: 'tick' } },
    { activityTaskCompletedEventAttributes: { scheduledEventId: 2 as never } },
  ];
  const judgeTick = (result: unknown, runId: string | null = null) =>
    judgeHistory({ ...tick, runId, wrongAnswer: null }, [numbered([...steps, completedWith(result)])]);
  expect(judgeTick(valueOf(tick.workflowId)).outcome).toBe('completed');
  expect(judgeTick(valueOf(tick.workflowId), 'run-1').outcome).toBe('completed');
  expect(judgeTick(valueOf(tick.workflowId), 'another').outcome).toBe('duplicated');
  expect(judgeTick(1)).toMatchObject({ outcome: 'wrong', reason: expect.stringContaining('expected') });
});

test('a workflow of the operator’s own: started once, and completed; what it does is its own affair', () => {
  const own = { workflowId: 'w', number: 1, kind: 'own', runId: 'run-1', callsDone: 0, wrongAnswer: null } as const;
  const judgeEnd = (end: keyof typeof EventType, start = startedAs('run-1')) =>
    judgeHistory(own, [numbered([start, { eventType: EventType[end] }])]).outcome;
  expect(judgeEnd('EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED')).toBe('completed');
  expect(judgeEnd('EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED', startedAs('run-7', 'run-6'))).toBe('completed');
  expect(judgeEnd('EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED', startedAs('run-2'))).toBe('duplicated');
  expect(judgeEnd('EVENT_TYPE_TIMER_FIRED')).toBe('running');
  for (const end of ['FAILED', 'TIMED_OUT', 'TERMINATED', 'CANCELED'] as const) {
    expect(judgeEnd(`EVENT_TYPE_WORKFLOW_EXECUTION_${end}`)).toBe('failed');
  }
});
