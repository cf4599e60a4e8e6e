import { PreconditionError } from '../../core/errors.js';
import { type KubernetesDriver, Role } from '../../core/input/input.js';
import type { Pod } from '../../core/pods/pod.js';
import type { KubeApi } from './api.js';
import { asPod } from './as-pod.js';
import { DeploymentShape, listOf, PodShape, StatefulSetShape } from './shapes.js';
import { asWorkload, nameOfWorkload, selectorOf, type Workload } from './workload.js';

const DeploymentList = listOf(DeploymentShape);
const StatefulSetList = listOf(StatefulSetShape);
const PodList = listOf(PodShape);
const NEEDED: readonly Role[] = ['frontend', 'history', 'matching', 'worker'];

/** The workload of each role, with its pods. */
export interface RolePods {
  readonly workload: Workload;
  readonly pods: readonly Pod[];
}

/**
 * The workloads of all roles of a target, as its input names them or by the labels of the chart.
 * @throws PreconditionError with what is missing or there twice; UnreachableError
 */
export async function findWorkloads(api: KubeApi, input: KubernetesDriver): Promise<Workload[]> {
  const base = `/apis/apps/v1/namespaces/${input.namespace}`;
  const labels =
    input.workloads === undefined
      ? { labelSelector: `app.kubernetes.io/name=temporal,app.kubernetes.io/instance=${input.release ?? ''}` }
      : {};
  const [deployments, statefulSets] = await Promise.all([
    api.get(`${base}/deployments`, labels).then((list) => DeploymentList.parse(list).items),
    api.get(`${base}/statefulsets`, labels).then((list) => StatefulSetList.parse(list).items),
  ]);
  const all = [...deployments, ...statefulSets];
  return input.workloads === undefined ? byLabels(all, input) : byNames(all, input, input.workloads);
}

/** The workloads, each with the pods that its selector finds and that belong to it. */
export async function findPods(api: KubeApi, input: KubernetesDriver): Promise<RolePods[]> {
  const workloads = await findWorkloads(api, input);
  return Promise.all(workloads.map(async (workload) => ({ workload, pods: await podsOf(api, input, workload) })));
}

/** The pods of one workload. */
export async function podsOf(api: KubeApi, input: KubernetesDriver, workload: Workload): Promise<Pod[]> {
  const query = { labelSelector: selectorOf(workload) };
  const { items } = PodList.parse(await api.get(`/api/v1/namespaces/${input.namespace}/pods`, query));
  return items.flatMap((shape) => asPod(shape, workload, input) ?? []);
}

/** One workload as it is now. */
export async function readWorkload(api: KubeApi, input: KubernetesDriver, workload: Workload): Promise<Workload> {
  const found = await api.get(workload.path);
  const shape = workload.shape.kind === 'Deployment' ? DeploymentShape.parse(found) : StatefulSetShape.parse(found);
  return asWorkload(shape, workload.role, input) ?? workload;
}

function byLabels(all: readonly Workload['shape'][], input: KubernetesDriver): Workload[] {
  const found = Role.options.flatMap((role) => {
    const own = all.filter(({ metadata }) => metadata.labels['app.kubernetes.io/component'] === role);
    if (own.length > 1) {
      const names = own.map(({ metadata }) => metadata.name).join(', ');
      throw new PreconditionError(`${names} are both of the role ${role} by their labels; name them under "workloads"`);
    }
    return own.map((shape) => required(shape, role, input));
  });
  const missing = NEEDED.filter((role) => !found.some((one) => one.role === role));
  if (missing.length > 0) {
    const { release = '', namespace } = input;
    throw new PreconditionError(
      `namespace ${namespace} has no workload with the labels app.kubernetes.io/name=temporal, instance=${release} and component=${missing.join(', ')}; correct "namespace" or "release", or name them under "workloads"`,
      { namespace, release, missing },
    );
  }
  return found;
}

function byNames(
  all: readonly Workload['shape'][],
  input: KubernetesDriver,
  names: NonNullable<KubernetesDriver['workloads']>,
): Workload[] {
  return Role.options.flatMap((role) => {
    const wanted = names[role];
    if (wanted === undefined) return [];
    const shape = all.find((one) => nameOfWorkload({ shape: one, name: one.metadata.name }) === wanted);
    if (shape === undefined) {
      throw new PreconditionError(`namespace ${input.namespace} has no ${wanted}; correct "workloads.${role}"`);
    }
    return [required(shape, role, input)];
  });
}

function required(shape: Workload['shape'], role: Role, input: KubernetesDriver): Workload {
  const workload = asWorkload(shape, role, input);
  if (workload !== undefined) return workload;
  const names = shape.spec.template.spec.containers.map(({ name }) => name).join(', ');
  throw new PreconditionError(
    `${nameOfWorkload({ shape, name: shape.metadata.name })} has the containers ${names}, none of which is named ${input.container ?? `temporal-${role}`}; name the server's under "container"`,
  );
}
