import type { KubernetesDriver } from '../../core/input/input.js';
import { versionOfImage } from '../../core/pods/images.js';
import type { KubeApi } from './api.js';
import { listOf, ReplicaSetShape } from './shapes.js';
import { selectorOf, serverContainer, type Workload } from './workload.js';

const ReplicaSetList = listOf(ReplicaSetShape);

/** A ReplicaSet of a Deployment: the pods of one template. */
export interface ReplicaSet {
  readonly uid: string;
  readonly version?: string | undefined;
  /** How many pods its Deployment lets it have. */
  readonly replicas: number;
  /** Pods that there are. */
  readonly made: number;
  /** Why it cannot make a pod, such as a quota. */
  readonly failure?: string | undefined;
}

/** The path and query of the ReplicaSets of a workload. */
export function replicaSetsOf(input: KubernetesDriver, workload: Workload) {
  return {
    path: `/apis/apps/v1/namespaces/${input.namespace}/replicasets`,
    query: { labelSelector: selectorOf(workload) },
  };
}

/** Those of `shapes` that belong to the workload. */
export function asReplicaSets(
  shapes: readonly ReplicaSetShape[],
  workload: Workload,
  input: KubernetesDriver,
): ReplicaSet[] {
  return shapes
    .filter(({ metadata }) => metadata.ownerReferences.some(({ uid }) => uid === workload.shape.metadata.uid))
    .map(({ metadata, spec, status }) => {
      const image = serverContainer(spec.template.spec.containers, workload.role, input)?.image ?? '';
      const failed = status.conditions.find(({ type, status: is }) => type === 'ReplicaFailure' && is === 'True');
      return {
        uid: metadata.uid,
        version: versionOfImage(image, input.images),
        replicas: spec.replicas,
        made: status.replicas,
        ...(failed === undefined ? {} : { failure: failed.message ?? failed.reason ?? 'unknown reason' }),
      };
    });
}

/** The ReplicaSets of a workload as they are now. */
export async function readReplicaSets(
  api: KubeApi,
  input: KubernetesDriver,
  workload: Workload,
): Promise<ReplicaSet[]> {
  const { path, query } = replicaSetsOf(input, workload);
  return asReplicaSets(ReplicaSetList.parse(await api.get(path, query)).items, workload, input);
}

/** How many pods of a version they may have together. */
export function replicasOf(sets: readonly ReplicaSet[], version: string): number {
  return sets.filter((one) => one.version === version).reduce((sum, { replicas }) => sum + replicas, 0);
}
