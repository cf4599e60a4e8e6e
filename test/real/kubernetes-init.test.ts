import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { describeRelease } from '../../src/describing.js';
import { parseTarget } from '../../src/core/input/input.js';
import type { LabKubernetes } from '../../src/lab/kubernetes/api-server.js';
import { placeChart } from '../../src/lab/kubernetes/chart.js';
import { plainWorkloads } from '../../src/lab/kubernetes/plain-workloads.js';
import { accountOf } from '../helpers/kubernetes-account.js';
import { waitUntil, workloadCases } from '../helpers/kubernetes-cases.js';
import { NEW, OLD } from '../helpers/kubernetes-workloads.js';
import {
  KUBERNETES_STARTS_WITHIN_MS,
  startPretendedKubernetes,
  type PretendedKubernetes,
} from '../helpers/pretended-kubernetes.js';
import { definition, startOperator, temporalCluster, type TestOperator } from '../helpers/temporal-operator.js';
import { namespaceOf } from '../helpers/worker-chart.js';

/** `init` of clusters in a real API server; pods only pretend, as nothing but their images and ConfigMaps is looked at. */

const TIMEOUT_MS = 180_000;
const CLI = fileURLToPath(new URL('../../bin/temporal-upgrade', import.meta.url));
const ROLE = fileURLToPath(new URL('../../service/kubernetes/role.yaml', import.meta.url));
const HELM = 'with-helm';
const PLAIN = 'plain';
const OPERATED = 'operated';
const PASSWORD = 'open-sesame';
let lab: PretendedKubernetes;
let directory: string;
let kubernetes: LabKubernetes;
let operator: TestOperator;
let files = 0;
const { podsOf } = workloadCases(() => kubernetes);

beforeAll(async () => {
  lab = await startPretendedKubernetes('init');
  ({ directory, kubernetes } = lab);
  await kubernetes.apply(definition(32));
  await kubernetes.kubectl('wait', '--for=condition=Established', 'crd/temporalclusters.temporal.io');
  operator = await startOperator(kubernetes);
  const values = join(directory, 'values.yaml');
  await writeFile(values, stringify(VALUES));
  const chart = await placeChart(join(directory, 'chart'), '1.1.1');
  await kubernetes.helm(4, 'install', 'prod', chart, '--namespace', HELM, '--create-namespace', '--values', values);
  await kubernetes.apply(plainWorkloads({ namespace: PLAIN, version: NEW, kind: 'StatefulSet' }));
  await kubernetes.apply(namespaceOf(OPERATED));
  await kubernetes.apply(temporalCluster(OPERATED, 'live', OLD));
  for (const [namespace, count] of [
    [HELM, 9],
    [PLAIN, 6],
    [OPERATED, 8],
  ] as const)
    await waitUntil(async () => (await podsOf(namespace)).filter(({ ready }) => ready).length >= count);
}, KUBERNETES_STARTS_WITHIN_MS);

afterAll(async () => {
  operator?.stop();
  await lab?.stop();
}, 60_000);

const datastore = (databaseName: string) => ({
  sql: {
    ...{ pluginName: 'postgres12', databaseName, connectAddr: 'db.internal:5433' },
    ...{ user: 'temporal', password: PASSWORD, manageSchema: false },
  },
});
const VALUES = {
  server: {
    image: { tag: OLD },
    config: {
      persistence: {
        numHistoryShards: 512,
        datastores: { default: datastore('temporal'), visibility: datastore('temporal_visibility') },
      },
    },
  },
  web: { enabled: false },
};

async function describe(namespace: string, more: object = {}) {
  const file = join(directory, `${(files += 1)}.yaml`);
  const answers = { name: 'prod', backupDir: '/backups' };
  const place = { namespace, kubeconfig: kubernetes.kubeconfig, ...more };
  const described = await describeRelease(answers, place, { file, replace: false });
  const text = await readFile(file, 'utf8');
  return { described, text, target: parseTarget(parse(text)) };
}

test(
  'a release of helm, by the command line: stores, shards and version from its pods and ConfigMaps, no secret, nothing written over',
  async () => {
    const file = join(directory, 'prod.yaml');
    const flags = ['--kube-namespace', HELM, '--kubeconfig', kubernetes.kubeconfig, '--name', 'prod'];
    const args = ['init', ...flags, '--backup-dir', '/backups', '--write', file, '--output', 'json'];
    const { stdout } = await promisify(execFile)(CLI, args);
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ namespace: HELM, release: 'prod', versions: [OLD], shards: 512, pods: 8, change: 'helm', unseen: [] },
    });
    const text = await readFile(file, 'utf8');
    expect(text).not.toContain(PASSWORD);
    expect(text).toContain('its chart is temporal-1.1.1');
    expect(text).toContain('Dynamic configuration: configmap/prod-temporal-dynamic-config: dynamic_config.yaml');
    expect(parseTarget(parse(text))).toMatchObject({
      ...{ version: OLD, connection: { address: `prod-temporal-frontend.${HELM}.svc:7233` } },
      stores: {
        default: { type: 'postgresql', host: 'db.internal', port: 5433, database: 'temporal', user: 'temporal' },
        visibility: { database: 'temporal_visibility' },
      },
      driver: { namespace: HELM, release: 'prod', kubeconfig: kubernetes.kubeconfig, change: { by: 'helm' } },
    });
    await expect(promisify(execFile)(CLI, args)).rejects.toThrow('is there already and was left as it is');
    expect(await readFile(file, 'utf8')).toBe(text);
  },
  TIMEOUT_MS,
);

test(
  'plain StatefulSets are changed by image; what their ConfigMaps do not hold is to be filled in',
  async () => {
    const { described, target } = await describe(PLAIN);
    expect(described).toMatchObject({ versions: [NEW], pods: 6, change: 'image' });
    expect(described.unseen.join('\n')).toContain('configuration');
    expect(described.toDo).toContainEqual(expect.stringContaining('stores.default'));
    expect(target.driver).toMatchObject({ release: 'temporal', change: { by: 'image' } });
  },
  TIMEOUT_MS,
);

test(
  'what a TemporalCluster owns is changed by its operator',
  async () => {
    const { described, target } = await describe(OPERATED);
    expect(described).toMatchObject({ release: 'live', versions: [OLD], pods: 8, change: 'operator' });
    expect(target.driver).toMatchObject({
      workloads: { worker: 'deployment/live-worker' },
      container: 'service',
      change: { by: 'operator', cluster: 'live' },
    });
  },
  TIMEOUT_MS,
);

test(
  'a namespace without servers: those that have some are named; and so are contexts',
  async () => {
    await expect(describe('default')).rejects.toThrow(
      new RegExp(`namespace default has no workloads .*these have some: .*${HELM} \\(release prod\\)`),
    );
    await expect(describe(PLAIN, { release: 'other' })).rejects.toThrow('has no release "other"; there is temporal');
    await expect(describe(PLAIN, { context: 'elsewhere' })).rejects.toThrow('no context "elsewhere"; there is');
  },
  TIMEOUT_MS,
);

test(
  'an account with no right is told which; with the shipped Role alone all but Secrets and Services is seen',
  async () => {
    await kubernetes.kubectl('create', 'serviceaccount', 'looker', '--namespace', HELM);
    const { kubeconfig } = await accountOf(kubernetes, HELM, 'looker');
    await expect(describe(HELM, { kubeconfig })).rejects.toThrow(
      new RegExp(`workloads of namespace ${HELM} cannot be listed: .*looker.* cannot list resource`),
    );
    await kubernetes.kubectl('apply', '--namespace', HELM, '--filename', ROLE);
    const binding = [
      'create',
      'rolebinding',
      'looker',
      '--role',
      'temporal-upgrade',
      '--serviceaccount',
      `${HELM}:looker`,
    ];
    await kubernetes.kubectl(...binding, '--namespace', HELM);
    const { described, target } = await describe(HELM, { kubeconfig });
    expect(described).toMatchObject({ shards: 512, change: 'helm' });
    expect(described.unseen.map((line) => line.split(':')[0])).toEqual([
      expect.stringContaining('Secrets'),
      expect.stringContaining('Service'),
    ]);
    expect(target.driver).toMatchObject({ change: { by: 'helm' } });
  },
  TIMEOUT_MS,
);
