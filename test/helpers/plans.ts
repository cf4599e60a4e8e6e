import type { Hop, Path, RolloutPlan } from '../../src/core/plan.js';

/** A way through these versions, the present one first. */
export function pathOf(...versions: readonly string[]): Path {
  const hops = versions.slice(1).map((to, index): Hop => ({
    from: versions[index] ?? '',
    to,
    reasons: [{ id: 'sequence', text: 'one minor at a time', source: 'guide' }],
    moves: [],
    schema: {
      default: { from: '1.17', to: '1.18', store: 'postgres12', folder: 'postgresql/v12/temporal', scripts: [] },
      visibility: { from: '1.9', to: '1.9', store: 'postgres12', folder: 'postgresql/v12/visibility', scripts: [] },
    },
    rollBack: { by: 'servers', reasons: [] },
    findings: [
      {
        id: 'slow-index',
        severity: 'warn',
        found: `an index is built for ${to}`,
        expected: 'none',
        action: 'Wait for it',
        source: 'guide',
      },
    ],
  }));
  return { direction: hops.length === 0 ? 'none' : 'forward', path: versions, hops, findings: [] };
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

/** Live one hop over which the servers alone cannot go back. */
export const NO_WAY_BACK: RolloutPlan = {
  ...LIVE_ALONE,
  live: {
    ...LIVE_ALONE.live,
    hops: LIVE_ALONE.live.hops.map((hop) => ({
      ...hop,
      rollBack: {
        by: 'backup' as const,
        reasons: [{ id: 'dropped', text: 'table tasks was dropped', source: 'the scripts' }],
      },
    })),
  },
};
