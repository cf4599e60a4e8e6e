import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';
import type { Driver } from '../../src/adapters/driver.js';
import { createKubeApi, type KubeApi } from '../../src/adapters/kubernetes/api.js';
import { createKubernetesDriver } from '../../src/adapters/kubernetes/kubernetes-driver.js';
import type { LabKubernetes } from '../../src/lab/kubernetes/api-server.js';
import type { StandIn } from '../../src/lab/kubernetes/stand-in.js';
import { waitUntil, workloadCases, type Opened } from '../helpers/kubernetes-cases.js';
import { NEW, openDriver, roll } from '../helpers/kubernetes-workloads.js';
import {
  KUBERNETES_STARTS_WITHIN_MS,
  startPretendedKubernetes,
  type PretendedKubernetes,
} from '../helpers/pretended-kubernetes.js';

/**
 * A controller of the real API server that was let go and is not held again, and two that hold it at once. Its pods are the one
 * thing that is not real: they run nothing, and become ready as they are told.
 */

const TIMEOUT_MS = 180_000;
let lab: PretendedKubernetes;
let kubernetes: LabKubernetes;
let standIn: StandIn;

beforeAll(async () => {
  lab = await startPretendedKubernetes('let-go');
  ({ kubernetes, standIn } = lab);
}, KUBERNETES_STARTS_WITHIN_MS);

afterAll(async () => {
  await lab?.stop();
}, 60_000);

const { open, podsOf, counts, stateOf } = workloadCases(() => kubernetes);

/** What lets a controller go. */
const Resumed = z.object({ spec: z.object({ paused: z.literal(false) }) });

/** The driver of a worker that dies as soon as it has let the controller go: nothing of it is heard any more. */
function dyingDriver(input: Opened['input']): Driver {
  const api = createKubeApi(input);
  let isDead = false;
  const dieIfDead = () => {
    if (isDead) throw new Error('this worker is dead');
  };
  const own: KubeApi = {
    ...api,
    async get(...args) {
      dieIfDead();
      return api.get(...args);
    },
    async patch(...args) {
      dieIfDead();
      const answer = await api.patch(...args);
      isDead = Resumed.safeParse(args[1]).success;
      return answer;
    },
    async watch(...args) {
      dieIfDead();
      return api.watch(...args);
    },
  };
  return createKubernetesDriver(input, { api: own, leastSeconds: 1 });
}

test(
  'a controller whose worker died before it was held again goes on by itself, one ready pod after the other; the next try holds it, and each slot that was filled is found so',
  async () => {
    const { namespace, driver, input } = await open({ replicas: { history: 4 } });
    const before = await stateOf(namespace);
    standIn.behave({ namespace, tag: NEW }, { readyAfterMs: 1_000 });
    await expect(dyingDriver(input).replaceNode?.('history-1', NEW)).rejects.toThrow('this worker is dead');
    // More than one at a time are never away: maxSurge and maxUnavailable are those of the roll.
    await waitUntil(async () => {
      const pods = await podsOf(namespace, 'history');
      expect(pods.filter(({ ready }) => ready).length).toBeGreaterThanOrEqual(4);
      return pods.filter(({ version, ending }) => version === NEW && !ending).length >= 2;
    });
    await driver.replaceNode?.('history-1', NEW);
    const held = await podsOf(namespace, 'history');
    const filled = held.filter(({ version, ending }) => version === NEW && !ending).length;
    expect(await stateOf(namespace)).toMatchObject(filled < 4 ? { paused: true } : before);
    for (const slot of [2, 3, 4]) {
      await driver.replaceNode?.(`history-${slot}`, NEW);
      expect((await counts(namespace)).new).toBe(Math.max(slot, filled));
    }
    expect(await counts(namespace)).toEqual({ old: 0, new: 4 });
    expect(await stateOf(namespace)).toEqual(before);
  },
  TIMEOUT_MS,
);

test(
  'two attempts at the same node, as after a worker that was taken for dead: one pod, not two',
  async () => {
    const { namespace, driver, input } = await open();
    standIn.behave({ namespace, tag: NEW }, { readyAfterMs: 2_000 });
    const other = openDriver(input);
    await Promise.all([driver.replaceNode?.('history-1', NEW), other.replaceNode?.('history-1', NEW)]);
    expect(await counts(namespace)).toEqual({ old: 3, new: 1 });
    await Promise.all([driver.replaceNode?.('history-2', NEW), other.replaceNode?.('history-2', NEW)]);
    expect(await counts(namespace)).toEqual({ old: 2, new: 2 });
    expect(await stateOf(namespace)).toMatchObject({ paused: true });
    await roll(driver, 'forward', NEW);
    expect(await counts(namespace)).toEqual({ old: 0, new: 3 });
  },
  TIMEOUT_MS,
);
