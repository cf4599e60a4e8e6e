import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { deniedRules } from '../../src/adapters/kubernetes/access.js';
import { createKubeApi } from '../../src/adapters/kubernetes/api.js';
import { surveyKubernetes } from '../../src/adapters/kubernetes/survey-kubernetes.js';
import type { KubernetesDriver } from '../../src/core/input/input.js';
import { accessRules, ruleName, SETTINGS_RULE } from '../../src/core/pods/access-rules.js';
import type { LabKubernetes } from '../../src/lab/kubernetes/api-server.js';
import { readAudit } from '../../src/lab/kubernetes/audit.js';
import { plainWorkloads } from '../../src/lab/kubernetes/plain-workloads.js';
import type { StandIn } from '../../src/lab/kubernetes/stand-in.js';
import { allowedBy } from '../helpers/allowed-by.js';
import { accountOf, type Account } from '../helpers/kubernetes-account.js';
import { waitUntil } from '../helpers/kubernetes-cases.js';
import { kubernetesInput, NEW, OLD, openDriver, roll } from '../helpers/kubernetes-workloads.js';
import {
  KUBERNETES_STARTS_WITHIN_MS,
  startPretendedKubernetes,
  type PretendedKubernetes,
} from '../helpers/pretended-kubernetes.js';
import { namespaceOf, VALUES, valuesFile, WORKER_CHART } from '../helpers/worker-chart.js';

/**
 * The rights that the chart of the worker gives, with a real API server: what the driver asks for as that service account is read from the
 * API server's own audit log. The pods are the one thing that is not real: they run nothing.
 */

const TIMEOUT_MS = 240_000;
const TARGET_CHART = fileURLToPath(new URL('../../src/lab/kubernetes/chart', import.meta.url));
let lab: PretendedKubernetes;
let directory: string;
let kubernetes: LabKubernetes;
let standIn: StandIn;

beforeAll(async () => {
  lab = await startPretendedKubernetes('worker-rights', { audited: true });
  ({ directory, kubernetes, standIn } = lab);
}, KUBERNETES_STARTS_WITHIN_MS);

afterAll(async () => {
  await lab?.stop();
}, 60_000);

interface Granted extends Account {
  /** Namespaces of targets. */
  readonly targets: readonly string[];
}

/** A worker that helm 4 has installed, with rights in new namespaces of targets; its pod is not waited for. */
async function install(name: string, targets: readonly { namespace: string; by: string }[]): Promise<Granted> {
  for (const { namespace } of targets) await kubernetes.apply(namespaceOf(namespace));
  const file = await valuesFile(directory, name, { ...VALUES, targets });
  await kubernetes.helm(
    4,
    'install',
    'worker',
    WORKER_CHART,
    '--namespace',
    name,
    '--create-namespace',
    '--values',
    file,
  );
  const account = await accountOf(kubernetes, name, 'worker');
  return { ...account, targets: targets.map(({ namespace }) => namespace) };
}

/** What the account asked for in the namespaces of its targets, each once, by name. Fails on what lies elsewhere, and on what was forbidden. */
async function asked({ user, targets }: Granted): Promise<string[]> {
  const all = await readAudit(kubernetes.directory, user);
  // Whoever may do nothing else may ask what he may do, and of which kinds of objects there are.
  const requests = all.filter(({ group }) => group !== 'authorization.k8s.io');
  expect(requests.filter(({ allowed }) => !allowed)).toEqual([]);
  expect(requests.filter(({ namespace }) => !targets.includes(namespace))).toEqual([]);
  return [...new Set(requests.map(ruleName))].toSorted();
}

test(
  'of the shipped Role, all that the driver ever does is allowed, and each is used',
  async () => {
    const worker = await install('rights', [
      { namespace: 'rights-image', by: 'image' },
      { namespace: 'rights-sets', by: 'image' },
    ]);
    const inputOf = (namespace: string) => kubernetesInput(worker.kubeconfig, namespace);
    const open = async (input: KubernetesDriver, kind: 'Deployment' | 'StatefulSet') => {
      await kubernetes.apply(plainWorkloads({ namespace: input.namespace, version: OLD, kind }));
      const driver = openDriver(input);
      await waitUntil(async () => (await driver.listNodes()).every(({ running }) => running));
      await driver.prepare(NEW);
      return driver;
    };

    const image = inputOf('rights-image');
    const deployments = await open(image, 'Deployment');
    expect(JSON.stringify(await surveyKubernetes(image))).not.toContain('unseen');
    standIn.behave({ tag: NEW, namespace: image.namespace }, { kind: 'crash', log: ['why it ended'] });
    await expect(deployments.replaceNode?.('matching-1', NEW)).rejects.toThrow(/Its events:[^]*why it ended/);
    standIn.behave({ tag: NEW, namespace: image.namespace }, undefined);
    await deployments.replaceNode?.('matching-1', OLD);
    await roll(deployments, 'forward', NEW);
    await deployments.stopNode('worker-1');
    await deployments.startNode('worker-1', NEW);
    expect((await deployments.configurationFiles?.())?.length).toBe(5);

    const sets = await open(inputOf('rights-sets'), 'StatefulSet');
    await sets.replaceNode?.('history-1', NEW);
    await sets.replaceNode?.('history-1', OLD);
    await sets.endRoll?.();
    expect((await sets.configurationFiles?.())?.length).toBe(5);
    // Only settings are not written here: test/real/kubernetes-settings.test.ts.
    const rolls = (await allowedBy('role.yaml')).filter((one) => one !== ruleName(SETTINGS_RULE));
    expect(await asked(worker)).toEqual(rolls.toSorted());
  },
  TIMEOUT_MS,
);

test.each([3, 4] as const)(
  'of both Roles, all that helm %i ever does is allowed',
  async (major) => {
    const namespace = `rights-helm-${major}-target`;
    const worker = await install(`rights-helm-${major}`, [{ namespace, by: 'helm' }]);
    await kubernetes.helm(major, 'install', 'temporal', TARGET_CHART, '--namespace', namespace);
    const helm = major === 3 ? kubernetes.binaries.helm3 : kubernetes.binaries.helm4;
    const change = {
      by: 'helm',
      helm: [helm],
      chart: TARGET_CHART,
      values: [await valuesFile(directory, 'target', {})],
    };
    const driver = openDriver(kubernetesInput(worker.kubeconfig, namespace, { change }));
    await waitUntil(async () => (await driver.listNodes()).every(({ running }) => running));
    await driver.prepare(NEW);
    await roll(driver, 'forward', NEW);
    expect((await driver.configurationFiles?.())?.map(({ path }) => path)).toContain('values-temporal.yaml');
    const allowed = [...(await allowedBy('role.yaml')), ...(await allowedBy('role-helm.yaml'))];
    const used = await asked(worker);
    expect(used.filter((one) => !allowed.includes(one))).toEqual([]);
    // What else it is allowed is for charts whose next version makes, changes or drops an object.
    const releases = ['create secrets', 'get secrets', 'list secrets', 'update secrets'];
    expect(used).toEqual(expect.arrayContaining(releases));
  },
  TIMEOUT_MS,
);

test('lie in the namespaces of its targets alone', async () => {
  const worker = await install('elsewhere', [{ namespace: 'elsewhere-target', by: 'helm' }]);
  const change = { by: 'helm', helm: ['helm'], chart: 'x' };
  for (const [namespace, denied] of [
    ['elsewhere-target', []],
    ['elsewhere', undefined],
    ['kube-system', undefined],
  ] as const) {
    const input = kubernetesInput(worker.kubeconfig, namespace, { change });
    const found = (await deniedRules(createKubeApi(input), input)).map(ruleName);
    expect([namespace, found]).toEqual([namespace, denied ?? accessRules(input).map(ruleName)]);
  }
});
