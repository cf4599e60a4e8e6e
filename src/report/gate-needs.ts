import type { GateNeeds } from '../core/decision.js';
import type { IdentityGrade } from '../core/identity.js';

/** What a gate asks of who decides, in one sentence, and who has approved so far. */
export function needsText({ approvers, count, given, identity, reasonRequired, starterMayApprove }: GateNeeds): string {
  const people = count === 1 ? 'one person' : `${count} different people`;
  const asked = [
    `${people}${approvers === undefined ? '' : ` of ${approvers.join(', ')}`}`,
    GRADE_TEXTS[identity],
    ...(starterMayApprove ? [] : ['not who started it']),
    ...(reasonRequired ? ['with a reason'] : []),
  ];
  return `${asked.join(', ')}${given.length === 0 ? '' : `; approved so far: ${given.join(', ')}`}`;
}

/** How sure a name is, for people. */
export const GRADE_TEXTS: Readonly<Record<IdentityGrade, string>> = {
  said: 'by the name that is said',
  claimed: 'by the identity that the client claims',
  proved: 'by the principal that the server proves',
};
