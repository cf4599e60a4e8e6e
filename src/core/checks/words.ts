import type { Seen } from '../survey/seen.js';

/** `a`, `a and b`, `a, b and c`. */
export function listed(items: readonly string[]): string {
  if (items.length <= 1) return items.join('');
  return `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}

/** The first few, and how many more there are. */
export function fewOf(items: readonly string[], most = 5): string {
  return items.length <= most ? listed(items) : `${items.slice(0, most).join(', ')} and ${items.length - most} more`;
}

/** Names by what is the same of them, in order of first sight. */
export function groupBy<T>(
  items: readonly T[],
  keyOf: (item: T) => string | undefined,
  nameOf: (item: T) => string,
): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>();
  for (const item of items) {
    const key = keyOf(item);
    if (key !== undefined) groups.set(key, [...(groups.get(key) ?? []), nameOf(item)]);
  }
  return groups;
}

/** Names of what was not seen, by the reason. */
export function unseenOf<T>(
  items: readonly T[],
  partOf: (item: T) => Seen<unknown>,
  nameOf: (item: T) => string,
): ReadonlyMap<string, readonly string[]> {
  return groupBy(items, (item) => unseenIn(partOf(item)), nameOf);
}

function unseenIn(part: Seen<unknown>): string | undefined {
  return 'unseen' in part ? part.unseen : undefined;
}
