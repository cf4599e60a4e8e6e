import type { Policy } from '../core/input/input.js';
import type { Observation } from '../core/measuring/observation.js';
import type { Done } from './conductor.js';
import type { ObserveContext } from './hop-context.js';
import { NotGoodEnough } from './interruptions.js';
import { observePhase, type Window } from './observe-phase.js';

const HOUR_MS = 3_600_000;
/** Looks spread over the time, however long it is: few enough for the history of one run. */
const MOST_LOOKS = 24;

/** How far the watch has come; kept by the caller, so that one who says retry does not begin it anew. */
export interface WatchProgress {
  looks: number;
  /** Looks that had too little evidence, with their reasons. */
  readonly unclear: string[];
}

/**
 * Keeps an eye on live for the agreed time before the roll-out closes, an hour a look, each judged against the same hours of
 * the day before `untouchedUntil` (ISO 8601), or where there are none against the time just before that.
 * @throws NotGoodEnough with every check that did not pass
 */
export async function watchLive(
  context: ObserveContext,
  { untouchedUntil, progress }: { readonly untouchedUntil: string; readonly progress: WatchProgress },
): Promise<Done<number>> {
  const { conductor, place, policy } = context;
  const { name } = place.target;
  const looks = watchLooks(policy);
  const windowMs = policy.watchLive / looks;
  const baseline = await observeBefore(context, untouchedUntil);
  while (progress.looks < looks) {
    await conductor.passable();
    const what = `watch ${name}: look ${progress.looks + 1} of ${looks}`;
    const window = { kind: 'watch', what, windowMs, baseline, sameHoursUntil: untouchedUntil } as const;
    const problem = await conductor.visibly(what, windowMs, () => lookOnce(context, window));
    progress.looks += 1;
    if (problem !== undefined) progress.unclear.push(problem.split('\n', 2).join('; '));
  }
  const { unclear } = progress;
  if (unclear.length >= looks) throw new NotGoodEnough([`${name}: no look had enough evidence`, ...unclear].join('\n'));
  const good = `${name} was looked at ${looks} times while it was watched, ${looks - unclear.length} times well`;
  if (unclear.length === 0 && baseline !== undefined) return { summary: good, value: looks };
  const because = [
    ...(unclear.length === 0 ? [] : [`${unclear.length} times with too little evidence (${unclear[0] ?? ''})`]),
    ...(baseline === undefined ? ['with no time before the first hop to compare with'] : []),
  ];
  return { summary: [good, ...because].join(', '), value: looks, unproved: true };
}

/** How many looks the agreed time is made of. */
export function watchLooks({ watchLive: ms }: Pick<Policy, 'watchLive'>): number {
  return Math.min(MOST_LOOKS, Math.ceil(ms / HOUR_MS));
}

/** What it was like before anything touched it; undefined when too little was seen of it. */
async function observeBefore(context: ObserveContext, untouchedUntil: string): Promise<Observation | undefined> {
  const from = new Date(Date.parse(untouchedUntil) - context.policy.observation.window).toISOString();
  const window = { kind: 'baseline', what: 'before the first hop', past: { from, to: untouchedUntil } } as const;
  try {
    return (await observePhase(context, window)).value;
  } catch (error) {
    if (error instanceof NotGoodEnough) return undefined;
    throw error;
  }
}

/** One look. What it lacked, when there was too little evidence: a quiet hour is no reason to wake somebody. */
async function lookOnce(context: ObserveContext, window: Window): Promise<string | undefined> {
  try {
    await observePhase(context, { ...window, extensions: 0 });
    return undefined;
  } catch (error) {
    if (error instanceof NotGoodEnough && error.verdict === 'inconclusive') return error.message;
    throw error;
  }
}
