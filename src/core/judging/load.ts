import type { LoadWindow, Percentiles, ProbeWindow } from '../ledger.js';
import type { Check } from '../measuring/observation.js';
import { check, type Case } from './check.js';
import type { CheckId } from './check-texts.js';

/** Below so many samples a p99 is one or two of them; the median is compared then. */
const ENOUGH_FOR_P99 = 1_000;

/** Canaries and probe: the strongest evidence, as it is work with known counts. */
export function loadChecks(given: Case): Check[] {
  const { observation, baseline } = given;
  const { load } = observation;
  if (load === undefined) {
    if (baseline?.load === undefined) return [];
    return [
      check('load', {
        verdict: 'inconclusive',
        value: null,
        samples: 0,
        about: 'the baseline had load, this window has no account of it',
      }),
    ];
  }
  return [...canaries(given, load), ...probe(given, load)];
}

function canaries({ observation, baseline, bounds }: Case, load: LoadWindow): Check[] {
  const { started, intended, startLatencyMs } = load;
  const exact = (id: CheckId, value: number) =>
    check(id, { value, bound: 0, samples: started, about: exampleOf(load, value) });
  return [
    check('load-started', {
      value: started,
      bound: Math.max(1, Math.ceil(intended * bounds.minLoadShare)),
      least: true,
      samples: intended,
      about: `${intended} were due`,
    }),
    exact('load-lost', load.lost),
    exact('load-duplicated', load.duplicated),
    exact('load-wrong', load.wrong),
    exact('load-failed', load.failed),
    check('load-failed-calls', { value: load.failedCalls, bound: 0, samples: started }),
    latency('load-latency', {
      kind: observation.kind,
      own: startLatencyMs,
      other: baseline?.load?.startLatencyMs ?? null,
      samples: [started, baseline?.load?.started ?? 0],
      bounds,
    }),
  ];
}

function exampleOf({ examples }: LoadWindow, value: number): string | undefined {
  const [example] = examples;
  return value > 0 && example !== undefined ? `such as ${example.workflowId}: ${example.reason}` : undefined;
}

function probe(given: Case, { probe: own }: LoadWindow): Check[] {
  const { observation, baseline, bounds } = given;
  const before = baseline?.load?.probe;
  if (own === undefined) {
    if (before === undefined) return [];
    return [
      check('probe-attempts', {
        verdict: 'inconclusive',
        value: null,
        samples: 0,
        about: 'the baseline had a probe, this window has none',
      }),
    ];
  }
  return [
    check('probe-attempts', {
      value: own.attempts - own.failedAttempts,
      bound: bounds.minRequests,
      least: true,
      samples: own.attempts,
    }),
    ...recorded(given, own),
    check('probe-failed-calls', { value: own.failedCalls, bound: 0, samples: own.calls, about: codesOf(own) }),
    failedAttempts(given, own),
    gap(given, own, before),
    latency('probe-latency', {
      kind: observation.kind,
      own: own.latencyMs,
      other: before?.latencyMs ?? null,
      samples: [own.attempts, before?.attempts ?? 0],
      bounds,
    }),
  ];
}

/** The probe writes every few seconds, so that the end of a window may not be written yet. */
const UNWRITTEN_MS = 10_000;

function recorded(
  { observation: { startedAt, endedAt }, bounds }: Case,
  { missingMs, attempts }: ProbeWindow,
): Check[] {
  if (missingMs === undefined) return [];
  const windowMs = Date.parse(endedAt) - Date.parse(startedAt);
  const bound = Math.max(UNWRITTEN_MS, windowMs * (1 - bounds.minBeatShare));
  const verdict = missingMs <= bound ? 'pass' : 'inconclusive';
  return [check('probe-recorded', { verdict, value: missingMs, bound, unit: 'ms', samples: attempts })];
}

function codesOf({ byCode }: ProbeWindow): string | undefined {
  const codes = Object.entries(byCode).map(([code, count]) => `${count} ${code}`);
  return codes.length === 0 ? undefined : codes.join(', ');
}

function failedAttempts({ observation: { kind }, bounds }: Case, own: ProbeWindow): Check {
  const bound = kind === 'roll' ? bounds.rollProbeFailureRatio : 0;
  const fails = own.failedAttempts > bound * Math.max(own.attempts, bounds.minRequests);
  const known = Number.isFinite(own.failedAttempts) && Number.isFinite(own.attempts);
  return check('probe-failed-attempts', {
    verdict: !known || own.failedAttempts < 0 ? 'inconclusive' : fails ? 'fail' : 'pass',
    value: own.attempts > 0 ? own.failedAttempts / own.attempts : 0,
    bound,
    unit: 'ratio',
    samples: own.attempts,
    about: own.failedAttempts > 0 ? (codesOf(own) ?? `${own.failedAttempts} failed`) : undefined,
  });
}

function gap({ observation: { kind }, bounds }: Case, own: ProbeWindow, before: ProbeWindow | undefined): Check {
  const { rollProbeGapMs, probeGapFactor, probeGapMs } = bounds;
  const tight = Math.min(rollProbeGapMs, Math.max(probeGapMs, (before?.longestGapMs ?? 0) * probeGapFactor));
  return check('probe-gap', {
    value: own.longestGapMs,
    bound: kind === 'roll' ? rollProbeGapMs : tight,
    baseline: before?.longestGapMs,
    unit: 'ms',
    samples: own.attempts,
  });
}

function latency(
  id: CheckId,
  given: {
    readonly kind: string;
    readonly own: Percentiles | null;
    readonly other: Percentiles | null;
    readonly samples: readonly [own: number, other: number];
    readonly bounds: Case['bounds'];
  },
): Check {
  const { kind, own, other, samples, bounds } = given;
  const p99 = Math.min(...samples) >= ENOUGH_FOR_P99;
  const of = (one: Percentiles | null) => (one === null ? undefined : p99 ? one.p99 : one.p50);
  const [value, before] = [of(own), of(other)];
  const facts = { value, baseline: before, unit: 'ms' as const, samples: samples[0] };
  const about =
    own === null
      ? 'no start was confirmed'
      : `p50 ${Math.round(own.p50)}, p99 ${Math.round(own.p99)}, max ${Math.round(own.max)} ms; ${p99 ? 'p99' : 'p50'} compared`;
  if (kind === 'roll' || before === undefined) {
    const why = kind === 'roll' ? 'shown: shards move during a roll' : 'no baseline to compare with';
    return check(id, { ...facts, verdict: 'not-judged', about: `${about}; ${why}` });
  }
  const bound = Math.max(before * bounds.latencyFactor, before + bounds.latencyRiseMs);
  return check(id, { ...facts, bound, about });
}
