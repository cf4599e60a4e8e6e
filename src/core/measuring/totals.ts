import type { Role } from '../input/input.js';
import { addHistograms } from './histogram.js';
import type { Observation } from './observation.js';
import type { Cut } from './process-window.js';
import { histogramOver, sumOf } from './rises.js';
import { SERIES, type Histogram, type SeriesKey } from './series.js';
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
export function totalsOf(processes: readonly Cut[]): Pick<Observation, 'totals' | 'unclear'> {
  const totals: Partial<Record<SeriesKey, number>> = {};
  const unclear: SeriesKey[] = [];
  for (const key of KEYS) {
    const own = concerned(processes, key);
    const segments = own.flatMap((one) => one.segments);
    const found = SERIES[key].kind === 'gauge' ? gaugeOf(own, key) : { value: sumOf(segments, key), unclear: false };
    if (found.unclear) unclear.push(key);
    if (found.value !== undefined) totals[key] = found.value;
  }
  return { totals, ...(unclear.length === 0 ? {} : { unclear }) };
}

/**
 * A gauge as it was of the worst process; without a value where none shows it. One whose page was read and does not have it
 * shows 0; one whose page was read too rarely may have shown anything.
 */
function gaugeOf(
  processes: readonly Cut[],
  key: SeriesKey,
): { readonly value: number | undefined; readonly unclear: boolean } {
  const each = processes.map(({ slots }) =>
    sustained(slots.map(({ sample }) => sample?.reading && (sample.reading.values[key] ?? 0))),
  );
  const isShown = processes.some(({ slots }) => slots.some(({ sample }) => sample?.reading?.values[key] !== undefined));
  return {
    value: isShown ? Math.max(...each.map((one) => one?.value ?? 0)) : undefined,
    unclear: each.some((one) => one === undefined || one.unclear),
  };
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
