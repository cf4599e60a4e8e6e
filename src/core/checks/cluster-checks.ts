import type { Check } from '../survey/survey.js';
import { checkBuilds, checkMetricsSeen } from './builds.js';
import { checkCompose } from './compose.js';
import { checkDynamicKeys } from './dynamic-keys.js';
import { checkFrontends } from './frontends.js';
import { checkMembership } from './membership.js';
import {
  checkNamespacesSeen,
  checkSearchAttributes,
  checkTaskQueues,
  noteArchival,
  noteRunning,
  noteSdks,
} from './namespaces.js';
import { checkPods } from './pods.js';
import { checkHealth, checkProcesses } from './processes.js';
import { checkReplication } from './replication.js';
import { checkRings } from './rings.js';
import { checkSingleProcesses, checkSupervisors, checkTools } from './roll-out-needs.js';
import { checkConfigurationSeen, checkSettings } from './settings.js';
import { checkShardCount, checkShardsHeld } from './shards.js';
import { checkStoreLoad } from './store-load.js';
import { checkSecondVisibility, checkStoreNames } from './stores.js';
import { checkVersions } from './versions.js';

/** All that is checked of a cluster but its databases, in the order in which it is told. */
export const clusterChecks: readonly Check[] = [
  checkProcesses,
  checkHealth,
  checkFrontends,
  checkVersions,
  checkBuilds,
  checkMetricsSeen,
  checkRings,
  checkMembership,
  checkShardCount,
  checkShardsHeld,
  checkStoreNames,
  checkSecondVisibility,
  checkConfigurationSeen,
  checkSettings,
  checkDynamicKeys,
  checkStoreLoad,
  checkReplication,
  checkNamespacesSeen,
  checkTaskQueues,
  checkSearchAttributes,
  noteArchival,
  noteRunning,
  noteSdks,
  checkSingleProcesses,
  checkSupervisors,
  checkTools,
  checkPods,
  checkCompose,
];
