import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { z } from 'zod';
import type { Driver } from '../../src/adapters/driver.js';
import { createKubeApi, type KubeApi } from '../../src/adapters/kubernetes/api.js';
import { createKubernetesDriver } from '../../src/adapters/kubernetes/kubernetes-driver.js';
import { UnreachableError } from '../../src/core/errors.js';
import type { KubernetesDriver } from '../../src/core/input/input.js';
import type { RollSetting } from '../../src/core/plan.js';
import type { LabKubernetes } from '../../src/lab/kubernetes/api-server.js';
import { placeChart } from '../../src/lab/kubernetes/chart.js';
import { waitUntil } from '../helpers/kubernetes-cases.js';
import { kubernetesInput, NEW, OLD, roll } from '../helpers/kubernetes-workloads.js';
import {
  KUBERNETES_STARTS_WITHIN_MS,
  startPretendedKubernetes,
  type PretendedKubernetes,
} from '../helpers/pretended-kubernetes.js';

/** Settings of a roll in the ConfigMap of a release, against a real API server, with helm 3 and 4; pods only pretend, so no log tells. */

const TIMEOUT_MS = 480_000;
const ROLE = fileURLToPath(new URL('../../service/kubernetes/role.yaml', import.meta.url));
const KEY = 'dynamic_config.yaml';
const FILE = `configmap/temporal-dynamic-config: ${KEY}`;
/** That of a kubelet would be a minute and more. */
const KUBELET_MS = 100;
let lab: PretendedKubernetes;
let directory: string;
let chart: string;
let kubernetes: LabKubernetes;
let made = 0;

beforeAll(async () => {
  lab = await startPretendedKubernetes('settings');
  ({ directory, kubernetes } = lab);
  chart = await placeChart(join(directory, 'chart'));
  // Where no log tells, two looks of a server are waited for.
  const file = join(chart, 'templates', 'config.yaml');
  await writeFile(file, (await readFile(file, 'utf8')).replace('pollInterval: 10s', 'pollInterval: 1s'));
}, KUBERNETES_STARTS_WITHIN_MS);

afterAll(async () => {
  await lab?.stop();
}, 60_000);

const setting = (key: string, value: string): RollSetting => ({
  key,
  value,
  role: key.startsWith('frontend') ? 'frontend' : 'history',
  why: 'a test',
  source: 'a test',
});
const SETTINGS = [setting('frontend.shutdownDrainDuration', '75s'), setting('history.alignMembershipChange', '10s')];

interface Opened {
  readonly namespace: string;
  readonly input: KubernetesDriver;
  readonly driver: Driver;
  readonly values: string;
}

const driverOf = (input: KubernetesDriver, api?: KubeApi) =>
  createKubernetesDriver(input, { leastSeconds: 1, kubeletMs: KUBELET_MS, ...(api === undefined ? {} : { api }) });

/** A release of the lab's chart in a namespace of its own. */
async function open(major: 3 | 4, change: object = {}): Promise<Opened> {
  const namespace = `settings-${(made += 1)}`;
  const values = join(directory, `${namespace}.yaml`);
  await writeFile(values, stringify({ server: { dynamicConfig: { 'frontend.rps': [{ value: 4711 }] } } }));
  await kubernetes.helm(major, 'install', 'temporal', chart, '-n', namespace, '--create-namespace', '-f', values);
  const helm = major === 3 ? kubernetes.binaries.helm3 : kubernetes.binaries.helm4;
  const input = kubernetesInput(kubernetes.kubeconfig, namespace, {
    change: { by: 'helm', helm: [helm], chart, values: [values], ...change },
  });
  const driver = driverOf(input);
  await waitUntil(async () => (await driver.listNodes()).every(({ running }) => running));
  return { namespace, input, driver, values };
}

const ConfigMap = z.looseObject({
  metadata: z.looseObject({
    annotations: z.record(z.string(), z.string()).default({}),
    managedFields: z.array(z.looseObject({ manager: z.string(), operation: z.string(), fieldsV1: z.unknown() })),
  }),
  data: z.record(z.string(), z.string()),
});

async function mapOf(namespace: string) {
  const what = ['configmap', 'temporal-dynamic-config', '-n', namespace, '-o', 'json', '--show-managed-fields'];
  const { metadata, data } = ConfigMap.parse(JSON.parse(await kubernetes.kubectl('get', ...what)));
  const owners = metadata.managedFields
    .filter(({ fieldsV1 }) => JSON.stringify(fieldsV1).includes(`f:${KEY}`))
    .map(({ manager, operation }) => `${manager} ${operation}`);
  return { text: data[KEY] ?? '', annotations: Object.keys(metadata.annotations), owners };
}

describe.each([3, 4] as const)('a release of helm %i', (major) => {
  test(
    'settings are there while it is rolled by helm, and gone after it; the next upgrade by hand is the operator’s own',
    async () => {
      const { namespace, driver, values } = await open(major);
      const before = await mapOf(namespace);
      expect(await driver.settings?.read()).toEqual({
        keysSet: ['frontend.rps'],
        connectionAgeMs: undefined,
        unreached: [],
      });
      const done = await driver.settings?.apply(SETTINGS);
      expect(done?.files).toEqual([{ path: FILE, keys: SETTINGS.map(({ key }) => key), kept: [] }]);
      expect(new Set(done?.nodes.map(({ pickedUp }) => pickedUp))).toEqual(new Set(['waited']));
      const written = await mapOf(namespace);
      expect(written.text).toMatch(/frontend\.shutdownDrainDuration:\n\s+- value: 75s/);
      expect(written.annotations).toContain('temporal-upgrade/settings');
      // What this tool has written is not what the operator has set.
      expect(await driver.settings?.read()).toMatchObject({ keysSet: ['frontend.rps'] });
      // Done twice it is done once.
      await driver.settings?.apply(SETTINGS);
      expect(await mapOf(namespace)).toEqual(written);

      await roll(driver, 'forward', NEW, async () => {
        expect((await mapOf(namespace)).text).toBe(written.text);
      });
      const undone = await driver.settings?.takeBack();
      expect(undone?.files).toEqual([{ path: FILE, keys: SETTINGS.map(({ key }) => key), kept: [] }]);
      expect(await mapOf(namespace)).toEqual(before);
      expect(await driver.settings?.takeBack()).toMatchObject({ files: [] });

      await writeFile(
        values,
        stringify({ server: { image: { tag: NEW }, dynamicConfig: { 'frontend.rps': [{ value: 42 }] } } }),
      );
      await kubernetes.helm(major, 'upgrade', 'temporal', chart, '-n', namespace, '-f', values);
      expect((await mapOf(namespace)).text).toContain('42');
    },
    TIMEOUT_MS,
  );

  test(
    'somebody upgrades it by hand in the middle: helm 3 takes them out without a word, helm 4 refuses; both is coped with',
    async () => {
      const { namespace, driver, values } = await open(major);
      const before = await mapOf(namespace);
      await driver.settings?.apply(SETTINGS);
      const upgraded = await kubernetes.helm(major, 'upgrade', 'temporal', chart, '-n', namespace, '-f', values).then(
        () => 'done',
        (error: unknown) => String(error),
      );
      const { text } = await mapOf(namespace);
      if (major === 3) expect([upgraded, text]).toEqual(['done', before.text]);
      else expect(upgraded).toMatch(/conflict[^]*"temporal-upgrade"/);
      await driver.settings?.apply(SETTINGS);
      expect((await mapOf(namespace)).text).toContain('75s');
      await driver.settings?.takeBack();
      expect(await mapOf(namespace)).toEqual(before);
    },
    TIMEOUT_MS,
  );
});

test(
  'an API server that is lost on any line leaves nothing that the next try does not bring to its end',
  async () => {
    const { namespace, input, driver } = await open(4);
    const before = await mapOf(namespace);
    const real = createKubeApi(input);
    /** The worker ends at its patch with this number, which was done or not. */
    const dyingAt = (count: number, isDone: boolean): Driver => {
      let patches = 0;
      const patch: KubeApi['patch'] = async (...args) => {
        patches += 1;
        if (patches < count) return real.patch(...args);
        if (isDone) await real.patch(...args);
        throw new UnreachableError('the worker is killed here');
      };
      return driverOf(input, { ...real, patch });
    };
    for (const isDone of [false, true]) {
      await expect(dyingAt(1, isDone).settings?.apply(SETTINGS)).rejects.toThrow('killed here');
      await driver.settings?.apply(SETTINGS);
      const written = await mapOf(namespace);
      expect(written.text).toContain('75s');
      for (const count of [1, 2]) {
        await expect(dyingAt(count, isDone).settings?.takeBack()).rejects.toThrow('killed here');
        await driver.settings?.apply(SETTINGS);
        expect((await mapOf(namespace)).text).toBe(written.text);
        await expect(dyingAt(count, isDone).settings?.takeBack()).rejects.toThrow('killed here');
        await driver.settings?.takeBack();
        expect(await mapOf(namespace)).toEqual(before);
        await driver.settings?.apply(SETTINGS);
      }
      await driver.settings?.takeBack();
      expect(await mapOf(namespace)).toEqual(before);
    }
  },
  TIMEOUT_MS,
);

test(
  'what cannot be written is named for each node, before anything is changed: a right, an immutable ConfigMap',
  async () => {
    const { namespace, input, driver } = await open(4);
    await kubernetes.kubectl('create', 'serviceaccount', 'worker', '-n', namespace);
    const role = join(directory, 'role.yaml');
    await writeFile(role, (await readFile(ROLE, 'utf8')).replace('verbs: [get, patch]', 'verbs: [get]'));
    await kubernetes.kubectl('apply', '-n', namespace, '-f', role);
    const account = `--serviceaccount=${namespace}:worker`;
    await kubernetes.kubectl('create', 'rolebinding', 'worker', '--role=temporal-upgrade', account, '-n', namespace);
    const token = (await kubernetes.kubectl('create', 'token', 'worker', '-n', namespace, '--duration=2h')).trim();
    const { server, caFile } = kubernetes.access;
    const kubeconfig = join(directory, `${namespace}-worker.kubeconfig`);
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'lab', cluster: { server, 'certificate-authority': caFile } }],
      users: [{ name: 'worker', user: { token } }],
      contexts: [{ name: 'lab', context: { cluster: 'lab', user: 'worker' } }],
      'current-context': 'lab',
    };
    await writeFile(kubeconfig, stringify(config), { mode: 0o600 });
    const before = await mapOf(namespace);
    const weak = driverOf({ ...input, kubeconfig });
    const facts = await weak.settings?.read();
    expect(facts?.unreached).toHaveLength(8);
    expect(facts?.unreached[0]).toMatchObject({
      node: 'frontend-1',
      reason: expect.stringMatching(/may not patch configmaps in namespace \S+; give it the Role/),
    });
    const done = await weak.settings?.apply(SETTINGS);
    expect(done).toMatchObject({ files: [], nodes: [] });
    expect(done?.unreached.map(({ node }) => node)).toEqual(['frontend-1', 'frontend-2', 'history-1', 'history-2']);
    expect(await mapOf(namespace)).toEqual(before);

    const immutable = [
      'configmap',
      'temporal-dynamic-config',
      '-n',
      namespace,
      '--type=merge',
      '-p',
      '{"immutable":true}',
    ];
    await kubernetes.kubectl('patch', ...immutable);
    expect((await driver.settings?.read())?.unreached[0]?.reason).toBe(
      'configmap/temporal-dynamic-config is immutable',
    );
    expect((await driver.settings?.apply(SETTINGS))?.files).toEqual([]);
    expect((await driver.listNodes()).map(({ version }) => version)).toContain(OLD);
  },
  TIMEOUT_MS,
);
