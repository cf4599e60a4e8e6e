import { z } from 'zod';

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

/** Payload of every decision. The simplest is `{"gate":"live/1.30.7/schema"}`; the bare name of the gate is taken too. */
export const DecisionPayload = z.preprocess(
  (value) => (typeof value === 'string' ? { gate: value } : (value ?? {})),
  z.strictObject({
    gate: z.string().min(1).max(200).optional(),
    by: z.string().min(1).max(200).optional(),
    // Carried from run to run with every other decision, and the state of a run has to fit in one message.
    reason: z.string().min(1).max(2_000).optional(),
  }),
);
export type DecisionPayload = z.infer<typeof DecisionPayload>;

/** What the workflow gets in place of a payload that could not be decoded: the reason. */
export const UnreadablePayload = z.strictObject({ unreadablePayload: z.string() });
export type UnreadablePayload = z.infer<typeof UnreadablePayload>;

export interface Decision extends DecisionPayload {
  readonly kind: DecisionKind;
}

/** A decision as it was received, counted or not; nothing that a person sent is dropped. */
export interface DecisionRecord extends Decision {
  readonly at: string;
  /** `policy`: what the input said beforehand was to be done then. */
  readonly via: 'signal' | 'update' | 'policy';
  readonly counted: boolean;
  /** Why it did not count. */
  readonly refused?: string | undefined;
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
}

/** Reads what a person sent; `problem` says why it is no decision. */
export function readDecision(kind: DecisionKind, payload: unknown): { decision: Decision; problem?: string } {
  const parsed = DecisionPayload.safeParse(payload);
  if (parsed.success) return { decision: { kind, ...parsed.data } };
  const unreadable = UnreadablePayload.safeParse(payload);
  const why = unreadable.success
    ? `it cannot be decoded (${unreadable.data.unreadablePayload}); send JSON, encoding json/plain`
    : parsed.error.issues.map(({ message }) => message).join('; ');
  return { decision: { kind }, problem: `the payload is not a decision: ${why}` };
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

function refusalAtGate({ kind, gate, by, reason }: Decision, { gate: open }: Situation): string | undefined {
  if (gate === undefined) {
    return `${kind} has to name its gate${open === undefined ? '; none is open now' : `: {"gate":"${open.name}"}`}`;
  }
  if (open === undefined) return `gate ${gate} is not open; no gate is`;
  if (open.name !== gate) return `gate ${gate} is not open; the open one is ${open.name}`;
  if (!open.allowed.includes(kind)) return `${kind} is not possible at ${gate}; possible: ${open.allowed.join(', ')}`;
  // What a failure is let pass with stays in the report: who, and why.
  if (open.kind === 'incident' && kind === 'approve' && (reason === undefined || by === undefined)) {
    return 'going on in spite of an incident needs a name and a reason: {"gate":"…","by":"…","reason":"…"}';
  }
  if (kind === 'restore' && (reason === undefined || by === undefined)) {
    return 'asking for the backup needs a name and a reason: {"gate":"…","by":"…","reason":"…"}';
  }
  return undefined;
}
