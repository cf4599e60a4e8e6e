import type { LoadWindow, Percentiles, ProbeWindowFailure } from '../../core/ledger.js';
import { WAYS, type Span, type Way } from './ways.js';

/** One roll of all servers of a cluster, as its clients saw it. */
export interface MeasuredRoll {
  readonly way: Way;
  readonly seconds: number;
  /** Raw calls during the roll, and those that failed. */
  readonly attempts: number;
  readonly failedAttempts: number;
  /** Those by gRPC status and kind of call. */
  readonly failedBy: Readonly<Record<string, number>>;
  /** The first few, with what each was told. */
  readonly failures: readonly Failure[];
  /** Calls with the SDK's retries that failed during it: of the probe and of the canaries. */
  readonly failedCalls: number;
  readonly longestGapMs: number;
  /** Raw calls that succeeded, before the roll, during it and after it. */
  readonly latencyMs: Readonly<Record<'before' | 'during' | 'after', Percentiles>>;
  readonly canaries: number;
  /** What is wrong with any canary of the whole time. */
  readonly problems: readonly string[];
  /** How busy all cores were, from 0 to 1; absent in rolls of before it was measured. */
  readonly busy?: Readonly<Record<'before' | 'during', number | undefined>> | undefined;
  /** Raw calls during the roll, a slice of time after the other. */
  readonly series: readonly Slice[];
}

/** Seconds since the roll began, and what the call was told. */
export interface Failure extends Pick<ProbeWindowFailure, 'kind' | 'way' | 'code' | 'reason' | 'ms'> {
  readonly second: number;
}

/** Seconds since the roll began, milliseconds, and how many raw calls failed. A slice without a success is left out. */
export interface Slice extends Pick<Percentiles, 'p99' | 'max'> {
  readonly second: number;
  readonly failed: number;
}

const SLICE_MS = 10_000;

/** The time of a roll in slices, each by `window`, which tells what was seen in it. */
export function sliceRoll({ from, to }: Span, window: (span: Span) => LoadWindow): Slice[] {
  const slices: Slice[] = [];
  for (let at = from; at < to; at += SLICE_MS) {
    const { probe } = window({ from: at, to: Math.min(to, at + SLICE_MS) });
    if (probe?.latencyMs === null || probe?.latencyMs === undefined) continue;
    const { p99, max } = probe.latencyMs;
    slices.push({ second: (at - from) / 1_000, p99, max, failed: probe.failedAttempts });
  }
  return slices;
}

/** Puts together what was seen in the three windows. @throws Error when one of them has no probe: nothing was measured then */
export function measuredRoll(
  way: Way,
  { from, to }: Span,
  windows: Readonly<Record<'before' | 'during' | 'after', LoadWindow>>,
  { canaries, problems, series, busy }: Pick<MeasuredRoll, 'canaries' | 'problems' | 'series' | 'busy'>,
): MeasuredRoll {
  const { probe, failedCalls } = windows.during;
  if (probe === undefined) throw new Error(`${way}: there was no probe during the roll`);
  const latencyOf = (window: 'before' | 'during' | 'after') => {
    const latency = windows[window].probe?.latencyMs;
    if (latency === null || latency === undefined) throw new Error(`${way}: no call succeeded ${window} the roll`);
    return latency;
  };
  return {
    way,
    seconds: (to - from) / 1_000,
    attempts: probe.attempts,
    failedAttempts: probe.failedAttempts,
    failedBy: { ...probe.byCode, ...probe.byKind },
    failures: (probe.failures ?? []).map(({ at, ...failure }) => ({ second: (at - from) / 1_000, ...failure })),
    failedCalls: probe.failedCalls + failedCalls,
    longestGapMs: probe.longestGapMs,
    latencyMs: { before: latencyOf('before'), during: latencyOf('during'), after: latencyOf('after') },
    canaries,
    problems,
    busy,
    series,
  };
}

/** Lowest, middle and highest of some values. */
export interface Range {
  readonly low: number;
  readonly median: number;
  readonly high: number;
}

export function rangeOf(values: readonly number[]): Range {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number) => sorted[index] ?? Number.NaN;
  const middle = (sorted.length - 1) / 2;
  return { low: at(0), median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2, high: at(sorted.length - 1) };
}

/** Rolls as a table in Markdown: a line for each way, medians and, in brackets, extremes of all its rolls. */
export function rollTable(rolls: readonly MeasuredRoll[]): string[] {
  const cell = (own: readonly MeasuredRoll[], read: (one: MeasuredRoll) => number) => {
    const { low, median, high } = rangeOf(own.map(read));
    return own.length === 1 || low === high ? show(median) : `${show(median)} (${show(low)} to ${show(high)})`;
  };
  const sum = (own: readonly MeasuredRoll[], read: (one: MeasuredRoll) => number) =>
    own.reduce((total, one) => total + read(one), 0);
  const lines = WAYS.flatMap((way) => {
    const own = rolls.filter((one) => one.way === way);
    if (own.length === 0) return [];
    const latency = (when: 'before' | 'during' | 'after') =>
      `${cell(own, ({ latencyMs }) => latencyMs[when].p50)} / ${cell(own, ({ latencyMs }) => latencyMs[when].p99)}`;
    const cells = [
      way,
      String(own.length),
      `${sum(own, ({ failedAttempts }) => failedAttempts)} of ${sum(own, ({ attempts }) => attempts)}`,
      String(sum(own, ({ failedCalls }) => failedCalls)),
      `${sum(own, ({ problems }) => (problems.length > 0 ? 1 : 0))} rolls; ${sum(own, ({ canaries }) => canaries)} canaries`,
      cell(own, ({ longestGapMs }) => longestGapMs),
      ...[latency('before'), latency('during'), latency('after')],
      cell(own, ({ latencyMs }) => latencyMs.during.max),
      cell(own, ({ seconds }) => seconds),
    ];
    return [`| ${cells.join(' | ')} |`];
  });
  return [
    '| way | rolls | failed raw attempts | failed calls | with a wrong canary | longest gap ms | p50 / p99 ms before | during | after | slowest ms | seconds |',
    `| ${'--- | '.repeat(11).trim()}`,
    ...lines,
  ];
}

function show(value: number): string {
  return String(Math.round(value));
}
