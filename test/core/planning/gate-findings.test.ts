import { expect, test } from '@jest/globals';
import type { Identity } from '../../../src/core/identity.js';
import { ApprovalPolicy } from '../../../src/core/input/approval.js';
import { gateFindings } from '../../../src/core/planning/gate-findings.js';

type PolicyText = Parameters<typeof ApprovalPolicy.parse>[0];
const NOW = Date.parse('2026-01-05T12:00:00Z');
const found = (live: PolicyText, starter?: Identity) =>
  gateFindings({ staging: ApprovalPolicy.parse({}), live: ApprovalPolicy.parse(live) }, starter, NOW).map(
    ({ id, severity, found: what }) => `${severity} ${id}: ${what}`,
  );

const YEAR = { timeZone: 'Europe/Berlin', open: [{ from: '22:00', to: '05:00' }] };
const CLOSED = { ...YEAR, closed: [{ from: '2026-01-01', to: '2027-12-31' }] };
const IDENTITY: Identity = { claimed: 'ada@ops' };

test.each<[string, PolicyText, Identity | undefined, string[]]>([
  ['nothing of a policy that asks for nothing', {}, undefined, []],
  ['nothing of windows that open', { windows: YEAR }, undefined, []],
  [
    'that windows never open',
    { windows: CLOSED },
    IDENTITY,
    ['block windows-closed: policy.approval.live.windows do not open within a year'],
  ],
  [
    'that the start proves nobody',
    { identity: 'proved' },
    IDENTITY,
    ['warn no-principal: policy.approval.live.identity is proved, but the start of this roll-out carries no principal'],
  ],
  ['nothing where it does', { identity: 'proved', starterMayApprove: false }, { proved: 'ada' }, []],
  [
    'before there is a start, that not every control plane can',
    { identity: 'proved' },
    undefined,
    [
      'warn no-principal: policy.approval.live.identity is proved, and not every control plane proves who sends something',
    ],
  ],
  [
    'that nobody can be told from who started it',
    { identity: 'claimed', starterMayApprove: false },
    {},
    [
      'warn starter-unknown: policy.approval.live.starterMayApprove is false, but the start of this roll-out does not say by whom it was',
    ],
  ],
  ['nothing of that before there is a start', { identity: 'claimed', starterMayApprove: false }, undefined, []],
  ['nothing of that where the start says so', { identity: 'claimed', starterMayApprove: false }, IDENTITY, []],
  ...([{ approvers: ['ada'] }, { count: 2 }] as const).map((policy): [string, PolicyText, undefined, string[]] => [
    `that anybody can say any name: ${JSON.stringify(policy)}`,
    policy,
    undefined,
    [
      'note names-are-said: policy.approval.live: who decides is known by the name alone that is sent along; anybody can send any',
    ],
  ]),
])('says %s', (_, policy, starter, findings) => {
  expect(found(policy, starter)).toEqual(findings);
});

test('what to do about each that a person has to do something about', () => {
  const policies: PolicyText[] = [
    { windows: CLOSED },
    { identity: 'proved' },
    { identity: 'claimed', starterMayApprove: false },
  ];
  for (const policy of policies) {
    const approval = { staging: ApprovalPolicy.parse({}), live: ApprovalPolicy.parse(policy) };
    expect(gateFindings(approval, {}, NOW)).toEqual([
      expect.objectContaining({ action: expect.stringMatching(/\S/), expected: expect.stringMatching(/\S/) }),
    ]);
  }
});
