import type { Finding } from '../finding.js';
import type { Identity } from '../identity.js';
import type { Policy } from '../input/input.js';
import { ENVIRONMENTS } from '../plan.js';
import { nextOpening } from '../windows.js';

const SOURCE = 'frontend.enablePrincipalPropagation in common/dynamicconfig/constants.go of the server, since 1.31';
const OWN_RULE = 'docs/gates.md';

/**
 * What stands in the way of the gates that the policy asks for: windows that never open; and what the control plane, by the
 * start of the roll-out, cannot tell of who decides. Before there is a start, `starter` is left out: then it says what the start
 * will have to show. `at` is now, in milliseconds since 1970.
 */
export function gateFindings(approval: Policy['approval'], starter: Identity | undefined, at: number): Finding[] {
  return [...windowFindings(approval, at), ...identityFindings(approval, starter)];
}

function windowFindings(approval: Policy['approval'], now: number): Finding[] {
  return ENVIRONMENTS.flatMap((environment): Finding[] => {
    const { windows } = approval[environment];
    if (windows === undefined || nextOpening(windows, now) !== undefined) return [];
    return [
      {
        id: 'windows-closed',
        severity: 'block',
        found: `policy.approval.${environment}.windows do not open within a year`,
        expected: 'an hour on a day that is not closed',
        action: 'Change "open" or "closed"',
        source: OWN_RULE,
      },
    ];
  });
}

function identityFindings(approval: Policy['approval'], starter: Identity | undefined): Finding[] {
  return ENVIRONMENTS.flatMap((environment): Finding[] => {
    const { identity, starterMayApprove, approvers, count } = approval[environment];
    const at = `policy.approval.${environment}`;
    if (identity === 'proved' && starter?.proved === undefined) {
      return [
        {
          id: 'no-principal',
          severity: 'warn',
          found: `${at}.identity is proved, ${starter === undefined ? 'and not every control plane proves who sends something' : 'but the start of this roll-out carries no principal'}`,
          expected: 'a control plane of 1.31 or later with an authorizer and frontend.enablePrincipalPropagation',
          action: `Unless that is so for whoever decides, no decision on ${environment} will count`,
          source: SOURCE,
        },
      ];
    }
    if (!starterMayApprove && starter !== undefined && starter[identity] === undefined) {
      return [
        {
          id: 'starter-unknown',
          severity: 'warn',
          found: `${at}.starterMayApprove is false, but the start of this roll-out does not say by whom it was`,
          expected: 'a start by a client that sets an identity',
          action: `Nobody can be told from who started it, so no approval on ${environment} will count: start it anew`,
          source: OWN_RULE,
        },
      ];
    }
    if (identity === 'said' && (approvers !== undefined || count > 1)) {
      return [
        {
          id: 'names-are-said',
          severity: 'note',
          found: `${at}: who decides is known by the name alone that is sent along; anybody can send any`,
          source: OWN_RULE,
        },
      ];
    }
    return [];
  });
}
