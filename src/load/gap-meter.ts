import type { Ledger } from './ledger.js';

/** Shorter gaps are nothing but the clock's own beat at low rates. */
const WORTH_RECORDING_MS = 1_000;

/** Keeps the longest time between two successful calls of this process; longer ones go into the ledger with their moment. */
export class GapMeter {
  #lastSuccess: number | undefined;
  #longestMs = 0;
  #stopped = false;

  constructor(readonly ledger: Pick<Ledger, 'recordGap'>) {}

  /** Milliseconds, also of a gap that has not ended yet. */
  longestMs(now: number): number {
    return Math.max(this.#longestMs, this.#lastSuccess === undefined ? 0 : now - this.#lastSuccess);
  }

  /** From now on nobody is meant to call, so that no gap is one any more. */
  stop(): void {
    this.#lastSuccess = undefined;
    this.#stopped = true;
  }

  success(now: number): void {
    if (this.#stopped) return;
    const gap = this.#lastSuccess === undefined ? 0 : now - this.#lastSuccess;
    if (gap >= WORTH_RECORDING_MS) this.ledger.recordGap(now, gap);
    this.#longestMs = Math.max(this.#longestMs, gap);
    this.#lastSuccess = now;
  }
}
