import type { SeriesKey } from '../measuring/series.js';
import type { Check, Observation } from '../measuring/observation.js';
import { check, isSure, type Case } from './check.js';
import type { CheckId } from './check-texts.js';
import { latencyChecks } from './latencies.js';

/** The guide rolls back at a rise of more than 5 %, whatever the bounds say. */
const GUIDE_RISE = 0.05;

/** What clients met: requests, errors, latencies. */
export function requestChecks(given: Case): Check[] {
  const { bounds } = given;
  return [
    requests(given),
    errorRatio(given),
    errorMinute(given),
    storeErrors(given, 'persistence-errors', ['persistenceRequests', 'persistenceErrors', 'persistenceTimeouts']),
    storeErrors(given, 'visibility-errors', ['visibilityRequests', 'visibilityErrors']),
    workflowsFailing(given),
    ...latencyChecks(given),
    backlogAge(given, bounds.backlogAgeRiseSeconds),
  ];
}

/** Requests that did not fail: errors alone are no evidence that the rest went well. */
function requests({ observation: { totals }, bounds }: Case): Check {
  const good = (totals.requests ?? NaN) - (totals.errors ?? NaN);
  return check('requests', { value: good, bound: bounds.minRequests, least: true, samples: totals.requests ?? 0 });
}

interface Ratio {
  readonly errors: number;
  readonly of: number;
  readonly before: number | null;
  readonly bound: number;
  readonly least: number;
}

/** Few calls cannot make a high ratio: errors are held against as many calls as count as evidence. */
function ratioCheck(id: CheckId, { errors, of, before, bound, least }: Ratio, about?: string): Check {
  const known = Number.isFinite(errors) && Number.isFinite(of) && errors >= 0 && of >= 0;
  const facts = {
    value: of > 0 ? errors / of : known ? 0 : null,
    bound,
    baseline: before,
    unit: 'ratio' as const,
    samples: of,
  };
  if (!known) return check(id, { ...facts, verdict: 'inconclusive', value: null, samples: 0, about: 'not measured' });
  if (errors > bound * Math.max(of, least))
    return check(id, { ...facts, verdict: 'fail', about: about ?? `${errors} errors` });
  if (of === 0 && least === 0)
    return check(id, { ...facts, verdict: 'not-judged', value: null, about: 'no calls; minRequests is 0' });
  return check(id, { ...facts, verdict: of - errors < least ? 'inconclusive' : 'pass', about });
}

function ratioOf(observation: Observation | undefined, of: SeriesKey, errors: readonly SeriesKey[]): number | null {
  if (observation === undefined) return null;
  const sum = sumOf(observation, errors);
  const all = observation.totals[of];
  return all === undefined || all === 0 || !Number.isFinite(sum / all) ? null : sum / all;
}

function sumOf({ totals }: Observation, keys: readonly SeriesKey[]): number {
  return keys.reduce((sum, key) => sum + (totals[key] ?? NaN), 0);
}

function errorRatio({ observation, baseline, bounds }: Case): Check {
  const before = ratioOf(baseline, 'requests', ['errors']);
  const rise = Math.min(observation.kind === 'roll' ? bounds.rollErrorRatio : bounds.errorRatioRise, GUIDE_RISE);
  const { requests: of = NaN, errors = NaN } = observation.totals;
  return ratioCheck('error-ratio', { errors, of, before, bound: (before ?? 0) + rise, least: bounds.minRequests });
}

/** What is measured decides a fail; what may have been, given when samples were taken, decides a pass. */
function errorMinute({ observation: { worstMinute: worst }, baseline, bounds }: Case): Check {
  const before = ratioOf(baseline, 'requests', ['errors']);
  const bound = Math.max(bounds.rollErrorRatio, (before ?? 0) + bounds.errorRatioRise);
  const facts = { bound, baseline: before, unit: 'ratio' as const };
  if (worst === undefined)
    return check('error-minute', { ...facts, value: null, samples: 0, about: 'no minute was seen' });
  const { errors, requests: of, atMost, atLeast, at } = worst;
  const fails = errors > bound * Math.max(of, bounds.minRequests);
  const passes = atMost <= bound * Math.max(atLeast, bounds.minRequests);
  return check('error-minute', {
    ...facts,
    verdict: fails ? 'fail' : passes ? 'pass' : 'inconclusive',
    value: of > 0 ? errors / of : 0,
    samples: Math.round(of),
    about: errors > 0 ? `the minute from ${at}` : undefined,
  });
}

function storeErrors(given: Case, id: CheckId, [of, ...errors]: readonly [SeriesKey, ...SeriesKey[]]): Check {
  const { observation, baseline, bounds } = given;
  const all = observation.totals[of];
  const optional = baseline?.totals[of] === undefined && of !== 'persistenceRequests';
  if (all === undefined && optional) {
    return check(id, { verdict: 'not-judged', value: null, samples: 0, about: 'not measured on the baseline either' });
  }
  const before = ratioOf(baseline, of, errors);
  const { rollPersistenceErrorRatio, persistenceErrorRatioRise } = bounds;
  const rise = observation.kind === 'roll' ? rollPersistenceErrorRatio : persistenceErrorRatioRise;
  const bound = (before ?? 0) + Math.min(rise, GUIDE_RISE);
  // Visibility is asked rarely; the servers ask the default store without pause.
  const least = of === 'persistenceRequests' ? bounds.minRequests : 0;
  const judged = ratioCheck(id, { errors: sumOf(observation, errors), of: all ?? NaN, before, bound, least });
  const few = (all ?? 0) < bounds.minRequests && least === 0 && judged.verdict === 'fail';
  // One error in a few calls is no ratio.
  return few && sumOf(observation, errors) <= bound * bounds.minRequests ? { ...judged, verdict: 'pass' } : judged;
}

function workflowsFailing({ observation, baseline, bounds }: Case): Check {
  const bad: readonly SeriesKey[] = ['workflowFailed', 'workflowTimeout'];
  const closed = (one: Observation) => sumOf(one, [...bad, 'workflowSuccess', 'workflowTerminated']);
  const failed = sumOf(observation, bad);
  const of = closed(observation);
  const before = baseline === undefined || closed(baseline) === 0 ? null : sumOf(baseline, bad) / closed(baseline);
  const facts = { unit: 'ratio' as const, baseline: before, samples: Number.isFinite(of) ? of : 0 };
  const skip = (about: string) =>
    check('workflows-failing', { ...facts, verdict: 'not-judged', value: of > 0 ? failed / of : null, about });
  if (baseline === undefined) return skip('no baseline: workflows fail for reasons of their own');
  if (!Number.isFinite(of))
    return check('workflows-failing', { ...facts, verdict: 'inconclusive', value: null, about: 'not measured' });
  if (of === 0 && closed(baseline) > 0) {
    const about = `no workflow ended; on the baseline ${closed(baseline)} did`;
    return check('workflows-failing', { ...facts, verdict: 'inconclusive', value: null, about });
  }
  if (of === 0) return skip('no workflow ended');
  const bound = (before ?? 0) + Math.min(bounds.workflowFailureRise, GUIDE_RISE);
  // So few that one more or less is chance are held against as many as one in twenty can be told in.
  const fails = failed > bound * Math.max(of, LEAST_CLOSED);
  return check('workflows-failing', {
    ...facts,
    verdict: fails ? 'fail' : 'pass',
    value: failed / of,
    bound,
    about: failed > 0 ? `${failed} failed or timed out` : undefined,
  });
}

const LEAST_CLOSED = 40;

function backlogAge({ observation, baseline }: Case, rise: number): Check {
  const [value, before] = [observation.totals.backlogAgeSeconds, baseline?.totals.backlogAgeSeconds];
  const facts = { value, baseline: before, unit: 'seconds' as const, samples: observation.beats.seen };
  const skip = (about: string) => check('backlog-age', { ...facts, verdict: 'not-judged', about });
  if (observation.kind === 'roll') return skip('shown: has to return until it settled');
  if (baseline === undefined) return skip('no baseline to compare with');
  if (baseline.upTo?.backlogAgeSeconds === null)
    return check('backlog-age', { ...facts, verdict: 'inconclusive', about: 'not measured often enough before' });
  if (before === undefined) return skip('not measured on the baseline');
  const bound = before + rise;
  if (!isSure(value ?? 0, observation.upTo?.backlogAgeSeconds, bound))
    return check('backlog-age', { ...facts, verdict: 'inconclusive', bound, about: 'not measured often enough' });
  // Matching shows it from the first backlog on that it meets: a process that is new may not have met one.
  if (value === undefined) return skip('no backlog is shown');
  return check('backlog-age', { ...facts, bound });
}
