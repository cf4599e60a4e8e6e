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

/** How many of the due beats were seen, and whether both ends were. */
export function countBeats(seen: readonly boolean[]): BeatCount {
  return {
    due: seen.length,
    seen: seen.filter(Boolean).length,
    ends: seen.length > 0 && seen[0] === true && seen.at(-1) === true,
  };
}
