import type { LedgerFile } from './ledger-file.js';

/** From a moment on (milliseconds since 1970), until the next one: what is not done, and was when the load began. */
interface Later {
  readonly at: number;
  readonly leftOut: readonly string[];
}

/**
 * Writes down what a process of the load leaves out of its profile. What the first one left out is kept: a later one that
 * leaves out more does not exercise what its windows are compared with, and that has to be known.
 */
export function noteLeftOut(
  file: LedgerFile,
  {
    leftOut,
    cannot,
    now,
  }: { readonly leftOut: readonly string[]; readonly cannot: readonly string[]; readonly now: number },
): void {
  file.writeMeta('leftOut', JSON.stringify(leftOut));
  const first = file.readMeta('firstLeftOut');
  if (first === undefined) {
    file.writeMeta('firstLeftOut', JSON.stringify(cannot));
    return;
  }
  // By name alone: the same thing may be refused in other words.
  const known = new Set(textsOf(JSON.parse(first)).map(nameOf));
  const more = cannot.filter((item) => !known.has(nameOf(item)));
  const before = laterOf(file);
  const changed = JSON.stringify(before.at(-1)?.leftOut ?? []) !== JSON.stringify(more);
  if (changed) file.writeMeta('laterLeftOut', JSON.stringify([...before, { at: now, leftOut: more }]));
}

/** What the latest process of the load leaves out. */
export function readLeftOut(file: LedgerFile): readonly string[] {
  return textsOf(JSON.parse(file.readMeta('leftOut') ?? '[]'));
}

/** What was not done at some time from `from` until before `to`, though the load did it when it began. */
export function readLeftOutLater(file: LedgerFile, from: number, to: number): readonly string[] {
  const all = laterOf(file);
  const inForce = all.filter(({ at }, index) => at < to && (all[index + 1]?.at ?? Infinity) > from);
  return [...new Set(inForce.flatMap(({ leftOut }) => leftOut))];
}

function laterOf(file: LedgerFile): readonly Later[] {
  return JSON.parse(file.readMeta('laterLeftOut') ?? '[]') as Later[]; // written above alone
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

/** Of `updates (the server refuses them)`. */
function nameOf(item: string): string {
  return item.split(' (', 1)[0] ?? item;
}
