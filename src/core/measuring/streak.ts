import type { BeatCount, Streak } from './observation.js';

/** What something answered at one beat; undefined when it was not asked, or nothing was heard of it. */
export type Answer = 'good' | 'bad' | undefined;

/** Answers of all beats of a window in order, as a streak. */
export function streakOf(answers: readonly Answer[]): Streak {
  let worst = { beats: 0, bad: 0 };
  let open = { beats: 0, bad: 0 };
  for (const answer of answers) {
    open =
      answer === 'good' ? { beats: 0, bad: 0 } : { beats: open.beats + 1, bad: open.bad + (answer === 'bad' ? 1 : 0) };
    worst = { beats: Math.max(worst.beats, open.beats), bad: Math.max(worst.bad, open.bad) };
  }
  return { good: answers.filter((answer) => answer === 'good').length, worst, open };
}

/** The worst item, by a number that grows with badness; the first of equals. Undefined for an empty list. */
export function worstBy<T>(items: readonly T[], badness: (item: T) => number): T | undefined {
  return items.toSorted((a, b) => badness(b) - badness(a))[0];
}

/** Share of beats that may be worse than what a window is said to have: as many may be missing. */
const EXCEPTIONS = 0.1;

/** A number over all beats of a window. */
export interface Sustained {
  /** Never below 0. What it was not above at all beats but a tenth. Where that is `unclear`, what it was above for sure. */
  readonly value: number;
  /** Too many beats have none. */
  readonly unclear: boolean;
}

/**
 * What a number was at all beats but a tenth; a beat without one counts as worse than any, so that leaving samples out never
 * makes it better. Undefined where no beat has one.
 */
export function sustained(values: readonly (number | undefined)[]): Sustained | undefined {
  const known = values.filter((value) => value !== undefined);
  const missing = values.length - known.length;
  const worstFirst = known.toSorted((a, b) => b - a);
  const exceptions = Math.floor(values.length * EXCEPTIONS);
  const unclear = missing > exceptions;
  return known.length === 0
    ? undefined
    : { value: worstFirst[unclear ? exceptions : exceptions - missing] ?? 0, unclear };
}

/** The middle of all beats; one without a number counts as more than any. Undefined when the middle has none. */
export function medianOf(values: readonly (number | undefined)[]): number | undefined {
  const middle = values.map((value) => value ?? Infinity).toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
  return middle === undefined || middle === Infinity ? undefined : middle;
}

/** How many of the due beats were seen, and whether both ends were. */
export function countBeats(seen: readonly boolean[]): BeatCount {
  return {
    due: seen.length,
    seen: seen.filter(Boolean).length,
    ends: seen.length > 0 && seen[0] === true && seen.at(-1) === true,
  };
}
