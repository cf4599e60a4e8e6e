import { describe, expect, test } from '@jest/globals';
import {
  DECISION_KINDS,
  kindNamed,
  readDecision,
  refusalOf,
  type Decision,
  type DecisionKind,
  type Gate,
  type Situation,
} from '../../src/core/decision.js';

const NAME = 'live/1.31.2/schema';
const INCIDENT = 'live/1.31.2/settle/incident/2';
const HOP = 'live/1.31.2';

const approval: Gate = {
  name: NAME,
  kind: 'approval',
  allowed: ['approve', 'reject', 'abort'],
  evidence: [],
  openedAt: '2026-01-01T00:00:00.000Z',
};
const incident = (...allowed: DecisionKind[]): Gate => ({ ...approval, name: INCIDENT, kind: 'incident', allowed });

const IDLE: Situation = { paused: false, aborting: false, over: false };
const AT_GATE: Situation = { ...IDLE, gate: approval };
const AT_INCIDENT: Situation = { ...IDLE, gate: incident('approve', 'retry', 'abort', 'rollBack'), reversibleHop: HOP };
const AT_RESTORABLE: Situation = { ...IDLE, gate: incident('retry', 'abort', 'restore') };
const NO_WAY_BACK = { reversibleHop: HOP, irreversible: ['a table is gone', 'a floor'] };
const REASONS = /^the servers alone cannot go back: a table is gone; a floor\. Only the backup can/;
const AT_HARD_INCIDENT: Situation = { ...IDLE, gate: incident('retry', 'abort') };
const TOUCHED: Situation = { ...IDLE, reversibleHop: HOP };

describe('counts', () => {
  test.each<[Decision, string, Situation]>([
    [{ kind: 'approve', gate: NAME }, 'at its gate', AT_GATE],
    [{ kind: 'reject', gate: NAME }, 'at its gate', AT_GATE],
    [{ kind: 'retry', gate: INCIDENT }, 'at its incident', AT_INCIDENT],
    [{ kind: 'retry', gate: INCIDENT }, 'at an incident that nobody may let pass', AT_HARD_INCIDENT],
    [{ kind: 'approve', gate: INCIDENT, by: 'ada', reason: 'known' }, 'at its incident', AT_INCIDENT],
    [{ kind: 'rollBack', gate: INCIDENT }, 'at its incident', AT_INCIDENT],
    [{ kind: 'rollBack', gate: HOP }, 'at an incident, by the name of the hop', AT_INCIDENT],
    [{ kind: 'rollBack', gate: HOP }, 'between gates, once servers were touched', TOUCHED],
    [{ kind: 'restore', gate: INCIDENT, by: 'ada', reason: 'bad data' }, 'at its incident', AT_RESTORABLE],
    [{ kind: 'pause' }, 'at any time', IDLE],
    [{ kind: 'pause' }, 'at a gate', AT_GATE],
    [{ kind: 'resume' }, 'when it is paused', { ...IDLE, paused: true }],
    [{ kind: 'abort' }, 'at any time', IDLE],
    [{ kind: 'abort' }, 'at a gate', AT_GATE],
    [{ kind: 'abort' }, 'when it is paused', { ...IDLE, paused: true }],
    [{ kind: 'abort', gate: 'whatever' }, 'whatever gate it names', AT_GATE],
  ])('$kind $gate %s', (decision, _, situation) => {
    expect(refusalOf(decision, situation)).toBeUndefined();
  });
});

describe('does not count', () => {
  test.each<[Decision, Situation, string | RegExp]>([
    [{ kind: 'restore', gate: INCIDENT }, AT_RESTORABLE, /needs a name and a reason/],
    [{ kind: 'restore', gate: INCIDENT, by: 'ada' }, AT_RESTORABLE, /needs a name and a reason/],
    [{ kind: 'restore', gate: INCIDENT, by: 'ada', reason: 'bad' }, AT_INCIDENT, /restore is not possible at/],
    [{ kind: 'restore', gate: HOP, by: 'ada', reason: 'bad' }, AT_RESTORABLE, /is not open/],
    [{ kind: 'rollBack', gate: INCIDENT }, { ...AT_RESTORABLE, ...NO_WAY_BACK }, REASONS],
    [{ kind: 'rollBack', gate: HOP }, { ...IDLE, ...NO_WAY_BACK }, REASONS],
    [{ kind: 'rollBack', gate: NAME }, { ...AT_GATE, ...NO_WAY_BACK }, /rollBack is not possible at/],
    [{ kind: 'approve' }, AT_GATE, `approve has to name its gate: {"gate":"${NAME}"}`],
    [{ kind: 'approve' }, IDLE, 'approve has to name its gate; none is open now'],
    [{ kind: 'approve', gate: NAME }, IDLE, `gate ${NAME} is not open; no gate is`],
    [{ kind: 'approve', gate: HOP }, AT_GATE, `gate ${HOP} is not open; the open one is ${NAME}`],
    [{ kind: 'approve', gate: NAME }, AT_INCIDENT, `gate ${NAME} is not open; the open one is ${INCIDENT}`],
    [{ kind: 'approve', gate: `${NAME} ` }, AT_GATE, /is not open/],
    [{ kind: 'approve', gate: NAME.toUpperCase() }, AT_GATE, /is not open/],
    [{ kind: 'retry', gate: NAME }, AT_GATE, `retry is not possible at ${NAME}; possible: approve, reject, abort`],
    [{ kind: 'rollBack', gate: NAME }, AT_GATE, /^rollBack is not possible/],
    [{ kind: 'reject', gate: INCIDENT }, AT_INCIDENT, /^reject is not possible/],
    [{ kind: 'approve', gate: INCIDENT }, AT_INCIDENT, /needs a name and a reason/],
    [{ kind: 'approve', gate: INCIDENT, by: 'ada' }, AT_INCIDENT, /needs a name and a reason/],
    [{ kind: 'approve', gate: INCIDENT, reason: 'known' }, AT_INCIDENT, /needs a name and a reason/],
    [
      { kind: 'approve', gate: INCIDENT, by: 'ada', reason: 'known' },
      AT_HARD_INCIDENT,
      `approve is not possible at ${INCIDENT}; possible: retry, abort`,
    ],
    [{ kind: 'rollBack', gate: INCIDENT }, AT_HARD_INCIDENT, /^rollBack is not possible/],
    [{ kind: 'rollBack' }, TOUCHED, /^rollBack has to name its gate/],
    [{ kind: 'rollBack', gate: HOP }, IDLE, `gate ${HOP} is not open; no gate is`],
    [{ kind: 'rollBack', gate: 'live/1.30.7' }, TOUCHED, /is not open/],
    [{ kind: 'approve', gate: HOP }, TOUCHED, /is not open/],
    [{ kind: 'pause' }, { ...IDLE, paused: true }, 'it is paused already'],
    [{ kind: 'resume' }, IDLE, 'it is not paused'],
  ])('%j', (decision, situation, why) => {
    expect(refusalOf(decision, situation)).toEqual(typeof why === 'string' ? why : expect.stringMatching(why));
  });

  test.each(DECISION_KINDS)('%s, once the roll-out is being aborted or over', (kind) => {
    const right: Decision = { kind, gate: INCIDENT, by: 'ada', reason: 'known' };
    expect(refusalOf(right, { ...AT_INCIDENT, aborting: true })).toBe('the roll-out is being aborted already');
    expect(refusalOf(right, { ...AT_INCIDENT, over: true })).toBe('the roll-out is over');
  });
});

test.each<[string, DecisionKind | undefined]>([
  ['approve', 'approve'],
  ['Approve', 'approve'],
  ['approved', 'approve'],
  ['rollBack', 'rollBack'],
  ['rollback', 'rollBack'],
  ['roll-back', 'rollBack'],
  ['ROLL_BACK', 'rollBack'],
  ['continue', 'resume'],
  ['approveAll', undefined],
  ['', undefined],
  ['constructor', undefined],
])('a signal called %j means %s', (name, kind) => {
  expect(kindNamed(name)).toBe(kind);
});

describe('what a person sent', () => {
  test.each<[unknown, object]>([
    [
      { gate: NAME, by: 'ada', reason: 'quiet' },
      { gate: NAME, by: 'ada', reason: 'quiet' },
    ],
    [NAME, { gate: NAME }],
    [undefined, {}],
    [null, {}],
    [{}, {}],
    [{ by: 'ada' }, { by: 'ada' }],
    [` ${NAME}\n`, { gate: NAME }],
    [
      { Gate: ` ${NAME} `, User: 'ada', comment: 'quiet' },
      { gate: NAME, by: 'ada', reason: 'quiet' },
    ],
    [`{"gate": "${NAME}", "by": "ada"}`, { gate: NAME, by: 'ada' }],
    [{ gate_name: NAME }, { gate: NAME }],
    // No JSON; then no gate is called that, which the answer says.
    ['{"gate": }', { gate: '{"gate": }' }],
  ])('%j is read', (payload, decision) => {
    expect(readDecision('approve', payload)).toEqual({ decision: { kind: 'approve', ...decision } });
  });

  test.each<[unknown, RegExp]>([
    [7, /object/],
    [true, /object/],
    [[NAME], /object/],
    ['', /.+/],
    [{ gate: '' }, /.+/],
    [{ gate: 7 }, /string/],
    [{ gate: null }, /string/],
    [{ gate: NAME, who: 'ada' }, /who/],
    // Which of the two would be meant?
    [{ gate: NAME, Gate: HOP }, /Gate/],
    [{ reason: ' ' }, /.+/],
    // A decision is of the kind of the message that brought it.
    [{ gate: NAME, kind: 'abort' }, /kind/],
    [{ gate: 'g'.repeat(201) }, /200/],
    [{ by: 'b'.repeat(201) }, /200/],
    [{ reason: 'r'.repeat(2_001) }, /2000/],
    ['g'.repeat(201), /200/],
    [{ unreadablePayload: 'binary/encrypted: unknown' }, /cannot be decoded \(binary\/encrypted: unknown\); send JSON/],
  ])('%j is told to be no decision, and nothing of it is kept', (payload, why) => {
    const { decision, problem } = readDecision('approve', payload);
    expect(decision).toEqual({ kind: 'approve' });
    expect(problem).toMatch(/^the payload is not a decision: /);
    expect(problem).toMatch(why);
  });
});
