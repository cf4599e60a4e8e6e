import { setTimeout as sleep } from 'node:timers/promises';

/** Servers look at their copies of search attributes and namespaces every ten seconds; Elasticsearch takes longer. */
export const USABLE_WITHIN_MS = 60_000;
const IN_A_ROW = 16;
const ASK_AGAIN_MS = 500;

/**
 * Asks until the answer was yes several times in a row: each frontend and each history process has a copy of its own of what
 * was just registered. `ask` gets how many there were so far. False when it has not come to that within `withinMs`
 * milliseconds (a minute when left out). @throws what `ask` throws
 */
export async function answersInARow(
  ask: (number: number) => Promise<boolean>,
  options: { readonly signal?: AbortSignal | undefined; readonly withinMs?: number | undefined } = {},
): Promise<boolean> {
  const { signal, withinMs = USABLE_WITHIN_MS } = options;
  const giveUpAt = Date.now() + withinMs;
  for (let answers = 0; answers < IN_A_ROW;) {
    if (await ask(answers)) {
      answers += 1;
      continue;
    }
    answers = 0;
    if (Date.now() > giveUpAt) return false;
    await sleep(ASK_AGAIN_MS, undefined, { signal });
  }
  return true;
}
