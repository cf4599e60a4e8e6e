import type { Hop, Path, RolloutPlan } from '../../src/core/plan.js';

/** A way through these versions, the present one first. */
export function pathOf(...versions: readonly string[]): Path {
  const hops = versions.slice(1).map((to, index): Hop => ({
    from: versions[index] ?? '',
    to,
    schema: { default: { from: '1.17', to: '1.18' }, visibility: { from: '1.9', to: '1.9' } },
    findings: [{ id: 'slow-index', severity: 'warning', message: `an index is built for ${to}`, source: 'guide' }],
  }));
  return { path: versions, hops, findings: [] };
}

/** Live one hop, staging there already: the shortest roll-out that touches servers. */
export const LIVE_ALONE: RolloutPlan = {
  staging: pathOf('1.31.2'),
  live: pathOf('1.30.7', '1.31.2'),
  findings: [],
};

/** Both one hop. */
export const ONE_HOP: RolloutPlan = { ...LIVE_ALONE, staging: pathOf('1.30.7', '1.31.2') };

/** Both two hops. */
export const TWO_HOPS: RolloutPlan = {
  staging: pathOf('1.29.1', '1.30.7', '1.31.2'),
  live: pathOf('1.29.1', '1.30.7', '1.31.2'),
  findings: [],
};
