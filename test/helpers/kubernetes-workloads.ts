import { createKubernetesDriver } from '../../src/adapters/kubernetes/kubernetes-driver.js';
import type { Driver } from '../../src/adapters/driver.js';
import { KubernetesDriver } from '../../src/core/input/input.js';
import { rollOrder } from '../../src/core/planning/roll-order.js';

/** Versions between which the tests of the driver roll the workloads of `plain-workloads.ts`. */

export const OLD = '1.30.7';
export const NEW = '1.31.2';

/** An input with which the tests' workloads are rolled; times are those of pods that only pretend. */
export function kubernetesInput(kubeconfig: string, namespace: string, more: object = {}): KubernetesDriver {
  return KubernetesDriver.parse({
    type: 'kubernetes',
    namespace,
    kubeconfig,
    release: 'temporal',
    change: { by: 'image' },
    startTimeout: 40_000,
    stopTimeout: 20_000,
    ...more,
  });
}

/** Replaces every node as a roll-out does, in its order, and tells of each step. */
export async function roll(
  driver: Driver,
  direction: 'forward' | 'back',
  version: string,
  onStep: (node: string) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  for (const node of rollOrder(await driver.listNodes(), direction)) {
    await driver.replaceNode?.(node, version);
    await onStep(node);
  }
  await driver.endRoll?.();
}

/** The driver, with no more patience than its pods need: nothing is proved between two steps here. */
export function openDriver(input: KubernetesDriver): Driver {
  return createKubernetesDriver(input, { leastSeconds: 1 });
}
