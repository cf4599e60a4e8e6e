import {
  chooseRelease,
  type FoundRelease,
  noRelease,
  releasesOf,
  type WorkloadHead,
} from '../../core/pods/releases.js';
import { messageOf, PreconditionError } from '../../core/errors.js';
import { hasStatus } from './api-error.js';
import type { KubeApi } from './api.js';
import { HeadShape, listOf } from './shapes.js';

const HeadList = listOf(HeadShape);
const SERVERS = 'app.kubernetes.io/component in (frontend,internal-frontend,history,matching,worker)';

/** The Temporal clusters in a namespace, or in all of them. @throws ApiError, UnreachableError */
export async function listReleases(api: KubeApi, namespace?: string): Promise<FoundRelease[]> {
  const place = namespace === undefined ? '' : `namespaces/${namespace}/`;
  const list = async (kind: string): Promise<WorkloadHead[]> => {
    const found = await api.get(`/apis/apps/v1/${place}${kind}s`, { labelSelector: SERVERS }, 'metadata');
    return HeadList.parse(found).items.map(({ metadata }) => {
      const { name, labels, ownerReferences: owners } = metadata;
      return { kind, namespace: metadata.namespace, name, labels, owners };
    });
  };
  return releasesOf((await Promise.all(['deployment', 'statefulset'].map(list))).flat());
}

/**
 * The release of a namespace that is meant.
 * @throws PreconditionError that names the namespaces with releases where this one has none, or the right that is missing
 */
export async function findRelease(
  api: KubeApi,
  asked: { readonly namespace: string; readonly release?: string | undefined },
): Promise<FoundRelease> {
  const { namespace } = asked;
  const own = await listReleases(api, namespace).catch((error: unknown) => {
    if (!hasStatus(error, 403)) throw error;
    throw new PreconditionError(
      `the workloads of namespace ${namespace} cannot be listed: ${messageOf(error)}`,
      { namespace },
      { cause: error },
    );
  });
  const chosen = chooseRelease(own, asked);
  if (chosen !== undefined) return chosen;
  const elsewhere = await listReleases(api).catch((error: unknown) => ({ unseen: messageOf(error) }));
  throw noRelease(asked, elsewhere);
}

/**
 * Whether helm has a release of this name, by the labels of its Secrets; of these nothing else is read. @throws ApiError when this
 * user may not list Secrets
 */
export async function hasHelmRelease(
  api: KubeApi,
  { namespace, name }: Pick<FoundRelease, 'namespace' | 'name'>,
): Promise<boolean> {
  const query = { labelSelector: `owner=helm,name=${name}` };
  return HeadList.parse(await api.get(`/api/v1/namespaces/${namespace}/secrets`, query, 'metadata')).items.length > 0;
}
