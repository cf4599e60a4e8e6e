import { Latencies } from './latency.js';
import type { KindTally, ProbeFailure, ProbeInterval, ProbeKind, ProbeWay } from './probe-interval.js';

interface Ended {
  readonly kind: ProbeKind;
  readonly way: ProbeWay;
  /** Milliseconds since 1970. */
  readonly at: number;
}

const NONE: KindTally = { attempts: 0, calls: 0, firstSuccessAt: null, lastSuccessAt: null, longestGapMs: 0 };

/** Counts the calls that end, until they are written down. */
export class ProbeTally {
  readonly #latencies = new Latencies();
  readonly #kinds: Map<ProbeKind, KindTally>;
  #failures: ProbeFailure[] = [];

  constructor(readonly calledKinds: readonly ProbeKind[]) {
    this.#kinds = new Map(calledKinds.map((kind) => [kind, NONE]));
  }

  /** `latencyMs` counts for raw calls alone; undefined when it would be the probe's own lateness. */
  succeeded(call: Ended, latencyMs: number | undefined): void {
    const before = this.#count(call);
    const { lastSuccessAt, longestGapMs } = before;
    this.#kinds.set(call.kind, {
      ...before,
      firstSuccessAt: before.firstSuccessAt ?? call.at,
      lastSuccessAt: call.at,
      longestGapMs: Math.max(longestGapMs, lastSuccessAt === null ? 0 : call.at - lastSuccessAt),
    });
    if (call.way === 'raw' && latencyMs !== undefined) this.#latencies.record(latencyMs);
  }

  failed(call: Ended, failure: Pick<ProbeFailure, 'code' | 'reason' | 'ms'>): void {
    this.#kinds.set(call.kind, this.#count(call));
    this.#failures.push({ ...call, ...failure });
  }

  /** What has been counted so far. */
  interval(about: Pick<ProbeInterval, 'stretch' | 'startedAt' | 'endedAt'>): ProbeInterval {
    return {
      ...about,
      kinds: Object.fromEntries(this.#kinds),
      failures: this.#failures,
      latency: this.#latencies.count === 0 ? null : this.#latencies.encode(),
    };
  }

  reset(): void {
    for (const kind of this.calledKinds) this.#kinds.set(kind, NONE);
    this.#failures = [];
    this.#latencies.reset();
  }

  #count({ kind, way }: Ended): KindTally {
    const before = this.#kinds.get(kind) ?? NONE;
    return way === 'raw' ? { ...before, attempts: before.attempts + 1 } : { ...before, calls: before.calls + 1 };
  }
}
