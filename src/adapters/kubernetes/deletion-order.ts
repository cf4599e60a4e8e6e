import type { Pod } from '../../core/pods/pod.js';
import { slotsOf } from '../../core/pods/slots.js';
import { hasStatus } from './api-error.js';
import type { Context } from './context.js';
import type { Workload } from './workload.js';

/** Among pods that are equally ready a ReplicaSet takes the one with the lowest first (pod-deletion-cost of Kubernetes, since 1.22). */
const COST = 'controller.kubernetes.io/pod-deletion-cost';
/** Below any that an operator is likely to give; the lowest that is allowed is -2147483648. */
const FIRST = '-2000000000';

/**
 * Marks the pods that are one too many on the way to `version`, so that the controller takes just these away. It would choose by
 * how long they have been ready, in steps of powers of two: one that is ready and was not proved looks like the one before it.
 */
export async function markSurplus(
  { api, input, work }: Context,
  workload: Workload,
  { pods, version }: { readonly pods: readonly Pod[]; readonly version: string },
): Promise<void> {
  const { leaving } = slotsOf(pods, { wanted: workload.wanted, coming: version });
  for (const { name } of leaving.filter(({ ending }) => !ending)) {
    const metadata = { annotations: { [COST]: FIRST } };
    await api
      .patch(`/api/v1/namespaces/${input.namespace}/pods/${name}`, { metadata }, 'merge', work)
      .catch((error: unknown) => {
        if (!hasStatus(error, 404)) throw error; // it has gone by itself
      });
  }
}
