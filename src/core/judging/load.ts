import type { BadOutcome, LoadWindow, Percentiles, ProbeWindow, ProbeWindowFailure } from '../ledger.js';
import type { Check, Observation } from '../measuring/observation.js';
import { worstBy } from '../measuring/streak.js';
import { check, type Case } from './check.js';
import type { CheckId } from './check-texts.js';

/** Below so many samples a p99 is one or two of them; the median alone is compared then. */
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

function canaries(given: Case, load: LoadWindow): Check[] {
  const { baseline, bounds } = given;
  const { started, intended, startLatencyMs } = load;
  const exact = (outcome: BadOutcome) =>
    check(`load-${outcome}`, {
      value: load[outcome],
      bound: 0,
      samples: started,
      about: load[outcome] > 0 ? exampleOf(load, outcome) : undefined,
    });
  return [
    check('load-started', {
      value: started,
      bound: Math.max(1, Math.ceil(intended * bounds.minLoadShare)),
      least: true,
      samples: intended,
      about: `${intended} were due`,
    }),
    verified(load),
    leftOut(load),
    ...BAD_OUTCOMES.map(exact),
    failedCalls(load),
    latency('load-latency', given, {
      own: startLatencyMs,
      other: baseline?.load?.startLatencyMs ?? null,
      due: intended,
      before: baseline?.load?.started ?? 0,
      samples: started,
    }),
  ];
}

const BAD_OUTCOMES: readonly BadOutcome[] = ['lost', 'duplicated', 'wrong', 'failed'];

/** One of its own outcome. Where examples do not tell theirs, they are sure to be of it only when there is no other. */
function exampleOf(load: LoadWindow, outcome: BadOutcome): string | undefined {
  const alone = BAD_OUTCOMES.every((other) => other === outcome || load[other] === 0);
  const example = load.examples.find((one) => (one.outcome === undefined ? alone : one.outcome === outcome));
  return example && `such as ${example.workflowId}: ${example.reason}`;
}

/** Counts of an earlier time say nothing of this window: what they show of lost work is lost all the same. */
function verified({ unverified, started }: LoadWindow): Check {
  const facts = { bound: 0, samples: started };
  if (unverified === undefined) return check('load-verified', { ...facts, value: 0 });
  return check('load-verified', { ...facts, verdict: 'inconclusive', value: null, about: unverified });
}

function leftOut({ leftOutLater = [], started }: LoadWindow): Check {
  const facts = { value: leftOutLater.length, bound: 0, samples: started };
  if (leftOutLater.length === 0) return check('load-left-out', facts);
  return check('load-left-out', { ...facts, verdict: 'inconclusive', about: leftOutLater.join('; ') });
}

function failedCalls({ failedCalls: value, failedCallReasons = [], started }: LoadWindow): Check {
  const about = value > 0 && failedCallReasons.length > 0 ? failedCallReasons.join('; ') : undefined;
  return check('load-failed-calls', { value, bound: 0, samples: started, about });
}

function probe(given: Case, { probe: own }: LoadWindow): Check[] {
  const { baseline, bounds } = given;
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
    check('probe-failed-calls', {
      value: own.failedCalls,
      bound: 0,
      samples: own.calls,
      about: failuresOf(own, 'retried'),
    }),
    failedAttempts(given, own),
    gap(given, own, before),
    latency('probe-latency', given, {
      own: own.latencyMs,
      other: before?.latencyMs ?? null,
      due: attemptsDue(given, own, before),
      before: before?.attempts ?? 0,
      samples: own.attempts,
    }),
  ];
}

/** The probe calls at a fixed rate: as many were due as the baseline had in as much time, though fewer may have ended. */
function attemptsDue({ observation, baseline }: Case, own: ProbeWindow, before: ProbeWindow | undefined): number {
  const due = ((before?.attempts ?? 0) * lengthOf(observation)) / lengthOf(baseline ?? observation);
  return Math.max(own.attempts, Number.isFinite(due) ? due : 0);
}

function lengthOf({ startedAt, endedAt }: Observation): number {
  return Date.parse(endedAt) - Date.parse(startedAt);
}

/** The probe writes every few seconds, so that the end of a window may not be written yet. */
const UNWRITTEN_MS = 10_000;

function recorded({ observation, bounds }: Case, { missingMs, attempts }: ProbeWindow): Check[] {
  if (missingMs === undefined) return [];
  const bound = Math.max(UNWRITTEN_MS, lengthOf(observation) * (1 - bounds.minBeatShare));
  const verdict = missingMs <= bound ? 'pass' : 'inconclusive';
  return [check('probe-recorded', { verdict, value: missingMs, bound, unit: 'ms', samples: attempts })];
}

function codesOf({ byCode }: ProbeWindow): string | undefined {
  const codes = Object.entries(byCode).map(([code, count]) => `${count} ${code}`);
  return codes.length === 0 ? undefined : codes.join(', ');
}

/** The first few, with the moment at which each failed: a person finds what happened then. */
function failuresOf({ failures = [] }: ProbeWindow, way: ProbeWindowFailure['way']): string | undefined {
  const own = failures.filter((failure) => failure.way === way);
  return own.length === 0 ? undefined : own.map(failureLine).join('; ');
}

function failureLine({ at, kind, code, reason, ms }: ProbeWindowFailure): string {
  return `${new Date(at).toISOString()} ${kind} ${code} after ${ms} ms${reason === '' ? '' : `: ${reason}`}`;
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
    about: own.failedAttempts > 0 ? aboutAttempts(own) : undefined,
  });
}

function aboutAttempts(own: ProbeWindow): string {
  const counts = codesOf(own) ?? `${own.failedAttempts} failed`;
  const first = failuresOf(own, 'raw');
  return first === undefined ? counts : `${counts}; ${first}`;
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

interface LatencyFacts {
  readonly own: Percentiles | null;
  readonly other: Percentiles | null;
  /** How many were due in the window, whatever became of them, and how many the baseline rests on. */
  readonly due: number;
  readonly before: number;
  readonly samples: number;
}

/** Half of the calls always; the slowest hundredth too where there are enough, which no outcome of a call may decide. */
function latency(
  id: CheckId,
  { observation: { kind }, bounds }: Case,
  { own, other, due, before, samples }: LatencyFacts,
): Check {
  const shares = Math.min(due, before) >= ENOUGH_FOR_P99 ? (['p50', 'p99'] as const) : (['p50'] as const);
  const about =
    own === null
      ? 'none was confirmed'
      : `p50 ${Math.round(own.p50)}, p99 ${Math.round(own.p99)}, max ${Math.round(own.max)} ms; ${shares.join(' and ')} compared`;
  if (kind === 'roll' || other === null) {
    const why = kind === 'roll' ? 'shown: shards move during a roll' : 'no baseline to compare with';
    const facts = { value: own?.p50, baseline: other?.p50, unit: 'ms' as const, samples };
    return check(id, { ...facts, verdict: 'not-judged', about: `${about}; ${why}` });
  }
  const judged = shares.map((share) => ({
    value: own?.[share],
    baseline: other[share],
    bound: Math.max(other[share] * bounds.latencyFactor, other[share] + bounds.latencyRiseMs),
  }));
  const worst = worstBy(judged, excess);
  return check(id, { ...worst, value: worst?.value, unit: 'ms', samples, about });
}

/** How far beyond its bound a value is: more than 1 fails. What is no number comes between pass and fail. */
function excess({ value = NaN, bound }: { readonly value: number | undefined; readonly bound: number }): number {
  if (!Number.isFinite(value) || value < 0) return 1 + Number.EPSILON;
  return value / Math.max(bound, Number.EPSILON);
}
