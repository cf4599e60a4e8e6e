import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';

/** The chart of the worker, as it is installed from a checkout. */
export const WORKER_CHART = fileURLToPath(new URL('../../service/kubernetes/chart', import.meta.url));

export const ADDRESS = 'temporal-frontend.upgrades:7233';

/** The least with which it can be installed. */
export const VALUES = { controlPlane: { address: ADDRESS } };

/** Everything that an operator can set, set. */
export const FULL = {
  image: { repository: 'registry.internal/worker', tag: '1', pullPolicy: 'Always' },
  imagePullSecrets: ['registry'],
  controlPlane: {
    address: 'temporal.internal:7233',
    namespace: 'upgrades',
    taskQueue: 'near-prod',
    apiKey: { secret: 'control-plane', key: 'key' },
    tls: { enabled: true, secret: 'control-plane-tls', clientCertificate: true, authority: true, serverName: 't' },
  },
  serviceAccount: { create: true, name: 'upgrader', annotations: { 'eks.amazonaws.com/role-arn': 'arn:x' } },
  targets: [{ namespace: 'full-target', by: 'helm' }],
  rbac: { create: true, helmRules: [{ apiGroups: ['batch'], resources: ['jobs'], verbs: ['get'] }] },
  secretEnv: ['databases'],
  env: { OTEL_SERVICE_NAME: 'upgrades' },
  files: [
    { mountPath: '/etc/temporal-upgrade/values', configMap: 'values' },
    { mountPath: '/etc/temporal-upgrade/certificates', secret: 'certificates' },
  ],
  replicas: 2,
  persistence: {
    data: { accessMode: 'ReadWriteMany', storageClass: 'shared' },
    backups: { accessMode: 'ReadWriteMany', existingClaim: 'backups' },
  },
  networkPolicy: {
    enabled: true,
    metricsFrom: [{ namespaceSelector: { matchLabels: { team: 'monitoring' } } }],
    egress: [{ to: [{ ipBlock: { cidr: '192.0.2.0/24' } }] }],
  },
  podAnnotations: { a: 'b' },
  podLabels: { c: 'd' },
  nodeSelector: { disk: 'large' },
  tolerations: [{ key: 'x', operator: 'Exists' }],
  affinity: { nodeAffinity: {} },
  priorityClassName: 'system-cluster-critical',
};

export const namespaceOf = (name: string) => stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });

/** Writes values into a file of `directory`, and gives its path. */
export async function valuesFile(directory: string, name: string, values: object): Promise<string> {
  const file = join(directory, `${name}.yaml`);
  await writeFile(file, stringify(values));
  return file;
}
