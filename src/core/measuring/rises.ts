import { addHistograms, riseOf } from './histogram.js';
import type { ProcessSample } from './round.js';
import { SERIES, type Histogram, type SeriesKey } from './series.js';

/** What was added to the counters and histograms of one process between two samples of it, and the time between them. */
export interface Segment {
  readonly from: number;
  readonly to: number;
  readonly values: Readonly<Partial<Record<SeriesKey, number>>>;
  readonly histograms: Readonly<Partial<Record<SeriesKey, Histogram>>>;
  /** Another run of the process: it counts from zero, and what the one before counted last is not known. */
  readonly restarted: boolean;
  /** A number that fell, or went away, within one run of the process. */
  readonly fell?: SeriesKey | undefined;
}

/** A sample with its beat. */
export type Timed = ProcessSample & { readonly at: number };

const KEYS = Object.keys(SERIES) as readonly SeriesKey[];

/** Segments between samples whose page was read. A process is told by when it was started, not by numbers that fell. */
export function segmentsOf(samples: readonly Timed[]): Segment[] {
  const read = samples.filter(({ reading }) => reading !== undefined);
  return read.slice(1).map((after, index) => segment(read[index] ?? after, after));
}

function segment(before: Timed, after: Timed): Segment {
  const known = before.instance !== undefined && after.instance !== undefined;
  if (known && before.instance !== after.instance) return { ...fromZero(before, after), restarted: true };
  const rise = difference(before, after);
  // Where nobody knows which run of the process it is, numbers that fall are all there is to tell it by.
  if (rise.fell !== undefined && !known) return { ...fromZero(before, after), restarted: true };
  return rise;
}

function fromZero(before: Timed, after: Timed): Segment {
  const { values = {}, histograms = {} } = after.reading ?? {};
  const counters = Object.entries(values).filter(([key]) => SERIES[key as SeriesKey].kind === 'counter');
  return { from: before.at, to: after.at, values: Object.fromEntries(counters), histograms, restarted: false };
}

function difference(before: Timed, after: Timed): Segment {
  const values: Partial<Record<SeriesKey, number>> = {};
  const histograms: Partial<Record<SeriesKey, Histogram>> = {};
  let fell: SeriesKey | undefined;
  for (const key of KEYS) {
    const { kind } = SERIES[key];
    if (kind === 'counter') {
      const [then, now] = [before.reading?.values[key], after.reading?.values[key]];
      if (now === undefined ? then !== undefined : now < (then ?? 0)) fell ??= key;
      else if (now !== undefined) values[key] = now - (then ?? 0);
    } else if (kind === 'histogram') {
      const [then, now] = [before.reading?.histograms[key], after.reading?.histograms[key]];
      const rise = now === undefined ? undefined : riseOf(then ?? [], now);
      if (rise === null || (now === undefined && then !== undefined)) fell ??= key;
      else if (rise !== undefined) histograms[key] = rise;
    }
  }
  return { from: before.at, to: after.at, values, histograms, restarted: false, fell };
}

/** Sum of a counter over segments; undefined when none has it. */
export function sumOf(segments: readonly Segment[], key: SeriesKey): number | undefined {
  const rises = segments.flatMap(({ values }) => values[key] ?? []);
  return rises.length === 0 ? undefined : rises.reduce((sum, rise) => sum + rise, 0);
}

/** All that was added to a histogram over segments; undefined when none has it. */
export function histogramOver(segments: readonly Segment[], key: SeriesKey): Histogram | undefined {
  const rises = segments.flatMap(({ histograms }) => {
    const rise = histograms[key];
    return rise === undefined ? [] : [rise];
  });
  return rises.length === 0 ? undefined : addHistograms(rises);
}
