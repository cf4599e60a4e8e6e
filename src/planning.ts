import { loadCatalogue } from './adapters/catalogue-file.js';
import { inspectTarget } from './adapters/cluster/inspect-target.js';
import { createToolResolver } from './adapters/tools/tool-resolver.js';
import type { RolloutInput } from './core/input.js';
import { planPath } from './core/path.js';
import type { Path, RolloutPlan, StoreKind } from './core/plan.js';
import { presentState } from './core/present-state.js';
import { planRollout } from './core/rollout-plan.js';

export interface OfflineRequest {
  readonly from: string;
  readonly to: string;
  readonly store: StoreKind;
  readonly visibility: StoreKind;
  readonly pins: Readonly<Record<string, string>>;
}

/** The path of a cluster that is only described: asks nobody. @throws UnsupportedPathError, PreconditionError */
export async function planOffline({ from, to, store, visibility, pins }: OfflineRequest): Promise<Path> {
  return planPath({ catalogue: await loadCatalogue(), from, to, pins, stores: { default: store, visibility } });
}

/** The plan of a roll-out, from a look at both clusters from here; changes nothing. @throws PreconditionError with all that is wrong */
export async function planFromClusters(input: RolloutInput): Promise<RolloutPlan> {
  const tools = createToolResolver();
  const [catalogue, staging, live] = await Promise.all([
    loadCatalogue(),
    inspectTarget(input.staging, tools),
    inspectTarget(input.live, tools),
  ]);
  return planRollout({
    catalogue,
    to: input.to,
    pins: input.pins,
    staging: presentState(input.staging, staging),
    live: presentState(input.live, live),
  });
}
