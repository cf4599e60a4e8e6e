import type { Role } from '../input/input.js';
import { addHistograms } from './histogram.js';
import type { Observation } from './observation.js';
import type { Cut } from './process-window.js';
import { histogramOver, sumOf } from './rises.js';
import { SERIES, type Histogram, type Reading, type SeriesKey } from './series.js';
import { sustained } from './streak.js';

const KEYS = Object.keys(SERIES) as readonly SeriesKey[];

/** Requests and errors are those that clients met: the frontends'. All else is of every process. */
const OF_ROLE: Readonly<Partial<Record<SeriesKey, Role>>> = {
  requests: 'frontend',
  errors: 'frontend',
  startLatency: 'frontend',
  signalLatency: 'frontend',
  respondLatency: 'frontend',
  backlogAgeSeconds: 'matching', // nobody else shows it, from its first backlog on
};

function concerned(processes: readonly Cut[], key: SeriesKey): readonly Cut[] {
  const role = OF_ROLE[key];
  return role === undefined ? processes : processes.filter(({ window }) => window.role === role);
}

/** What all processes together counted, and what gauges were. */
export function totalsOf(processes: readonly Cut[], queuedSince: number): Pick<Observation, 'totals' | 'upTo'> {
  const totals: Partial<Record<SeriesKey, number>> = {};
  const upTo: Partial<Record<SeriesKey, number | null>> = {};
  for (const key of KEYS) {
    const own = concerned(processes, key);
    const segments = own.flatMap((one) => one.segments);
    const found = SERIES[key].kind === 'gauge' ? gaugeOf(own, key, queuedSince) : { value: sumOf(segments, key) };
    if (found.upTo !== undefined) upTo[key] = found.upTo;
    if (found.value !== undefined) totals[key] = found.value;
  }
  return { totals, ...(Object.keys(upTo).length === 0 ? {} : { upTo }) };
}

/**
 * A gauge as it was of the worst process, of backlogs without those that began before `queuedSince` (milliseconds since
 * 1970); without a value where none shows it. One whose page was read and does not have it shows 0; one whose page was read
 * too rarely may have shown anything.
 */
function gaugeOf(
  processes: readonly Cut[],
  key: SeriesKey,
  queuedSince: number,
): { readonly value?: number; readonly upTo?: number | null } {
  const each = processes.map(({ slots }) =>
    sustained(slots.map(({ at, sample }) => sample?.reading && gaugeAt(sample.reading, key, at - queuedSince))),
  );
  const isShown = processes.some(({ slots }) => slots.some(({ sample }) => sample?.reading?.values[key] !== undefined));
  const value = Math.max(0, ...each.map((one) => one?.value ?? 0));
  const most = each.map((one) => one?.upTo ?? Infinity).reduce((a, b) => Math.max(a, b), 0);
  return {
    ...(isShown ? { value } : {}),
    ...(most === value ? {} : { upTo: most === Infinity ? null : most }),
  };
}

/** `knownMs`: how long before the sample it began that is looked at; a backlog that is older began before. */
function gaugeAt({ values, backlogAges }: Reading, key: SeriesKey, knownMs: number): number {
  if (key !== 'backlogAgeSeconds' || backlogAges === undefined) return values[key] ?? 0;
  return backlogAges.findLast((age) => age * 1_000 <= knownMs) ?? 0;
}

/** What was added to histograms by all processes together. */
export function histogramsOf(processes: readonly Cut[]): Observation['histograms'] {
  const found = KEYS.flatMap((key) => {
    const parts = concerned(processes, key).flatMap(({ segments }): Histogram[] => {
      const one = histogramOver(segments, key);
      return one === undefined ? [] : [one];
    });
    return parts.length === 0 ? [] : [[key, addHistograms(parts)] as const];
  });
  return Object.fromEntries(found);
}
