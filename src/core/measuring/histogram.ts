import type { Histogram } from './series.js';

/** How many of a histogram were at most `bound`; bounds that it leaves out are as the one before. */
export function countUpTo(histogram: Histogram, bound: number): number {
  let count = 0;
  for (const [upTo, total] of histogram) {
    if ((upTo ?? Infinity) > bound) break;
    count = total;
  }
  return count;
}

export function countOf(histogram: Histogram): number {
  return histogram.at(-1)?.[1] ?? 0;
}

/** What was added between two readings of one process. Null when something fell: they are not of one run. */
export function riseOf(before: Histogram, after: Histogram): Histogram | null {
  const rise = combine([after, before], ([now = 0, then = 0]) => now - then);
  return rise.some(([, count]) => count < 0) ? null : rise;
}

/** All of these together. */
export function addHistograms(histograms: readonly Histogram[]): Histogram {
  return combine(histograms, (counts) => counts.reduce((sum, count) => sum + count, 0));
}

function combine(histograms: readonly Histogram[], how: (counts: readonly number[]) => number): Histogram {
  const bounds = [...new Set(histograms.flatMap((one) => one.map(([upTo]) => upTo ?? Infinity)))].sort((a, b) => a - b);
  const all = bounds.map((bound) => [bound, how(histograms.map((one) => countUpTo(one, bound)))] as const);
  return all
    .filter(
      ([, count], index) =>
        index === all.length - 1 || count !== (all[index - 1]?.[1] ?? 0) || count !== all[index + 1]?.[1],
    )
    .map(([bound, count]) => [bound === Infinity ? null : bound, count]);
}

/** The value that `share` of a histogram do not exceed, as far as its bounds tell: linear within one. Null when empty. */
export function quantile(histogram: Histogram, share: number): number | null {
  const total = countOf(histogram);
  if (total <= 0) return null;
  const wanted = total * share;
  let [below, lower] = [0, 0];
  for (const [upTo, count] of histogram) {
    if (upTo === null) return lower; // beyond the last bound: at least that
    if (count >= wanted && count > below) return lower + ((upTo - lower) * (wanted - below)) / (count - below);
    [below, lower] = [count, upTo];
  }
  return lower;
}

/** The lowest bound of either histogram that is at least `value`: it cannot tell finer than that. */
export function nextBound(histograms: readonly Histogram[], value: number): number {
  const bounds = histograms.flatMap((one) => one.map(([upTo]) => upTo ?? Infinity)).filter((bound) => bound >= value);
  return Math.min(...bounds, Infinity);
}
