import type { Observation } from '../core/observation.js';
import type { Done } from './conductor.js';
import type { ObserveContext } from './hop-context.js';
import { observePhase } from './observe-phase.js';

/** Looks spread over the time, however long it is: few enough for the history of one run. */
const MOST_LOOKS = 12;

/**
 * Keeps an eye on live for the agreed time before the roll-out closes. Each look is an observation as in a hop, judged
 * against the first one. @throws NotGoodEnough with every check that did not pass
 */
export async function watchLive(context: ObserveContext): Promise<Done<number>> {
  const { conductor, place, policy } = context;
  const { name } = place.target;
  const { watchLive: ms, observation } = policy;
  const looks = Math.max(1, Math.min(MOST_LOOKS, Math.floor(ms / observation.window)));
  let first: Observation | undefined;
  for (let look = 1; look <= looks; look += 1) {
    await conductor.waitVisibly(`watch ${name}`, ms / looks);
    const { value } = await observePhase(context, `look ${look} of ${looks} at ${name}`, first);
    first ??= value;
  }
  return { summary: `${name} was looked at ${looks} times while it was watched, each time well`, value: looks };
}
