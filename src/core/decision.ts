import { z } from 'zod';
import type { EventPlace, Identity, IdentityGrade } from './identity.js';
import { PLACEHOLDERS } from './shown-payload.js';

/** What a person can say. `approve` at an incident means: go on in spite of it, and needs a reason. */
export const DECISION_KINDS = [
  'approve',
  'reject',
  'pause',
  'resume',
  'abort',
  'retry',
  'rollBack',
  'restore',
] as const;
export type DecisionKind = (typeof DECISION_KINDS)[number];

/** What people write in place of a field's name, in whatever letters. */
const SPELLINGS: Readonly<Record<string, keyof DecisionPayload>> = {
  gate: 'gate',
  gatename: 'gate',
  by: 'by',
  user: 'by',
  approver: 'by',
  reason: 'reason',
  comment: 'reason',
  why: 'reason',
};

/**
 * Payload of every decision. The simplest is `{"gate":"live/1.30.7/schema"}`; the bare name of the gate is taken too, and such
 * an object as text, which is what a form makes of it that quotes what is typed.
 */
export const DecisionPayload = z.preprocess(
  (value) => withUsualNames(asObject(value)),
  z.strictObject({
    gate: z.string().trim().min(1).max(200).optional(),
    by: z.string().trim().min(1).max(200).optional(),
    // Carried from run to run with every other decision, and the state of a run has to fit in one message.
    reason: z.string().trim().min(1).max(2_000).optional(),
  }),
);

function asObject(value: unknown): unknown {
  if (typeof value !== 'string') return value ?? {};
  if (!value.trim().startsWith('{')) return { gate: value };
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return { gate: value };
  }
}

/** A field that is there by its own name stays; another spelling of it is then one too many, and is told. */
function withUsualNames(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const named = Object.entries(value).map(([key, content]) => {
    const name = key.toLowerCase().replaceAll(/[_-]/g, '');
    const usual = Object.hasOwn(SPELLINGS, name) ? SPELLINGS[name] : undefined;
    return [usual !== undefined && !Object.hasOwn(value, usual) ? usual : key, content] as const;
  });
  return Object.fromEntries(named);
}
export type DecisionPayload = z.infer<typeof DecisionPayload>;

/** What the workflow gets in place of a payload that could not be decoded: the reason. */
export const UnreadablePayload = z.strictObject({ unreadablePayload: z.string() });
export type UnreadablePayload = z.infer<typeof UnreadablePayload>;

/** Names under which people send a decision, in whatever letters, beside its own. */
const KINDS_BY_NAME: Readonly<Record<string, DecisionKind>> = {
  ...Object.fromEntries(DECISION_KINDS.map((kind) => [kind.toLowerCase(), kind])),
  approved: 'approve',
  ok: 'approve',
  rejected: 'reject',
  deny: 'reject',
  paused: 'pause',
  continue: 'resume',
  cancel: 'abort',
};

/** The decision that a signal of this name means: `Approve` and `roll-back` too; undefined when it is none. */
export function kindNamed(name: string): DecisionKind | undefined {
  const usual = name.toLowerCase().replaceAll(/[\s_-]/g, '');
  return Object.hasOwn(KINDS_BY_NAME, usual) ? KINDS_BY_NAME[usual] : undefined;
}

export interface Decision extends DecisionPayload {
  readonly kind: DecisionKind;
}

/** A decision as it was received, counted or not; nothing that a person sent is dropped. */
export interface DecisionRecord extends DecisionPayload {
  readonly kind: DecisionKind | 'unknown';
  /** The name under which it was sent, where that is another one. */
  readonly sentAs?: string | undefined;
  readonly at: string;
  /** `policy`: what the input said beforehand was to be done then. */
  readonly via: 'signal' | 'update' | 'policy';
  /** Who sent it by the event in the workflow's history, beside what `by` says; empty where nothing is known. */
  readonly identity?: Omit<Identity, 'said'> | undefined;
  /** The event by which it came, for auditors; absent where it could not be looked up, and for what the policy decided. */
  readonly event?: EventPlace | undefined;
  /** The name by which it was judged, and how sure that is. */
  readonly who?: { readonly name: string; readonly grade: IdentityGrade } | undefined;
  /** What the gate showed when it was decided; of decisions that counted there. */
  readonly evidence?: readonly string[] | undefined;
  readonly counted: boolean;
  /** Why it did not count. */
  readonly refused?: string | undefined;
}

/** Who decided, for people: the name by which it was judged. */
export function decidedBy({ who, by }: Pick<DecisionRecord, 'who' | 'by'>): string {
  return who?.name ?? by ?? 'somebody';
}

/** That somebody said no, and why. */
export function rejectedLine(record: Pick<DecisionRecord, 'who' | 'by' | 'reason'>, gate: string): string {
  return `${decidedBy(record)} rejected ${gate}${record.reason === undefined ? '' : `: ${record.reason}`}`;
}

/** A point where the roll-out waits for a person. */
export interface Gate {
  /** `<environment>/<version>/<phase>`; an incident adds `/incident/<number>`, so that an old click never fits a new one. */
  readonly name: string;
  readonly kind: 'approval' | 'incident';
  readonly allowed: readonly DecisionKind[];
  /** What the decision rests on, a line each. */
  readonly evidence: readonly string[];
  readonly openedAt: string;
  /** What the policy asks of who decides; absent where anybody may. */
  readonly needs?: GateNeeds | undefined;
  /** When it becomes an incident by itself, ISO 8601. */
  readonly expiresAt?: string | undefined;
}

export interface GateNeeds {
  readonly identity: IdentityGrade;
  readonly approvers?: readonly string[] | undefined;
  readonly reasonRequired: boolean;
  readonly starterMayApprove: boolean;
  /** How many different people have to approve, and who has so far. */
  readonly count: number;
  readonly given: readonly string[];
}

/** What the roll-out is in the middle of, as far as decisions depend on it. */
export interface Situation {
  readonly gate?: Gate | undefined;
  readonly paused: boolean;
  readonly aborting: boolean;
  /** Nothing can be decided any more. */
  readonly over: boolean;
  /** Name of the hop (`<environment>/<version>`) whose servers can be rolled back now. */
  readonly reversibleHop?: string | undefined;
  /** Why the servers alone cannot go back, a line each; empty or absent where they can. */
  readonly irreversible?: readonly string[] | undefined;
  /** Who decides is known by the event, so that nobody has to say it. */
  readonly isKnown?: boolean | undefined;
}

/** Reads what a person sent; `problem` says why it is no decision. */
export function readDecision(kind: DecisionKind, payload: unknown): { decision: Decision; problem?: string } {
  const parsed = DecisionPayload.safeParse(payload);
  if (parsed.success) {
    const decision = { kind, ...parsed.data };
    const left = leftPlaceholder(parsed.data);
    return left === undefined ? { decision } : { decision, problem: left };
  }
  const unreadable = UnreadablePayload.safeParse(payload);
  const why = unreadable.success
    ? `it cannot be decoded (${unreadable.data.unreadablePayload}); send JSON, encoding json/plain`
    : parsed.error.issues.map(({ message }) => message).join('; ');
  return { decision: { kind }, problem: `the payload is not a decision: ${why}` };
}

/** Sent as it was shown: nobody has that name, and nobody would know later why. */
function leftPlaceholder({ by, reason }: DecisionPayload): string | undefined {
  if (by === PLACEHOLDERS.by) return `"by" is ${by} still: put your name there`;
  return reason === PLACEHOLDERS.reason ? `"reason" is ${reason} still: say why` : undefined;
}

/** Why `decision` does not count in `situation`; undefined when it counts. */
export function refusalOf(decision: Decision, situation: Situation): string | undefined {
  if (situation.over) return 'the roll-out is over';
  if (situation.aborting) return 'the roll-out is being aborted already';
  switch (decision.kind) {
    case 'abort':
      return undefined;
    case 'pause':
      return situation.paused ? 'it is paused already' : undefined;
    case 'resume':
      return situation.paused ? undefined : 'it is not paused';
    case 'rollBack':
      return refusalOfRollBack(decision, situation);
    default:
      return refusalAtGate(decision, situation);
  }
}

function refusalOfRollBack(decision: Decision, situation: Situation): string | undefined {
  const { reversibleHop, irreversible = [], gate } = situation;
  const namesHop = decision.gate !== undefined && decision.gate === reversibleHop;
  const namesIncident = decision.gate !== undefined && decision.gate === gate?.name && gate.kind === 'incident';
  if (irreversible.length > 0 && (namesHop || namesIncident)) return noWayBackByServers(irreversible);
  return namesHop ? undefined : refusalAtGate(decision, situation);
}

/** Why a roll-back is not to be had, and what is. */
export function noWayBackByServers(reasons: readonly string[]): string {
  return `the servers alone cannot go back: ${reasons.join('; ')}. Only the backup can: decide restore at an incident of the hop`;
}

function refusalAtGate(
  { kind, gate, by, reason }: Decision,
  { gate: open, isKnown = false }: Situation,
): string | undefined {
  const anonymous = by === undefined && !isKnown;
  if (gate === undefined) {
    return `${kind} has to name its gate${open === undefined ? '; none is open now' : `: {"gate":"${open.name}"}`}`;
  }
  if (open === undefined) return `gate ${gate} is not open; no gate is`;
  if (open.name !== gate) return `gate ${gate} is not open; the open one is ${open.name}`;
  if (!open.allowed.includes(kind)) return `${kind} is not possible at ${gate}; possible: ${open.allowed.join(', ')}`;
  // What a failure is let pass with stays in the report: who, and why.
  if (open.kind === 'incident' && kind === 'approve' && (reason === undefined || anonymous)) {
    return 'going on in spite of an incident needs a name and a reason: {"gate":"…","by":"…","reason":"…"}';
  }
  if (kind === 'restore' && (reason === undefined || anonymous)) {
    return 'asking for the backup needs a name and a reason: {"gate":"…","by":"…","reason":"…"}';
  }
  return undefined;
}
