import type { ToolResolver } from '../adapters/tools/tools.js';
import type { Activities } from '../contract/activities.js';
import type { Catalogue } from '../core/catalogue/catalogue.js';
import { createClusterActivities } from './clusters.js';
import { createControlActivities } from './control-activities.js';
import { createEvidenceActivities } from './evidence.js';
import { guard } from './guard.js';
import { createLoadActivities } from './load.js';
import { createMeterActivities } from './meter.js';
import { createPreflightActivities } from './preflight.js';
import { createObserveActivities } from './observe.js';
import { createReplaceNodeActivity } from './replace-node.js';
import { createRestoreActivities } from './restore.js';
import { createRollSettingsActivities } from './roll-settings.js';
import { createServerActivities } from './servers.js';
import { createSettleActivities } from './settle.js';
import { createStoreActivities } from './stores.js';

export interface ActivityDependencies {
  readonly tools: ToolResolver;
  readonly catalogue: Catalogue;
}

/** All activities of a worker, each guarded: it heartbeats, and its errors have stable types. */
export function createActivities(dependencies: ActivityDependencies): Activities {
  return guard({
    ...createControlActivities(dependencies),
    ...createClusterActivities(dependencies),
    ...createPreflightActivities(dependencies),
    ...createStoreActivities(dependencies),
    ...createRollSettingsActivities(dependencies),
    ...createServerActivities(dependencies),
    ...createReplaceNodeActivity(dependencies),
    ...createRestoreActivities(dependencies),
    ...createSettleActivities(dependencies),
    ...createMeterActivities(dependencies),
    ...createObserveActivities(),
    ...createLoadActivities(),
    ...createEvidenceActivities(),
  });
}
