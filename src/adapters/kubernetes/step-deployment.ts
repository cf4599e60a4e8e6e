import { formatDuration } from '../../core/duration.js';
import { PreconditionError } from '../../core/errors.js';
import type { Pod } from '../../core/pods/pod.js';
import { patiently } from './api.js';
import type { Context } from './context.js';
import { markSurplus } from './deletion-order.js';
import { eventsOf } from './describe-pod.js';
import { letGo, patienceOf } from './hold.js';
import { asReplicaSets, readReplicaSets, replicasOf, replicaSetsOf, type ReplicaSet } from './replica-sets.js';
import { DeploymentShape, ReplicaSetShape } from './shapes.js';
import { watchPods } from './wait-for-pods.js';
import { watchList } from './watch-list.js';
import { nameOfWorkload, type Workload } from './workload.js';

/** A quota may be one that another pod, which is ending, still takes. */
const REFUSED_FOR_MS = 15_000;

/**
 * Has the controller of a held Deployment make one more pod of `version` than `pods` has, and holds it again as soon as it has
 * begun: until that pod has been ready for a while it could do nothing more by itself. Where one pod is too many already it takes
 * that away first. One that another attempt has begun meanwhile is not begun twice.
 * @throws PreconditionError when no pod can be made
 */
export async function addOnePod(
  context: Context,
  workload: Workload,
  { pods, version }: { readonly pods: readonly Pod[]; readonly version: string },
): Promise<void> {
  const { api, input, work } = context;
  const { shape } = workload;
  if (shape.kind !== 'Deployment') throw new TypeError(`${workload.name} is no Deployment`);
  const before = await patiently(() => readReplicaSets(api, input, workload), work);
  const had = replicasOf(before, version);
  const isBegun = had > pods.filter((pod) => !pod.ending && pod.version === version).length;
  if (isBegun) return waitUntilMade(context, workload, version);
  await markSurplus(context, workload, { pods, version });
  const minReadySeconds = patienceOf(shape, pods, { now: Date.now(), leastSeconds: context.leastSeconds });
  try {
    await api.patch(workload.path, { spec: { paused: false, minReadySeconds } }, 'merge', work);
    await watchSets(context, workload, {
      look: (sets) => (replicasOf(sets, version) > had ? true : undefined),
      timeoutMs: input.startTimeout,
      onTimeout: () => notBegun(context, workload, { version, pods }),
    });
  } finally {
    // Also where it is given up: the controller must not go on alone.
    await api.patch(workload.path, { spec: { paused: true } }, 'merge', {});
  }
  await waitUntilMade(context, workload, version);
}

/**
 * Until the controller of a held Deployment has seen that it is held, and what it had begun by then shows: a worker that was
 * killed may have let it go a moment before.
 */
export async function waitUntilStill(context: Context, workload: Workload, version: string): Promise<void> {
  const { api, input, work } = context;
  await watchList(
    api,
    {
      path: `/apis/apps/v1/namespaces/${input.namespace}/deployments`,
      query: { fieldSelector: `metadata.name=${workload.name}` },
      shape: DeploymentShape,
      look: ([found]) =>
        found && found.status.observedGeneration >= (found.metadata.generation ?? 0) ? true : undefined,
      timeoutMs: input.startTimeout,
      onTimeout: () =>
        new PreconditionError(
          `the controller of ${nameOfWorkload(workload)} does not see that it is held; does it run?`,
        ),
    },
    work,
  );
  await waitUntilMade(context, workload, version);
}

/** A pod that is refused, as by a quota, never shows: its ReplicaSet says so. */
async function waitUntilMade(context: Context, workload: Workload, version: string): Promise<void> {
  const { input } = context;
  let refusedSince: number | undefined;
  await watchSets(context, workload, {
    look: (sets) => {
      const own = sets.filter((one) => one.version === version);
      if (own.every(({ made, replicas }) => made >= replicas)) return true;
      const failure = own.find((one) => one.failure !== undefined)?.failure;
      refusedSince = failure === undefined ? undefined : (refusedSince ?? Date.now());
      if (failure !== undefined && Date.now() - (refusedSince ?? 0) > REFUSED_FOR_MS) {
        throw new PreconditionError(
          `no pod with ${version} can be made for ${nameOfWorkload(workload)}: ${failure}. A roll needs room for one more pod of each role`,
          { workload: workload.name, version },
        );
      }
      return undefined;
    },
    timeoutMs: input.startTimeout,
    onTimeout: (sets) => {
      const failure = sets.find((one) => one.version === version)?.failure ?? 'its ReplicaSet does not say why';
      return new PreconditionError(`no pod with ${version} was made for ${nameOfWorkload(workload)}: ${failure}`);
    },
  });
}

interface SetWait {
  readonly look: (sets: readonly ReplicaSet[]) => true | undefined;
  readonly timeoutMs: number;
  readonly onTimeout: (sets: readonly ReplicaSet[]) => Error | Promise<Error>;
}

async function watchSets({ api, input, work }: Context, workload: Workload, wait: SetWait): Promise<void> {
  let sets: readonly ReplicaSet[] = [];
  await watchList(
    api,
    {
      ...replicaSetsOf(input, workload),
      shape: ReplicaSetShape,
      look: (shapes) => {
        sets = asReplicaSets(shapes, workload, input);
        return wait.look(sets);
      },
      timeoutMs: wait.timeoutMs,
      onTimeout: () => wait.onTimeout(sets),
    },
    work,
  );
}

async function notBegun(
  context: Context,
  workload: Workload,
  { version, pods }: { readonly version: string; readonly pods: readonly Pod[] },
): Promise<PreconditionError> {
  const unready = pods.filter((pod) => !pod.ready && !pod.ending).map(({ name }) => name);
  const why =
    unready.length > 0
      ? `its pods ${unready.join(', ')} are not ready, and it takes none away before they are`
      : 'its controller did not begin';
  const events = (await eventsOf(context, workload.shape.metadata.uid)).map((line) => `\n  ${line}`).join('');
  return new PreconditionError(
    `${nameOfWorkload(workload)} made no pod with ${version} within ${formatDuration(context.input.startTimeout)}: ${why}${events}`,
    { workload: workload.name, version },
  );
}

/**
 * Lets go of a Deployment all of whose wanted pods are of `version` and ready, and waits until no other pod is left: by the pods
 * themselves, also those that are ending, and by the word of the controller that it has seen its template.
 */
export async function finishDeployment(context: Context, workload: Workload, version: string): Promise<void> {
  const { input } = context;
  await letGo(context, workload);
  await watchPods(context, {
    workload,
    timeoutMs: input.startTimeout + input.stopTimeout,
    look: (pods) => {
      const others = pods.filter((pod) => pod.version !== version || pod.ending);
      if (others.length > 0) context.work.onProgress?.(`${others.map(({ name }) => name).join(', ')} are ending`);
      return others.length === 0 ? true : undefined;
    },
    onTimeout: (pods) => {
      const others = pods.filter((pod) => pod.version !== version || pod.ending).map(({ name }) => name);
      return new PreconditionError(`${others.join(', ')} of ${nameOfWorkload(workload)} are still there`, {
        workload: workload.name,
      });
    },
  });
  await waitUntilSettled(context, workload);
}

/** Until its controller has seen the template as it is and has nothing more to replace. */
async function waitUntilSettled({ api, input, work }: Context, workload: Workload): Promise<void> {
  let left = 'nothing was seen of it';
  await watchList(
    api,
    {
      path: `/apis/apps/v1/namespaces/${input.namespace}/deployments`,
      query: { fieldSelector: `metadata.name=${workload.name}` },
      shape: DeploymentShape,
      look: ([found]) => {
        if (found === undefined) return undefined;
        const { metadata, spec, status } = found;
        left = `${status.updatedReplicas} of ${spec.replicas} pods are of its template, ${status.replicas} are there`;
        const isSeen = status.observedGeneration >= (metadata.generation ?? 0);
        const isWhole = status.updatedReplicas >= spec.replicas && status.replicas === status.updatedReplicas;
        return isSeen && isWhole ? true : undefined;
      },
      timeoutMs: input.startTimeout,
      onTimeout: () => new PreconditionError(`${nameOfWorkload(workload)} does not come to rest: ${left}`),
    },
    work,
  );
}
