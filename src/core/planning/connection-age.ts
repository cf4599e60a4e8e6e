import type { RollSettingRule } from '../catalogue/roll-rules.js';
import { formatDuration } from '../duration.js';
import { stopBoundOf } from './roll-stop-bound.js';
import { DRAIN, MARGIN_SECONDS } from './roll-stop-time.js';
import type { RollRequest } from './roll-target.js';

/** For how long the health of a stopping frontend may fail, and what sets that bound. */
export interface AgeBound {
  readonly atMostSeconds: number;
  readonly bound: string;
  /** The oldest that connections may get for it, in whole seconds; 0 where no age would do. */
  readonly ageSeconds: number;
}

/** For how long it has to fail, so that no connection is left. */
export interface AgeNeeds extends AgeBound {
  /** Longest age of a connection, in milliseconds. */
  readonly ageMs: number;
  readonly seconds: number;
}

/** The bound of a rule by which health fails; undefined for a rule of something else. */
export function ageBound(rule: RollSettingRule, request: RollRequest, drains: boolean): AgeBound | undefined {
  const { connectionAge } = request.catalogue.rules.roll;
  if (rule.connectionAge === undefined || connectionAge === undefined) return undefined;
  const upTo = secondsOf(rule.connectionAge.upTo);
  // A second of drain is the least that a frontend takes.
  const drain = drains ? secondsOf(connectionAge.leastDrain) : 1;
  const stop = stopBoundOf(request, 'frontend');
  const before = Math.floor(stop.ms / 1_000) - MARGIN_SECONDS - drain;
  const atMostSeconds = Math.max(0, Math.min(upTo, before));
  const age = ((atMostSeconds - secondsOf(connectionAge.margin)) * 100) / (100 + connectionAge.spreadPercent);
  const bound =
    before < upTo
      ? `${stop.by} of ${formatDuration(stop.ms)}`
      : `the time that a server of ${request.stopping} has to stop`;
  return { atMostSeconds, bound, ageSeconds: Math.max(0, Math.floor(age)) };
}

/** What outliving every connection asks of such a rule; undefined too where the age of connections is not known. */
export function ageNeeds(rule: RollSettingRule, request: RollRequest, drains: boolean): AgeNeeds | undefined {
  const { connectionAge } = request.catalogue.rules.roll;
  const bound = ageBound(rule, request, drains);
  const { connectionAgeMs: ageMs } = request;
  if (bound === undefined || connectionAge === undefined || ageMs === undefined) return undefined;
  const oldest = Math.ceil((ageMs * (100 + connectionAge.spreadPercent)) / 100_000);
  return { ...bound, ageMs, seconds: oldest + secondsOf(connectionAge.margin) };
}

/** Whether this style waits for connections of this age: default settings for short ones alone, as each frontend takes that long. */
export function followsAge({ ageMs }: AgeNeeds, { policy, catalogue }: RollRequest): boolean {
  const { connectionAge } = catalogue.rules.roll;
  return (
    policy.style === 'strict' || (connectionAge !== undefined && ageMs <= secondsOf(connectionAge.carefulUpTo) * 1_000)
  );
}

/** Whether the rules have frontends drain after their health has failed. */
export function drainFollows(rules: readonly RollSettingRule[]): boolean {
  return rules.some(({ key, connectionAge }) => key === DRAIN && connectionAge === undefined);
}

/** Of the catalogue's `15s`. */
export function secondsOf(text: string): number {
  return Number.parseInt(text, 10);
}
