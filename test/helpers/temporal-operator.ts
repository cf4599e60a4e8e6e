import { z } from 'zod';
import { stringify } from 'yaml';
import type { LabKubernetes } from '../../src/lab/kubernetes/api-server.js';
import { KubeApi } from '../../src/lab/kubernetes/kube-api.js';
import { follow } from '../../src/lab/kubernetes/kube-follow.js';

/**
 * What stands in for temporal-operator, whose real one is an image that cannot be had here: the fields of its resource that count, its two refusals
 * of a version (as rules of the API server in place of its webhook), and a controller that writes replicas, selector and template of
 * each Deployment as that of release 0.22.0 does, and nothing else of it. Its schema jobs are not there.
 */

const ROLES = ['frontend', 'history', 'matching', 'worker'] as const;
const FIELDS = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

/** Its definition. `newest`: the first minor that it does not know. */
export const definition = (newest: number) =>
  stringify({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'temporalclusters.temporal.io' },
    spec: {
      group: 'temporal.io',
      names: { kind: 'TemporalCluster', plural: 'temporalclusters', singular: 'temporalcluster' },
      scope: 'Namespaced',
      versions: [
        {
          name: 'v1beta1',
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: {
                spec: {
                  ...FIELDS,
                  required: ['version'],
                  properties: { version: { type: 'string', maxLength: 20 } },
                  'x-kubernetes-validations': [
                    {
                      rule: `int(self.version.split('.')[1]) < ${newest}`,
                      message: `Unsupported temporal version (supported: >= 1.14.0 < 1.${newest}.0)`,
                    },
                    {
                      rule: "int(self.version.split('.')[1]) - int(oldSelf.version.split('.')[1]) in [0, 1]",
                      message:
                        'Unauthorized version upgrade. Only sequential version upgrades are allowed (from v1.n.x to v1.n+1.x)',
                    },
                  ],
                },
                status: FIELDS,
              },
            },
          },
        },
      ],
    },
  });

/** A resource with pods of `version`. */
export const temporalCluster = (namespace: string, name: string, version: string) =>
  stringify({
    apiVersion: 'temporal.io/v1beta1',
    kind: 'TemporalCluster',
    metadata: { name, namespace },
    spec: { version, image: 'temporalio/server', numHistoryShards: 4 },
  });

const Cluster = z.object({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.object({ name: z.string(), namespace: z.string(), uid: z.string(), generation: z.number() }),
  spec: z.object({ version: z.string(), image: z.string() }),
});
const Deployment = z.looseObject({
  metadata: z.looseObject({ name: z.string(), namespace: z.string(), labels: z.record(z.string(), z.string()) }),
  spec: z.looseObject({ replicas: z.number(), template: z.looseObject({}) }),
  status: z
    .looseObject({
      updatedReplicas: z.number().default(0),
      availableReplicas: z.number().default(0),
      replicas: z.number().default(0),
    })
    .prefault({}),
});

/** Runs until `stop`; while `asleep` it writes nothing, as when it is scaled to no pods. */
export interface TestOperator {
  asleep: boolean;
  stop(): void;
}

/** Starts the controller over all namespaces. */
export async function startOperator(kubernetes: LabKubernetes): Promise<TestOperator> {
  const api = await KubeApi.connect(kubernetes.access);
  const ending = new AbortController();
  const clusters = new Map<string, z.infer<typeof Cluster>>();
  const operator = { asleep: false, stop: () => (ending.abort(), api.close()) };
  let isDue = false;
  let isRunning = false;
  const run = async () => {
    isRunning = true;
    while (isDue && !ending.signal.aborted) {
      isDue = false;
      for (const cluster of operator.asleep ? [] : clusters.values())
        await reconcileCluster(kubernetes, api, cluster).catch(() => undefined); // the next change has it tried again
    }
    isRunning = false;
  };
  const reconcile = () => {
    isDue = true;
    if (!isRunning) void run();
  };
  const onGone = (uid: string) => void clusters.delete(uid);
  const onCluster = (object: unknown, uid: string) => {
    clusters.set(uid, Cluster.parse(object));
    reconcile();
  };
  await follow(api, '/apis/temporal.io/v1beta1/temporalclusters', { onObject: onCluster, onGone }, ending.signal);
  await follow(api, '/apis/apps/v1/deployments', { onObject: reconcile, onGone: reconcile }, ending.signal);
  return operator;
}

/** What it has last written of each. */
const said = new Map<string, string>();

async function reconcileCluster(kubernetes: LabKubernetes, api: KubeApi, cluster: z.infer<typeof Cluster>) {
  const { namespace, name, uid } = cluster.metadata;
  const services = [];
  for (const role of ROLES) {
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments`;
    const labels = {
      'app.kubernetes.io/name': name,
      'app.kubernetes.io/part-of': 'temporal',
      'app.kubernetes.io/component': role,
    };
    const spec = { replicas: 2, selector: { matchLabels: labels }, template: templateOf(cluster, labels) };
    const metadata = {
      name: `${name}-${role}`,
      namespace,
      labels: { ...labels, 'app.kubernetes.io/version': cluster.spec.version },
      ownerReferences: [{ apiVersion: cluster.apiVersion, kind: cluster.kind, name, uid, controller: true }],
    };
    const present = await api.get(`${path}/${name}-${role}`).catch(() => undefined);
    if (present === undefined) {
      await api.create(path, { metadata, spec });
      continue;
    }
    const { metadata: found, spec: before, status } = Deployment.parse(present);
    const isSame = found.labels['app.kubernetes.io/version'] === cluster.spec.version && before.replicas === 2;
    // By field, as its Update does: what it does not name stays as it is.
    if (!isSame || imageOf(before.template) !== imageOf(spec.template))
      await api.patch(`${path}/${name}-${role}`, { metadata: { labels: metadata.labels }, spec });
    services.push({
      name: role,
      version: cluster.spec.version,
      ready: status.updatedReplicas === 2 && status.availableReplicas === 2 && status.replicas === 2,
    });
  }
  const isReady = services.length === ROLES.length && services.every(({ ready }) => ready);
  const status = {
    // It goes by what it has written to the Deployments, not by their pods.
    ...(services.length === ROLES.length ? { version: cluster.spec.version } : {}),
    conditions: [
      { type: 'Ready', status: isReady ? 'True' : 'False', reason: isReady ? 'ServicesReady' : 'ServicesNotReady' },
    ],
  };
  if (JSON.stringify(status) === said.get(uid)) return;
  await kubernetes.kubectl(
    ...['patch', 'temporalcluster', name, '-n', namespace, '--subresource=status', '--type=merge', '--patch'],
    JSON.stringify({ status }),
  );
  said.set(uid, JSON.stringify(status));
}

function templateOf({ spec: { image, version } }: z.infer<typeof Cluster>, labels: Readonly<Record<string, string>>) {
  const container = { name: 'service', image: `${image}:${version}` };
  return { metadata: { labels }, spec: { terminationGracePeriodSeconds: 5, containers: [container] } };
}

const Template = z.looseObject({ spec: z.looseObject({ containers: z.array(z.looseObject({ image: z.string() })) }) });

function imageOf(template: unknown): string | undefined {
  return Template.parse(template).spec.containers[0]?.image;
}
