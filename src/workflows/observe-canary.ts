import type { Observation } from '../core/measuring/observation.js';
import { singleRoles } from '../core/planning/roll-order.js';
import type { HopContext } from './hop-context.js';
import { NotGoodEnough } from './interruptions.js';
import { observePhase } from './observe-phase.js';

/**
 * Observes the target while the first process of a role runs the new version among old ones. Too little evidence does not
 * stop the roll, whose whole time is judged after it; it is told. @returns a line for people
 * @throws NotGoodEnough when it is judged a fail
 */
export async function observeCanary(
  context: HopContext,
  node: string,
  baseline: Observation | undefined,
): Promise<string> {
  const { hop, place, policy } = context;
  const what = `canary ${node}`;
  const expected = { versions: [hop.from, hop.to], singleRoles: singleRoles(place.target.driver.nodes) };
  const windowMs = policy.roll.canary;
  try {
    await observePhase(context, { kind: 'roll', what, baseline, expected, windowMs, extensions: 0 });
    return `${what} good`;
  } catch (error) {
    if (!(error instanceof NotGoodEnough) || error.verdict !== 'inconclusive') throw error;
    const [, first = ''] = error.message.split('\n');
    return `${what} ${first}`;
  }
}
