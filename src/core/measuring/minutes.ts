import { worstBy } from './streak.js';
import { outsideOf, type Gaps, type Span } from './gaps.js';
import type { Segment } from './rises.js';
import type { ErrorCounts, WorstMinute } from './observation.js';

const MINUTE_MS = 60_000;

/** Calls between two moments: those that were there for sure; errors that may have been; calls that surely were. */
export interface Piece extends Span, ErrorCounts {}

const NO_GAPS: Gaps = { sure: [], possible: [] };

/**
 * What segments have outside of gaps. When in a segment its calls were is not known: of one that a gap touches, or may touch, all
 * errors may have been outside, and none for sure.
 */
export function piecesOf(segments: readonly Segment[], { sure, possible }: Gaps = NO_GAPS): Piece[] {
  return segments.flatMap(({ from, to, values }) => {
    const [errors, requests] = [values.errors ?? 0, values.requests ?? 0];
    const untouched = outsideOf({ from, to }, possible);
    if (untouched.length === 1 && untouched[0]?.from === from && untouched[0].to === to)
      return [{ from, to, errors, requests, atMost: errors, atLeast: requests }];
    return outsideOf({ from, to }, sure).map((left): Piece => ({
      ...left,
      errors: 0,
      requests: 0,
      atMost: errors,
      atLeast: 0,
    }));
  });
}

/** All of these together. */
export function sumPieces(pieces: readonly Piece[]): ErrorCounts {
  const sum = (key: keyof ErrorCounts) => pieces.reduce((all, piece) => all + piece[key], 0);
  return { errors: sum('errors'), requests: sum('requests'), atMost: sum('atMost'), atLeast: sum('atLeast') };
}

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
  pieces: readonly Piece[],
  { from, to, minRequests }: MinutesRequest,
): WorstMinute | undefined {
  if (pieces.length === 0) return undefined;
  const minutes = minutesOf(from, to).map((minute) => measure(pieces, minute));
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

function measure(pieces: readonly Piece[], [begin, end]: readonly [number, number]): WorstMinute {
  const counts = { errors: 0, requests: 0, atMost: 0, atLeast: 0 };
  for (const piece of pieces) {
    const overlap = Math.min(piece.to, end) - Math.max(piece.from, begin);
    if (overlap <= 0) continue;
    const share = overlap / (piece.to - piece.from);
    counts.errors += piece.errors * share;
    counts.requests += piece.requests * share;
    counts.atMost += piece.atMost;
    if (piece.from >= begin && piece.to <= end) counts.atLeast += piece.atLeast;
  }
  return { at: new Date(begin).toISOString(), ...counts };
}
