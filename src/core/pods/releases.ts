import { PreconditionError } from '../errors.js';
import { Role } from '../input/input.js';

/** A Deployment or StatefulSet by what stands above its specification. */
export interface WorkloadHead {
  /** As a driver names it: `deployment`, `statefulset`. */
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly owners: readonly { readonly apiVersion: string; readonly kind: string; readonly name: string }[];
}

/** A Temporal cluster in a namespace, by its workloads. */
export interface FoundRelease {
  readonly namespace: string;
  /** Name of the release of the chart, or of the TemporalCluster. */
  readonly name: string;
  /** Who made its workloads, by labels and owners. */
  readonly by: 'chart' | 'operator';
  readonly workloads: readonly (WorkloadHead & { readonly role: Role })[];
}

/** The clusters that these workloads are of: by the labels of the official chart, or by the TemporalCluster that owns them. */
export function releasesOf(heads: readonly WorkloadHead[]): FoundRelease[] {
  const own = heads.flatMap((head) => {
    const role = Role.safeParse(head.labels['app.kubernetes.io/component']).data;
    const cluster = head.owners.find(({ apiVersion, kind }) => kind === 'TemporalCluster' && isOfOperator(apiVersion));
    const isOfChart = head.labels['app.kubernetes.io/name'] === 'temporal';
    const name = cluster?.name ?? (isOfChart ? head.labels['app.kubernetes.io/instance'] : undefined);
    if (role === undefined || name === undefined) return [];
    return [{ ...head, role, release: name, by: cluster === undefined ? ('chart' as const) : ('operator' as const) }];
  });
  const groups = Map.groupBy(own, ({ namespace, by, release }) => `${namespace}/${by}/${release}`);
  return [...groups.values()].flatMap((workloads) => {
    const [first] = workloads;
    if (first === undefined) return [];
    const { namespace, release: name, by } = first;
    return [{ namespace, name, by, workloads: workloads.map(({ release: _, by: __, ...one }) => one) }];
  });
}

function isOfOperator(apiVersion: string): boolean {
  return apiVersion.startsWith('temporal.io/');
}

/**
 * The one release of a namespace that is meant; undefined where there is none at all.
 * @throws PreconditionError when there are several and none is named, or none of this name
 */
export function chooseRelease(
  releases: readonly FoundRelease[],
  { namespace, release }: { readonly namespace: string; readonly release?: string | undefined },
): FoundRelease | undefined {
  if (releases.length === 0) return undefined;
  const named = releases.filter(({ name }) => release === undefined || name === release);
  const [one, other] = named;
  const there = releases.map(({ name }) => name).join(', ');
  if (one === undefined)
    throw new PreconditionError(`namespace ${namespace} has no release "${release ?? ''}"; there is ${there}`);
  if (other !== undefined)
    throw new PreconditionError(`namespace ${namespace} has several releases: ${there}; say which with --release`);
  return one;
}

/**
 * What is wrong where a namespace has no release.
 * @param elsewhere releases of other namespaces, or why they are not known
 */
export function noRelease(
  { namespace, release }: { readonly namespace: string; readonly release?: string | undefined },
  elsewhere: readonly FoundRelease[] | { readonly unseen: string },
): PreconditionError {
  const instance = release === undefined ? '' : `, instance=${release}`;
  const missing = `namespace ${namespace} has no workloads with the labels app.kubernetes.io/name=temporal${instance} and component, and none of a TemporalCluster`;
  const hint =
    'unseen' in elsewhere
      ? `whether another namespace has some is not known: ${elsewhere.unseen}`
      : elsewhere.length === 0
        ? 'no other namespace of this cluster has some either: is it the right context (--kube-context)? Where they have other labels, write the driver by hand (docs/kubernetes.md)'
        : `these have some: ${elsewhere.map(({ namespace: other, name }) => `${other} (release ${name})`).join(', ')}`;
  return new PreconditionError(`${missing}; ${hint}`, { namespace });
}
