import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { judgeDecision, matches, type ApprovalCase } from '../../src/core/approval.js';
import type { Decision, DecisionKind, Gate, Situation } from '../../src/core/decision.js';
import { IDENTITY_GRADES, nameOf, type Identity } from '../../src/core/identity.js';
import { ApprovalPolicy } from '../../src/core/input/approval.js';

const NAME = 'live/1.31.2/schema';
const GATE: Gate = {
  name: NAME,
  kind: 'approval',
  allowed: ['approve', 'reject', 'abort'],
  evidence: [],
  openedAt: '2026-01-01T00:00:00.000Z',
};
const INCIDENT: Gate = {
  ...GATE,
  name: 'live/1.31.2/settle/incident/2',
  kind: 'incident',
  allowed: ['approve', 'retry', 'abort', 'restore'],
};
const at = (gate: Gate): Situation => ({ gate, paused: false, aborting: false, over: false });
const STARTER: Identity = { claimed: 'ada@ops', proved: 'ada' };

type PolicyText = Parameters<typeof ApprovalPolicy.parse>[0];
const rules = (policy: PolicyText, given: readonly string[] = [], starter = STARTER): ApprovalCase => ({
  at: 'policy.approval.live',
  policy: ApprovalPolicy.parse(policy),
  starter,
  given,
});
/** Who sends `identity` says so too where it has a name that is said. */
const sent = (kind: DecisionKind, identity: Identity, more: Partial<Decision> = {}) => ({
  decision: { kind, gate: NAME, ...(identity.said === undefined ? {} : { by: identity.said }), ...more },
  identity,
});
const refusal = (
  sender: ReturnType<typeof sent>,
  policy: PolicyText,
  { given, starter, situation = at(GATE) }: { given?: string[]; starter?: Identity; situation?: Situation } = {},
) => judgeDecision(sender, situation, rules(policy, given, starter)).refused;

describe('by default', () => {
  test.each<[string, Identity]>([
    ['a name that is said', { said: 'ben' }],
    ['nobody, as from the Web UI', {}],
    ['a client that claims another name', { said: 'ben', claimed: '4711@host' }],
  ])('%s counts', (_, identity) => {
    expect(judgeDecision(sent('approve', identity), at(GATE), rules({}))).toMatchObject({
      refused: undefined,
      takesEffect: true,
    });
  });

  test('nothing is held against a policy before there is one', () => {
    expect(judgeDecision(sent('approve', {}), at(GATE), undefined)).toMatchObject({ takesEffect: true });
  });

  test('what the gate itself asks comes first', () => {
    expect(refusal(sent('retry', { said: 'ben' }), {})).toMatch(/^retry is not possible at/);
    expect(
      refusal(sent('approve', {}, { gate: INCIDENT.name, reason: 'known' }), {}, { situation: at(INCIDENT) }),
    ).toMatch(/needs a name and a reason/);
  });
});

describe('does not count', () => {
  test.each<[string, ReturnType<typeof sent>, PolicyText, RegExp]>([
    ['no name where names are listed', sent('approve', {}), { approvers: ['ben'] }, /say who you are/],
    ['no name where two are needed', sent('approve', {}), { count: 2 }, /say who you are/],
    [
      'a name that is not listed',
      sent('approve', { said: 'eve' }),
      { approvers: ['ben', '*@sre'] },
      /^eve is not among/,
    ],
    [
      'a listed name that is only said',
      sent('approve', { said: 'ben' }),
      { approvers: ['ben'], identity: 'claimed' },
      /has no identity/,
    ],
    ['a name that is only claimed', sent('approve', { claimed: 'ben' }), { identity: 'proved' }, /has no principal/],
    [
      'a name other than the one that is claimed',
      sent('approve', { said: 'ben', claimed: 'eve' }),
      { identity: 'claimed' },
      /says it is by ben, but its identity is eve/,
    ],
    [
      'a name other than the one that is proved',
      sent('approve', { said: 'ben', proved: 'eve' }),
      { identity: 'proved' },
      /its principal is eve/,
    ],
    [
      'who started it',
      sent('approve', { claimed: 'Ada@ops' }),
      { identity: 'claimed', starterMayApprove: false },
      /started this roll-out/,
    ],
    ['no reason', sent('approve', { said: 'ben' }), { reasonRequired: true }, /reasonRequired/],
    [
      'an abort by somebody who is not listed',
      sent('abort', { said: 'eve' }),
      { approvers: ['ben'] },
      /^eve is not among/,
    ],
    [
      'a resume by somebody who is not listed',
      sent('resume', { said: 'eve' }),
      { approvers: ['ben'] },
      /^eve is not among/,
    ],
  ])('%s', (_, sender, policy, why) => {
    expect(refusal(sender, policy, { situation: { ...at(GATE), paused: sender.decision.kind === 'resume' } })).toMatch(
      why,
    );
  });

  test('the same person twice, in whatever letters', () => {
    expect(refusal(sent('approve', { said: 'BEN' }), { count: 2 }, { given: ['ben'] })).toMatch(/has approved already/);
  });

  test('anybody, where nobody can be told from who started it', () => {
    const policy: PolicyText = { identity: 'proved', starterMayApprove: false };
    expect(refusal(sent('approve', { proved: 'ben' }), policy, { starter: { claimed: 'ada' } })).toMatch(
      /nobody can be told/,
    );
  });

  test('what could not be looked up, with the reason', () => {
    const sender = { ...sent('approve', {}), identityProblem: 'the history could not be read' };
    expect(refusal(sender, { identity: 'claimed' })).toContain('(the history could not be read)');
  });
});

describe('counts', () => {
  test.each<[string, ReturnType<typeof sent>, PolicyText]>([
    ['a pause by anybody', sent('pause', {}), { approvers: ['ben'], identity: 'proved', reasonRequired: true }],
    ['a refusal by anybody', sent('reject', {}), { approvers: ['ben'], identity: 'proved' }],
    ['a listed person', sent('approve', { said: 'Ben@sre' }), { approvers: ['*@SRE'] }],
    [
      'a proved person who says no name',
      sent('approve', { proved: 'ben' }),
      { approvers: ['ben'], identity: 'proved' },
    ],
    ['who started it, where that may be', sent('approve', { claimed: 'ada@ops' }), { identity: 'claimed' }],
    [
      'who started it, to refuse',
      sent('abort', { claimed: 'ada@ops' }),
      { identity: 'claimed', starterMayApprove: false },
    ],
  ])('%s', (_, sender, policy) => {
    expect(refusal(sender, policy)).toBeUndefined();
  });

  test('an approval in spite of an incident without "by", where the event says who it was', () => {
    const sender = sent('approve', { claimed: 'ben' }, { gate: INCIDENT.name, reason: 'known' });
    expect(refusal(sender, { identity: 'claimed' }, { situation: at(INCIDENT) })).toBeUndefined();
  });

  test('the first of two approvals, which opens nothing yet', () => {
    const judged = judgeDecision(sent('approve', { said: 'ben' }), at(GATE), rules({ count: 2 }));
    expect(judged).toEqual({ who: { name: 'ben', grade: 'said' }, refused: undefined, takesEffect: false });
  });
});

/** Some people with names of every grade, some of which contradict each other. */
const person = fc.record(
  Object.fromEntries(IDENTITY_GRADES.map((grade) => [grade, fc.constantFrom('ada', 'ben', 'Ben', 'cleo', 'eve@sre')])),
  { requiredKeys: [] },
) as fc.Arbitrary<Identity>;
const policies = fc
  .record(
    {
      approvers: fc.subarray(['ada', 'ben', 'cl*', '*@sre', '*'], { minLength: 1 }),
      identity: fc.constantFrom(...IDENTITY_GRADES),
      count: fc.integer({ min: 1, max: 3 }),
      starterMayApprove: fc.boolean(),
      reasonRequired: fc.boolean(),
    },
    { requiredKeys: [] },
  )
  .filter((policy) => ApprovalPolicy.safeParse(policy).success);
const kinds = fc.constantFrom<DecisionKind>('approve', 'reject', 'pause', 'retry', 'abort');

test('no sequence of decisions passes a gate without what the policy asks for', () => {
  const senders = fc.array(
    fc.record({
      kind: kinds,
      who: person,
      reason: fc.option(fc.constant('because'), { nil: undefined }),
      here: fc.boolean(),
    }),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(policies, person, senders, (policy, starter, sequence) => {
      const { identity, approvers, count, starterMayApprove, reasonRequired } = ApprovalPolicy.parse(policy);
      const counted: (Identity & { reason: string | undefined })[] = [];
      for (const { kind, who, reason, here } of sequence) {
        const given = counted.map((each) => each[identity] ?? '');
        const sender = sent(kind, who, { gate: here ? NAME : 'live/1.30.7/schema', reason });
        const { refused, takesEffect } = judgeDecision(sender, at(GATE), rules(policy, given, starter));
        if (refused !== undefined || kind !== 'approve') continue;
        expect(here).toBe(true);
        counted.push({ ...who, reason });
        if (!takesEffect) continue;
        // Passed: by as many different people as are asked for, each of them one whom the policy allows.
        const names = counted.map((each) => each[identity]?.toLowerCase());
        if (count > 1) expect(new Set(names).size).toBeGreaterThanOrEqual(count);
        for (const each of counted) {
          const name = each[identity];
          if (identity !== 'said') expect(name).toBeDefined();
          if (identity !== 'said' && each.said !== undefined) expect(each.said).toBe(name);
          if (approvers !== undefined) expect(approvers.some((pattern) => matches(pattern, name ?? ''))).toBe(true);
          if (!starterMayApprove) expect(name?.toLowerCase()).not.toBe(starter[identity]?.toLowerCase());
          if (reasonRequired) expect(each.reason).toBeDefined();
        }
        return;
      }
      expect(counted.length).toBeLessThan(count);
    }),
    { numRuns: 5_000 },
  );
});

test.each([
  ['ada', 'ada', true],
  ['ada', 'Ada', true],
  ['ada', 'adam', false],
  ['ad*', 'adam', true],
  ['*@sre.example.com', 'ada@sre.example.com', true],
  ['*@sre.example.com', 'ada@sre.example.com.evil.org', false],
  ['*@sre.example.com', 'ada@sreXexample.com', false],
  ['a*b*c', 'a-b-c', true],
  ['a*b*c', 'a-c-b', false],
  ['a*a', 'a', false],
  ['*', '', true],
  ['a.c', 'abc', false],
])('pattern %s and name %s: %s', (pattern, name, expected) => {
  expect(matches(pattern, name)).toBe(expected);
});

test.each<[Identity, (typeof IDENTITY_GRADES)[number], object | undefined]>([
  [{}, 'said', undefined],
  [{ said: 'a', claimed: 'b', proved: 'c' }, 'said', { name: 'a', grade: 'said' }],
  [{ said: 'a', claimed: 'b' }, 'proved', { name: 'a', grade: 'said' }],
  [{ claimed: 'b', proved: 'c' }, 'said', { name: 'c', grade: 'proved' }],
  [{ claimed: 'b' }, 'said', { name: 'b', grade: 'claimed' }],
])('%j, where %s is asked for, is known as %j', (identity, grade, expected) => {
  expect(nameOf(identity, grade)).toEqual(expected);
});

test.each<[PolicyText, RegExp]>([
  [{ starterMayApprove: false }, /anybody can say any name/],
  [{ automatic: true, count: 2 }, /2 people have to approve/],
  [{ expires: 0 }, /could ever be passed/],
  [{ approvers: [] }, /.+/],
  [{ approvers: [' '] }, /.+/],
  [{ count: 0 }, /.+/],
])('%j is refused', (policy, why) => {
  const { error } = ApprovalPolicy.safeParse(policy);
  expect(error?.issues.map(({ message }) => message).join('; ')).toMatch(why);
});
