import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { NodeState } from '../../src/core/cluster.js';
import type { LabKubernetes } from '../../src/lab/kubernetes/api-server.js';
import type { StandIn } from '../../src/lab/kubernetes/stand-in.js';
import { workloadCases } from '../helpers/kubernetes-cases.js';
import { NEW, OLD, roll } from '../helpers/kubernetes-workloads.js';
import {
  KUBERNETES_STARTS_WITHIN_MS,
  startPretendedKubernetes,
  type PretendedKubernetes,
} from '../helpers/pretended-kubernetes.js';

/**
 * The driver and StatefulSets against a real API server, controller manager and scheduler. Its pods are the one thing that is not real: they run
 * nothing, and become ready or fail as they are told.
 */

const TIMEOUT_MS = 180_000;
let lab: PretendedKubernetes;
let kubernetes: LabKubernetes;
let standIn: StandIn;

beforeAll(async () => {
  lab = await startPretendedKubernetes('sets');
  ({ kubernetes, standIn } = lab);
}, KUBERNETES_STARTS_WITHIN_MS);

afterAll(async () => {
  await lab?.stop();
}, 60_000);

const { open, counts, stateOf } = workloadCases(() => kubernetes);

const versionsOf = (nodes: readonly NodeState[], role = 'history') =>
  nodes.filter((node) => node.role === role && node.leaving !== true).map(({ version }) => version);

describe('StatefulSets, by image', () => {
  test(
    'forward and back, one ordinal a step; what was set is put back',
    async () => {
      const { namespace, driver } = await open({ kind: 'StatefulSet', spec: { podManagementPolicy: 'Parallel' } });
      const before = await stateOf(namespace, 'history', 'statefulset');
      const seen: Record<string, unknown> = {};
      const look = async (node: string) => {
        if (node.startsWith('history'))
          seen[node] = { ...(await counts(namespace)), slots: versionsOf(await driver.listNodes()) };
      };
      await roll(driver, 'forward', NEW, look);
      expect(seen).toEqual({
        'history-1': { new: 1, old: 2, slots: [NEW, OLD, OLD] },
        'history-2': { new: 2, old: 1, slots: [NEW, NEW, OLD] },
        'history-3': { new: 3, old: 0, slots: [NEW, NEW, NEW] },
      });
      expect(await stateOf(namespace, 'history', 'statefulset')).toEqual(before);
      await roll(driver, 'back', OLD, look);
      expect(seen).toMatchObject({ 'history-3': { new: 2, old: 1, slots: [NEW, NEW, OLD] } });
      expect(await counts(namespace)).toEqual({ old: 3, new: 0 });
      expect(await stateOf(namespace, 'history', 'statefulset')).toEqual(before);
    },
    TIMEOUT_MS,
  );

  test(
    'one that does not come up is put back alone, and the roll goes back from the middle',
    async () => {
      const { namespace, driver } = await open({ kind: 'StatefulSet' }, { startTimeout: 15_000 });
      await driver.replaceNode?.('history-1', NEW);
      standIn.behave({ tag: NEW, namespace }, { kind: 'never-ready' });
      await expect(driver.replaceNode?.('history-2', NEW)).rejects.toThrow(/not ready/);
      standIn.behave({ tag: NEW, namespace }, undefined);
      await driver.replaceNode?.('history-2', OLD);
      expect(await counts(namespace)).toEqual({ old: 2, new: 1 });
      await roll(driver, 'back', OLD);
      expect(await counts(namespace)).toEqual({ old: 3, new: 0 });
      expect(await stateOf(namespace, 'history', 'statefulset')).toMatchObject({ ours: [] });
    },
    TIMEOUT_MS,
  );
});
