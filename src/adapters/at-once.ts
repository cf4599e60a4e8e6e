/**
 * Does `work` for every item, at most `atOnce` at a time. After a failure or an abort no further item is begun; it throws
 * only when everything begun has ended, so that what the work uses can be closed.
 */
export async function forEachAtOnce<T>(
  items: readonly T[],
  { atOnce, signal }: { readonly atOnce: number; readonly signal?: AbortSignal | undefined },
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  let failed = false;
  const worker = async () => {
    for (const item of queue) {
      if (failed) return;
      signal?.throwIfAborted();
      await work(item).catch((error: unknown) => {
        failed = true;
        throw error;
      });
    }
  };
  await allEnded(Array.from({ length: atOnce }, worker));
}

/** As `Promise.all`, but throws the first failure only when all have ended: none goes on behind the back of its caller. */
export async function allEnded<T>(under: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(under);
  return Promise.all(under);
}
