import { expect, test } from '@jest/globals';
import { asPod, nodesOfWorkload } from '../../../src/adapters/kubernetes/as-pod.js';
import { patienceOf } from '../../../src/adapters/kubernetes/hold.js';
import { DeploymentShape, PodShape } from '../../../src/adapters/kubernetes/shapes.js';
import { asWorkload, type Workload } from '../../../src/adapters/kubernetes/workload.js';
import { KubernetesDriver } from '../../../src/core/input/input.js';
import type { Pod } from '../../../src/core/pods/pod.js';

const input = KubernetesDriver.parse({
  type: 'kubernetes',
  namespace: 'temporal',
  release: 'temporal',
  change: { by: 'image' },
});
const MADE = '2026-11-30T12:00:00Z';
const IMAGE = 'temporalio/server:1.31.2';

function podShape(status: object, metadata: object = {}, containers: readonly object[] = []): PodShape {
  return PodShape.parse({
    metadata: { name: 'p', uid: 'u', creationTimestamp: MADE, ...metadata },
    spec: { containers: [{ name: 'temporal-history', image: IMAGE }, ...containers] },
    status,
  });
}
const running = { state: { running: { startedAt: MADE } }, image: IMAGE, name: 'temporal-history', ready: true };
const RUNNING = {
  phase: 'Running',
  podIP: '10.0.0.9',
  conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: MADE }],
  containerStatuses: [{ ...running, containerID: 'containerd://1' }],
};
const pod = (shape: PodShape): Pod | undefined => asPod(shape, { role: 'history' }, input);

test('a pod that runs; one beside the server is not looked at', () => {
  expect(pod(podShape(RUNNING, {}, [{ name: 'proxy', image: 'envoy:1' }]))).toMatchObject({
    version: '1.31.2',
    running: true,
    ready: true,
    startedAt: MADE,
    containerId: 'containerd://1',
  });
});

test('whether its readiness was asked for', () => {
  const shape = podShape(RUNNING);
  const [server, ...others] = shape.spec.containers;
  const containers = [{ ...server, readinessProbe: { tcpSocket: { port: 7234 } } }, ...others];
  expect(pod(shape)?.probed).toBe(false);
  expect(pod(PodShape.parse({ ...shape, spec: { ...shape.spec, containers } }))?.probed).toBe(true);
});

test('its version is that of the image that runs, even where another one is wanted', () => {
  const containerStatuses = [{ ...running, image: 'docker.io/temporalio/server:1.30.7' }];
  expect(pod(podShape({ ...RUNNING, containerStatuses }))?.version).toBe('1.30.7');
  // Where the runtime names only a digest, what the pod asked for.
  expect(pod(podShape({ ...RUNNING, containerStatuses: [{ ...running, image: 'sha256:ab' }] }))?.version).toBe(
    '1.31.2',
  );
});

test('a pod that was evicted is over; one that is ending is there', () => {
  expect(pod(podShape({ phase: 'Failed' }))).toBeUndefined();
  expect(pod(podShape({ ...RUNNING }, { deletionTimestamp: MADE }))).toMatchObject({ ending: true, running: true });
});

function workload(replicas: number): Workload {
  const shape = DeploymentShape.parse({
    metadata: { name: 'temporal-history', uid: 'w', creationTimestamp: MADE },
    spec: {
      replicas,
      strategy: { type: 'RollingUpdate' },
      selector: {},
      template: { spec: { containers: [{ name: 'temporal-history', image: IMAGE }] } },
    },
  });
  const found = asWorkload(shape, 'history', input);
  if (found === undefined) throw new Error('it has a container of the server');
  return found;
}

test('a node for each that is wanted, whether or not there is a pod; those that go come last', () => {
  const one = pod(podShape(RUNNING));
  const starting = pod(
    podShape({ phase: 'Pending' }, { name: 'q', uid: 'v', creationTimestamp: '2026-11-30T12:01:00Z' }),
  );
  const going = pod(podShape(RUNNING, { name: 'r', uid: 'x', deletionTimestamp: MADE }));
  const nodes = nodesOfWorkload(
    workload(3),
    [going, starting, one].flatMap((found) => found ?? []),
    input,
  );
  expect(nodes).toMatchObject([
    {
      name: 'history-1',
      pod: 'p',
      running: true,
      version: '1.31.2',
      instance: 'u/containerd://1',
      rpcAddress: '10.0.0.9:7234',
    },
    { name: 'history-2', pod: 'q', running: false, rpcAddress: 'no-ip:7234' },
    { name: 'history-3', running: false, rpcAddress: 'no-pod:7234' },
    { name: 'history-4', pod: 'r', leaving: true },
  ]);
  expect(nodes[1]).not.toHaveProperty('version');
  expect(nodes[2]).not.toHaveProperty('pod');
});

test.each([
  ['no more than the youngest has been ready', [300, 45], 600, 45],
  ['two minutes at most', [4_000], 600, 120],
  ['ten seconds at least', [2], 600, 10],
  ['below the deadline of the Deployment', [4_000], 60, 59],
  ['without pods that are ready, all that can be', [], 600, 120],
])('how long the controller is to wait: %s', (_, ages, progressDeadlineSeconds, expected) => {
  const now = Date.parse(MADE) + 10_000_000;
  const pods = ages.map((age) => ({ readySince: new Date(now - age * 1_000).toISOString() }) as Pod);
  const { shape } = workload(2);
  const deployment = DeploymentShape.parse({ ...shape, spec: { ...shape.spec, progressDeadlineSeconds } });
  expect(patienceOf(deployment, pods, { now, leastSeconds: 10 })).toBe(expected);
});
