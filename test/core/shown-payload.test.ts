import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { judgeDecision } from '../../src/core/approval.js';
import { readDecision, type DecisionKind, type Gate, type GateNeeds } from '../../src/core/decision.js';
import { IDENTITY_GRADES } from '../../src/core/identity.js';
import { ApprovalPolicy } from '../../src/core/input/approval.js';
import { PLACEHOLDERS, shownKind, shownPayload } from '../../src/core/shown-payload.js';
import { signalCommand, statusMarkdown } from '../../src/report/status-markdown.js';
import { statusText } from '../../src/report/status-text.js';
import { status } from '../helpers/statuses.js';

const NAME = 'live/1.31.2/schema';
const gate = (kind: Gate['kind'], allowed: readonly DecisionKind[], needs?: GateNeeds): Gate => ({
  name: NAME,
  kind,
  allowed,
  evidence: [],
  openedAt: '2026-01-01T00:00:00.000Z',
  needs,
});

describe('a payload that is shown', () => {
  const plain = { approvers: undefined, reasonRequired: false, starterMayApprove: true, count: 1, given: [] };

  test('names the gate alone where nothing more is asked', () => {
    expect(shownPayload(gate('approval', ['approve']), 'approve')).toEqual({ gate: NAME });
    expect(shownPayload(gate('incident', ['retry']), 'retry')).toEqual({ gate: NAME });
  });

  test('has a place for name and reason where a failure is let pass, and for a backup', () => {
    const incident = gate('incident', ['approve', 'retry', 'restore']);
    for (const kind of ['approve', 'restore'] as const)
      expect(shownPayload(incident, kind)).toEqual({ gate: NAME, by: '<your name>', reason: '<why>' });
  });

  test.each(['claimed', 'proved'] as const)('says no name where it is %s', (identity) => {
    const needs = { ...plain, identity, approvers: ['ben'], count: 2, reasonRequired: true };
    expect(shownPayload(gate('approval', ['approve'], needs), 'approve')).toEqual({ gate: NAME, reason: '<why>' });
  });

  test('does not count while a place in it is left as it was', () => {
    expect(readDecision('approve', { gate: NAME, by: '<your name>' }).problem).toMatch(/^"by" is <your name> still/);
    expect(readDecision('approve', { gate: NAME, reason: '<why>' }).problem).toMatch(/^"reason" is <why> still/);
  });

  test('is never the one that goes on in spite of a failure', () => {
    expect(shownKind(gate('incident', ['approve', 'retry', 'abort']))).toBe('retry');
    expect(shownKind(gate('approval', ['approve', 'reject']))).toBe('approve');
  });
});

const policies = fc
  .record(
    {
      approvers: fc.constantFrom(['ben'], ['b*', '*@sre']),
      identity: fc.constantFrom(...IDENTITY_GRADES),
      count: fc.integer({ min: 1, max: 3 }),
      starterMayApprove: fc.boolean(),
      reasonRequired: fc.boolean(),
    },
    { requiredKeys: [] },
  )
  .filter((policy) => ApprovalPolicy.safeParse(policy).success);
const gates = fc.oneof(
  fc.constant({ kind: 'approval' as const, allowed: ['approve', 'reject', 'abort'] as const }),
  fc
    .subarray(['approve', 'retry', 'abort', 'rollBack', 'restore'] as const, { minLength: 1 })
    .map((allowed) => ({ kind: 'incident' as const, allowed })),
);

/** As a person fills it in, whose name every list of these tests has. */
const filledIn = (payload: string) =>
  payload.replace(PLACEHOLDERS.by, 'ben').replace(PLACEHOLDERS.reason, 'known noise');

test('what is shown at any gate, its places filled in, counts by any policy', () => {
  fc.assert(
    fc.property(policies, gates, (text, { kind: gateKind, allowed }) => {
      const policy = ApprovalPolicy.parse(text);
      const open = gate(gateKind, allowed, { ...policy, given: [] });
      const rules = { at: 'policy.approval.live', policy, starter: { claimed: 'ada', proved: 'ada' }, given: [] };
      const situation = { gate: open, paused: false, aborting: false, over: false };
      const judged = (kind: DecisionKind, payload: unknown) => {
        const { decision, problem } = readDecision(kind, payload);
        // The event says who it is, as far as that is asked for; the payload says what was filled in.
        const grade = policy.identity;
        const identity = { said: decision.by, ...(grade === 'said' ? {} : { [grade]: 'ben' }) };
        return problem ?? judgeDecision({ decision, identity }, situation, rules).refused;
      };
      for (const kind of allowed) {
        expect(judged(kind, JSON.parse(filledIn(JSON.stringify(shownPayload(open, kind)))))).toBeUndefined();
        expect(inCommand(signalCommand('upgrade-prod', kind, open))).toEqual(shownPayload(open, kind));
      }
      const shown = shownKind(open);
      const markdown = statusMarkdown(status({ waiting: { for: 'decision', ...open } }));
      const printed = /```\n(\{.*\})\n```/.exec(markdown)?.[1] ?? '';
      expect(judged(shown, JSON.parse(filledIn(printed)))).toBeUndefined();
      expect(markdown).toContain(`--name ${shown} `);
      // The command line says itself who it is.
      const command = statusText(status({ waiting: { for: 'decision', ...open } }), 0);
      expect(command.includes('--reason')).toBe(shownPayload(open, shown).reason !== undefined);
    }),
  );
});

/** The payload in a command, as a shell reads it: these names need no quoting inside. */
function inCommand(command: string): unknown {
  return JSON.parse(/--input '(.*)'$/.exec(command)?.[1] ?? '');
}
