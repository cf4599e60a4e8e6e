import type { ProbeWindow } from '../../core/ledger.js';
import { Latencies } from './latency.js';
import { PROBE_KINDS, type ProbeFailure, type ProbeInterval, type ProbeKind } from './probe-interval.js';

/** Moments in milliseconds since 1970; `to` itself is outside. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** With everything that the probe can tell. */
export type SeenWindow = Required<ProbeWindow>;

export interface Recorded {
  /** Those that touch the window, in the order in which they began. */
  readonly intervals: Iterable<Omit<ProbeInterval, 'failures'>>;
  /** Those within the window. */
  readonly failures: Iterable<ProbeFailure>;
}

/** Of each way. The rest is counted. */
const FAILURES_TOLD = 3;

/** What the probe saw between two moments. Time without a record is neither success nor outage: it is missing. */
export function cutWindow({ intervals, failures }: Recorded, span: Span): SeenWindow {
  const counts = { attempts: 0, calls: 0 };
  const latencies = new Latencies();
  const gaps = new Gaps(span);
  let covered = 0;
  let coveredUntil = span.from;
  for (const interval of intervals) {
    for (const { attempts, calls } of Object.values(interval.kinds)) {
      counts.attempts += attempts;
      counts.calls += calls;
    }
    if (interval.latency !== null) latencies.add(interval.latency);
    gaps.add(interval);
    const end = Math.min(interval.endedAt, span.to);
    covered += Math.max(0, end - Math.max(interval.startedAt, coveredUntil));
    coveredUntil = Math.max(coveredUntil, end);
  }
  const failed = countFailures(failures);
  return {
    ...counts,
    failedAttempts: failed.raw,
    failedCalls: failed.retried,
    latencyMs: latencies.percentiles(),
    ...gaps.longest(),
    byCode: failed.byCode,
    byKind: failed.byKind,
    failures: failed.told,
    missingMs: Math.max(0, span.to - span.from - covered),
  };
}

function countFailures(failures: Iterable<ProbeFailure>) {
  const failed = { raw: 0, retried: 0 };
  const byCode: Record<string, number> = {};
  const byKind: Record<string, number> = {};
  const told: ProbeFailure[] = [];
  for (const failure of failures) {
    const { way, code, kind } = failure;
    failed[way] += 1;
    if (failed[way] <= FAILURES_TOLD) told.push(failure);
    if (way === 'retried') continue;
    byCode[code] = (byCode[code] ?? 0) + 1;
    byKind[kind] = (byKind[kind] ?? 0) + 1;
  }
  return { ...failed, byCode, byKind, told };
}

/** The longest time without a success, kind by kind, as far as it lies in the window and is covered by a record. */
class Gaps {
  readonly #span: Span;
  /** Since when no success is known, in the stretch at hand. */
  readonly #since = new Map<ProbeKind, number>();
  #stretch: string | undefined;
  #recordedUntil = 0;
  #longestMs = 0;
  #longestKind: ProbeKind | null = null;

  constructor(span: Span) {
    this.#span = span;
  }

  add({ stretch, startedAt, endedAt, kinds }: Omit<ProbeInterval, 'failures'>): void {
    if (stretch !== this.#stretch) {
      this.#closeAll();
      this.#since.clear();
      this.#stretch = stretch;
    }
    for (const kind of PROBE_KINDS) {
      const tally = kinds[kind];
      if (tally === undefined) continue;
      const since = this.#since.get(kind) ?? this.#within(startedAt);
      this.#since.set(kind, since);
      const { firstSuccessAt: first, lastSuccessAt: last } = tally;
      if (first === null || last === null) continue;
      this.#note(kind, this.#within(first) - since);
      this.#note(kind, Math.min(tally.longestGapMs, this.#within(last) - this.#within(first)));
      this.#since.set(kind, this.#within(last));
    }
    this.#recordedUntil = endedAt;
  }

  longest(): Pick<SeenWindow, 'longestGapMs' | 'longestGapKind'> {
    this.#closeAll();
    return { longestGapMs: this.#longestMs, longestGapKind: this.#longestKind };
  }

  #closeAll(): void {
    for (const [kind, since] of this.#since) this.#note(kind, this.#within(this.#recordedUntil) - since);
  }

  #note(kind: ProbeKind, ms: number): void {
    if (ms < this.#longestMs || (ms === 0 && this.#longestKind !== null)) return;
    this.#longestMs = ms;
    this.#longestKind = kind;
  }

  #within(moment: number): number {
    return Math.min(this.#span.to, Math.max(this.#span.from, moment));
  }
}
