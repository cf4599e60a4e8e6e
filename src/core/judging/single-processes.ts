import type { Check } from '../measuring/observation.js';
import type { Case } from './check.js';
import type { CheckId } from './check-texts.js';

/** What a client cannot but meet while the only process of a role is replaced. That a call failed for good is still told. */
const GAPS: readonly CheckId[] = [
  'error-ratio',
  'error-minute',
  'persistence-errors',
  'visibility-errors',
  'probe-failed-attempts',
  'probe-gap',
];

/** Takes the judgement from what a roll cannot keep up where a role has one process: it is shown, with the reason. */
export function withoutUnavoidableGaps({ observation, expected }: Case, checks: readonly Check[]): Check[] {
  const roles = expected?.singleRoles ?? [];
  if (observation.kind !== 'roll' || roles.length === 0) return [...checks];
  const reason = `${roles.join(', ')}: one process each, so nothing answers while it is replaced`;
  return checks.map((one) => {
    const judged = one.verdict === 'fail' || one.verdict === 'inconclusive';
    if (!judged || !GAPS.some((id) => id === one.id)) return one;
    return { ...one, verdict: 'not-judged', about: one.about === undefined ? reason : `${one.about}; ${reason}` };
  });
}
