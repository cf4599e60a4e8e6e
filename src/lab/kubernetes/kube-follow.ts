import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { KubeApi } from './kube-api.js';

const Metadata = z.looseObject({ uid: z.string(), name: z.string(), namespace: z.string().optional() });
const Identified = z.looseObject({ metadata: Metadata });
const List = z.looseObject({
  metadata: z.looseObject({ resourceVersion: z.string() }),
  items: z.array(Identified),
});

const AGAIN_MS = 200;

/** What is told of the objects of one kind. */
export interface Follower {
  /** An object as it is now, new or changed. */
  readonly onObject: (object: unknown, uid: string) => void;
  /** It is gone. */
  readonly onGone: (uid: string) => void;
}

/**
 * Tells of every object at `path`, and of each change, until `signal` aborts: a list and a watch, again whenever the watch ends.
 * An API server that is away is waited for. Resolves when the first list has been told.
 */
export async function follow(api: KubeApi, path: string, follower: Follower, signal: AbortSignal): Promise<void> {
  const known = new Set<string>();
  const list = async () => {
    const { metadata, items } = List.parse(await api.get(path));
    const present = new Set(items.map((item) => item.metadata.uid));
    for (const uid of known) if (!present.has(uid)) gone(uid);
    for (const item of items) told(item);
    return metadata.resourceVersion;
  };
  const gone = (uid: string) => {
    known.delete(uid);
    follower.onGone(uid);
  };
  const told = (item: z.infer<typeof Identified>) => {
    known.add(item.metadata.uid);
    follower.onObject(item, item.metadata.uid);
  };
  const watchFrom = async (resourceVersion: string) => {
    const onEvent = ({ type, object }: { readonly type: string; readonly object?: unknown }) => {
      if (type === 'BOOKMARK') return;
      if (type === 'ERROR') throw new Error(`the watch of ${path} ended: ${JSON.stringify(object)}`); // too old: list again
      const item = Identified.parse(object);
      if (type === 'DELETED') gone(item.metadata.uid);
      else told(item);
    };
    await api.watch(path, { resourceVersion, onEvent, signal });
  };
  const first = await list();
  void (async () => {
    for (let version: string | undefined = first; !signal.aborted;) {
      try {
        version ??= await list();
        await watchFrom(version);
      } catch {
        // The server is away, or the watch is too old: the next list tells what was missed.
      }
      version = undefined;
      if (!signal.aborted) await sleep(AGAIN_MS);
    }
  })();
}
