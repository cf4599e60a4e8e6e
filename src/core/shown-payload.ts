import type { DecisionKind, DecisionPayload, Gate } from './decision.js';

/** What stands in a payload that is shown where a person has to fill something in; sent as it is, it does not count. */
export const PLACEHOLDERS = { by: '<your name>', reason: '<why>' } as const;

type AskedGate = Pick<Gate, 'name' | 'kind' | 'needs'>;

/**
 * The payload with which `kind` counts at the open gate. It names nobody where the event tells who decides: a name that is said
 * beside that would only be refused where the two differ.
 */
export function shownPayload(gate: AskedGate, kind: DecisionKind): DecisionPayload {
  const { by, reason } = PLACEHOLDERS;
  return {
    gate: gate.name,
    ...(needsName(gate, kind) ? { by } : {}),
    ...(needsReason(gate, kind) ? { reason } : {}),
  };
}

/** The decision that is shown ready to be sent. Going on in spite of a failure is never the one that is easiest to send. */
export function shownKind({ kind, allowed }: Pick<Gate, 'kind' | 'allowed'>): DecisionKind {
  if (kind === 'incident' && allowed.includes('retry')) return 'retry';
  return allowed[0] ?? 'approve';
}

/** Whether `kind` does not count at the gate without a reason. */
export function needsReason({ kind: gate, needs }: AskedGate, kind: DecisionKind): boolean {
  if (isOverride(gate, kind)) return true;
  // A gate is refused by anybody, with or without one.
  return needs?.reasonRequired === true && kind !== 'reject' && kind !== 'pause';
}

function needsName({ kind: gate, needs }: AskedGate, kind: DecisionKind): boolean {
  if (needs !== undefined && needs.identity !== 'said') return false;
  if (isOverride(gate, kind)) return true;
  if (needs === undefined || kind === 'reject' || kind === 'pause') return false;
  return needs.approvers !== undefined || (kind === 'approve' && needs.count > 1);
}

function isOverride(gate: Gate['kind'], kind: DecisionKind): boolean {
  return kind === 'restore' || (gate === 'incident' && kind === 'approve');
}
