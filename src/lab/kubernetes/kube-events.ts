import { z } from 'zod';
import { now } from './container-status.js';
import type { KubeApi } from './kube-api.js';
import type { Pod } from './pod.js';

const Created = z.looseObject({ metadata: z.looseObject({ name: z.string() }) });

/** Writes events of pods as a kubelet does: what happens again is counted, not told again. */
export class KubeEvents {
  private readonly known = new Map<string, { name: Promise<string | undefined>; count: number; toldAt: number }>();

  constructor(
    private readonly api: KubeApi,
    private readonly node: string,
  ) {}

  /** Nobody waits for it: an event that cannot be written is lost, as a kubelet's is. */
  tell(pod: Pod, container: string, type: 'Normal' | 'Warning', reason: string, message: string): void {
    const path = `/api/v1/namespaces/${pod.metadata.namespace}/events`;
    const key = [pod.metadata.uid, container, reason, message].join('|');
    const known = this.known.get(key);
    if (known === undefined) {
      const name = this.create(path, eventOf(pod, container, this.node, { type, reason, message }));
      this.known.set(key, { name, count: 1, toldAt: Date.now() });
      return;
    }
    known.count += 1;
    if (Date.now() - known.toldAt < 1_000) return; // a probe fails ten times a second
    known.toldAt = Date.now();
    void known.name
      .then((name) => name && this.api.patch(`${path}/${name}`, { count: known.count, lastTimestamp: now() }))
      .catch(() => undefined);
  }

  private async create(path: string, event: object): Promise<string | undefined> {
    return this.api.create(path, event).then(
      (answer) => Created.parse(answer).metadata.name,
      () => undefined,
    );
  }
}

function eventOf(
  { metadata: { name, namespace, uid } }: Pod,
  container: string,
  node: string,
  told: { readonly type: string; readonly reason: string; readonly message: string },
): object {
  const fieldPath = `spec.containers{${container}}`;
  return {
    metadata: { generateName: `${name}.`, namespace },
    involvedObject: { apiVersion: 'v1', kind: 'Pod', name, namespace, uid, fieldPath },
    ...told,
    source: { component: 'kubelet', host: node },
    reportingComponent: 'kubelet',
    reportingInstance: node,
    ...{ firstTimestamp: now(), lastTimestamp: now(), count: 1 },
  };
}
