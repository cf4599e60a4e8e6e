import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import type { Driver } from '../../src/adapters/driver.js';
import type { NodeState } from '../../src/core/cluster.js';
import type { KubernetesDriver } from '../../src/core/input/input.js';
import { removeKubernetes, startKubernetes, type LabKubernetes } from '../../src/lab/kubernetes/api-server.js';
import { startStandIn, type StandIn } from '../../src/lab/kubernetes/stand-in.js';
import {
  kubernetesInput,
  NEW,
  OLD,
  openDriver,
  plainWorkloads,
  roll,
  type Plain,
} from '../helpers/kubernetes-workloads.js';

/**
 * The driver and StatefulSets against a real API server, controller manager and scheduler. Its pods are the one thing that is not real: they run
 * nothing, and become ready or fail as they are told.
 */

const TIMEOUT_MS = 180_000;
let directory: string;
let kubernetes: LabKubernetes;
let standIn: StandIn;
let made = 0;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kubernetes-sets-'));
  kubernetes = await startKubernetes({ directory: join(directory, 'cluster') });
  standIn = await startStandIn({ kubernetes });
}, 900_000);

afterAll(async () => {
  await standIn.stop();
  await kubernetes.stop();
  await removeKubernetes(join(directory, 'cluster'));
  await rm(directory, { recursive: true, force: true });
}, 60_000);

interface Opened {
  readonly namespace: string;
  readonly input: KubernetesDriver;
  readonly driver: Driver;
}

/** A namespace of its own with workloads that run. */
async function open(plain: Omit<Plain, 'namespace'> = {}, more: object = {}): Promise<Opened> {
  const namespace = `case-${(made += 1)}`;
  await kubernetes.apply(plainWorkloads({ namespace, ...plain }));
  const input = kubernetesInput(kubernetes.kubeconfig, namespace, more);
  const driver = openDriver(input);
  await waitUntil(async () => (await driver.listNodes()).every(({ running }) => running));
  await waitUntil(async () => (await podsOf(namespace)).every(({ ready }) => ready));
  return { namespace, input, driver };
}

async function waitUntil(holds: () => Promise<boolean>): Promise<void> {
  for (let tried = 0; tried < 600; tried += 1) {
    if (await holds()) return;
    await sleep(100);
  }
  throw new Error('a minute was not enough');
}

const Pods = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), deletionTimestamp: z.string().optional() }),
      spec: z.object({ containers: z.array(z.object({ image: z.string() })) }),
      status: z.object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]) }),
    }),
  ),
});

/** Pods of a role as kubectl sees them, not as the driver does. */
async function podsOf(namespace: string, role?: string) {
  const selector = role === undefined ? [] : ['--selector', `app.kubernetes.io/component=${role}`];
  const text = await kubernetes.kubectl('get', 'pods', '--namespace', namespace, '--output', 'json', ...selector);
  return Pods.parse(JSON.parse(text)).items.map(({ metadata, spec, status }) => ({
    name: metadata.name,
    ending: metadata.deletionTimestamp !== undefined,
    version: spec.containers[0]?.image.split(':')[1] ?? '',
    ready: status.conditions.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
  }));
}

/** How many pods of each version a role has. */
async function counts(namespace: string, role = 'history') {
  const pods = (await podsOf(namespace, role)).filter(({ ending }) => !ending);
  return {
    old: pods.filter(({ version }) => version === OLD).length,
    new: pods.filter(({ version }) => version === NEW).length,
  };
}

/** What of a workload a roll changes and has to put back. */
async function stateOf(namespace: string, role = 'history', kind = 'deployment') {
  const text = await kubernetes.kubectl('get', kind, `temporal-${role}`, '--namespace', namespace, '--output', 'json');
  const { metadata, spec } = z
    .object({
      metadata: z.object({ annotations: z.record(z.string(), z.string()).default({}) }),
      spec: z.looseObject({ paused: z.boolean().optional(), minReadySeconds: z.number().optional() }),
    })
    .parse(JSON.parse(text));
  const ours = Object.keys(metadata.annotations).filter((name) => name.startsWith('temporal-upgrade/'));
  const { strategy, updateStrategy, paused = false, minReadySeconds = 0, replicas } = spec;
  return { ours, strategy, updateStrategy, paused, minReadySeconds, replicas };
}

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
