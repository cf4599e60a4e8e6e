import { z } from 'zod';
import { Duration } from '../duration.js';
import { AbsolutePath, commandTemplate, Environment, reportPlaceholders, timing } from './driver-parts.js';
import { FilePath } from './fields.js';
import { anyShape } from './input-checks.js';
import { Images, Port, PORTS } from './pod-parts.js';
import { isMinor } from '../version.js';

/** How the servers of a target are replaced that run as pods, as an operator writes it. */

const NAME = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/;
const Name = z
  .string()
  .regex(NAME, 'expected a name as Kubernetes has them: lower-case letters, digits, dots and dashes');

const Workload = z
  .string()
  .regex(
    /^(deployment|statefulset)\/[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/,
    'expected its kind and name, such as "deployment/temporal-history" or "statefulset/temporal-history"',
  );

const NEEDED = ['frontend', 'history', 'matching', 'worker'] as const;

/** Workload of each role, where the labels of the official chart do not tell. */
const Workloads = z
  .strictObject({
    frontend: Workload.optional().describe('That of the frontends.'),
    'internal-frontend': Workload.optional().describe('That of the internal frontends; none where there are none.'),
    history: Workload.optional().describe('That of history.'),
    matching: Workload.optional().describe('That of matching.'),
    worker: Workload.optional().describe('That of the worker role.'),
  })
  .superRefine((workloads, context) => {
    for (const role of NEEDED) {
      if (workloads[role] !== undefined) continue;
      const message = `no workload is named for the role ${role}; name all of them, or some servers would stay behind`;
      context.addIssue({ code: 'custom', path: [role], message });
    }
  });

const RpcPorts = z.strictObject({
  frontend: Port.default(PORTS.frontend).describe('That of the frontends.'),
  'internal-frontend': Port.default(PORTS['internal-frontend']).describe('That of the internal frontends.'),
  history: Port.default(PORTS.history).describe('That of history.'),
  matching: Port.default(PORTS.matching).describe('That of matching.'),
  worker: Port.default(PORTS.worker).describe('That of the worker role.'),
});

const WITH_VERSION = { allowed: ['role', 'version', 'tag'], needed: 'version' } as const;

/** How the new version gets into the templates of the pods. */
export const KubernetesChange = z.discriminatedUnion('by', [
  z.strictObject({
    by: z.literal('image').describe('The image of the container is set in each workload, as its turn comes.'),
  }),
  z.strictObject({
    by: z.literal('helm').describe('"helm upgrade" of the release, while all its server workloads are held.'),
    helm: z.array(z.string().min(1)).min(1).default(['helm']).describe('Words that run helm 3 or 4.'),
    chart: z.string().min(1).describe('The chart: a folder, a file, or a name of a repository that helm knows.'),
    chartVersion: z
      .record(
        z.string().refine(isMinor, 'expected a minor such as "1.31"').meta({ pattern: '^\\d+\\.\\d+$' }),
        z.string().min(1),
      )
      .default({})
      .describe('Version of the chart for a minor of the server: {"1.31": "1.6.0"}; as helm chooses for others.'),
    values: z
      .array(FilePath)
      .default([])
      .describe('All values files of the release, in order: nothing of the present release is taken over.'),
    set: z
      .record(z.string().min(1), z.string().superRefine(reportPlaceholders({ allowed: ['version', 'tag'] })))
      .default({ 'server.image.tag': '{tag}' })
      .describe('Values that name the version, by their key; each is set as text. {tag} is that of the image.'),
    migrateValues: z
      .boolean()
      .default(false)
      .describe(
        'Give helm your values with the keys that the chart of a hop wants elsewhere moved there; your files stay as they are.',
      ),
    timeout: Duration.prefault(300_000).describe('How long one run of helm may take.'),
  }),
  z.strictObject({
    by: z
      .literal('operator')
      .describe(
        'The version of a TemporalCluster of temporal-operator is stepped, while all its server workloads are held.',
      ),
    cluster: Name.describe('Name of that TemporalCluster.'),
    timeout: Duration.prefault(900_000).describe(
      'How long the operator may take until its workloads show the new version; its schema jobs run before.',
    ),
  }),
  z.strictObject({
    by: z.literal('command').describe('A command of yours writes the tag, such as into a repository of GitOps.'),
    command: commandTemplate(WITH_VERSION).describe(
      'Writes the version: for each role if it names {role}, else for all at once. Does nothing when it is written.',
    ),
    environment: Environment.describe('What the command gets beside the PATH and HOME of the worker.'),
    timeout: Duration.prefault(900_000).describe('How long it may take until the cluster shows the new image.'),
  }),
]);
export type KubernetesChange = z.infer<typeof KubernetesChange>;

export const KubernetesDriver = z
  .strictObject({
    type: z.literal('kubernetes').describe('Pods of Deployments or StatefulSets, found in the cluster.'),
    namespace: Name.describe('Namespace of its workloads.'),
    kubeconfig: AbsolutePath.optional().describe(
      'File that says how the API server is reached. When left out: KUBECONFIG, ~/.kube/config, or the service account of the worker’s pod.',
    ),
    context: z.string().min(1).optional().describe('Context of that file; its current one when left out.'),
    release: Name.optional().describe(
      'Release of the official Helm chart: its workloads are found by the labels app.kubernetes.io/name=temporal, instance and component.',
    ),
    workloads: Workloads.optional().describe('Workload of each role, where those labels are not there.'),
    container: z
      .string()
      .min(1)
      .optional()
      .describe('Name of the server’s container; "temporal-<role>" or the only one when left out.'),
    rpcPorts: RpcPorts.prefault({}).describe('gRPC port of each role.'),
    metricsPort: Port.nullable().default(9090).describe('Port of the Prometheus metrics; null where there is none.'),
    images: Images.prefault({}).describe('Which image is which version.'),
    change: KubernetesChange.describe('How the new version gets into the templates of the pods.'),
    ...timing,
  })
  .superRefine(reportWorkloadProblems, anyShape);
export type KubernetesDriver = z.infer<typeof KubernetesDriver>;

/** Its workloads are named in one way at least, and helm has a release. */
function reportWorkloadProblems(driver: unknown, context: z.RefinementCtx): void {
  const { release, workloads, change } = driver as Partial<Record<'release' | 'workloads' | 'change', unknown>>; // any shape, as asked for
  if (release === undefined && workloads === undefined) {
    const message = 'name the release of the chart, or the workload of each role ("workloads")';
    context.addIssue({ code: 'custom', path: ['release'], message });
    return;
  }
  const isHelm = typeof change === 'object' && change !== null && 'by' in change && change.by === 'helm';
  if (isHelm && release === undefined) {
    context.addIssue({ code: 'custom', path: ['release'], message: 'helm upgrades a release: name it' });
  }
}
