import type { RollBatch } from '../core/planning/roll-batches.js';
import type { HopContext } from './hop-context.js';
import { NotGoodEnough } from './interruptions.js';
import { observePhase, type Window } from './observe-phase.js';

/** How canaries are judged, and what was told of those that were, by role: a good one is not observed again on a retry. */
export interface CanaryWindow extends Pick<Window, 'kind' | 'baseline' | 'expected'> {
  readonly seen: Map<string, string>;
}

/**
 * Observes the target while the first process of a role runs the new version among old ones, from when it serves: its quiet
 * time is observed too. Too little evidence does not
 * stop the roll, whose whole time is judged after it; it is told. @throws NotGoodEnough when it is judged a fail
 */
export async function observeCanary(
  context: HopContext,
  { role, nodes }: RollBatch,
  { seen, ...window }: CanaryWindow,
  since: string | undefined,
): Promise<void> {
  if (seen.has(role)) return;
  const what = `canary ${nodes.join(', ')}`;
  try {
    await observePhase(context, { ...window, what, since, windowMs: context.policy.roll.canary, extensions: 0 });
    seen.set(role, `${what} good`);
  } catch (error) {
    if (!(error instanceof NotGoodEnough) || error.verdict !== 'inconclusive') throw error;
    const [, first = ''] = error.message.split('\n');
    seen.set(role, `${what} ${first}`);
  }
}
