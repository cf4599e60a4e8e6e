/** Keeps the longest time between two successful calls of this process. */
export class GapMeter {
  #lastSuccess: number | undefined;
  #longestMs = 0;
  #stopped = false;

  /** Milliseconds, also of a gap that has not ended yet. */
  longestMs(now: number): number {
    return Math.max(this.#longestMs, this.#lastSuccess === undefined ? 0 : now - this.#lastSuccess);
  }

  /** From now on nobody is meant to call, so that no gap is one any more. */
  stop(): void {
    this.#lastSuccess = undefined;
    this.#stopped = true;
  }

  /** Time that is in no gap, as this process stood still meanwhile. */
  skip(ms: number): void {
    if (this.#lastSuccess !== undefined) this.#lastSuccess += ms;
  }

  success(now: number): void {
    if (this.#stopped) return;
    this.#longestMs = this.longestMs(now);
    this.#lastSuccess = now;
  }
}
