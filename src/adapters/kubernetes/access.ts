import { z } from 'zod';
import type { KubernetesDriver } from '../../core/input/input.js';
import { accessRules, type AccessRule } from '../../core/pods/access-rules.js';
import { mapAtMost } from '../cluster/look.js';
import type { KubeApi } from './api.js';

const AT_ONCE = 8;
const Review = z.object({ status: z.object({ allowed: z.boolean() }) });

/** The rules that this worker may not do in the namespace of the target, asked of the API server one by one. */
export async function deniedRules(api: KubeApi, input: KubernetesDriver): Promise<AccessRule[]> {
  const answers = await mapAtMost(AT_ONCE, accessRules(input), async (rule) =>
    (await hasRight(api, input, rule)) ? [] : [rule],
  );
  return answers.flat();
}

/** Whether this worker may do something in the namespace of the target, as the API server says. */
export async function hasRight(
  api: KubeApi,
  { namespace }: Pick<KubernetesDriver, 'namespace'>,
  { group, verb, resource: named }: Pick<AccessRule, 'group' | 'resource' | 'verb'>,
): Promise<boolean> {
  const [resource, subresource] = named.split('/');
  const body = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes: { namespace, group, resource, verb, subresource } },
  };
  return Review.parse(await api.post('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', body)).status.allowed;
}
