import { expect, test } from '@jest/globals';
import type { RolloutResult } from '../../src/core/rollout-result.js';
import type { HopResult } from '../../src/core/status.js';
import { marchSummary } from '../../src/march/summary.js';
import { LEDGER } from '../helpers/statuses.js';

const PATH = ['1.20.5', '1.21.6', '1.22.4'];
const marchers = { started: 2, signalsSent: 6, finishedRight: 2 };

const ledger = { ...LEDGER, started: 10, completed: 10 };

const hop = (environment: 'staging' | 'live', from: string, to: string): HopResult => ({
  environment,
  target: environment,
  from,
  to,
  outcome: 'completed',
  servers: to,
  startedAt: '2026-11-21T10:00:00.000Z',
  endedAt: '2026-11-21T10:01:00.000Z',
  phases: [
    { phase: 'servers', seconds: 21.4, summary: '4 nodes replaced' },
    { phase: 'settle', seconds: 20.3, summary: '4 shards' },
  ],
  waitedSeconds: 0,
  incidents: 0,
  historyEvents: 180,
  backups: [],
});

const hops = (['staging', 'live'] as const).flatMap((environment) => [
  hop(environment, '1.20.5', '1.21.6'),
  hop(environment, '1.21.6', '1.22.4'),
]);

const result: RolloutResult = {
  rolloutId: 'upgrade-live',
  status: 'completed',
  startedAt: '2026-11-21T10:00:00.000Z',
  endedAt: '2026-11-21T10:05:00.000Z',
  staging: { name: 'staging', from: '1.20.5', to: '1.22.4' },
  live: { name: 'live', from: '1.20.5', to: '1.22.4' },
  hops,
  steps: [],
  ledgers: { staging: ledger, live: ledger },
  decisions: [],
  incidents: [],
  findings: [],
  settle: { atLeastMs: 20_000, reason: 'march' },
};

test('the last line has path, canaries, marchers and the seconds of each hop', () => {
  expect(marchSummary(result, PATH, marchers)).toMatchObject({
    complete: true,
    line: {
      status: 'completed',
      path: PATH,
      canaries: { started: 20, completed: 20 },
      failedCalls: 0,
      marchers,
      hops: hops.map(({ environment, to }) => ({ environment, to, seconds: 42 })),
    },
  });
});

test.each<[string, Partial<RolloutResult>, Partial<typeof marchers>]>([
  ['a marcher ended with another result', {}, { finishedRight: 1 }],
  ['a signal was not sent', {}, { signalsSent: 5 }],
  ['nobody marched', {}, { started: 0, signalsSent: 0, finishedRight: 0 }],
  ['live passed over a version', { hops: hops.filter((_, index) => index !== 2) }, {}],
  ['staging passed over a version', { hops: hops.filter((_, index) => index !== 0) }, {}],
  ['a canary is lost', { ledgers: { staging: { ...ledger, completed: 9, lost: 1 }, live: ledger } }, {}],
])('it is not complete when %s', (_, changes, more) => {
  expect(marchSummary({ ...result, ...changes }, PATH, { ...marchers, ...more }).complete).toBe(false);
});
