import type { RolloutResult } from '../core/rollout-result.js';

/** What a demonstration ends with: one line of JSON, and whether all is as it should be. */
export interface Summary {
  readonly line: object;
  readonly complete: boolean;
}

/** Sums up a roll-out of staging and live, both under load. */
export function rolloutSummary(result: RolloutResult): Summary {
  const ledgers = Object.values(result.ledgers);
  const sum = (
    field: 'started' | 'completed' | 'running' | 'lost' | 'duplicated' | 'wrong' | 'failed' | 'failedCalls',
  ) => ledgers.reduce((total, ledger) => total + ledger[field], 0);
  const canaries = {
    started: sum('started'),
    completed: sum('completed'),
    running: sum('running'),
    lost: sum('lost'),
    duplicated: sum('duplicated'),
    wrong: sum('wrong'),
    failed: sum('failed'),
  };
  const live = result.hops.filter(({ environment, outcome }) => environment === 'live' && outcome === 'completed');
  const path = [result.live.from, ...live.map(({ to }) => to)];
  const bad = canaries.running + canaries.lost + canaries.duplicated + canaries.wrong + canaries.failed;
  return {
    complete:
      result.status === 'completed' &&
      canaries.started > 0 &&
      bad === 0 &&
      canaries.started === canaries.completed &&
      result.staging.to === result.live.to &&
      live.length > 0,
    line: {
      status: result.status,
      path,
      staging: { from: result.staging.from, to: result.staging.to },
      live: { from: result.live.from, to: result.live.to },
      canaries,
      failedCalls: sum('failedCalls'),
      hops: result.hops.map(({ environment, to, phases, historyEvents }) => ({
        environment,
        to,
        seconds: Object.fromEntries(phases.map(({ phase, seconds }) => [phase, seconds])),
        historyEvents,
      })),
    },
  };
}
