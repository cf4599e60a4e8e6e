/** Which of its databases a store is to the server. */
export type StorePart = 'default' | 'visibility' | 'secondaryVisibility';

export const STORE_PARTS = ['default', 'visibility', 'secondaryVisibility'] as const satisfies readonly StorePart[];

/** Something for each store of a cluster. Most have no second visibility store. */
export interface PerStore<T> {
  readonly default: T;
  readonly visibility: T;
  readonly secondaryVisibility?: T | undefined;
}

/** The stores that there are, in order. */
export function partsIn(all: PerStore<unknown>): StorePart[] {
  return STORE_PARTS.filter((part) => all[part] !== undefined);
}

/** What there is for each of them, in the same order. */
export function valuesOf<T>(all: PerStore<T>): T[] {
  return partsIn(all).map((part) => ofPart(all, part));
}

/** What `make` gives for each store that there is. */
export function mapStores<T, U>(all: PerStore<T>, make: (one: T, part: StorePart) => U): PerStore<U> {
  const { secondaryVisibility } = all;
  return {
    default: make(all.default, 'default'),
    visibility: make(all.visibility, 'visibility'),
    ...(secondaryVisibility === undefined
      ? {}
      : { secondaryVisibility: make(secondaryVisibility, 'secondaryVisibility') }),
  };
}

/** The same where each takes time, side by side. */
export async function mapStoresAsync<T, U>(
  all: PerStore<T>,
  make: (one: T, part: StorePart) => Promise<U>,
): Promise<PerStore<U>> {
  const made = mapStores(all, make);
  const [main, visibility, second] = await Promise.all([made.default, made.visibility, made.secondaryVisibility]);
  return { default: main, visibility, ...(second === undefined ? {} : { secondaryVisibility: second }) };
}

/** The same, one after the other. */
export async function mapStoresInTurn<T, U>(
  all: PerStore<T>,
  make: (one: T, part: StorePart) => Promise<U>,
): Promise<PerStore<U>> {
  const main = await make(all.default, 'default');
  const visibility = await make(all.visibility, 'visibility');
  const { secondaryVisibility: second } = all;
  if (second === undefined) return { default: main, visibility };
  return { default: main, visibility, secondaryVisibility: await make(second, 'secondaryVisibility') };
}

/** The value of a store that is known to be there. @throws TypeError when it is not */
export function ofPart<T>(all: PerStore<T>, part: StorePart): T {
  const found = all[part];
  if (found === undefined) throw new TypeError(`there is no ${part} store`);
  return found;
}

/** Both visibility stores have the same schema; servers write each. */
export function roleOfPart(part: StorePart): 'default' | 'visibility' {
  return part === 'default' ? 'default' : 'visibility';
}
