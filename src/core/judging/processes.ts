import { NEVER_EXPECTED, SERIES } from '../measuring/series.js';
import type { Check, ProcessWindow } from '../measuring/observation.js';
import { worstBy } from '../measuring/streak.js';
import { check, type Case } from './check.js';

/** So many bad answers without a good one between them are no accident of the measuring. */
export const PERSISTENT = 3;

/** The server processes themselves. */
export function processChecks(given: Case): Check[] {
  return [health(given), restarts(given), versions(given), rings(given), neverExpected(given), ...shown(given)];
}

function health({ observation: { processes, kind, beats }, bounds }: Case): Check {
  // A process that is replaced is down for a while. What it is at the end of the roll is what counts.
  const run = ({ health: { worst, open } }: ProcessWindow) => (kind === 'roll' ? open : worst);
  const rank = (process: ProcessWindow) => run(process).bad * 1_000 + run(process).beats;
  const worst = worstBy(processes, rank);
  const quiet = worstBy(processes, ({ health: { good } }) => -good);
  const enough = kind === 'roll' || (quiet?.health.good ?? 0) >= beats.due * bounds.minBeatShare;
  const longest = Math.max(0, ...processes.map((process) => run(process).beats));
  const well = kind === 'roll' ? longest === 0 : longest < PERSISTENT && enough;
  const bad = worst === undefined ? null : run(worst).bad;
  return check('health', {
    verdict: bad === null ? 'inconclusive' : bad >= PERSISTENT ? 'fail' : well ? 'pass' : 'inconclusive',
    value: bad,
    bound: kind === 'roll' ? 0 : PERSISTENT - 1,
    samples: beats.seen,
    about:
      worst === undefined || rank(worst) === 0
        ? undefined
        : `${worst.node} did not serve at ${run(worst).bad} samples in a row${kind === 'roll' ? ', to the end' : ''}`,
  });
}

function restarts({ observation: { processes, kind, beats }, expected }: Case): Check {
  const worst = worstBy(processes, (process) => process.restarts);
  return check('restarts', {
    value: worst?.restarts,
    bound: kind === 'roll' ? (expected?.restarts ?? 1) : 0,
    samples: beats.seen,
    about: worst === undefined || worst.restarts === 0 ? undefined : `${worst.node}; its counters were begun anew`,
  });
}

function versions({ observation: { processes, kind }, expected }: Case): Check {
  const allowed = expected?.versions;
  const unknown = processes.filter((process) => process.versions.length === 0);
  const wrong = processes.filter((process) =>
    allowed === undefined
      ? kind !== 'roll' && (process.versions.length > 1 || differsInRole(process, processes))
      : process.versions.some((version) => !allowed.includes(version)),
  );
  const told = (list: readonly ProcessWindow[]) =>
    list.map((process) => `${process.node} ${process.versions.join(', then ') || 'unknown'}`).join('; ');
  const expectation = allowed === undefined ? 'one in each role' : allowed.join(' or ');
  const measured = processes.length > 0 && unknown.length === 0;
  return check('versions', {
    verdict: wrong.length > 0 ? 'fail' : measured ? 'pass' : 'inconclusive',
    value: wrong.length,
    bound: 0,
    samples: processes.length,
    about:
      wrong.length > 0
        ? `${told(wrong)}; expected ${expectation}`
        : measured
          ? [...new Set(processes.flatMap((process) => process.versions))].join(', ')
          : `not known of ${unknown.map(({ node }) => node).join(', ') || 'any process'}`,
  });
}

function differsInRole(process: ProcessWindow, all: readonly ProcessWindow[]): boolean {
  const inRole = all.filter(({ role, versions: found }) => role === process.role && found.length > 0);
  return new Set(inRole.flatMap((one) => one.versions)).size > 1;
}

function rings({ observation: { rings: seen, kind } }: Case): Check {
  const facts = { value: seen.asked === 0 ? null : seen.unequal, samples: seen.asked, about: seen.problem };
  // Members come and go during a roll.
  if (kind === 'roll') return check('rings', facts);
  const whole = seen.asked > 0 && seen.asked >= seen.due;
  return check('rings', {
    ...facts,
    // Once may be the moment between two views of one change.
    verdict: seen.unequal >= 2 ? 'fail' : whole && seen.unequal === 0 ? 'pass' : 'inconclusive',
    bound: 0,
  });
}

function neverExpected({ observation: { totals, beats } }: Case): Check {
  const rises = NEVER_EXPECTED.map((key) => [SERIES[key].names[0], totals[key]] as const);
  const risen = rises.filter(([, rise]) => rise !== undefined && rise > 0);
  const sum = rises.reduce((all, [, rise = NaN]) => all + rise, 0);
  return check('never-expected', {
    ...(risen.length > 0 ? { verdict: 'fail' as const } : {}),
    value: risen.length > 0 ? risen.reduce((all, [, rise = 0]) => all + rise, 0) : sum,
    bound: 0,
    samples: beats.seen,
    about: risen.length === 0 ? undefined : risen.map(([name, rise]) => `${name} +${rise ?? 0}`).join(', '),
  });
}

function shown({ observation: { processes, beats }, baseline }: Case): Check[] {
  const cores = (list: readonly ProcessWindow[]) => {
    const known = list.flatMap((process) => process.cores ?? []);
    return known.length === 0 ? null : known.reduce((sum, one) => sum + one, 0);
  };
  const memory = (list: readonly ProcessWindow[]) => {
    const known = list.flatMap(({ residentBytes }) => residentBytes ?? []);
    return known.length === 0 ? null : Math.max(...known);
  };
  const before = baseline?.processes ?? [];
  const samples = beats.seen;
  return [
    check('cpu', { value: cores(processes), baseline: cores(before), unit: 'cores', samples }),
    check('memory', { value: memory(processes), baseline: memory(before), unit: 'bytes', samples }),
  ];
}
