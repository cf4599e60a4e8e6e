import type { Bounds } from '../input/bounds.js';
import type { Round } from '../measuring/round.js';
import { cutWindow } from '../measuring/window.js';
import type { Observation } from '../measuring/observation.js';
import { judge } from './judge.js';

const DAY_MS = 24 * 3_600_000;
const DAYS_BACK = 7;

/**
 * A baseline for a window out of the same hours of an earlier day, the nearest that lay before `until` (ISO 8601) and is
 * itself judged a pass: load differs by the hour, and what went wrong once is nothing to compare with. Undefined when there
 * is none.
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
    if (judge({ observation, bounds }).verdict === 'pass') return observation;
  }
  return undefined;
}
