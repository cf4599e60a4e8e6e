import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { messageOf, UnreachableError } from '../../core/errors.js';
import type { Work } from '../store.js';
import { hasStatus } from './api-error.js';
import { isPassing, type KubeApi, type Query } from './api.js';
import { listOf } from './shapes.js';

const BEGIN_AGAIN_MS = 500;
/** What depends on the time alone, such as patience that ends, is looked at as often. */
const LOOK_EVERY_MS = 1_000;

/** Objects that are watched, and until when. */
export interface Watched<S extends z.ZodType, T> {
  /** Path of the list. */
  readonly path: string;
  readonly query?: Query;
  readonly shape: S;
  /** Called with all objects at first and after each change; what it gives ends the watch. It may throw. */
  readonly look: (items: readonly z.infer<S>[]) => T | undefined;
  readonly timeoutMs: number;
  /** Says why the time was not enough. */
  readonly onTimeout: () => Error | Promise<Error>;
}

const Named = z.object({ metadata: z.object({ uid: z.string() }) });

/**
 * Watches a list until `look` is satisfied. A watch that breaks is begun again from a new list; an API server that is away is
 * waited for, as long as the time is.
 */
export async function watchList<S extends z.ZodType, T>(
  api: KubeApi,
  watched: Watched<S, T>,
  work: Work = {},
): Promise<T> {
  const end = Date.now() + watched.timeoutMs;
  for (;;) {
    work.signal?.throwIfAborted();
    try {
      const found = await watchOnce(api, watched, { end, work });
      if (found !== undefined) return found.value;
    } catch (error) {
      work.signal?.throwIfAborted();
      if (!isPassing(error) && !hasStatus(error, 410)) throw error;
      if (Date.now() >= end && error instanceof UnreachableError) throw error;
      work.onProgress?.(`${messageOf(error)}; asked again`);
      await sleep(BEGIN_AGAIN_MS, undefined, { signal: work.signal });
    }
    if (Date.now() >= end) throw await watched.onTimeout();
  }
}

/** One list and the watch that follows it; undefined when the watch ended before `look` was satisfied. */
async function watchOnce<S extends z.ZodType, T>(
  api: KubeApi,
  { path, query = {}, shape, look }: Watched<S, T>,
  { end, work }: { readonly end: number; readonly work: Work },
): Promise<{ readonly value: T } | undefined> {
  const list = listOf(z.unknown()).parse(await api.get(path, query));
  const items = new Map(list.items.map((item) => [Named.parse(item).metadata.uid, shape.parse(item)]));
  const ending = new AbortController();
  const stop = work.signal === undefined ? ending.signal : AbortSignal.any([ending.signal, work.signal]);
  const seen: { value?: T; failure?: unknown } = {};
  const lookNow = (): void => {
    if (stop.aborted) return;
    try {
      const value = look([...items.values()]);
      if (value !== undefined) seen.value = value;
      else if (Date.now() < end) return;
    } catch (error) {
      seen.failure = error;
    }
    ending.abort();
  };
  lookNow();
  if (!stop.aborted) {
    const ticking = setInterval(lookNow, LOOK_EVERY_MS);
    const atEnd = setTimeout(lookNow, Math.max(0, end - Date.now()) + 1);
    try {
      const from = { ...query, resourceVersion: list.metadata.resourceVersion };
      await api.watch(
        path,
        from,
        ({ type, object }) => {
          // The list is too old: begun again from a new one.
          if (type === 'ERROR') return ending.abort();
          const { uid } = Named.parse(object).metadata;
          if (type === 'DELETED') items.delete(uid);
          else items.set(uid, shape.parse(object));
          lookNow();
        },
        stop,
      );
    } finally {
      clearInterval(ticking);
      clearTimeout(atEnd);
    }
  }
  if ('failure' in seen) throw seen.failure;
  return seen.value === undefined ? undefined : { value: seen.value };
}
