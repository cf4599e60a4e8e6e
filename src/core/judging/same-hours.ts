import type { Bounds } from '../input/bounds.js';
import type { Round } from '../measuring/round.js';
import { cutWindow } from '../measuring/window.js';
import type { Observation } from '../measuring/observation.js';

const DAY_MS = 24 * 3_600_000;
const DAYS_BACK = 7;
/** With fewer samples of that time it says too little of it. */
const ENOUGH = 0.8;

/**
 * A baseline for a window out of the same hours of an earlier day, the nearest that was sampled well enough and lay before
 * `until` (ISO 8601): load differs by the hour. Undefined when there is none.
 */
export function sameHours(request: {
  readonly cut: (ends: { readonly from: number; readonly to: number }) => readonly Round[];
  readonly from: number;
  readonly to: number;
  readonly beatMs: number;
  readonly until: string | undefined;
  readonly bounds: Bounds;
}): Observation | undefined {
  const { cut, from, to, beatMs, until, bounds } = request;
  if (until === undefined) return undefined;
  for (let days = 1; days <= DAYS_BACK; days += 1) {
    const ends = { from: from - days * DAY_MS, to: to - days * DAY_MS };
    if (ends.to > Date.parse(until)) continue;
    const { minRequests } = bounds;
    const observation = cutWindow(cut(ends), { kind: 'baseline', ...ends, beatMs, minRequests });
    const { due, seen } = observation.beats;
    if (seen >= due * ENOUGH) return observation;
  }
  return undefined;
}
