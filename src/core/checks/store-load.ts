import type { CallCounts, ProcessMetrics } from '../survey/process-metrics.js';
import type { Finding } from '../finding.js';
import type { Check } from '../survey/survey.js';

/** Fewer calls are a process that has just begun. */
const ENOUGH_REQUESTS = 500;
/** Unexpected errors per call that are more than a hiccup. */
const ERROR_RATIO = 0.01;
/** A store in the same network answers in a few milliseconds; with ten times that everything waits for it. */
const SLOW_MS = 100;

const SOURCE = 'persistence metrics of each process, since it began';

/** The stores answer, quickly and without errors, and no pool of connections is used up. */
export const checkStoreLoad: Check = ({ cluster: { processes } }) =>
  processes.flatMap(({ name, metrics }) =>
    'seen' in metrics
      ? [
          ...errors(name, 'persistence', metrics.seen.persistence),
          ...errors(name, 'visibility', metrics.seen.visibility),
          ...slowness(name, 'persistence', metrics.seen.persistence),
          ...slowness(name, 'visibility', metrics.seen.visibility),
          ...fullPool(name, metrics.seen),
        ]
      : [],
  );

function errors(name: string, store: 'persistence' | 'visibility', calls: CallCounts): Finding[] {
  const { requests, errors: count, recentErrors } = calls;
  const found = `${name}: ${count} of ${requests} ${store} calls failed, ${recentErrors} of them just now`;
  // Few calls go to visibility: there the share alone counts.
  const isMuch = count > requests * ERROR_RATIO && (requests >= ENOUGH_REQUESTS || store === 'visibility');
  if (isMuch && (recentErrors > 0 || store === 'visibility')) {
    return [
      {
        id: `${store}-errors`,
        severity: 'warn',
        found,
        expected: `at most ${ERROR_RATIO * 100} % that the server does not expect`,
        action: 'See the logs of the process and the state of the database',
        source: SOURCE,
      },
    ];
  }
  return recentErrors === 0 ? [] : [{ id: `${store}-errors`, severity: 'note', found, source: SOURCE }];
}

function slowness(name: string, store: 'persistence' | 'visibility', calls: CallCounts): Finding[] {
  const { requests, meanLatencyMs } = calls;
  if (meanLatencyMs === undefined || meanLatencyMs < SLOW_MS || requests < ENOUGH_REQUESTS) return [];
  return [
    {
      id: `${store}-slow`,
      severity: 'warn',
      found: `${name}: ${store} calls take ${Math.round(meanLatencyMs)} ms on average (${requests} calls)`,
      expected: `less than ${SLOW_MS} ms`,
      action: 'See the load of the database, missing indexes and the way there',
      source: SOURCE,
    },
  ];
}

function fullPool(name: string, { pool }: ProcessMetrics): Finding[] {
  if (pool === undefined || pool.inUse < pool.most) return [];
  return [
    {
      id: 'pool-exhausted',
      severity: 'warn',
      found: `${name} uses all ${pool.most} connections of a pool`,
      expected: 'a free one, or calls wait for each other',
      action: 'Raise maxConns where the database bears it, or find what holds the connections',
      source: 'persistence_sql_in_use and persistence_sql_max_open_conn',
    },
  ];
}
