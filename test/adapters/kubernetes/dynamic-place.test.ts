import { expect, test } from '@jest/globals';
import { dynamicPlaceOf } from '../../../src/adapters/kubernetes/dynamic-place.js';
import { readPodFiles, type MapReader } from '../../../src/adapters/kubernetes/pod-files.js';
import { ConfigMapShape, PodShape } from '../../../src/adapters/kubernetes/shapes.js';

/** As Temporal's own chart makes them, to be changed in one thing each. */
const CONFIG = [
  '# enable-template',
  'log: { stdout: true, level: "info" }',
  'global: { membership: { broadcastAddress: {{ env "POD_IP" | quote }} } }',
  'dynamicConfigClient: { filepath: "/etc/temporal/dynamic_config/dynamic_config.yaml", pollInterval: "10s" }',
].join('\n');
const FOLDER = { name: 'dynamic-config', mountPath: '/etc/temporal/dynamic_config' };

interface Case {
  readonly config?: string;
  readonly mount?: object;
  readonly map?: object | null;
  readonly metadata?: object;
  readonly env?: readonly object[];
}

async function placeOf({ config = CONFIG, mount = FOLDER, map = {}, metadata = {}, env = [] }: Case) {
  const mapOf = (name: string, more: object, meta: object = {}) =>
    ConfigMapShape.parse({ metadata: { name, uid: 'u', creationTimestamp: 'then', ...meta }, ...more });
  const maps = new Map([['config', mapOf('config', { data: { 'config_template.yaml': config } })]]);
  if (map !== null)
    maps.set('dynamic', mapOf('dynamic', { data: { 'dynamic_config.yaml': 'a: []' }, ...map }, metadata));
  const read: MapReader = (name) => Promise.resolve(maps.get(name));
  const { spec } = PodShape.parse({
    metadata: { name: 'p', uid: 'u', creationTimestamp: 'then' },
    spec: {
      containers: [
        {
          name: 'temporal-history',
          env: [{ name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }, ...env],
          volumeMounts: [
            { name: 'config', mountPath: '/etc/temporal/config/config_template.yaml', subPath: 'config_template.yaml' },
            mount,
          ],
        },
      ],
      volumes: [
        { name: 'config', configMap: { name: 'config' } },
        { name: 'dynamic-config', configMap: { name: 'dynamic' } },
      ],
    },
  });
  const [container] = spec.containers;
  if (container === undefined) throw new Error('it has one');
  return dynamicPlaceOf(await readPodFiles(read, { container, volumes: spec.volumes }), read);
}

test('the key of the ConfigMap that is the file of its configuration', async () => {
  expect(await placeOf({})).toEqual({
    configMap: 'dynamic',
    key: 'dynamic_config.yaml',
    pollMs: 10_000,
    tells: true,
  });
});

test('a log that does not tell of changes: its level, or a file in the pod', async () => {
  expect(await placeOf({ config: CONFIG.replace('"info"', 'warn') })).toMatchObject({ tells: false });
  const toFile = CONFIG.replace('stdout: true', 'outputFile: /var/log/temporal.log');
  expect(await placeOf({ config: toFile })).toMatchObject({ tells: false });
});

test('a configuration that nobody here can read: the variable by which the images name the file', async () => {
  const path = { name: 'DYNAMIC_CONFIG_FILE_PATH', value: '/etc/temporal/dynamic_config/dynamic_config.yaml' };
  const config = '{{ if .Env.TLS }}a{{ end }}';
  expect(await placeOf({ config, env: [path] })).toEqual({
    configMap: 'dynamic',
    key: 'dynamic_config.yaml',
    pollMs: 60_000,
    tells: true,
  });
  expect(await placeOf({ config })).toEqual({
    reason: expect.stringMatching(
      /^configmap\/config: config_template\.yaml cannot be read: .*\{\{ if \.Env\.TLS \}\}/,
    ),
  });
});

const flux = { labels: { 'kustomize.toolkit.fluxcd.io/name': 'temporal' } };
const owner = { apiVersion: 'temporal.io/v1beta1', kind: 'TemporalCluster', name: 'prod', uid: 'u' };
test.each<[string, Case, RegExp]>([
  [
    'mounted by itself',
    {
      mount: {
        ...FOLDER,
        mountPath: '/etc/temporal/dynamic_config/dynamic_config.yaml',
        subPath: 'dynamic_config.yaml',
      },
    },
    /mounted by itself \(subPath\).*a pod that runs never sees a change/,
  ],
  ['immutable', { map: { immutable: true } }, /^configmap\/dynamic is immutable$/],
  ['not there', { map: null }, /^configmap\/dynamic, mounted for \S+, is not there/],
  ['without the key', { map: { data: {} } }, /is not there or has no such key/],
  ['in the image', { mount: { name: 'other', mountPath: '/x' } }, /is in no ConfigMap that its pods mount$/],
  ['kept by Flux', { metadata: flux }, /is kept by Flux \(kustomize\.toolkit\S+: temporal\)/],
  [
    'kept by Argo CD',
    { metadata: { managedFields: [{ manager: 'argocd-controller' }] } },
    /is kept by Argo CD \(field manager argocd-controller\)/,
  ],
  ['of an operator', { metadata: { ownerReferences: [owner] } }, /belongs to TemporalCluster prod/],
  ['too long', { map: { data: { 'dynamic_config.yaml': 'x'.repeat(200_000) } } }, /more than 128 KiB/],
  ['none at all', { config: 'log: {}' }, /names no file of dynamic configuration/],
])('%s: no setting can be written, and why', async (_, given, reason) => {
  expect(await placeOf(given)).toEqual({ reason: expect.stringMatching(reason) });
});
