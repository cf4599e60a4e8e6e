import { stringify } from 'yaml';
import { createKubernetesDriver } from '../../src/adapters/kubernetes/kubernetes-driver.js';
import type { Driver } from '../../src/adapters/driver.js';
import { KubernetesDriver, type Role } from '../../src/core/input/input.js';
import { rollOrder } from '../../src/core/planning/roll-order.js';

/** Workloads with the labels of the official chart, whose containers only pretend; what the tests of the driver roll. */

export const OLD = '1.30.7';
export const NEW = '1.31.2';

export interface Plain {
  readonly namespace: string;
  readonly kind?: 'Deployment' | 'StatefulSet';
  readonly replicas?: Readonly<Partial<Record<Role, number>>>;
  readonly version?: string;
  /** Added to the specification of each. */
  readonly spec?: object;
}

const ROLES = ['frontend', 'history', 'matching', 'worker'] as const;
/** One role has more than the others: it is the one that is looked at closely. */
const REPLICAS: Readonly<Record<(typeof ROLES)[number], number>> = { frontend: 1, history: 3, matching: 1, worker: 1 };

/** Manifests of a namespace with a workload for each role. */
export function plainWorkloads({
  namespace,
  kind = 'Deployment',
  replicas = {},
  version = OLD,
  spec = {},
}: Plain): string {
  const labelsOf = (role: Role) => ({
    'app.kubernetes.io/name': 'temporal',
    'app.kubernetes.io/instance': 'temporal',
    'app.kubernetes.io/component': role,
  });
  const workloads = ROLES.map((role) => ({
    apiVersion: 'apps/v1',
    kind,
    metadata: { name: `temporal-${role}`, namespace, labels: labelsOf(role) },
    spec: {
      replicas: replicas[role] ?? REPLICAS[role],
      selector: { matchLabels: labelsOf(role) },
      ...(kind === 'StatefulSet' ? { serviceName: `temporal-${role}` } : {}),
      template: {
        metadata: { labels: labelsOf(role) },
        spec: {
          terminationGracePeriodSeconds: 5,
          containers: [
            {
              name: `temporal-${role}`,
              image: `temporalio/server:${version}`,
              readinessProbe: { tcpSocket: { port: 7233 }, periodSeconds: 1 },
            },
          ],
          volumes: [{ name: 'config', configMap: { name: 'temporal-config' } }],
        },
      },
      ...spec,
    },
  }));
  const config = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'temporal-config', namespace },
    data: { 'config.yaml': 'log: {}' },
  };
  const namespaceOf = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
  return [namespaceOf, config, ...workloads].map((one) => stringify(one)).join('---\n');
}

/** An input with which the tests' workloads are rolled; times are those of pods that only pretend. */
export function kubernetesInput(kubeconfig: string, namespace: string, more: object = {}): KubernetesDriver {
  return KubernetesDriver.parse({
    type: 'kubernetes',
    namespace,
    kubeconfig,
    release: 'temporal',
    change: { by: 'image' },
    startTimeout: 40_000,
    stopTimeout: 20_000,
    ...more,
  });
}

/** Replaces every node as a roll-out does, in its order, and tells of each step. */
export async function roll(
  driver: Driver,
  direction: 'forward' | 'back',
  version: string,
  onStep: (node: string) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  for (const node of rollOrder(await driver.listNodes(), direction)) {
    await driver.replaceNode?.(node, version);
    await onStep(node);
  }
  await driver.endRoll?.();
}

/** The driver, with no more patience than its pods need: nothing is proved between two steps here. */
export function openDriver(input: KubernetesDriver): Driver {
  return createKubernetesDriver(input, { leastSeconds: 1 });
}
