import type { DecisionRecord, Gate } from '../../src/core/decision.js';
import type { LedgerSummary } from '../../src/core/ledger.js';
import type { RolloutResult } from '../../src/core/rollout-result.js';
import type { HopResult, PhaseResult, RolloutStatus, Waiting } from '../../src/core/status.js';

const AT = '2026-01-01T10:00:00.000Z';

/** Forty canaries, all as they should be. */
export const LEDGER: LedgerSummary = {
  started: 40,
  completed: 40,
  running: 0,
  lost: 0,
  duplicated: 0,
  wrong: 0,
  failed: 0,
  failedCalls: 0,
  examples: [],
};

export const phase = (name: PhaseResult['phase'], summary: string, more: Partial<PhaseResult> = {}): PhaseResult => ({
  phase: name,
  seconds: 12,
  summary,
  ...more,
});

export const decision = (more: Partial<DecisionRecord> = {}): DecisionRecord => ({
  kind: 'approve',
  gate: 'live/1.31.2/schema',
  by: 'ada',
  reason: 'quiet hour',
  at: AT,
  via: 'signal',
  counted: true,
  ...more,
});

export const hop = (more: Partial<HopResult> = {}): HopResult => ({
  environment: 'staging',
  target: 'prod-staging',
  from: '1.30.7',
  to: '1.31.2',
  outcome: 'completed',
  servers: '1.31.2',
  startedAt: AT,
  endedAt: AT,
  phases: [phase('preflight', '4 nodes SERVING')],
  waitedSeconds: 90,
  historyEvents: 200,
  backups: [
    {
      store: 'default',
      file: '/backups/default.dump',
      bytes: 100,
      sha256: 'f00d',
      kept: 'encrypted; also in bucket/prefix',
    },
  ],
  incidents: 2,
  ...more,
});

export const gate = (more: Partial<Gate> = {}): Extract<Waiting, { for: 'decision' }> => ({
  for: 'decision',
  name: 'live/1.31.2/schema',
  kind: 'approval',
  allowed: ['approve', 'reject', 'abort'],
  evidence: ['default schema 1.17 → 1.18'],
  openedAt: AT,
  ...more,
});

/** A roll-out in the middle of its hop on live. */
export const status = (more: Partial<RolloutStatus> = {}): RolloutStatus => ({
  rolloutId: 'upgrade-prod',
  state: 'running',
  startedAt: AT,
  to: '1.31',
  staging: { name: 'prod-staging', path: ['1.30.7', '1.31.2'], findings: [] },
  live: { name: 'prod', path: ['1.30.7', '1.31.2'], findings: [] },
  current: { environment: 'live', from: '1.30.7', to: '1.31.2', phase: 'backup', since: AT },
  next: 'upgrade the schemas',
  phases: [phase('preflight', '4 nodes SERVING'), phase('baseline', 'pass: 9 checks')],
  hops: [hop()],
  steps: [],
  decisions: [],
  settle: { atLeastMs: 600_000 },
  ...more,
});

export const result = (more: Partial<RolloutResult> = {}): RolloutResult => ({
  rolloutId: 'upgrade-prod',
  status: 'completed',
  startedAt: AT,
  endedAt: '2026-01-01T12:00:00.000Z',
  staging: { name: 'prod-staging', from: '1.30.7', to: '1.31.2', path: ['1.30.7', '1.31.2'] },
  live: { name: 'prod', from: '1.30.7', to: '1.31.2', path: ['1.30.7', '1.31.2'] },
  hops: [hop(), hop({ environment: 'live', target: 'prod' })],
  steps: [phase('promote', 'live approved by ada')],
  ledgers: { staging: LEDGER },
  decisions: [decision()],
  incidents: [],
  findings: [
    {
      id: 'slow-index',
      severity: 'warn',
      found: 'an index is built',
      expected: 'none',
      action: 'Wait for it',
      source: 'https://example.com/guide',
    },
  ],
  policy: [{ field: 'policy.settle.atLeast', value: '1m', byDefault: '10m', reason: 'a rehearsal' }],
  settle: { atLeastMs: 600_000 },
  ...more,
});
