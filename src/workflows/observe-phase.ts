import type { ObserveRequest } from '../contract/activities.js';
import { openLines, type Observation } from '../core/measuring/observation.js';
import type { Done } from './conductor.js';
import { evidenceWatch, type EvidenceWatch } from './evidence-watch.js';
import { recordOf, type ObserveContext } from './hop-context.js';
import { NotGoodEnough } from './interruptions.js';

/** What is observed, and against what. */
export interface Window extends Pick<
  ObserveRequest,
  'kind' | 'expected' | 'baseline' | 'sameHoursUntil' | 'since' | 'past'
> {
  /** For people: what this window shows. */
  readonly what: string;
  /** Milliseconds; that of the policy when left out. */
  readonly windowMs?: number;
  /** How often it is extended for want of evidence; as often as the policy says when left out. */
  readonly extensions?: number;
}

/**
 * Measures for the agreed window and has it judged; a window without enough evidence is extended as often as the policy
 * allows. One that lies behind is what it is. @throws NotGoodEnough with every check that did not pass
 */
export async function observePhase(context: ObserveContext, window: Window): Promise<Done<Observation>> {
  const { conductor, target, policy } = context;
  const request = observeRequest(context, window);
  const extensions = window.past === undefined ? (window.extensions ?? policy.observation.extensions) : 0;
  let { windowMs } = request;
  for (let extended = 0; ; extended += 1) {
    const { observation, verdict } = await conductor.interruptible(() =>
      target.act.observe.executeWithOptions({ summary: window.what }, [{ ...request, windowMs }]),
    );
    const { endedAt } = observation;
    conductor.judged = { what: window.what, endedAt, verdict: verdict.verdict, checks: verdict.checks };
    if (verdict.verdict === 'pass') return { summary: verdict.summary, value: observation };
    if (verdict.verdict === 'fail' || extended >= extensions) {
      const text = [`${window.what}: ${verdict.verdict}`, ...openLines(verdict)].join('\n');
      throw new NotGoodEnough(text, verdict.verdict, observation);
    }
    windowMs *= 2;
  }
}

/** Keeps looking at what `window` showed while a gate that rests on it is open: no server has changed. `renew` observes anew. */
export function watchOver(context: ObserveContext, window: Window, renew: EvidenceWatch['renew']): EvidenceWatch {
  return evidenceWatch(context.target, { ...observeRequest(context, window), kind: 'schema' }, renew);
}

function observeRequest({ place, policy, load, meter }: ObserveContext, window: Window): ObserveRequest {
  const { window: usual, bounds } = policy.observation;
  const { what, kind, expected, baseline, sameHoursUntil, since, past, windowMs = usual } = window;
  const judged = { windowMs, since, past, kind, bounds, expected, baseline, sameHoursUntil, load, meter };
  return { ...recordOf(place), what, ...judged };
}
