import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parseAllDocuments, stringify } from 'yaml';
import { z } from 'zod';
import type { LabKubernetes } from '../../src/lab/kubernetes/api-server.js';
import {
  KUBERNETES_STARTS_WITHIN_MS,
  startPretendedKubernetes,
  type PretendedKubernetes,
} from '../helpers/pretended-kubernetes.js';
import { ADDRESS, FULL, namespaceOf, VALUES, valuesFile, WORKER_CHART } from '../helpers/worker-chart.js';

/**
 * The chart of the worker with helm 3 and helm 4 against a real API server. The pods are the one thing that is not real: they run nothing.
 */

const TIMEOUT_MS = 240_000;
let lab: PretendedKubernetes;
let directory: string;
let kubernetes: LabKubernetes;

beforeAll(async () => {
  lab = await startPretendedKubernetes('worker-chart');
  ({ directory, kubernetes } = lab);
}, KUBERNETES_STARTS_WITHIN_MS);

afterAll(async () => {
  await lab?.stop();
}, 60_000);

const Rendered = z.looseObject({ kind: z.string(), metadata: z.looseObject({ name: z.string() }) });

/** Volumes of the size that the chart asks for: the lab has nothing that would make them. */
const volumes = (names: readonly string[]) =>
  names.map((name) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name },
    spec: {
      capacity: { storage: '50Gi' },
      accessModes: ['ReadWriteOnce', 'ReadWriteMany'],
      hostPath: { path: `/none/${name}` },
    },
  }));

describe.each([3, 4] as const)('helm %i', (major) => {
  test(
    'installs what runs as nobody and cannot write but to its volumes; an uninstall keeps these',
    async () => {
      const namespace = `upgrades-${major}`;
      await kubernetes.apply(
        volumes([`a${major}`, `b${major}`])
          .map((one) => stringify(one))
          .join('---\n'),
      );
      const file = await valuesFile(directory, `install-${major}`, VALUES);
      const place = ['--namespace', namespace];
      const said = await kubernetes.helm(
        major,
        ...[
          'install',
          'worker',
          WORKER_CHART,
          ...place,
          '--create-namespace',
          '--values',
          file,
          '--wait',
          '--timeout',
          '60s',
        ],
      );
      expect(said).toContain(`polls task queue temporal-upgrade of ${ADDRESS}, namespace default`);
      expect(said).toMatch(/no rights in any namespace yet/);
      // The API server checks each field; "baseline" and "restricted" are Kubernetes' own standards of pods.
      const restricted = 'pod-security.kubernetes.io/enforce=restricted';
      const warned = await kubernetes.kubectl('label', 'namespace', namespace, restricted, '--dry-run=server');
      expect(warned).not.toMatch(/violate/);
      await kubernetes.kubectl('label', 'namespace', namespace, restricted);
      await kubernetes.kubectl('rollout', 'restart', 'deployment/worker', ...place);
      await kubernetes.kubectl('rollout', 'status', 'deployment/worker', ...place, '--timeout', '60s');
      await kubernetes.helm(major, 'uninstall', 'worker', ...place, '--wait');
      const left = await kubernetes.kubectl('get', 'pvc,deployment,networkpolicy', ...place, '--output', 'name');
      expect(left.trim().split('\n')).toEqual([
        'persistentvolumeclaim/worker-backups',
        'persistentvolumeclaim/worker-data',
      ]);
    },
    TIMEOUT_MS,
  );

  test('with every value set, the API server takes what it renders, and it is what was asked for', async () => {
    const namespace = `full-${major}`;
    await kubernetes.apply(namespaceOf('full-target'));
    const file = await valuesFile(directory, `full-${major}`, FULL);
    const rendered = await kubernetes.helm(
      major,
      'template',
      'worker',
      WORKER_CHART,
      '--namespace',
      namespace,
      '--values',
      file,
    );
    await writeFile(join(directory, 'rendered.yaml'), rendered);
    // Without a namespace on the command line: each object goes where it says.
    await kubernetes.kubectl(
      'create',
      '--dry-run=server',
      '--validate=strict',
      '--filename',
      join(directory, 'rendered.yaml'),
    );
    const objects = parseAllDocuments(rendered).map((one) => Rendered.parse(one.toJS()));
    const kinds = objects.map(({ kind, metadata: { name } }) => `${kind} ${name}`).toSorted();
    expect(kinds).toEqual([
      'Deployment worker',
      'NetworkPolicy worker',
      'PersistentVolumeClaim worker-data',
      'PodDisruptionBudget worker',
      `Role temporal-upgrade:${namespace}:worker`,
      `RoleBinding temporal-upgrade:${namespace}:worker`,
      'Service worker-metrics',
      'ServiceAccount upgrader',
    ]);
    const deployment = objects.find(({ kind }) => kind === 'Deployment');
    expect(deployment).toMatchObject({
      spec: {
        replicas: 2,
        strategy: { type: 'RollingUpdate' },
        template: {
          spec: {
            serviceAccountName: 'upgrader',
            imagePullSecrets: [{ name: 'registry' }],
            containers: [{ image: 'registry.internal/worker:1', envFrom: [{ secretRef: { name: 'databases' } }] }],
          },
        },
      },
    });
    expect(objects.find(({ kind }) => kind === 'NetworkPolicy')).toMatchObject({
      spec: {
        policyTypes: ['Ingress', 'Egress'],
        egress: [
          {},
          { to: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'full-target' } } }] },
          { to: [{ ipBlock: { cidr: '192.0.2.0/24' } }] },
        ],
      },
    });
  });
});
