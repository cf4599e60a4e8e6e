import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { ReportRequest } from '../contract/activities.js';
import { DECISION_KINDS, type DecisionKind } from '../core/decision.js';
import type { RolloutStatus } from '../core/status.js';

/** Each decision is a signal, for the Web UI, and an update of the same name, for an answer. Both end in one place. */
export const decisionMessages = DECISION_KINDS.map((kind) => ({
  kind,
  signal: defineSignal<[unknown?]>(kind),
  update: defineUpdate<string, [unknown?]>(kind),
}));

/** Shown beside the message in the Web UI's list. Which fields it takes at a gate the details say: that is up to the policy. */
export const DECISION_DESCRIPTIONS: Record<DecisionKind, string> = {
  approve:
    'Let the open gate pass: {"gate":"live/1.30.7/schema"}; the details show what else it takes. At an incident: go on in spite of it, with "reason".',
  reject: 'Refuse the open gate: {"gate":"…","reason":"…"}. Then retry, rollBack or abort decides.',
  pause: 'Start no further phase until resume: {"reason":"…"}.',
  resume: 'Go on after pause: {}.',
  abort: 'End the roll-out at the next safe point: {"reason":"…"}. Servers and schemas stay as they are then.',
  retry: 'Do the failed phase again: {"gate":"<gate of the incident>"}.',
  rollBack: 'Put the servers of this hop back to the version before: {"gate":"<gate of the incident>","reason":"…"}.',
  restore:
    'Last resort: ask for the backups of this hop. Opens a gate that says what would be lost; changes nothing by itself: {"gate":"<gate of the incident>","reason":"…"}.',
};

export const statusQuery = defineQuery<RolloutStatus>('status');
/** Answered once both targets have been looked at. */
export const reportQuery = defineQuery<ReportRequest>('report');

/** Stop the load, or the meter, for good; sent by the roll-out. */
export const stopLoadSignal = defineSignal('stopLoad');
export const stopMeterSignal = defineSignal('stopMeter');
