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

/** A number over all beats of a window, of which some may be missing. */
export interface Sustained {
  /** Never below 0. What it was not above at all beats but the exceptions, if those that are missing were as low as can be. */
  readonly value: number;
  /** The same if those that are missing were worse than all others; null where it may have been anything. */
  readonly upTo: number | null;
}

/** What a number was at all beats but a tenth. Undefined where no beat has one. */
export function sustained(values: readonly (number | undefined)[]): Sustained | undefined {
  return exceptFor(Math.floor(values.length * EXCEPTIONS), values);
}

/** What a number was in the middle of all beats, the higher one of two. Undefined where no beat has one. */
export function medianOf(values: readonly (number | undefined)[]): Sustained | undefined {
  return exceptFor(Math.ceil(values.length / 2) - 1, values);
}

/**
 * What a number was at all beats but so many. Both ends are kept, so that a sample that is missing neither hides what was
 * seen at others nor is taken for a bad one.
 */
function exceptFor(exceptions: number, values: readonly (number | undefined)[]): Sustained | undefined {
  const known = values.filter((value) => value !== undefined);
  const missing = values.length - known.length;
  const worstFirst = known.toSorted((a, b) => b - a);
  if (known.length === 0) return undefined;
  return {
    value: worstFirst[exceptions] ?? 0,
    upTo: missing > exceptions ? null : (worstFirst[exceptions - missing] ?? 0),
  };
}

/** How many of the due beats were seen, and whether both ends were. */
export function countBeats(seen: readonly boolean[]): BeatCount {
  return {
    due: seen.length,
    seen: seen.filter(Boolean).length,
    ends: seen.length > 0 && seen[0] === true && seen.at(-1) === true,
  };
}
