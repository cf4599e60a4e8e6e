import { expect, test } from '@jest/globals';
import type { RolloutResult } from '../../src/core/rollout-result.js';
import { rolloutSummary } from '../../src/lab/rollout-summary.js';
import { LEDGER } from '../helpers/statuses.js';

const ledger = { ...LEDGER, started: 10, completed: 10, failedCalls: 1 };

const hop = (environment: 'staging' | 'live') =>
  ({
    environment,
    target: environment,
    from: '1.29.1',
    to: '1.30.7',
    outcome: 'completed',
    servers: '1.30.7',
    startedAt: '2026-11-21T10:00:00.000Z',
    endedAt: '2026-11-21T10:01:00.000Z',
    phases: [{ phase: 'servers', seconds: 21.4, summary: '4 nodes replaced' }],
    waitedSeconds: 0,
    incidents: 0,
    historyEvents: 180,
    backups: [],
  }) as const;

const result: RolloutResult = {
  rolloutId: 'upgrade-live',
  status: 'completed',
  startedAt: '2026-11-21T10:00:00.000Z',
  endedAt: '2026-11-21T10:05:00.000Z',
  staging: { name: 'staging', from: '1.29.1', to: '1.30.7' },
  live: { name: 'live', from: '1.29.1', to: '1.30.7' },
  hops: [hop('staging'), hop('live')],
  steps: [],
  ledgers: { staging: ledger, live: ledger },
  decisions: [],
  incidents: [],
  findings: [],
  settle: { atLeastMs: 20_000, reason: 'demo' },
};

test('the last line sums up the ledgers and the hops', () => {
  expect(rolloutSummary(result)).toEqual({
    complete: true,
    line: {
      status: 'completed',
      path: ['1.29.1', '1.30.7'],
      staging: { from: '1.29.1', to: '1.30.7' },
      live: { from: '1.29.1', to: '1.30.7' },
      canaries: { started: 20, completed: 20, running: 0, lost: 0, duplicated: 0, wrong: 0, failed: 0 },
      failedCalls: 2,
      hops: [
        { environment: 'staging', to: '1.30.7', seconds: { servers: 21.4 }, historyEvents: 180 },
        { environment: 'live', to: '1.30.7', seconds: { servers: 21.4 }, historyEvents: 180 },
      ],
    },
  });
});

test.each<[string, Partial<RolloutResult>]>([
  ['a canary is lost', { ledgers: { staging: { ...ledger, completed: 9, lost: 1 } } }],
  ['a canary ran twice', { ledgers: { staging: { ...ledger, duplicated: 1 } } }],
  ['a canary is wrong', { ledgers: { live: { ...ledger, wrong: 1 } } }],
  ['a canary failed', { ledgers: { live: { ...ledger, failed: 1 } } }],
  ['a canary still runs', { ledgers: { live: { ...ledger, completed: 9, running: 1 } } }],
  ['a canary is nowhere', { ledgers: { live: { ...ledger, completed: 9 } } }],
  ['there were no canaries', { ledgers: {} }],
  ['it was aborted', { status: 'aborted' }],
  ['live stayed behind', { live: { name: 'live', from: '1.29.1', to: '1.29.1' } }],
  ['live had no hop', { hops: [hop('staging')] }],
])('it is not complete when %s', (_, changes) => {
  expect(rolloutSummary({ ...result, ...changes }).complete).toBe(false);
});
