import type { Pod } from '../../core/pods/pod.js';
import { slotsOf } from '../../core/pods/slots.js';
import { DELETION_COST, GOES_FIRST } from './annotations.js';
import { hasStatus } from './api-error.js';
import type { Context } from './context.js';
import type { Workload } from './workload.js';

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
    const metadata = { annotations: { [DELETION_COST]: GOES_FIRST } };
    await api
      .patch(`/api/v1/namespaces/${input.namespace}/pods/${name}`, { metadata }, 'merge', work)
      .catch((error: unknown) => {
        if (!hasStatus(error, 404)) throw error; // it has gone by itself
      });
  }
}
