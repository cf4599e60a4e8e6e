import { formatDuration } from '../../core/duration.js';
import { PreconditionError } from '../../core/errors.js';
import type { Pod } from '../../core/pods/pod.js';
import { hasStatus } from './api-error.js';
import { patiently } from './api.js';
import type { Context } from './context.js';
import { podsOf } from './find-workloads.js';
import { StatefulSetShape } from './shapes.js';
import { waitForPods, watchPods } from './wait-for-pods.js';
import { watchList } from './watch-list.js';
import { nameOfWorkload, type Workload } from './workload.js';

/** Updates no pod by itself, whatever the template becomes. */
export async function updateNone({ api, work }: Context, workload: Workload): Promise<void> {
  await setPartition({ api, work }, workload, Math.max(workload.wanted, 1));
}

/**
 * Replaces one pod of a held StatefulSet by one of `version`, which its template has: by its partition where that is the newer
 * revision; by deleting the pod where the template went back to the revision that most pods have, as the partition would
 * take all others first. One that is not ready goes first.
 */
export async function replaceOrdinal(context: Context, workload: Workload, version: string): Promise<void> {
  const { api, input, work } = context;
  const wentBack = await revisionWentBack(context, workload);
  const pods = await patiently(() => podsOf(api, input, workload), work);
  const others = pods.filter((pod) => pod.version !== version && !pod.ending).toSorted(byOrdinal);
  const next = wentBack ? (others.find(({ ready }) => !ready) ?? others[0]) : others.at(-1);
  if (next === undefined) return;
  if (wentBack) await deletePod(context, next);
  else await setPartition(context, workload, ordinalOf(next));
  const count = pods.filter((pod) => pod.version === version && !pod.ending).length + 1;
  await waitUntilGone(context, workload, next);
  await waitForPods(context, { workload, version, count });
}

async function setPartition({ api, work }: Pick<Context, 'api' | 'work'>, workload: Workload, partition: number) {
  await api.patch(workload.path, { spec: { updateStrategy: { rollingUpdate: { partition } } } }, 'merge', work);
}

async function deletePod({ api, input, work }: Context, { name, uid }: Pod): Promise<void> {
  // Only this very pod: its successor has the same name.
  const only = { preconditions: { uid } };
  const path = `/api/v1/namespaces/${input.namespace}/pods/${name}`;
  await patiently(
    () =>
      api.delete(path, only).catch((error: unknown) => {
        if (!hasStatus(error, 404) && !hasStatus(error, 409)) throw error;
      }),
    work,
  );
}

async function waitUntilGone(context: Context, workload: Workload, old: Pod): Promise<void> {
  const timeoutMs = context.input.stopTimeout + context.input.startTimeout;
  await watchPods(context, {
    workload,
    timeoutMs,
    look: (pods) => (pods.some(({ uid }) => uid === old.uid) ? undefined : true),
    onTimeout: () =>
      new PreconditionError(
        `pod ${old.name} of ${nameOfWorkload(workload)} is still there after ${formatDuration(timeoutMs)}; its controller replaces no pod while another one is not ready`,
      ),
  });
}

/** Whether its template is that of the revision before, as its controller says when it has seen the template. */
async function revisionWentBack({ api, input, work }: Context, workload: Workload): Promise<boolean> {
  const query = { fieldSelector: `metadata.name=${workload.name}` };
  return watchList(
    api,
    {
      path: `/apis/apps/v1/namespaces/${input.namespace}/statefulsets`,
      query,
      shape: StatefulSetShape,
      look: ([found]) => {
        if (found === undefined) return undefined;
        const { metadata, status } = found;
        if (status.observedGeneration < (metadata.generation ?? 0)) return undefined;
        return status.currentRevision === status.updateRevision;
      },
      timeoutMs: input.startTimeout,
      onTimeout: () => new PreconditionError(`the controller of ${nameOfWorkload(workload)} does not see its template`),
    },
    work,
  );
}

function byOrdinal(a: Pod, b: Pod): number {
  return ordinalOf(a) - ordinalOf(b);
}

function ordinalOf({ name }: Pod): number {
  return Number(/-(\d+)$/.exec(name)?.[1] ?? 0);
}
