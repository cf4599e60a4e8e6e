import type { LoadRequest } from '../contract/activities.js';
import type { Observation } from '../core/observation.js';
import type { Done } from './conductor.js';
import type { ObserveContext } from './hop-context.js';
import { NotGoodEnough } from './interruptions.js';

/**
 * Measures for the agreed window and has it judged; a window without enough evidence is extended as often as the policy
 * allows. @throws NotGoodEnough with every check that did not pass
 */
export async function observePhase(
  { conductor, target, place, policy, load }: ObserveContext,
  what: string,
  baseline?: Observation,
): Promise<Done<Observation>> {
  const { window, extensions, bounds } = policy.observation;
  let windowMs = window;
  for (let extended = 0; ; extended += 1) {
    const { observation, verdict } = await conductor.interruptible(() =>
      target.act.observe.executeWithOptions({ summary: what }, [
        {
          target: place.target,
          windowMs,
          bounds,
          baseline,
          load: load satisfies LoadRequest | undefined,
        },
      ]),
    );
    if (verdict.verdict === 'pass') return { summary: verdict.summary, value: observation };
    if (verdict.verdict === 'fail' || extended >= extensions) {
      throw new NotGoodEnough([`${what}: ${verdict.verdict}`, ...verdict.lines].join('\n'));
    }
    windowMs *= 2;
  }
}
