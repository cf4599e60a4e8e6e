import type { ProbePoint } from '../../core/evidence.js';
import type { Recorded, Span } from './cut-window.js';
import { Latencies } from './latency.js';
import type { KindTally, ProbeInterval, ProbeKind } from './probe-interval.js';

/** What the probe saw from `from` until before `to`, a point for each `stepMs` milliseconds. Each interval counts where it ended. */
export function probePoints(
  { intervals, failures }: Recorded,
  { from, to, stepMs }: Span & { readonly stepMs: number },
): ProbePoint[] {
  const pieces = Array.from({ length: Math.ceil((to - from) / stepMs) }, () => new Piece());
  const pieceAt = (moment: number) => pieces[Math.floor((moment - from) / stepMs)];
  const gaps = new GapsBetween();
  for (const interval of intervals) {
    const longest = gaps.before(interval);
    // The last moment that it covers: one that ends with a piece belongs to that piece.
    pieceAt(interval.endedAt - 1)?.add(interval, longest);
  }
  for (const { at, way } of failures) pieceAt(at)?.fail(way);
  return pieces.map((piece, index) => piece.point(from + index * stepMs));
}

class Piece {
  readonly #latencies = new Latencies();
  #seconds = 0;
  #attempts = 0;
  #longestGapMs = 0;
  readonly #failed = { raw: 0, retried: 0 };

  add({ startedAt, endedAt, kinds, latency }: Omit<ProbeInterval, 'failures'>, longestGapMs: number): void {
    this.#seconds += (endedAt - startedAt) / 1_000;
    for (const { attempts } of Object.values(kinds)) this.#attempts += attempts;
    if (latency !== null) this.#latencies.add(latency);
    this.#longestGapMs = Math.max(this.#longestGapMs, longestGapMs);
  }

  fail(way: 'raw' | 'retried'): void {
    this.#failed[way] += 1;
  }

  point(at: number): ProbePoint {
    const isSeen = this.#seconds > 0;
    const latency = this.#latencies.percentiles();
    return {
      at,
      perSecond: isSeen ? this.#attempts / this.#seconds : null,
      failedAttempts: this.#failed.raw,
      failedCalls: this.#failed.retried,
      p50: latency?.p50 ?? null,
      p99: latency?.p99 ?? null,
      longestGapMs: isSeen ? this.#longestGapMs : null,
    };
  }
}

/** The longest time without a success that ended in an interval; one without any has the time since the last one before it. */
class GapsBetween {
  readonly #lastSuccess = new Map<ProbeKind, number>();
  #stretch: string | undefined;

  before({ stretch, startedAt, endedAt, kinds }: Omit<ProbeInterval, 'failures'>): number {
    // Between two stretches nobody called.
    if (stretch !== this.#stretch) this.#lastSuccess.clear();
    this.#stretch = stretch;
    const tallies = Object.entries(kinds) as [ProbeKind, KindTally][];
    return Math.max(0, ...tallies.map(([kind, tally]) => this.#gapOf(kind, tally, { startedAt, endedAt })));
  }

  #gapOf(
    kind: ProbeKind,
    { firstSuccessAt, lastSuccessAt, longestGapMs }: KindTally,
    { startedAt, endedAt }: { readonly startedAt: number; readonly endedAt: number },
  ): number {
    const since = this.#lastSuccess.get(kind) ?? startedAt;
    if (firstSuccessAt === null || lastSuccessAt === null) {
      this.#lastSuccess.set(kind, since);
      return endedAt - since;
    }
    this.#lastSuccess.set(kind, lastSuccessAt);
    return Math.max(longestGapMs, firstSuccessAt - since);
  }
}
