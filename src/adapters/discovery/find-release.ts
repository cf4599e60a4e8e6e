import { messageOf } from '../../core/errors.js';
import { KubernetesDriver, type Role } from '../../core/input/input.js';
import type { FoundRelease } from '../../core/pods/releases.js';
import type { Reconciler } from '../../core/survey/kubernetes-survey.js';
import { createKubeApi, type KubeApi } from '../kubernetes/api.js';
import { contextIn, loadKubeConfig } from '../kubernetes/connection.js';
import { findPods, type RolePods } from '../kubernetes/find-workloads.js';
import { findRelease, hasHelmRelease } from '../kubernetes/list-releases.js';
import { mapReader } from '../kubernetes/pod-files.js';
import { reconcilerOf } from '../kubernetes/reconciler.js';
import { nameOfWorkload } from '../kubernetes/workload.js';
import { type FoundConfiguration, readReleaseConfiguration } from './release-configuration.js';

/** Where a release is looked for. */
export interface ReleasePlace {
  readonly namespace: string;
  /** The only one of the namespace when left out. */
  readonly release?: string | undefined;
  /** Absolute path. */
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
}

/** A workload of one role, and what its pods are. */
export interface FoundWorkload {
  readonly role: Role;
  /** `deployment/temporal-history`. */
  readonly name: string;
  readonly container: string;
  readonly image: string;
  readonly pods: number;
  /** Versions of its pods by their images; of its template where there is no pod. */
  readonly versions: readonly string[];
}

/** How a new version gets into the templates of a release, as far as its cluster tells. */
export interface FoundChange {
  readonly by: 'helm' | 'operator' | 'image';
  /** Name and version of its chart, such as `temporal-1.6.0`, by a label of its workloads. */
  readonly chart?: string | undefined;
  /** What would write back what stands in a repository. */
  readonly reconciler?: Reconciler | undefined;
}

/** What can be seen of a release from here. */
export interface FoundPodTarget {
  readonly release: FoundRelease;
  readonly kubeconfig?: string | undefined;
  /** By which it was looked at; absent within the cluster. */
  readonly context?: string | undefined;
  readonly workloads: readonly FoundWorkload[];
  readonly change: FoundChange;
  readonly configuration: FoundConfiguration;
  /** host:port of the Service before its frontends. */
  readonly address?: string | undefined;
  /** What could not be seen, and why. */
  readonly unseen: readonly string[];
}

/**
 * Finds the workloads of a release by the labels of the chart or by their owner, and reads what their pods and ConfigMaps tell. Changes
 * nothing, and reads no Secret.
 * @throws PreconditionError when there is no such context, no such release, or no right to list workloads; UnreachableError
 */
export async function findPodTarget(place: ReleasePlace): Promise<FoundPodTarget> {
  const context = contextIn(await loadKubeConfig(place));
  const api = createKubeApi({ ...place, context: place.context ?? context });
  const release = await findRelease(api, place);
  const input = inputOf(release, place);
  const found = await findPods(api, input);
  const unseen: string[] = [];
  const change = await changeOf(api, { release, found, unseen });
  const reader = mapReader({ api, input, work: {}, leastSeconds: 0 });
  const configuration = await readReleaseConfiguration(found, input, reader);
  return {
    release,
    kubeconfig: place.kubeconfig,
    context,
    workloads: found.map(asFoundWorkload),
    change,
    configuration,
    address: await addressOf(api, input, { found, unseen }),
    unseen: [...unseen, ...configuration.unseen],
  };
}

/** With which its pods are looked at; of the file that is written it is a part. */
function inputOf({ by, name, workloads, namespace }: FoundRelease, { kubeconfig, context }: ReleasePlace) {
  const named = Object.fromEntries(workloads.map((one) => [one.role, `${one.kind}/${one.name}`]));
  return KubernetesDriver.parse({
    ...{ type: 'kubernetes', namespace, kubeconfig, context, change: { by: 'image' } },
    ...(by === 'chart' ? { release: name } : { workloads: named }),
  });
}

function asFoundWorkload({ workload, pods }: RolePods): FoundWorkload {
  const { role, container, image, version } = workload;
  const staying = pods.filter(({ ending }) => !ending);
  const versions = staying.length === 0 ? [version] : staying.map((pod) => pod.version);
  return {
    ...{ role, name: nameOfWorkload(workload), container, image, pods: staying.length },
    versions: [...new Set(versions.filter((one) => one !== undefined))],
  };
}

interface Looked {
  readonly found: readonly RolePods[];
  readonly unseen: string[];
}

async function changeOf(
  api: KubeApi,
  { release, found, unseen }: Looked & { readonly release: FoundRelease },
): Promise<FoundChange> {
  if (release.by === 'operator') return { by: 'operator' };
  const heads = found.map(({ workload }) => workload.shape.metadata);
  const chart = heads.flatMap(({ labels }) => labels['helm.sh/chart'] ?? [])[0];
  const reconciler = heads.flatMap((head) => reconcilerOf(head) ?? [])[0];
  const isHelm = await hasHelmRelease(api, release).catch((error: unknown) => {
    unseen.push(`Secrets, in which helm keeps its releases; its annotations were taken: ${messageOf(error)}`);
    return heads.some(({ annotations }) => annotations['meta.helm.sh/release-name'] === release.name);
  });
  return { by: isHelm ? 'helm' : 'image', chart, reconciler };
}

/** Chart and operator make a Service of the same name as the workload of the frontends. */
async function addressOf(
  api: KubeApi,
  { namespace, rpcPorts }: KubernetesDriver,
  { found, unseen }: Looked,
): Promise<string | undefined> {
  const name = found.find(({ workload }) => workload.role === 'frontend')?.workload.name ?? '';
  try {
    await api.get(`/api/v1/namespaces/${namespace}/services/${name}`);
    return `${name}.${namespace}.svc:${rpcPorts.frontend}`;
  } catch (error) {
    unseen.push(`the Service before the frontends: ${messageOf(error)}`);
    return undefined;
  }
}
