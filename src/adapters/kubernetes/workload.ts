import type { KubernetesDriver, Role } from '../../core/input/input.js';
import { versionOfImage } from '../../core/pods/images.js';
import { HELD, STOPPED } from './annotations.js';
import type { DeploymentShape, StatefulSetShape } from './shapes.js';

/** A Deployment or StatefulSet whose pods are the servers of one role. */
export interface Workload {
  readonly role: Role;
  readonly name: string;
  readonly shape: DeploymentShape | StatefulSetShape;
  /** Name of the server's container in its template. */
  readonly container: string;
  /** Image of that container. */
  readonly image: string;
  /** Version of the pods that it makes; absent where its image does not tell. */
  readonly version?: string | undefined;
  /** How many pods it is to have: what it had, where it is stopped for a restore. */
  readonly wanted: number;
  /** Path of the object at the API server. */
  readonly path: string;
}

/** The server's container of a pod or template: as the input says, else as the chart names it, else the only one. */
export function serverContainer<T extends { readonly name: string }>(
  containers: readonly T[],
  role: Role,
  { container }: Pick<KubernetesDriver, 'container'>,
): T | undefined {
  const named = containers.find(({ name }) => name === (container ?? `temporal-${role}`));
  return named ?? (container === undefined && containers.length === 1 ? containers[0] : undefined);
}

/** A workload as it is; undefined when it has no container of a server. */
export function asWorkload(
  shape: Workload['shape'],
  role: Role,
  input: Pick<KubernetesDriver, 'container' | 'images' | 'namespace'>,
): Workload | undefined {
  const server = serverContainer(shape.spec.template.spec.containers, role, input);
  if (server === undefined) return undefined;
  const { name, annotations } = shape.metadata;
  const version = versionOfImage(server.image, input.images);
  const plural = shape.kind === 'Deployment' ? 'deployments' : 'statefulsets';
  return {
    role,
    name,
    shape,
    container: server.name,
    image: server.image,
    ...(version === undefined ? {} : { version }),
    wanted: Number(annotations[STOPPED] ?? shape.spec.replicas),
    path: `/apis/apps/v1/namespaces/${input.namespace}/${plural}/${name}`,
  };
}

/** `deployment/temporal-history`. */
export function nameOfWorkload({ shape, name }: Pick<Workload, 'shape' | 'name'>): string {
  return `${shape.kind.toLowerCase()}/${name}`;
}

/** Whether this tool holds it: it has written down what it was before. */
export function isHeld({ shape }: Pick<Workload, 'shape'>): boolean {
  return shape.metadata.annotations[HELD] !== undefined;
}

/** The labels of its pods, as a selector of the API. */
export function selectorOf({ shape }: Pick<Workload, 'shape'>): string {
  return Object.entries(shape.spec.selector.matchLabels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}
