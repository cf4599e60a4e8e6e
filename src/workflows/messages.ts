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

/** Shown beside the message in the Web UI's list. */
export const DECISION_DESCRIPTIONS: Record<DecisionKind, string> = {
  approve:
    'Let the open gate pass: {"gate":"live/1.30.7/schema","by":"you"}. At an incident: go on in spite of it, with "by" and "reason".',
  reject: 'Refuse the open gate: {"gate":"…","by":"you","reason":"…"}. Then retry, rollBack or abort decides.',
  pause: 'Start no further phase until resume: {"by":"you","reason":"…"}.',
  resume: 'Go on after pause: {"by":"you"}.',
  abort:
    'End the roll-out at the next safe point: {"by":"you","reason":"…"}. Servers and schemas stay as they are then.',
  retry: 'Do the failed phase again: {"gate":"<gate of the incident>","by":"you"}.',
  rollBack:
    'Put the servers of this hop back to the version before: {"gate":"<gate of the incident>","by":"you","reason":"…"}.',
  restore:
    'Last resort: ask for the backups of this hop. Opens a gate that says what would be lost; changes nothing by itself: {"gate":"<gate of the incident>","by":"you","reason":"…"}.',
};

export const statusQuery = defineQuery<RolloutStatus>('status');
/** Answered once both targets have been looked at. */
export const reportQuery = defineQuery<ReportRequest>('report');

/** Stop the load, or the meter, for good; sent by the roll-out. */
export const stopLoadSignal = defineSignal('stopLoad');
export const stopMeterSignal = defineSignal('stopMeter');
