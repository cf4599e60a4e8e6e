import { expect, test } from '@jest/globals';
import { numbered, stepsOfRuns } from '../../src/bench/load/right-history.js';
import type { CanaryRow } from '../../src/load/ledger.js';
import { judgeMissing, judgeOne, suspect } from '../../src/load/verify-ledger.js';

const running = { outcome: 'running', reason: null, final: false } as const;
const command = { namespace: 'n', taskQueue: 'q' };
const ready = { startedAt: 1, readyAt: 2, dueAt: null, command };
const longAgo = () => ({ settleMs: 60_000, waitsSince: Date.now() - 61_000 });

test('a canary that has all that it waits for and does not end in time is stuck', () => {
  expect(suspect(ready, running, longAgo())).toMatchObject({ outcome: 'failed', final: false });
});

test('the time is counted from when a worker was there for it', () => {
  expect(suspect(ready, running, { settleMs: 60_000, waitsSince: Date.now() })).toEqual(running);
});

test.each([
  ['whose start is not confirmed', { ...ready, startedAt: null }],
  ['that was not sent all its signals', { ...ready, readyAt: null }],
  ['with a call still due', { ...ready, dueAt: 3 }],
])('a canary %s may run', (_, canary) => {
  expect(suspect(canary, running, longAgo())).toEqual(running);
});

test('what has ended stays as it is', () => {
  const completed = { outcome: 'completed', reason: null, final: true } as const;
  expect(suspect(ready, completed, longAgo())).toEqual(completed);
});

test('a workflow of the operator’s own has its own time, counted from its start', () => {
  const own = { ...command, own: { workflowType: 't', arguments: [], endsWithinMs: 600_000 } };
  const began = (ago: number) => ({ ...ready, readyAt: Date.now() - ago, command: own });
  expect(suspect(began(650_000), running, longAgo())).toEqual(running);
  expect(suspect(began(670_000), running, longAgo())).toMatchObject({ outcome: 'failed' });
});

test('what is promised and not there is lost; a tick only when its schedule is too late with it', () => {
  const at = { settleMs: 120_000, now: 1_000_000 };
  expect(judgeMissing({ kind: 'steps', intendedAt: 999_999 }, at)).toMatchObject({ outcome: 'lost', final: false });
  expect(judgeMissing({ kind: 'tick', intendedAt: 880_000 }, at).outcome).toBe('running');
  expect(judgeMissing({ kind: 'tick', intendedAt: 879_999 }, at)).toMatchObject({
    outcome: 'lost',
    reason: expect.stringContaining('schedule has not started it'),
    final: false,
  });
});

test('a canary that has completed is not final while a call of it is due: its answer is judged too', () => {
  const canary: CanaryRow = {
    ...{ row: 1, workflowId: 'w', number: 1, kind: 'queries', command, hop: null, intendedAt: 1, startedAt: 2 },
    ...{ runId: 'run-1', callsDone: 2, readyAt: 3, dueAt: 4, wrongAnswer: null },
  };
  const runs = stepsOfRuns(1, 'queries', 'w').map(numbered);
  const judge = (more: Partial<CanaryRow>) =>
    judgeOne({ ...canary, ...more }, runs, { settleMs: 1, workerSince: 0 })?.judgement;
  expect(judge({})).toEqual({ outcome: 'running', reason: null, final: false });
  const answered = { callsDone: 3, dueAt: null };
  expect(judge(answered)).toEqual({ outcome: 'completed', reason: null, final: true });
  expect(judge({ ...answered, wrongAnswer: 'another answer' })).toMatchObject({ outcome: 'wrong', final: true });
});
