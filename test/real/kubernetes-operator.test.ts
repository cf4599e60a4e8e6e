import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createKubeApi } from '../../src/adapters/kubernetes/api.js';
import { surveyKubernetes } from '../../src/adapters/kubernetes/survey-kubernetes.js';
import type { LabKubernetes } from '../../src/lab/kubernetes/api-server.js';
import type { StandIn } from '../../src/lab/kubernetes/stand-in.js';
import { waitUntil, workloadCases } from '../helpers/kubernetes-cases.js';
import { kubernetesInput, NEW, OLD, openDriver, roll } from '../helpers/kubernetes-workloads.js';
import {
  KUBERNETES_STARTS_WITHIN_MS,
  startPretendedKubernetes,
  type PretendedKubernetes,
} from '../helpers/pretended-kubernetes.js';
import { definition, startOperator, temporalCluster, type TestOperator } from '../helpers/temporal-operator.js';
import { namespaceOf } from '../helpers/worker-chart.js';

/**
 * Clusters of temporal-operator with a real API server and its controllers. Not real are its pods, which run nothing, and the operator
 * itself: see test/helpers/temporal-operator.ts.
 */

const TIMEOUT_MS = 180_000;
let lab: PretendedKubernetes;
let kubernetes: LabKubernetes;
let standIn: StandIn;
let operator: TestOperator;
let made = 0;

beforeAll(async () => {
  lab = await startPretendedKubernetes('operator');
  ({ kubernetes, standIn } = lab);
  await kubernetes.apply(definition(32));
  await kubernetes.kubectl('wait', '--for=condition=Established', 'crd/temporalclusters.temporal.io');
  operator = await startOperator(kubernetes);
}, KUBERNETES_STARTS_WITHIN_MS);

afterAll(async () => {
  operator.stop();
  await lab?.stop();
}, 60_000);

const { podsOf } = workloadCases(() => kubernetes);
const WORKLOADS = Object.fromEntries(
  ['frontend', 'history', 'matching', 'worker'].map((role) => [role, `deployment/prod-${role}`]),
);

/** A cluster of the operator in a namespace of its own, ready by the operator's word. */
async function open(more: object = {}) {
  const namespace = `operated-${(made += 1)}`;
  await kubernetes.apply(namespaceOf(namespace));
  await kubernetes.apply(temporalCluster(namespace, 'prod', OLD));
  const input = kubernetesInput(kubernetes.kubeconfig, namespace, {
    release: undefined,
    workloads: WORKLOADS,
    change: { by: 'operator', cluster: 'prod', timeout: 20_000, ...more },
  });
  const resource = (path: string) =>
    kubernetes.kubectl('get', 'temporalcluster', 'prod', '-n', namespace, '-o', `jsonpath={${path}}`);
  await waitUntil(async () => (await resource('.status.conditions[0].status')) === 'True');
  return { namespace, input, driver: openDriver(input), resource };
}

const countsOf = async (namespace: string) => {
  const pods = (await podsOf(namespace)).filter(({ ending }) => !ending);
  return {
    old: pods.filter(({ version }) => version === OLD).length,
    new: pods.filter(({ version }) => version === NEW).length,
  };
};

test(
  'one step of its resource, and its pods are replaced one by one all the same; the operator says ready at the end',
  async () => {
    const { namespace, input, driver, resource } = await open();
    expect(await surveyKubernetes(input)).toMatchObject({
      operated: 'prod',
      workloads: { seen: Array(4).fill({ owner: { kind: 'TemporalCluster', name: 'prod' } }) },
    });
    await driver.prepare(NEW);
    expect(await resource('.spec.version')).toBe(OLD); // asked by a dry run
    const steps: string[] = [];
    await roll(driver, 'forward', NEW, async (node) => {
      const { old, new: fresh } = await countsOf(namespace);
      expect(old + fresh).toBeLessThanOrEqual(9);
      steps.push(`${node}: ${fresh} new`);
    });
    expect(steps).toEqual([
      'matching-1: 1 new',
      'matching-2: 2 new',
      'history-1: 3 new',
      'history-2: 4 new',
      'frontend-1: 5 new',
      'frontend-2: 6 new',
      'worker-1: 7 new',
      'worker-2: 8 new',
    ]);
    expect(await resource('.status.conditions[0].status')).toBe('True');
    expect(await resource('.metadata.managedFields[*].manager')).toContain('temporal-upgrade');
    const left = await kubernetes.kubectl('get', 'deployments', '-n', namespace, '-o', 'jsonpath={.items[*]}');
    expect(left).not.toContain('temporal-upgrade/before');
    expect(left).not.toContain('"paused":true');
  },
  TIMEOUT_MS,
);

test(
  'a version that the operator does not know, and one back, are refused in its words before anything is changed',
  async () => {
    const { driver, resource } = await open();
    await expect(driver.prepare('1.32.1')).rejects.toThrow(
      /Unsupported temporal version \(supported: >= 1\.14\.0 < 1\.32/,
    );
    await expect(driver.prepare('1.29.1')).rejects.toThrow(
      /does not take version 1\.29\.1[^]*Unauthorized version upgrade/,
    );
    expect(await resource('.spec.version')).toBe(OLD);
    await expect(driver.stopNode('worker-1')).rejects.toThrow(/would start the pods of TemporalCluster prod again/);
  },
  TIMEOUT_MS,
);

test(
  'a pod that does not come up stays the only one; mended, the roll goes on; no step back',
  async () => {
    const { namespace, driver } = await open();
    standIn.behave({ tag: NEW, namespace }, { kind: 'crash', log: ['why it ended'] });
    await expect(driver.replaceNode?.('history-1', NEW)).rejects.toThrow(/why it ended/);
    await expect(driver.replaceNode?.('history-1', OLD)).rejects.toThrow(/Unauthorized version upgrade/);
    expect((await countsOf(namespace)).old).toBe(8);
    expect(await driver.endRoll?.()).toEqual(
      expect.arrayContaining([expect.stringMatching(/deployment\/prod-frontend stays held: 2 of its 2 pods/)]),
    );
    standIn.behave({ tag: NEW, namespace }, undefined);
    await roll(driver, 'forward', NEW);
    expect(await countsOf(namespace)).toEqual({ old: 0, new: 8 });
  },
  TIMEOUT_MS,
);

test(
  'an operator that does nothing is waited for, and what it last said is told; wrong names are named',
  async () => {
    const { namespace, input, driver } = await open({ timeout: 3_000 });
    const wrong = (change: object) => openDriver({ ...input, change: { ...input.change, ...change } });
    await expect(wrong({ cluster: 'pro' }).prepare(NEW)).rejects.toThrow(/has no TemporalCluster pro \(temporal\.io/);
    operator.asleep = true;
    await expect(driver.replaceNode?.('matching-1', NEW)).rejects.toThrow(
      /has version 1\.31\.2, and the operator has not brought it into prod-\w+ after 3s\. It says: Ready True: ServicesReady/,
    );
    operator.asleep = false;
    expect((await countsOf(namespace)).old).toBe(8);
    // Woken by a change of anything that it watches.
    const api = createKubeApi(input);
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments/prod-worker`;
    await api.patch(path, { metadata: { annotations: { woken: 'yes' } } }, 'merge');
    await roll(driver, 'forward', NEW);
    expect(await countsOf(namespace)).toEqual({ old: 0, new: 8 });
  },
  TIMEOUT_MS,
);
