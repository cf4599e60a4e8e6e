import { countOf, countUpTo, nextBound, quantile } from '../measuring/histogram.js';
import type { SeriesKey } from '../measuring/series.js';
import type { Check, Observation } from '../measuring/observation.js';
import { check, type Case } from './check.js';
import type { CheckId } from './check-texts.js';

/** A p99 of a few hundred calls is one or two of them: so many slow ones are never too many. */
const FEW = 4;

/**
 * One in a hundred, and what chance may add to that: three times the deviation of a number that is so rare. Of 300 calls of a
 * quiet cluster eight are beyond its own p99 now and then; of many thousands it is one in a hundred.
 */
function mostSlow(samples: number): number {
  const expected = samples * 0.01;
  return Math.max(FEW, expected + 3 * Math.sqrt(expected));
}

/** So long after its load, or after the last time, each shard has told its lag: with the writes of its row (SETTLE_UPDATES). */
const LAG_TOLD_WITHIN_MS = 11 * 60_000;

/** How long calls took, and how far shards are behind, by the servers' own histograms. */
export function latencyChecks(given: Case): Check[] {
  return [
    latency(given, 'latency-start', 'startLatency'),
    latency(given, 'latency-signal', 'signalLatency'),
    latency(given, 'latency-respond', 'respondLatency'),
    latency(given, 'database-latency', 'persistenceLatency'),
    ...lagChecks(given),
  ];
}

/** How far shards are behind with their tasks and timers. */
export function lagChecks(given: Case): Check[] {
  return [
    lag(given, 'queue-lag-immediate', 'immediateQueueLag'),
    lag(given, 'queue-lag-scheduled', 'scheduledQueueLag'),
  ];
}

function latency({ observation, baseline, bounds }: Case, id: CheckId, key: SeriesKey): Check {
  const { latencyFactor, latencyRiseMs, latencyMs } = bounds;
  const allowed = (before: number) => Math.max(before * latencyFactor, before + latencyRiseMs);
  return slowest({ observation, baseline, id, key, allowed, absolute: latencyMs });
}

function lag({ observation, baseline, bounds }: Case, id: CheckId, key: SeriesKey): Check {
  return slowest({
    observation,
    baseline,
    id,
    key,
    allowed: (before) => before * bounds.queueLagFactor,
    absolute: null,
    silence: { withinMs: LAG_TOLD_WITHIN_MS, about: 'shards tell it every 5 minutes, and none did in this window' },
  });
}

interface Slowest {
  readonly observation: Observation;
  readonly baseline: Observation | undefined;
  readonly id: CheckId;
  readonly key: SeriesKey;
  readonly allowed: (before: number) => number;
  /** Bound without a baseline; null when there is none. */
  readonly absolute: number | null;
  /** A window shorter than this may have none of them, for this reason; absent: the load makes them all the time. */
  readonly silence?: { readonly withinMs: number; readonly about: string };
}

/** Holds a p99 against that of the baseline, no finer than the histograms tell. Only shown of a roll. */
function slowest({ observation, baseline, id, key, allowed, absolute, silence }: Slowest): Check {
  const [own, other] = [observation.histograms[key], baseline?.histograms[key]];
  const before = other === undefined ? null : quantile(other, 0.99);
  const samples = own === undefined ? 0 : countOf(own);
  const value = own === undefined ? null : quantile(own, 0.99);
  const facts = {
    value,
    baseline: before,
    unit: id === 'queue-lag-immediate' ? ('count' as const) : ('ms' as const),
    samples,
  };
  const skip = (about: string) => check(id, { ...facts, verdict: 'not-judged', about });
  if (own === undefined || value === null) {
    if (other === undefined || countOf(other) < FEW * 5) return skip('no calls, or not measured');
    // Pages that were not read are told by a check of their own.
    if (silence !== undefined && lengthOf(observation) < silence.withinMs) return skip(silence.about);
    return check(id, { ...facts, verdict: 'inconclusive', about: 'no calls; the baseline had them' });
  }
  if (observation.kind === 'roll') return skip('shown: shards move during a roll');
  const wanted = before === null ? absolute : allowed(before);
  if (wanted === null) return skip('no baseline to compare with');
  const bound = nextBound([own, other ?? []], wanted);
  const slow = samples - countUpTo(own, bound);
  // A few slow calls alone are no better than no calls.
  if (slow === samples && slow <= FEW && other !== undefined && countOf(other) >= FEW * 5) {
    return check(id, { ...facts, verdict: 'inconclusive', bound: wanted, about: 'no call but slow ones' });
  }
  const told =
    slow > 0
      ? `${slow} of ${samples} were slower than ${Number.isFinite(bound) ? bound : 'the last bound'}`
      : undefined;
  return check(id, {
    ...facts,
    verdict: slow > mostSlow(samples) ? 'fail' : 'pass',
    bound: wanted,
    about: told,
  });
}

function lengthOf({ startedAt, endedAt }: Observation): number {
  return Date.parse(endedAt) - Date.parse(startedAt);
}
