import { z } from 'zod';
import type { Pod } from '../../core/pods/pod.js';
import { HELD } from './annotations.js';
import { hasStatus } from './api-error.js';
import { patiently } from './api.js';
import type { Context } from './context.js';
import { readWorkload } from './find-workloads.js';
import type { DeploymentShape, StatefulSetShape } from './shapes.js';
import { isHeld, type Workload } from './workload.js';

const MOST_SECONDS = 120;
/** A workload that somebody else writes at the same time. */
const TRIES = 10;

const Amount = z.union([z.number(), z.string()]);

/** What is put back after the roll. */
const Before = z.union([
  z.strictObject({
    kind: z.literal('Deployment'),
    strategy: z.object({
      type: z.string(),
      rollingUpdate: z.object({ maxSurge: Amount.optional(), maxUnavailable: Amount.optional() }).optional(),
    }),
    minReadySeconds: z.number(),
    paused: z.boolean(),
  }),
  z.strictObject({
    kind: z.literal('StatefulSet'),
    updateStrategy: z.object({
      type: z.string(),
      rollingUpdate: z.object({ partition: z.number() }).optional(),
    }),
    minReadySeconds: z.number(),
  }),
]);
export type Before = z.infer<typeof Before>;

/** What a workload was before it was held; undefined when it is not held. */
export function beforeOf({ shape }: Pick<Workload, 'shape'>): Before | undefined {
  const text = shape.metadata.annotations[HELD];
  return text === undefined ? undefined : Before.parse(JSON.parse(text));
}

/**
 * Keeps the controller from replacing any pod, whatever becomes of the template: a Deployment is paused, a StatefulSet updates no
 * ordinal. How it was before is written down in the same change. Done twice it is done once.
 */
export async function hold(context: Context, workload: Workload): Promise<Workload> {
  const { api, input, work } = context;
  let present = workload;
  for (let tried = 1; ; tried += 1) {
    const wanted = heldSpec(present);
    if (isHeld(present) && wanted === undefined) return present;
    const annotations = isHeld(present) ? {} : { [HELD]: JSON.stringify(asBefore(present.shape)) };
    // With the version that was read: what another wrote since must not be written down as ours, or lost.
    const { resourceVersion } = present.shape.metadata;
    try {
      await api.patch(present.path, { metadata: { resourceVersion, annotations }, spec: wanted ?? {} }, 'merge', work);
    } catch (error) {
      if (!hasStatus(error, 409) || tried >= TRIES) throw error;
    }
    present = await patiently(() => readWorkload(api, input, present), work);
  }
}

/** The fields that have to change for a workload to be held; undefined when it is. */
function heldSpec({ shape, wanted }: Workload): object | undefined {
  if (shape.kind === 'StatefulSet') {
    if (isHeld({ shape })) return undefined; // its partition tells how far it has come
    return { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: Math.max(wanted, 1) } } };
  }
  const { paused, strategy } = shape.spec;
  const { maxSurge, maxUnavailable } = strategy.rollingUpdate ?? {};
  const isOurs = strategy.type === 'RollingUpdate' && maxSurge === 1 && maxUnavailable === 0;
  if (paused && isOurs) return undefined;
  return { paused: true, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } };
}

function asBefore(shape: DeploymentShape | StatefulSetShape): Before {
  const { spec } = shape;
  const { minReadySeconds } = spec;
  if ('updateStrategy' in spec) {
    const { type, rollingUpdate } = spec.updateStrategy;
    return {
      kind: 'StatefulSet',
      updateStrategy: { type, ...(rollingUpdate === undefined ? {} : { rollingUpdate }) },
      minReadySeconds,
    };
  }
  const { strategy, paused } = spec;
  return {
    kind: 'Deployment',
    strategy: { type: strategy.type, ...(strategy.rollingUpdate && { rollingUpdate: strategy.rollingUpdate }) },
    minReadySeconds,
    paused,
  };
}

/** Everything as it was, and the controller free again: for a workload whose pods are all of its template's version. */
export async function letGo({ api, work }: Context, workload: Workload): Promise<void> {
  const before = beforeOf(workload);
  if (before === undefined) return;
  const metadata = { annotations: { [HELD]: null } };
  await api.patch(workload.path, { metadata, spec: specBefore(before) }, 'merge', work);
}

/** The strategy as it was, while the workload stays held: what writes the whole of it then finds nothing of ours. */
export async function showStrategyBefore({ api, work }: Context, workload: Workload): Promise<void> {
  const before = beforeOf(workload);
  if (before?.kind !== 'Deployment') return;
  const { strategy, minReadySeconds } = specBefore(before);
  await api.patch(workload.path, { spec: { strategy, minReadySeconds, paused: true } }, 'merge', work);
}

function specBefore(before: Before) {
  if (before.kind === 'StatefulSet') {
    const { updateStrategy, minReadySeconds } = before;
    return { updateStrategy: { rollingUpdate: null, ...updateStrategy }, minReadySeconds };
  }
  const { strategy, minReadySeconds, paused } = before;
  return { strategy: { rollingUpdate: null, ...strategy }, minReadySeconds, paused };
}

/**
 * How long a pod has to be ready before the controller may go on: as long as can be, so that a worker that dies before it
 * holds the workload again has time to be missed, and no longer than the present pods have been ready.
 */
export function patienceOf(
  { spec }: DeploymentShape,
  pods: readonly Pod[],
  { now, leastSeconds }: { readonly now: number; readonly leastSeconds: number },
): number {
  const ages = pods.map(({ readySince }) => (now - Date.parse(readySince ?? '')) / 1_000).filter((age) => age >= 0);
  const most = Math.min(MOST_SECONDS, spec.progressDeadlineSeconds - 1);
  return Math.floor(Math.max(Math.min(leastSeconds, most), Math.min(most, ...ages)));
}
