import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64, type Histogram } from 'hdr-histogram-js';
import type { Percentiles } from '../../core/ledger.js';

/** Longer than any deadline of a call. */
const MAX_MICROSECONDS = 120_000_000;

/** Latencies in a histogram of a fixed size (HDR): every value is kept to one percent. */
export class Latencies {
  readonly #histogram: Histogram = build({
    highestTrackableValue: MAX_MICROSECONDS,
    numberOfSignificantValueDigits: 2,
    autoResize: false,
  });

  get count(): number {
    return this.#histogram.totalCount;
  }

  record(milliseconds: number): void {
    const microseconds = Math.round(milliseconds * 1_000);
    this.#histogram.recordValue(Math.min(MAX_MICROSECONDS, Math.max(0, microseconds)));
  }

  reset(): void {
    this.#histogram.reset();
  }

  /** Some 200 characters. */
  encode(): string {
    return encodeIntoCompressedBase64(this.#histogram);
  }

  /** Adds what `encode` gave. */
  add(encoded: string): void {
    this.#histogram.add(decodeFromCompressedBase64(encoded));
  }

  /** Null when nothing was recorded. */
  percentiles(): Percentiles | null {
    if (this.count === 0) return null;
    const at = (percentile: number) => this.#histogram.getValueAtPercentile(percentile) / 1_000;
    return { p50: at(50), p99: at(99), max: this.#histogram.maxValue / 1_000 };
  }
}
