import { messageOf } from '../../core/errors.js';
import type { Seen } from '../../core/survey/seen.js';
import { forEachAtOnce } from '../at-once.js';

/** What `looking` finds, or why it could not: what a target says, or that it says nothing, stops no survey. */
export async function look<T>(looking: () => Promise<T>): Promise<Seen<T>> {
  try {
    return { seen: await looking() };
  } catch (error) {
    return { unseen: messageOf(error) };
  }
}

/** Results in the order of `items`, with at most `atOnce` of them under way; fails as {@link forEachAtOnce}. */
export async function mapAtMost<T, R>(
  atOnce: number,
  items: readonly T[],
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  await forEachAtOnce([...items.entries()], { atOnce }, async ([index, item]) => {
    results[index] = await work(item);
  });
  return results;
}
