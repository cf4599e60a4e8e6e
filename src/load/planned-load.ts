import type { LoadPolicy } from '../core/input/input.js';
import type { Feasible } from './capabilities.js';
import type { CopiedMix } from './live-mix.js';
import { streamsOf, type Stream } from './streams.js';

/** What a load does of its profile. */
export interface PlannedLoad {
  readonly streams: readonly Stream[];
  readonly schedule: boolean;
  /** What it does not do, with the reason. */
  readonly leftOut: readonly string[];
  /** That part of it which the target cannot do. */
  readonly cannot: readonly string[];
}

/** The load by what the target can do and, where the mix of another cluster is copied, by how often each type is started there. */
export function planLoad(
  policy: LoadPolicy,
  options: { readonly loadId: string; readonly feasible: Feasible; readonly copied: CopiedMix | undefined },
): PlannedLoad {
  const { loadId, feasible, copied } = options;
  const { mix, schedule, leftOut } = feasible;
  return {
    streams: streamsOf(policy, { loadId, mix, ownWeights: copied?.weights }),
    schedule,
    leftOut: [...leftOut, ...(copied?.leftOut ?? [])],
    cannot: leftOut,
  };
}
