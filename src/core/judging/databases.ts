import type { Check, DatabaseWindow } from '../measuring/observation.js';
import { check, isSure, type Case } from './check.js';

/** Each of the two databases. Trouble with one always fails. */
export function databaseChecks(given: Case): Check[] {
  return given.observation.databases.flatMap((database) => [
    reached(given, database),
    query(given, database),
    ...connections(given, database),
    ...size(given, database),
  ]);
}

/** Two samples in a row without an answer are no accident; a single one is seen again, if it is more than that. */
const PERSISTENT = 2;

function reached({ bounds }: Case, { store, reached: streak, beats, problem }: DatabaseWindow): Check {
  const { worst, good } = streak;
  const well = worst.beats < PERSISTENT && good >= beats.due * bounds.minBeatShare;
  return check('database-reached', {
    of: store,
    verdict: worst.bad >= PERSISTENT ? 'fail' : well ? 'pass' : 'inconclusive',
    value: worst.bad,
    bound: PERSISTENT - 1,
    samples: beats.seen,
    about: worst.bad > 0 ? `no answer at ${worst.bad} samples in a row: ${problem ?? ''}` : undefined,
  });
}

function query({ baseline, bounds }: Case, { store, queryMs, upTo, reached: { good } }: DatabaseWindow): Check {
  const before = baseline?.databases.find((one) => one.store === store)?.queryMs;
  const { latencyFactor, latencyRiseMs, databaseQueryMs } = bounds;
  const relative = before === undefined ? Infinity : Math.max(before * latencyFactor, before + latencyRiseMs);
  const bound = Math.min(relative, databaseQueryMs);
  const isKnown = queryMs !== undefined && isSure(queryMs, upTo?.queryMs, bound);
  return check('database-query', {
    of: store,
    ...(isKnown ? {} : { verdict: 'inconclusive' }),
    value: queryMs,
    bound,
    baseline: before,
    unit: 'ms',
    samples: good,
    about: isKnown ? undefined : 'it did not answer often enough',
  });
}

function connections({ baseline, bounds }: Case, database: DatabaseWindow): Check[] {
  const {
    store,
    connections: fullest,
    upTo,
    reached: { good },
  } = database;
  const before = baseline?.databases.find((one) => one.store === store)?.connections;
  if (fullest === undefined) {
    if (before === undefined) return [];
    return [
      check('database-connections', {
        of: store,
        verdict: 'inconclusive',
        value: null,
        samples: good,
        about: 'not measured',
      }),
    ];
  }
  const { inUse, allowed } = fullest;
  const value = inUse / allowed;
  const bound = bounds.databaseConnectionShare;
  const told = `${inUse} of ${allowed}`;
  const isKnown = isSure(inUse, upTo?.inUse, bound * allowed);
  return [
    check('database-connections', {
      of: store,
      ...(isKnown ? {} : { verdict: 'inconclusive' }),
      value,
      bound,
      baseline: before && before.inUse / before.allowed,
      unit: 'ratio',
      samples: good,
      about: isKnown ? told : `${told}, not measured often enough`,
    }),
  ];
}

function size({ baseline }: Case, { store, bytes, reached: { good } }: DatabaseWindow): Check[] {
  if (bytes === undefined) return [];
  const before = baseline?.databases.find((one) => one.store === store)?.bytes?.last;
  const grown = bytes.last - bytes.first;
  const about = `${grown >= 0 ? '+' : ''}${grown} bytes in the window`;
  return [
    check('database-size', { of: store, value: bytes.last, baseline: before, unit: 'bytes', samples: good, about }),
  ];
}
