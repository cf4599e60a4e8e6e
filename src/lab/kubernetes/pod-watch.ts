import { z } from 'zod';
import type { LabKubernetes } from './api-server.js';
import { KubeApi } from './kube-api.js';
import { follow } from './kube-follow.js';

/** A pod as somebody saw it who watches beside the driver. Times in milliseconds, of `performance.now()`. */
export interface WatchedPod {
  /** By its label `app.kubernetes.io/component`. */
  readonly role: string;
  readonly seenAt: number;
  /** Absent while it is not ready. */
  readonly readyAt?: number | undefined;
}

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

  /** Watches until it is disposed of. @throws KubeApiError; Error when the API server cannot be reached */
  static async start({ access }: Pick<LabKubernetes, 'access'>, namespace: string): Promise<PodWatch> {
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
