import type { KubernetesDriver } from '../../core/input/input.js';
import type { Driver } from '../driver.js';
import type { Work } from '../store.js';
import { createKubeApi } from './api.js';
import { nodesOfWorkload } from './as-pod.js';
import { configurationFiles } from './configuration.js';
import type { Context } from './context.js';
import { endRoll } from './end-roll.js';
import { explainSlot } from './explain.js';
import { findPods } from './find-workloads.js';
import { createPodSettings } from './pod-settings.js';
import { prepareRoll } from './prepare.js';
import { replaceSlot } from './replace-node.js';
import { startRole, stopRole } from './stop-start.js';

/** A proof takes as long: a shorter time would gain nothing. */
const LEAST_SECONDS = 10;

/**
 * Servers as pods of Deployments or StatefulSets. A node is a slot of its role, filled by whatever pod the cluster has there: all is
 * read anew from the API server each time, and what has to be put back stands in annotations of the workloads.
 */
export function createKubernetesDriver(
  input: KubernetesDriver,
  {
    api = createKubeApi(input),
    leastSeconds = LEAST_SECONDS,
    kubeletMs,
  }: Partial<Pick<Context, 'api' | 'leastSeconds' | 'kubeletMs'>> = {},
): Driver {
  const contextOf = (work: Work = {}): Context => ({ api, input, work, leastSeconds, kubeletMs });

  return {
    async listNodes() {
      const found = await findPods(api, input);
      return found.flatMap(({ workload, pods }) => nodesOfWorkload(workload, pods, input));
    },
    replaceNode: (name, version, work) => replaceSlot(contextOf(work), name, version),
    stopNode: (name, work) => stopRole(contextOf(work), name),
    startNode: (name, version, work) => startRole(contextOf(work), name, version),
    prepare: (version, work) => prepareRoll(contextOf(work), version),
    settings: createPodSettings(contextOf),
    endRoll: (work) => endRoll(contextOf(work)),
    readUsage: () => Promise.resolve(undefined),
    configurationPaths: () => [],
    configurationFiles: (work) => configurationFiles(contextOf(work)),
    explain: (name, version) => explainSlot(contextOf(), name, version),
  };
}
