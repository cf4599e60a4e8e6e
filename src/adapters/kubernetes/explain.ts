import { moveLine } from '../../core/charts/migration.js';
import { fillPlaceholders } from '../../core/input/placeholders.js';
import { environmentLine, shellLine } from '../../core/shell-line.js';
import { imageOfVersion, tagOfVersion } from '../../core/pods/images.js';
import { changesAll } from './change.js';
import type { Context } from './context.js';
import { findPods } from './find-workloads.js';
import { createHelm, type Helm, type HelmChange } from './helm.js';
import { noSuchNode, slotNamed } from './replace-node.js';
import { TEMPORAL_CLUSTERS } from './temporal-cluster.js';
import { nameOfWorkload, type Workload } from './workload.js';

/**
 * What is asked of the API server to replace a node, as commands of kubectl and helm that would do the same; the driver itself
 * patches objects.
 */
export async function explainSlot(context: Context, name: string, version: string): Promise<string[]> {
  const { api, input } = context;
  const found = await findPods(api, input);
  const { role, slot } = slotNamed(name);
  const own = found.find(({ workload }) => workload.role === role);
  if (own === undefined || slot < 1 || slot > own.workload.wanted) throw noSuchNode(name, found);
  const { workload } = own;
  const held = changesAll(context) ? found.map((one) => one.workload) : [workload];
  const isChanged = workload.version === version;
  const isLast = slot === workload.wanted;
  return [
    ...held.map(
      (one) => `${kubectl(context, ['patch', nameOfWorkload(one), '--type=merge', '--patch', heldText(one)])}`,
    ),
    ...(isChanged ? [] : await changeLines(context, workload, version)),
    ...stepLines(context, workload, slot),
    ...(isLast
      ? [`${patch(context, workload, '{"spec":{"paused":false}}')} # when all are ready, with all as it was`]
      : []),
  ];
}

function stepLines(context: Context, workload: Workload, slot: number): string[] {
  if (workload.shape.kind === 'StatefulSet') {
    const partition = Math.max(0, workload.wanted - slot);
    return [patch(context, workload, JSON.stringify({ spec: { updateStrategy: { rollingUpdate: { partition } } } }))];
  }
  const name = nameOfWorkload(workload);
  return [
    kubectl(context, ['rollout', 'resume', name]),
    `${kubectl(context, ['rollout', 'pause', name])} # as soon as one new pod is begun`,
  ];
}

async function changeLines(context: Context, workload: Workload, version: string): Promise<string[]> {
  const { input } = context;
  const { change } = input;
  switch (change.by) {
    case 'image': {
      const image = imageOfVersion(version, workload.image, input.images);
      return [kubectl(context, ['set', 'image', nameOfWorkload(workload), `${workload.container}=${image}`])];
    }
    case 'helm':
      return helmLines(createHelm(input, change), change, version);
    case 'operator': {
      const patched = JSON.stringify({ spec: { version } });
      return [
        kubectl(context, ['patch', `${TEMPORAL_CLUSTERS}/${change.cluster}`, '--type=merge', '--patch', patched]),
      ];
    }
    case 'command': {
      const words = { role: workload.role, version, tag: tagOfVersion(version, input.images) };
      const argv = change.command.map((text) => fillPlaceholders(text, words));
      return [`${environmentLine(change.environment)}${shellLine(argv)}`];
    }
  }
}

/** Values that are migrated go to its stdin: what is in it is said by its keys. */
async function helmLines(helm: Helm, { migrateValues, values }: HelmChange, version: string): Promise<string[]> {
  const line = shellLine(await helm.upgradeLine(version));
  if (!migrateValues) return [line];
  const { moved } = await helm.planValues(version);
  if (moved.length === 0) return [line];
  return [`# on its stdin ${values.join(', ')}, with`, ...moved.map((move) => `#   ${moveLine(move)}`), line];
}

function heldText({ shape, wanted }: Workload): string {
  const spec =
    shape.kind === 'Deployment'
      ? { paused: true, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } }
      : { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: wanted } } };
  return JSON.stringify({ spec });
}

function patch(context: Context, workload: Workload, text: string): string {
  return kubectl(context, ['patch', nameOfWorkload(workload), '--type=merge', '--patch', text]);
}

function kubectl({ input: { namespace, kubeconfig, context } }: Context, args: readonly string[]): string {
  return shellLine([
    'kubectl',
    ...(kubeconfig === undefined ? [] : ['--kubeconfig', kubeconfig]),
    ...(context === undefined ? [] : ['--context', context]),
    '--namespace',
    namespace,
    ...args,
  ]);
}
