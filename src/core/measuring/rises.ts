import { addHistograms, riseOf } from './histogram.js';
import type { ProcessSample } from './round.js';
import { SERIES, type Histogram, type Reading, type SeriesKey } from './series.js';

/** What was added to the counters and histograms of one process between two samples of it, and the time between them. */
export interface Segment {
  readonly from: number;
  readonly to: number;
  readonly values: Readonly<Partial<Record<SeriesKey, number>>>;
  readonly histograms: Readonly<Partial<Record<SeriesKey, Histogram>>>;
  /** Another run of the process: it counts from zero, and what the one before counted last is not known. */
  readonly restarted: boolean;
  /** That of which nothing is known is more than the time between two samples: it may have counted anything. */
  readonly lost: boolean;
  /** A number that fell, or went away, within one run of the process. */
  readonly fell?: SeriesKey | undefined;
}

/** What there is of a process at a beat; nothing where it was not sampled. */
export interface Slot {
  readonly at: number;
  readonly sample?: ProcessSample | undefined;
}

/** A page with when it was read, and the run of the process that it is of; undefined where nobody knows. */
interface Page {
  readonly at: number;
  /** Read by somebody else before the beat: what was counted since is not in it, but cannot be much. */
  readonly early: boolean;
  readonly run: string | undefined;
  readonly reading: Reading;
}

const KEYS = Object.keys(SERIES) as readonly SeriesKey[];

/** Segments between pages that were read. A process is told by when it was started, not by numbers that fell. */
export function segmentsOf(slots: readonly Slot[], beatMs: number): Segment[] {
  const pages = pagesOf(slots);
  return pages.slice(1).map((after, index) => {
    const before = pages[index] ?? after;
    const found = segment(before, after);
    const lost = found.restarted && slots.some((slot) => isUnknown(slot, { before, after, beatMs }));
    return { ...found, from: before.at, to: after.at, lost };
  });
}

function pagesOf(slots: readonly Slot[]): Page[] {
  const pages: Page[] = [];
  for (const { at: beat, sample } of slots) {
    if (sample?.reading === undefined) continue;
    const { reading, readAt, beganAt, instance } = sample;
    const last = pages.at(-1);
    const at = readAt ?? beat;
    if (last !== undefined && at <= last.at) continue; // the same page, shown again
    // Scraped before this run of the process began: it is of the one before.
    const isEarlier = readAt !== undefined && beganAt !== undefined && readAt < beganAt;
    pages.push({ at, early: readAt !== undefined, run: isEarlier ? last?.run : instance, reading });
  }
  return pages;
}

interface Between {
  readonly before: Page;
  readonly after: Page;
  readonly beatMs: number;
}

/** Whether the run before may have counted at a beat between two pages of different runs, or another run been there. */
function isUnknown({ at, sample }: Slot, { before, after, beatMs }: Between): boolean {
  if (at <= before.at || at >= after.at) return false;
  if (sample === undefined) return true;
  if (sample.running === false) return false;
  if (sample.instance === undefined && sample.health !== undefined && sample.health !== 'SERVING') return false;
  if (sample.instance !== undefined && sample.instance === after.run) return false; // counts from zero, in the next page
  return at - before.at > (before.early ? beatMs : 0);
}

type Rise = Pick<Segment, 'values' | 'histograms' | 'restarted' | 'fell'>;

function segment(before: Page, after: Page): Rise {
  const known = before.run !== undefined && after.run !== undefined;
  if (known && before.run !== after.run) return fromZero(after);
  const rise = difference(before.reading, after.reading);
  // Where nobody knows which run of the process it is, numbers that fall are all there is to tell it by.
  return rise.fell !== undefined && !known ? fromZero(after) : rise;
}

function fromZero({ reading: { values, histograms } }: Page): Rise {
  const counters = Object.entries(values).filter(([key]) => SERIES[key as SeriesKey].kind === 'counter');
  return { values: Object.fromEntries(counters), histograms, restarted: true };
}

function difference(before: Reading, after: Reading): Rise {
  const values: Partial<Record<SeriesKey, number>> = {};
  const histograms: Partial<Record<SeriesKey, Histogram>> = {};
  let fell: SeriesKey | undefined;
  for (const key of KEYS) {
    const { kind } = SERIES[key];
    if (kind === 'counter') {
      const [then, now] = [before.values[key], after.values[key]];
      if (now === undefined ? then !== undefined : now < (then ?? 0)) fell ??= key;
      else if (now !== undefined) values[key] = now - (then ?? 0);
    } else if (kind === 'histogram') {
      const [then, now] = [before.histograms[key], after.histograms[key]];
      const rise = now === undefined ? undefined : riseOf(then ?? [], now);
      if (rise === null || (now === undefined && then !== undefined)) fell ??= key;
      else if (rise !== undefined) histograms[key] = rise;
    }
  }
  return { values, histograms, restarted: false, fell };
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
