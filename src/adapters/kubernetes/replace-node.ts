import { PreconditionError } from '../../core/errors.js';
import type { Pod } from '../../core/pods/pod.js';
import { hasNewerBefore, isPutBack, slotsOf } from '../../core/pods/slots.js';
import { patiently } from './api.js';
import { changeTemplate, writesObjects } from './change.js';
import type { Context } from './context.js';
import { markSurplus } from './deletion-order.js';
import { findPods, podsOf, readWorkload, type RolePods } from './find-workloads.js';
import { hold, letGo } from './hold.js';
import { bringSettingsBack } from './pod-settings.js';
import { readReplicaSets } from './replica-sets.js';
import { addOnePod, finishDeployment, waitUntilStill } from './step-deployment.js';
import { replaceOrdinal } from './step-stateful-set.js';
import { waitForPods } from './wait-for-pods.js';
import { isHeld, type Workload } from './workload.js';

/** A node by its name: `history-2` is the second slot of its role. */
export interface NodeSlot {
  readonly role: string;
  readonly slot: number;
}

/** The slot that a name means. */
export function slotNamed(name: string): NodeSlot {
  const [, role = '', slot = '0'] = /^(.+)-(\d+)$/.exec(name) ?? [];
  return { role, slot: Number(slot) };
}

/**
 * Makes the pod in a slot one of `version`: the workload is held, the version brought into its template, and just one more pod let
 * through, which is waited for until it is ready. When all that are wanted are there, the rest is taken away and the workload let go.
 * Run again after it was killed on any line it goes on from what it finds.
 * @throws PreconditionError with events and log of a pod that does not become ready
 */
export async function replaceSlot(context: Context, name: string, version: string): Promise<void> {
  const { api, input, work } = context;
  const { role, slot } = slotNamed(name);
  const found = await patiently(() => findPods(api, input), work);
  const own = found.find(({ workload }) => workload.role === role);
  if (own === undefined || slot < 1 || slot > own.workload.wanted) throw noSuchNode(name, found);
  if (isDone(own, version)) {
    await waitForPods(context, { workload: own.workload, version, count: own.workload.wanted });
    return;
  }
  const held = await hold(context, own.workload);
  // Before the template says so too: whoever goes on after a kill knows it by the mark.
  if (isPutBack(own.pods, { slot, version, wanted: held.wanted, coming: held.version }))
    await markSurplus(context, held, { pods: own.pods, version });
  const workload = await changeTemplate(context, held, version);
  // Also where a worker that was killed had set them aside.
  if (writesObjects(context)) await bringSettingsBack(context);
  if (workload.shape.kind === 'Deployment') await waitUntilStill(context, workload, version);
  const pods = await patiently(() => podsOf(api, input, workload), work);
  const { staying, leaving } = slotsOf(pods, { wanted: workload.wanted, coming: version });
  if (staying[slot - 1]?.version !== version) await addOne(context, workload, version);
  else if (leaving.some(isToGo) || (await hasFailedPod(context, workload, { version, pods })))
    await addOne(context, workload, version);
  await finishIfWhole(context, workload, { version, slot });
}

/** One that was put back: taken away by the next step of its controller. */
function isToGo({ ending, goesFirst }: Pod): boolean {
  return !ending && goesFirst === true;
}

async function addOne(context: Context, workload: Workload, version: string): Promise<void> {
  if (workload.shape.kind === 'StatefulSet') return replaceOrdinal(context, workload, version);
  const { api, input, work } = context;
  const pods = await patiently(() => podsOf(api, input, workload), work);
  // All are there: what is left over goes when the workload is let go.
  if (ofVersion(pods, version).length < workload.wanted) await addOnePod(context, workload, { pods, version });
}

/** A pod of another version that is not ready: left by a try that did not succeed, and taken away first by the controller. */
async function hasFailedPod(
  { api, input, work }: Context,
  workload: Workload,
  { version, pods }: { readonly version: string; readonly pods: readonly Pod[] },
): Promise<boolean> {
  const others = pods.filter((pod) => !pod.ending && pod.version !== version);
  if (others.some(({ ready }) => !ready)) return true;
  if (workload.shape.kind === 'StatefulSet') return false;
  const sets = await patiently(() => readReplicaSets(api, input, workload), work);
  const wanted = sets.filter((one) => one.version !== version).reduce((sum, { replicas }) => sum + replicas, 0);
  return wanted > others.length; // one that could not even be made
}

/** Waits for all pods of the version; when they are all that are wanted, lets the workload go. */
async function finishIfWhole(
  context: Context,
  workload: Workload,
  { version, slot }: { readonly version: string; readonly slot: number },
): Promise<void> {
  const { api, input, work } = context;
  const pods = await patiently(() => podsOf(api, input, workload), work);
  const count = Math.max(ofVersion(pods, version).length, 1);
  const ready = await waitForPods(context, { workload, version, count });
  if (ready.length < workload.wanted || hasNewerBefore(pods, { version, slot })) return;
  const present = await patiently(() => readWorkload(api, input, workload), work);
  if (present.shape.kind === 'Deployment') await finishDeployment(context, present, version);
  else await letGo(context, present);
}

/** Whether nothing is left to do for a whole role. */
function isDone({ workload, pods }: RolePods, version: string): boolean {
  const isOther = (pod: Pod) => pod.version !== version || pod.ending;
  return !isHeld(workload) && workload.version === version && pods.length >= workload.wanted && !pods.some(isOther);
}

function ofVersion(pods: readonly Pod[], version: string): readonly Pod[] {
  return pods.filter((pod) => !pod.ending && pod.version === version);
}

/** Names the nodes that there are. */
export function noSuchNode(name: string, found: readonly RolePods[]): PreconditionError {
  const names = found.flatMap(({ workload: { role, wanted } }) =>
    Array.from({ length: wanted }, (_, index) => `${role}-${index + 1}`),
  );
  return new PreconditionError(`there is no node "${name}"; the nodes are ${names.join(', ')}`, { node: name });
}
