import type { RolloutRef } from '../contract/activities.js';
import { isOver } from './is-over.js';

const LOOK_MS = 30_000;

/**
 * Does `work`, and stops it when the roll-out that wanted it is over: one that was terminated cannot say so itself. `work` has
 * to return when its signal is aborted; what it throws then counts as its end.
 */
export async function untilOver(
  rollout: RolloutRef,
  signal: AbortSignal | undefined,
  work: (stop: AbortSignal) => Promise<void>,
): Promise<void> {
  const over = new AbortController();
  const watch = setInterval(() => {
    isOver(rollout).then(
      (yes) => yes && over.abort(),
      () => undefined, // the control plane is away; asked again soon
    );
  }, LOOK_MS);
  try {
    await work(AbortSignal.any([over.signal, ...(signal === undefined ? [] : [signal])]));
  } catch (error) {
    if (!over.signal.aborted || signal?.aborted === true) throw error;
  } finally {
    clearInterval(watch);
  }
}
