import type { Check, ErrorCounts, GapsWindow } from '../measuring/observation.js';
import { formatValue } from './check-line.js';
import type { Case } from './check.js';

/** What a gap of a role makes of a check that failed on the whole of a roll. */
interface Excused extends Pick<Check, 'verdict'>, Partial<Pick<Check, 'value' | 'bound' | 'samples'>> {}
type Excuse = (one: Check, gaps: GapsWindow, given: Case) => Excused;

/** What a client cannot but meet while the only process of a role is replaced. That a call failed for good is still told. */
const EXCUSES: Readonly<Partial<Record<string, Excuse>>> = {
  'error-ratio': (one, { outside }, given) => judgeErrors(one, outside, given),
  'error-minute': (one, { worstMinute }, given) => judgeErrors(one, worstMinute, given),
  'probe-gap': (one, { longestMs, possible }) => {
    const value = one.value ?? Infinity;
    const bound = (one.bound ?? 0) + longestMs;
    const mayBe = value <= (one.bound ?? 0) + (possible?.longestMs ?? longestMs);
    return { bound, verdict: value <= bound ? 'pass' : mayBe ? 'inconclusive' : 'fail' };
  },
  // The probe is an open loop: as large a share of its attempts fell into the gaps as they are of the window.
  'probe-failed-attempts': (one, { ms, possible }, { observation: { startedAt, endedAt }, bounds }) => {
    const boundFor = (gapMs: number) =>
      Math.min(1, (one.bound ?? 0) + gapMs / (Date.parse(endedAt) - Date.parse(startedAt)));
    const failed = (one.value ?? Infinity) * one.samples;
    const isWithin = (bound: number) => failed <= bound * Math.max(one.samples, bounds.minRequests);
    const [bound, mayBe] = [boundFor(ms), boundFor(possible?.ms ?? ms)];
    return { bound, verdict: isWithin(bound) ? 'pass' : isWithin(mayBe) ? 'inconclusive' : 'fail' };
  },
};

/**
 * Judges anew, without the time in which a role was without its only process, what failed on the whole of a roll. What
 * was not known stays so, and a database is never excused.
 */
export function withoutUnavoidableGaps(given: Case, checks: readonly Check[]): Check[] {
  const { gaps, kind } = given.observation;
  if (gaps === undefined || (gaps.possible?.ms ?? gaps.ms) === 0 || kind !== 'roll') return [...checks];
  const roles = given.expected?.singleRoles ?? [];
  const unseen = (gaps.possible?.ms ?? gaps.ms) - gaps.ms;
  const maybe = unseen > 0 ? `, and nobody looked for ${formatValue(unseen, 'ms')} more` : '';
  const reason = `without ${formatValue(gaps.ms, 'ms')} in which a role had no process${maybe}; ${roles.join(', ')}: one process each`;
  return checks.map((one) => {
    const excused = mayBeExcused(one) ? EXCUSES[one.id]?.(one, gaps, given) : undefined;
    if (excused === undefined) return one;
    return { ...one, ...excused, about: one.about === undefined ? reason : `${one.about}; ${reason}` };
  });
}

/** A minute that may have been full of errors is as good as one that was: else one more error in a gap would better it. */
function mayBeExcused({ id, verdict, value }: Check): boolean {
  return verdict === 'fail' || (id === 'error-minute' && verdict === 'inconclusive' && value !== null);
}

/** As the whole is: what was measured outside decides a fail, what may have been decides a pass. */
function judgeErrors(one: Check, outside: ErrorCounts | undefined, { bounds }: Case): Excused {
  if (outside === undefined || (outside.atMost === 0 && outside.atLeast === 0)) return { verdict: 'not-judged' };
  const { errors, requests, atMost, atLeast } = outside;
  const allowed = (of: number) => (one.bound ?? 0) * Math.max(of, bounds.minRequests);
  const verdict = errors > allowed(requests) ? 'fail' : atMost <= allowed(atLeast) ? 'pass' : 'inconclusive';
  return { verdict, value: requests > 0 ? errors / requests : 0, samples: Math.round(requests) };
}
