/** Held up for longer, this process has seen nothing meanwhile: that time is no fault of the target. */
const HELD_UP_MS = 1_000;

/**
 * Notices when this process stood still (a suspended host, a starved one), or when the clock of the day was set. It has to
 * be asked for the time many times a second.
 */
export class HoldUpWatch {
  #lastAt = Date.now();
  #stretch = 0;
  #ended = false;

  /** `onHoldUp` is told the last moment before a hold-up and the first one after it, in milliseconds since 1970. */
  constructor(readonly onHoldUp: (before: number, after: number) => void) {}

  /** Rises with each hold-up. */
  get stretch(): number {
    return this.#stretch;
  }

  /** From now on it is not asked often enough to tell anything. */
  end(): void {
    this.#ended = true;
  }

  /** The time, in milliseconds since 1970. Tells of a hold-up before it returns. */
  now(): number {
    const before = this.#lastAt;
    const now = Date.now();
    this.#lastAt = now;
    if (!this.#ended && Math.abs(now - before) > HELD_UP_MS) {
      this.#stretch += 1;
      this.onHoldUp(before, now);
    }
    return now;
  }
}
