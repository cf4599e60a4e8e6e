import type { NodeState } from '../../core/cluster.js';
import { formatDuration } from '../../core/duration.js';
import { PreconditionError } from '../../core/errors.js';
import { expectVersion } from '../find-node.js';
import { STOPPED } from './annotations.js';
import { hasStatus } from './api-error.js';
import { patiently } from './api.js';
import { nodesOfWorkload } from './as-pod.js';
import { changeTemplate } from './change.js';
import type { Context } from './context.js';
import { findPods, podsOf, readWorkload, type RolePods } from './find-workloads.js';
import { letGo } from './hold.js';
import { noSuchNode, slotNamed } from './replace-node.js';
import { waitForPods, watchPods } from './wait-for-pods.js';
import { nameOfWorkload, type Workload } from './workload.js';

/** A workload that its controllers write to at the same time. */
const TRIES = 10;

/**
 * Scales the workload of a node to nothing, with all other nodes of its role, and waits until its pods are gone: a workload
 * cannot be without one of its pods alone. How many it had is written down in the same change.
 */
export async function stopRole(context: Context, name: string): Promise<void> {
  const { input, work } = context;
  if (input.change.by === 'operator') throw keptUp(input.change.cluster);
  const workload = await scaleToNone(context, name);
  const timeoutMs = input.stopTimeout + input.startTimeout;
  await watchPods(context, {
    workload,
    timeoutMs,
    look: (pods) => {
      if (pods.length > 0) work.onProgress?.(`${pods.map((pod) => pod.name).join(', ')} are ending`);
      return pods.length === 0 ? true : undefined;
    },
    onTimeout: (pods) =>
      new PreconditionError(
        `${pods.map((pod) => pod.name).join(', ')} of ${nameOfWorkload(workload)} are still there ${formatDuration(timeoutMs)} after it was scaled to no pods; look at their events`,
        { workload: workload.name },
      ),
  });
}

/** With the version that was read: a count that another wrote since must not be lost. Its controllers write to it as well. */
async function scaleToNone(context: Context, name: string): Promise<Workload> {
  const { api, work } = context;
  for (let tried = 1; ; tried += 1) {
    const { workload } = await roleOf(context, name);
    const { replicas } = workload.shape.spec;
    if (replicas === 0) return workload;
    const { resourceVersion } = workload.shape.metadata;
    const metadata = { resourceVersion, annotations: { [STOPPED]: String(replicas) } };
    try {
      await api.patch(workload.path, { metadata, spec: { replicas: 0 } }, 'merge', work);
      return workload;
    } catch (error) {
      if (!hasStatus(error, 409) || tried >= TRIES) throw error;
    }
  }
}

/**
 * Starts the workload of a node with `version` and as many pods as it had: all nodes of its role at once. Waits until their
 * containers run. @throws PreconditionError when another version runs
 */
export async function startRole(context: Context, name: string, version: string): Promise<NodeState> {
  const { api, input, work } = context;
  const { workload, pods } = await roleOf(context, name);
  const state = nodeOf(workload, pods, { name, context });
  if (state.running) expectVersion(state, version);
  // With no pods nothing is replaced by it; a chart may scale it up with the same change.
  const present = state.running ? workload : await changeTemplate(context, workload, version);
  // Also where it runs: a chart that scaled all roles up has left this as it was.
  if (present.shape.metadata.annotations[STOPPED] !== undefined) {
    const metadata = { annotations: { [STOPPED]: null } };
    await api.patch(present.path, { metadata, spec: { replicas: present.wanted } }, 'merge', work);
  }
  if (present.version === version) await letGo(context, await patiently(() => readWorkload(api, input, present), work));
  await waitForPods(context, { workload: present, version, count: present.wanted, goal: 'running' });
  const after = await patiently(() => podsOf(api, input, present), work);
  return nodeOf(present, after, { name, context });
}

/** Its resource knows no number of pods below one. */
function keptUp(cluster: string): PreconditionError {
  return new PreconditionError(
    `temporal-operator would start the pods of TemporalCluster ${cluster} again while they are stopped for a restore; restore by hand: scale the operator to no pods, then the workloads, then "temporal-upgrade backups restore"`,
    { cluster },
  );
}

async function roleOf({ api, input, work }: Context, name: string): Promise<RolePods> {
  const found = await patiently(() => findPods(api, input), work);
  const { role, slot } = slotNamed(name);
  const own = found.find(({ workload }) => workload.role === role);
  if (own === undefined || slot < 1 || slot > own.workload.wanted) throw noSuchNode(name, found);
  return own;
}

function nodeOf(
  workload: Workload,
  pods: RolePods['pods'],
  { name, context }: { readonly name: string; readonly context: Context },
): NodeState {
  const node = nodesOfWorkload(workload, pods, context.input).find((one) => one.name === name);
  if (node === undefined) throw new PreconditionError(`${nameOfWorkload(workload)} has no node ${name}`);
  return node;
}
