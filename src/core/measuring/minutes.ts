import { worstBy } from './streak.js';
import type { Segment } from './rises.js';
import type { WorstMinute } from './observation.js';

const MINUTE_MS = 60_000;

/** What is looked through, in milliseconds since 1970, and how many requests count as evidence. */
export interface MinutesRequest {
  readonly from: number;
  readonly to: number;
  /** Of the bounds that the window is judged by: chosen by any other number, the worst minute is not the one that fails. */
  readonly minRequests: number;
}

/**
 * The minute with the highest share of unexpected errors. Samples do not fall on minutes: what lies in a minute for sure
 * and what may lie in it are told apart, so that a missing sample can only make it look worse.
 */
export function worstMinute(
  segments: readonly Segment[],
  { from, to, minRequests }: MinutesRequest,
): WorstMinute | undefined {
  if (segments.length === 0) return undefined;
  const minutes = minutesOf(from, to).map((minute) => measure(segments, minute));
  // No request at all and an error is worse than any share; no error is none.
  const share = (errors: number, requests: number) => errors / Math.max(requests, minRequests, Number.EPSILON);
  const worst = worstBy(minutes, ({ errors, requests }) => share(errors, requests));
  const possible = worstBy(minutes, ({ atMost, atLeast }) => share(atMost, atLeast));
  return worst && possible && { ...worst, atMost: possible.atMost, atLeast: possible.atLeast };
}

/** The last one ends with the window, and may overlap with the one before it. */
function minutesOf(from: number, to: number): (readonly [number, number])[] {
  const whole = Math.max(1, Math.ceil((to - from) / MINUTE_MS));
  return Array.from({ length: whole }, (_, index) => {
    const begin = Math.max(from, Math.min(from + index * MINUTE_MS, to - MINUTE_MS));
    return [begin, Math.min(to, begin + MINUTE_MS)] as const;
  });
}

function measure(segments: readonly Segment[], [begin, end]: readonly [number, number]): WorstMinute {
  const counts = { errors: 0, requests: 0, atMost: 0, atLeast: 0 };
  for (const { from, to, values } of segments) {
    const overlap = Math.min(to, end) - Math.max(from, begin);
    if (overlap <= 0) continue;
    const share = overlap / (to - from);
    const [errors, requests] = [values.errors ?? 0, values.requests ?? 0];
    counts.errors += errors * share;
    counts.requests += requests * share;
    counts.atMost += errors;
    if (from >= begin && to <= end) counts.atLeast += requests;
  }
  return { at: new Date(begin).toISOString(), ...counts };
}
