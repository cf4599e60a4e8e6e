import { z } from 'zod';
import type { KubernetesDriver } from '../../core/input/input.js';
import type { KubernetesChange } from '../../core/input/kubernetes.js';

/** How a version gets into pods that temporal-operator makes. */
export type OperatorChange = Extract<KubernetesChange, { by: 'operator' }>;

const Condition = z.object({
  type: z.string(),
  status: z.string(),
  reason: z.string().default(''),
  message: z.string().default(''),
});

/** Of a `TemporalCluster` of temporal-operator what is used here (api/v1beta1 of its release 0.22.0). */
export const TemporalClusterShape = z.object({
  metadata: z.object({ name: z.string() }),
  spec: z.object({ version: z.string() }),
  status: z
    .object({
      /** The version that all its services have, once they have it. */
      version: z.string().default(''),
      conditions: z.array(Condition).default([]),
    })
    .prefault({}),
});
export type TemporalClusterShape = z.infer<typeof TemporalClusterShape>;

/** What its resource is called in full. */
export const TEMPORAL_CLUSTERS = 'temporalclusters.temporal.io';

/** Path of all of them in the namespace of a target. */
export function clustersPath({ namespace }: Pick<KubernetesDriver, 'namespace'>): string {
  return `/apis/temporal.io/v1beta1/namespaces/${namespace}/temporalclusters`;
}

/** What is applied to step its version: that field and no other. */
export function withVersion({ namespace }: Pick<KubernetesDriver, 'namespace'>, name: string, version: string): object {
  return {
    apiVersion: 'temporal.io/v1beta1',
    kind: 'TemporalCluster',
    metadata: { name, namespace },
    spec: { version },
  };
}

/** Whether the operator says that all services are of the version that its resource has, and ready. */
export function isReady({ spec, status }: TemporalClusterShape): boolean {
  return (
    status.version === spec.version && status.conditions.some((one) => one.type === 'Ready' && one.status === 'True')
  );
}

/** What the operator says of it, in its own words. */
export function saidOf({ status }: TemporalClusterShape): string {
  const said = status.conditions.map(({ type, status: is, reason, message }) =>
    [`${type} ${is}`, reason, message].filter((word) => word !== '').join(': '),
  );
  return said.join('; ') || 'nothing: does the operator run?';
}
