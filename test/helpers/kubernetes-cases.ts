import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Driver } from '../../src/adapters/driver.js';
import type { KubernetesDriver } from '../../src/core/input/input.js';
import type { LabKubernetes } from '../../src/lab/kubernetes/api-server.js';
import { plainWorkloads, type PlainWorkloads } from '../../src/lab/kubernetes/plain-workloads.js';
import { kubernetesInput, NEW, OLD, openDriver } from './kubernetes-workloads.js';

export interface Opened {
  readonly namespace: string;
  readonly input: KubernetesDriver;
  readonly driver: Driver;
}

/** Waits until it holds. @throws Error after a minute */
export async function waitUntil(holds: () => Promise<boolean>): Promise<void> {
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

/** What tests of workloads open and look at, each in a namespace of its own of the cluster that is there by then. */
export function workloadCases(kubernetes: () => LabKubernetes) {
  let opened = 0;
  /** The namespace that `open` makes next. */
  const nextNamespace = () => `case-${opened + 1}`;

  /** A namespace of its own with workloads that run. */
  async function open(plain: Partial<Omit<PlainWorkloads, 'namespace'>> = {}, more: object = {}): Promise<Opened> {
    const namespace = nextNamespace();
    opened += 1;
    await kubernetes().apply(plainWorkloads({ namespace, version: OLD, ...plain }));
    const input = kubernetesInput(kubernetes().kubeconfig, namespace, more);
    const driver = openDriver(input);
    await waitUntil(async () => (await driver.listNodes()).every(({ running }) => running));
    await waitUntil(async () => (await podsOf(namespace)).every(({ ready }) => ready));
    return { namespace, input, driver };
  }

  /** Pods of a role as kubectl sees them, not as the driver does. */
  async function podsOf(namespace: string, role?: string) {
    const selector = role === undefined ? [] : ['--selector', `app.kubernetes.io/component=${role}`];
    const text = await kubernetes().kubectl('get', 'pods', '--namespace', namespace, '--output', 'json', ...selector);
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
    const text = await kubernetes().kubectl(
      'get',
      kind,
      `temporal-${role}`,
      '--namespace',
      namespace,
      '--output',
      'json',
    );
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

  return { open, nextNamespace, podsOf, counts, stateOf };
}
