import { z } from 'zod';
import type { LabKubernetes } from '../lab/kubernetes/api-server.js';
import { KubeApi } from '../lab/kubernetes/kube-api.js';
import { follow } from '../lab/kubernetes/kube-follow.js';
import type { WatchedPod } from './role-overhead.js';

const Pod = z.object({
  metadata: z.object({ labels: z.record(z.string(), z.string()) }),
  status: z
    .object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]) })
    .prefault({}),
});

/**
 * Sees when pods of a namespace come and become ready, by a watch and a clock of its own: the API's times are whole seconds, and the
 * driver's word is what is measured.
 */
export class PodWatch implements Disposable {
  private readonly pods = new Map<string, WatchedPod>();
  private readonly ending = new AbortController();

  private constructor(private readonly api: KubeApi) {}

  static async start({ access }: LabKubernetes, namespace: string): Promise<PodWatch> {
    const watch = new PodWatch(await KubeApi.connect(access));
    const follower = { onObject: watch.see.bind(watch), onGone: () => undefined };
    await follow(watch.api, `/api/v1/namespaces/${namespace}/pods`, follower, watch.ending.signal);
    return watch;
  }

  /** All that were seen, those that are gone too. */
  get seen(): readonly WatchedPod[] {
    return [...this.pods.values()];
  }

  [Symbol.dispose](): void {
    this.ending.abort();
    this.api.close();
  }

  private see(object: unknown, uid: string): void {
    const { metadata, status } = Pod.parse(object);
    const now = performance.now();
    const before = this.pods.get(uid) ?? { role: metadata.labels['app.kubernetes.io/component'] ?? '', seenAt: now };
    const isReady = status.conditions.some(({ type, status: is }) => type === 'Ready' && is === 'True');
    const readyAt = before.readyAt ?? (isReady ? now : undefined);
    this.pods.set(uid, { ...before, readyAt });
  }
}
