import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  queueKey,
  type ActivityFacts,
  type QueueFacts,
  type RunFacts,
} from '../../../src/core/running-work/run-facts.js';
import { findOverdue, findStuck, OVERDUE_MS, type StuckRule } from '../../../src/core/running-work/stuck.js';

const NOW = 10 * 3_600_000;
const LONG_AGO = NOW - 2 * OVERDUE_MS;
const JUST_NOW = NOW - OVERDUE_MS + 1;
const MINUTE = 60_000;

/** A workflow that waits for a signal. */
const WAITS: RunFacts = {
  running: true,
  versioned: false,
  taskQueue: 'orders',
  beginsAt: LONG_AGO,
  expiresAt: null,
  workflowTask: null,
  activities: [],
  history: { openTimers: [], hadWorkflowTask: true },
};
const ACTIVITY: ActivityFacts = {
  id: 'pay',
  state: 'scheduled',
  scheduledAt: LONG_AGO,
  startedAt: null,
  heartbeatAt: null,
  taskQueue: 'orders',
  startToCloseMs: MINUTE,
  heartbeatTimeoutMs: null,
};
const STARTED: ActivityFacts = { ...ACTIVITY, state: 'started', startedAt: LONG_AGO };
const SCHEDULED = {
  state: 'scheduled',
  scheduledAt: LONG_AGO,
  startedAt: null,
  attempt: 1,
  timeoutMs: 10_000,
} as const;
const TAKEN = { ...SCHEDULED, state: 'started', startedAt: LONG_AGO } as const;
const timerDue = (dueAt: number) => ({ openTimers: [{ id: '7', dueAt }], hadWorkflowTask: true });

const IDLE: QueueFacts = { pollers: 2, backlog: 0, versioned: false };
const queues = (facts: QueueFacts) =>
  new Map([
    [queueKey('workflow', 'orders'), facts],
    [queueKey('activity', 'orders'), facts],
  ]);

describe('stuck', () => {
  test.each<[string, Partial<RunFacts>, StuckRule, number]>([
    ['a workflow task that matching does not have', { workflowTask: SCHEDULED }, 'workflow-task', LONG_AGO],
    ['a workflow task whose timeout did not come', { workflowTask: TAKEN }, 'workflow-task-timeout', LONG_AGO + 10_000],
    ['a timer that did not fire', { history: timerDue(LONG_AGO) }, 'timer', LONG_AGO],
    [
      'a timer that did not fire, with a workflow task that waits for workers',
      { history: timerDue(LONG_AGO), workflowTask: { ...SCHEDULED, scheduledAt: NOW } },
      'timer',
      LONG_AGO,
    ],
    ['an attempt of an activity that matching does not have', { activities: [ACTIVITY] }, 'activity-task', LONG_AGO],
    ['an activity that did not time out', { activities: [STARTED] }, 'activity-timeout', LONG_AGO + MINUTE],
    [
      'an activity that is silent for longer than its heartbeat timeout',
      { activities: [{ ...STARTED, startToCloseMs: 99 * MINUTE, heartbeatAt: LONG_AGO, heartbeatTimeoutMs: 30_000 }] },
      'activity-timeout',
      LONG_AGO + 30_000,
    ],
    [
      'a first workflow task that never came',
      { history: { openTimers: [], hadWorkflowTask: false } },
      'first-task',
      LONG_AGO,
    ],
    ['a run that outlives its timeout', { expiresAt: LONG_AGO }, 'timeout', LONG_AGO],
  ])('%s', (_, more, rule, dueAt) => {
    expect(findStuck({ ...WAITS, ...more }, queues(IDLE), { now: NOW })).toMatchObject({ rule, dueAt });
  });

  test('of several reasons the oldest is told', () => {
    const run = { ...WAITS, expiresAt: LONG_AGO, history: timerDue(LONG_AGO - 1) };
    expect(findStuck(run, new Map(), { now: NOW })?.rule).toBe('timer');
  });
});

describe('not stuck', () => {
  test.each<[string, Partial<RunFacts>, QueueFacts?]>([
    ['it waits for a signal', {}],
    ['it waits for a timer of the future', { history: timerDue(NOW + MINUTE) }],
    ['a timer is late by less than five minutes', { history: timerDue(JUST_NOW) }],
    [
      'a worker has its workflow task, so timers wait',
      { history: timerDue(LONG_AGO), workflowTask: { ...TAKEN, startedAt: NOW } },
    ],
    ['its history was not read', { history: null }],
    ['it begins later', { beginsAt: NOW + MINUTE, history: { openTimers: [], hadWorkflowTask: false } }],
    [
      'its first task is scheduled',
      { workflowTask: { ...SCHEDULED, scheduledAt: NOW }, history: { openTimers: [], hadWorkflowTask: false } },
    ],
    ['nobody polls for its workflow task', { workflowTask: SCHEDULED }, { ...IDLE, pollers: 0 }],
    ['its workers have a backlog', { workflowTask: SCHEDULED }, { ...IDLE, backlog: 1 }],
    ['versions of workers decide', { workflowTask: SCHEDULED }, { ...IDLE, versioned: true }],
    ['it is versioned itself', { workflowTask: SCHEDULED, versioned: true }],
    ['its task queue is another', { workflowTask: SCHEDULED, taskQueue: 'others' }],
    ['its workflow task is new', { workflowTask: { ...SCHEDULED, scheduledAt: JUST_NOW } }],
    ['a worker failed its workflow task again and again', { workflowTask: { ...TAKEN, attempt: 9 } }],
    ['an activity backs off', { activities: [{ ...ACTIVITY, scheduledAt: NOW + MINUTE }] }],
    ['an activity waits for workers that are busy', { activities: [ACTIVITY] }, { ...IDLE, backlog: 3 }],
    ['the task queue of an activity is not known', { activities: [{ ...ACTIVITY, taskQueue: null }] }],
    ['an activity may run for long', { activities: [{ ...STARTED, startToCloseMs: 24 * 60 * MINUTE }] }],
    ['an activity has no timeout that is known', { activities: [{ ...STARTED, startToCloseMs: null }] }],
    [
      'an activity heartbeats',
      {
        activities: [{ ...STARTED, startToCloseMs: 99 * MINUTE, heartbeatAt: NOW - 1_000, heartbeatTimeoutMs: 30_000 }],
      },
    ],
    ['an activity is paused', { activities: [{ ...ACTIVITY, state: 'other' }] }],
    ['its timeout is to come', { expiresAt: NOW + 1 }],
    [
      'it is paused or has ended',
      { running: false, expiresAt: LONG_AGO, workflowTask: SCHEDULED, history: timerDue(0) },
    ],
  ])('%s', (_, more, queue = IDLE) => {
    expect(findStuck({ ...WAITS, ...more }, queues(queue), { now: NOW })).toBeUndefined();
  });

  test('without facts of its queue nothing is said of a task, but it is asked for', () => {
    const run = { ...WAITS, workflowTask: SCHEDULED, activities: [ACTIVITY] };
    expect(findStuck(run, new Map(), { now: NOW })).toBeUndefined();
    expect(findOverdue(run, { now: NOW }).byQueue.map(({ queue }) => queue)).toEqual([
      'workflow/orders',
      'activity/orders',
    ]);
  });
});

const moment = fc.integer({ min: NOW - 20 * OVERDUE_MS, max: NOW + OVERDUE_MS });
const anyRun: fc.Arbitrary<RunFacts> = fc.record({
  running: fc.boolean(),
  versioned: fc.boolean(),
  taskQueue: fc.constant('orders'),
  beginsAt: fc.option(moment),
  expiresAt: fc.option(moment),
  workflowTask: fc.option(
    fc.record({
      state: fc.constantFrom('scheduled', 'started'),
      scheduledAt: fc.option(moment),
      startedAt: fc.option(moment),
      attempt: fc.integer({ min: 1, max: 3 }),
      timeoutMs: fc.option(fc.integer({ min: 1, max: MINUTE })),
    }),
  ),
  activities: fc.array(
    fc.record({
      id: fc.constant('a'),
      state: fc.constantFrom('scheduled', 'started', 'other'),
      scheduledAt: fc.option(moment),
      startedAt: fc.option(moment),
      heartbeatAt: fc.option(moment),
      taskQueue: fc.option(fc.constant('orders')),
      startToCloseMs: fc.option(fc.nat(OVERDUE_MS)),
      heartbeatTimeoutMs: fc.option(fc.nat(OVERDUE_MS)),
    }),
    { maxLength: 2 },
  ),
  history: fc.option(
    fc.record({
      openTimers: fc.array(fc.record({ id: fc.constant('1'), dueAt: moment }), { maxLength: 2 }),
      hadWorkflowTask: fc.boolean(),
    }),
  ),
});

test('what is said to be stuck was due more than five minutes ago', () => {
  fc.assert(
    fc.property(anyRun, (run) => {
      const stuck = findStuck(run, queues(IDLE), { now: NOW });
      if (stuck !== undefined) expect(NOW - stuck.dueAt).toBeGreaterThan(OVERDUE_MS);
    }),
  );
});

test('time alone does not free a run, and knowing less never makes one stuck', () => {
  fc.assert(
    fc.property(anyRun, fc.nat(3 * OVERDUE_MS), (run, later) => {
      const stuck = findStuck(run, queues(IDLE), { now: NOW });
      if (stuck !== undefined) expect(findStuck(run, queues(IDLE), { now: NOW + later })).toEqual(stuck);
      else expect(findStuck({ ...run, history: null }, new Map(), { now: NOW })).toBeUndefined();
    }),
  );
});
