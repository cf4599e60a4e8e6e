import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Driver } from '../adapters/driver.js';
import { createKubernetesDriver } from '../adapters/kubernetes/kubernetes-driver.js';
import { KubernetesDriver } from '../core/input/input.js';
import { rollOrder } from '../core/planning/roll-order.js';
import { removeKubernetes, startKubernetes, type LabKubernetes } from '../lab/kubernetes/api-server.js';
import { plainWorkloads } from '../lab/kubernetes/plain-workloads.js';
import { PodWatch } from '../lab/kubernetes/pod-watch.js';
import { startStandIn } from '../lab/kubernetes/stand-in.js';
import { roleOverheads, type RoleOverhead, type RollStep } from './role-overhead.js';

/** What rolling each role took beyond what its pods needed: there, and back. */
export interface MeasuredRoleOverhead {
  readonly roles: readonly RoleOverhead[];
  /** How long each pod was made to take until it is ready, in milliseconds. */
  readonly readyAfterMs: number;
}

const FROM = '1.30.7';
const TO = '1.31.2';
const NAMESPACE = 'bench';
const REPLICAS = { frontend: 2, history: 3, matching: 2, worker: 2 };
/** As quick as no server is: were it longer, there would be nothing more to measure. */
const READY_AFTER_MS = 2_000;
/**
 * In place of the proof, which takes longer: by then the controller counts the pod as available (`minReadySeconds`, 1 here), and times of
 * the API are whole seconds.
 */
const BETWEEN_STEPS_MS = 2_500;

/**
 * Rolls Deployments by image in a Kubernetes of the lab, forward and back. API server and controllers are real; pods only pretend, so that
 * it is known what they need.
 */
export async function measureRoleOverhead(onProgress: (line: string) => void): Promise<MeasuredRoleOverhead> {
  const directory = join(homedir(), '.cache', 'temporal-upgrade', 'bench-role-overhead');
  onProgress('starting a Kubernetes');
  const kubernetes = await startKubernetes({ directory });
  try {
    const standIn = await startStandIn({ kubernetes });
    try {
      standIn.behave({ namespace: NAMESPACE }, { readyAfterMs: READY_AFTER_MS });
      return { roles: await measure(kubernetes, onProgress), readyAfterMs: READY_AFTER_MS };
    } finally {
      await standIn.stop();
    }
  } finally {
    await kubernetes.stop();
    await removeKubernetes(directory);
  }
}

async function measure(kubernetes: LabKubernetes, onProgress: (line: string) => void): Promise<RoleOverhead[]> {
  await kubernetes.apply(plainWorkloads({ namespace: NAMESPACE, version: FROM, replicas: REPLICAS }));
  const { kubeconfig } = kubernetes;
  const change = { by: 'image' } as const;
  const input = KubernetesDriver.parse({
    type: 'kubernetes',
    ...{ namespace: NAMESPACE, kubeconfig, release: 'temporal', change },
  });
  const driver = createKubernetesDriver(input, { leastSeconds: 1 });
  const wait = ['wait', 'deployment', '--all', '--for=condition=Available', '--timeout=120s'];
  await kubernetes.kubectl('--namespace', NAMESPACE, ...wait);
  await sleep(BETWEEN_STEPS_MS);
  using watch = await PodWatch.start(kubernetes, NAMESPACE);
  const roles: RoleOverhead[] = [];
  for (const [direction, version] of [['forward', TO] as const, ['back', FROM] as const]) {
    const steps = await rollOnce(driver, direction, version);
    const own = roleOverheads(steps, watch.seen);
    own.forEach((one) => onProgress(`${direction}: ${JSON.stringify(one)}`));
    roles.push(...own);
  }
  return roles;
}

async function rollOnce(driver: Driver, direction: 'forward' | 'back', version: string): Promise<RollStep[]> {
  const steps: RollStep[] = [];
  const nodes = await driver.listNodes();
  for (const name of rollOrder(nodes, direction)) {
    const from = performance.now();
    await driver.replaceNode?.(name, version);
    steps.push({ role: name.replace(/-\d+$/, ''), from, to: performance.now() });
    await sleep(BETWEEN_STEPS_MS);
  }
  await driver.endRoll?.();
  return steps;
}
