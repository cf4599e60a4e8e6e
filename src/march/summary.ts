import { workSeconds } from '../core/status.js';
import type { RolloutResult } from '../core/rollout-result.js';
import { rolloutSummary, type Summary } from '../lab/rollout-summary.js';
import type { MarchSummary } from './marchers.js';

/** The march's last line: that of the roll-out, with the marchers, and each hop's seconds in one number. */
export function marchSummary(result: RolloutResult, path: readonly string[], marchers: MarchSummary): Summary {
  const { line, complete } = rolloutSummary(result);
  const passed = (environment: 'staging' | 'live') =>
    result.hops.filter((hop) => hop.environment === environment && hop.outcome === 'completed').map(({ to }) => to);
  const expected = path.slice(1).join();
  return {
    complete:
      complete &&
      passed('staging').join() === expected &&
      passed('live').join() === expected &&
      marchers.started > 0 &&
      marchers.finishedRight === marchers.started &&
      marchers.signalsSent === marchers.started * path.length,
    line: {
      ...line,
      marchers,
      hops: result.hops.map(({ environment, to, phases }) => ({
        environment,
        to,
        seconds: Math.round(workSeconds(phases)),
      })),
    },
  };
}
