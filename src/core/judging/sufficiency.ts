import { SERIES, type SeriesKey } from '../measuring/series.js';
import type { Check, Observation } from '../measuring/observation.js';
import { worstBy } from '../measuring/streak.js';
import { check, type Case } from './check.js';
import type { StorePart } from '../stores.js';

/** Whether there is enough evidence to judge at all. */
export function sufficiency(given: Case): Check[] {
  return [window(given), processSamples(given), databaseSamples(given), names(given), countersWhole(given)];
}

/** Whether the baseline itself has enough evidence to compare with. */
export function baselineEvidence({ baseline, bounds }: Case): Check[] {
  if (baseline === undefined) return [];
  const own = { observation: baseline, bounds };
  const good = (baseline.totals.requests ?? 0) - (baseline.totals.errors ?? 0);
  const missing = [...[window, processSamples, databaseSamples].map((judged) => judged(own))].filter(
    ({ verdict }) => verdict !== 'pass',
  );
  const about =
    missing.length > 0
      ? missing.map(({ id }) => id).join(', ')
      : good >= bounds.minRequests
        ? undefined
        : `${good} good requests, at least ${bounds.minRequests} are needed`;
  const enough = about === undefined;
  const { beats } = baseline;
  return [
    check('baseline-evidence', {
      verdict: enough ? 'pass' : 'inconclusive',
      value: beats.seen,
      bound: bounds.minBeats,
      least: true,
      samples: beats.due,
      about,
    }),
  ];
}

function window({ observation: { beats }, bounds }: Case): Check {
  const bound = Math.max(bounds.minBeats, Math.ceil(beats.due * bounds.minBeatShare));
  const enough = beats.seen >= bound && beats.ends;
  return check('window', {
    verdict: enough ? 'pass' : 'inconclusive',
    value: beats.seen,
    bound,
    least: true,
    samples: beats.due,
    about: beats.seen >= bound && !beats.ends ? 'its beginning or its end was not seen' : undefined,
  });
}

function processSamples({ observation, baseline, bounds }: Case): Check {
  const { processes, kind, beats } = observation;
  // Of pods it is their role that has to be there: each has another name.
  const gone = baseline?.processes.find(({ node, role, pod }) =>
    pod === true ? !processes.some((one) => one.role === role) : !processes.some((one) => one.node === node),
  );
  // During a roll a process that was seen to be down or not ready yet has no page to show.
  const heard = ({ metrics, explained }: Observation['processes'][number]) =>
    (metrics.seen + (kind === 'roll' ? explained : 0)) / metrics.due;
  const worst = worstBy(processes, (process) => (process.metrics.ends ? 0 : 2) - heard(process));
  const share = worst === undefined ? null : heard(worst);
  const ends = worst?.metrics.ends === true;
  const bound = bounds.minBeatShare;
  const problem = worst?.problem ?? (ends ? 'not every sample' : 'not at the beginning or the end');
  return check('process-samples', {
    verdict: share !== null && share >= bound && ends && gone === undefined ? 'pass' : 'inconclusive',
    value: share,
    bound,
    least: true,
    unit: 'ratio',
    samples: beats.due,
    about:
      worst === undefined
        ? 'no process was asked'
        : gone !== undefined
          ? `${gone.node} was asked on the baseline, and not here`
          : share === 1 && ends
            ? undefined
            : `${worst.node}: ${problem}`,
  });
}

/** Every cluster has these two. */
const NEEDED: readonly StorePart[] = ['default', 'visibility'];

function databaseSamples({ observation: { databases, beats }, bounds }: Case): Check {
  const worst = worstBy(databases, (one) => (one.beats.ends ? 0 : 2) - one.beats.seen / one.beats.due);
  const share = worst === undefined ? null : worst.beats.seen / worst.beats.due;
  const isComplete = NEEDED.every((part) => databases.some(({ store }) => store === part));
  const enough = share !== null && share >= bounds.minBeatShare && worst?.beats.ends === true && isComplete;
  return check('database-samples', {
    verdict: enough ? 'pass' : 'inconclusive',
    value: share,
    bound: bounds.minBeatShare,
    least: true,
    unit: 'ratio',
    samples: beats.due,
    about: enough ? undefined : (worst?.store ?? 'no database was asked'),
  });
}

/** Names that every server shows at once, and those that the baseline had. */
const REQUIRED: readonly SeriesKey[] = ['requests', 'persistenceRequests'];
const STEADY: readonly SeriesKey[] = ['requests', 'persistenceRequests', 'visibilityRequests', 'persistenceLatency'];

function names({ observation, baseline }: Case): Check {
  const has = ({ totals, histograms }: Observation, key: SeriesKey) =>
    totals[key] !== undefined || histograms[key] !== undefined;
  const wanted = STEADY.filter((key) => REQUIRED.includes(key) || (baseline !== undefined && has(baseline, key)));
  const missing = wanted.filter((key) => !has(observation, key));
  const { respelled } = observation;
  const told = [
    ...missing.map((key) => `${SERIES[key].names.join(' or ')} is not measured`),
    ...(respelled === undefined ? [] : [`${respelled.node} spells its names otherwise since: ${spelled(respelled)}`]),
  ];
  return check('names', {
    verdict: missing.length === 0 ? 'pass' : 'inconclusive',
    value: missing.length,
    bound: 0,
    samples: wanted.length,
    about: told.length === 0 ? undefined : told.join('; '),
  });
}

function spelled({ before, after }: NonNullable<Observation['respelled']>): string {
  const example = ({ prefix, counters = '' }: typeof before) => `${prefix}service_requests${counters}`;
  const timer = ({ prefix, timers = '' }: typeof before) => `${prefix}service_latency${timers}`;
  return `${example(before)}, ${timer(before)} → ${example(after)}, ${timer(after)}`;
}

function countersWhole({ observation: { processes } }: Case): Check {
  const told = processes.flatMap(({ node, fell, lost }) => [
    ...(fell === undefined ? [] : [`${node}: ${fell}`]),
    ...(lost === undefined ? [] : [`${node}: it was started anew, and what it counted last was not seen`]),
  ]);
  return check('counters-whole', {
    verdict: told.length === 0 && processes.length > 0 ? 'pass' : 'inconclusive',
    value: told.length,
    bound: 0,
    samples: processes.length,
    about: told.length === 0 ? undefined : told.join(', '),
  });
}
