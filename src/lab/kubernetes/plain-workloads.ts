import { stringify } from 'yaml';
import type { LabRole } from '../server-config.js';

/** Workloads with the labels of the official chart, whose containers only pretend. */
export interface PlainWorkloads {
  readonly namespace: string;
  /** Tag of their image. */
  readonly version: string;
  readonly kind?: 'Deployment' | 'StatefulSet';
  /** Three of history and one of each other role when left out. */
  readonly replicas?: Readonly<Partial<Record<LabRole, number>>>;
  /** Added to the specification of each. */
  readonly spec?: object;
}

const ROLES = ['frontend', 'history', 'matching', 'worker'] as const;
/** One role has more than the others: it is the one that is looked at closely. */
const REPLICAS: Readonly<Record<LabRole, number>> = { frontend: 1, history: 3, matching: 1, worker: 1 };

/** Manifests of a namespace with a workload for each role. */
export function plainWorkloads(options: PlainWorkloads): string {
  const { namespace, kind = 'Deployment', replicas = {}, version, spec = {} } = options;
  const labelsOf = (role: LabRole) => ({
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
