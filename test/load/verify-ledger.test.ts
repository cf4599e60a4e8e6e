import { expect, test } from '@jest/globals';
import { suspect } from '../../src/load/verify-ledger.js';

const running = { outcome: 'running', reason: null, final: false } as const;
const ready = { startedAt: 1, signalledAt: 2, dueAt: null };
const longAgo = () => ({ settleMs: 60_000, waitsSince: Date.now() - 61_000 });

test('a canary that has all that it waits for and does not end in time is stuck', () => {
  expect(suspect(ready, running, longAgo())).toMatchObject({ outcome: 'failed', final: false });
});

test('the time is counted from when a worker was there for it', () => {
  expect(suspect(ready, running, { settleMs: 60_000, waitsSince: Date.now() })).toEqual(running);
});

test.each([
  ['whose start is not confirmed', { ...ready, startedAt: null }],
  ['that was not sent all its signals', { ...ready, signalledAt: null }],
  ['with a call still due', { ...ready, dueAt: 3 }],
])('a canary %s may run', (_, canary) => {
  expect(suspect(canary, running, longAgo())).toEqual(running);
});

test('what has ended stays as it is', () => {
  const completed = { outcome: 'completed', reason: null, final: true } as const;
  expect(suspect(ready, completed, longAgo())).toEqual(completed);
});
