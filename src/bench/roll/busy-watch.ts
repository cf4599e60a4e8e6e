import { busyBetween, machineTicks, type MachineTicks } from '../cpu.js';
import type { Span } from './ways.js';

const EVERY_MS = 1_000;

/** Looks once a second at what the machine does: when a roll begins is known only after it. */
export class BusyWatch implements Disposable {
  readonly #looks: { readonly at: number; readonly ticks: MachineTicks }[] = [];
  readonly #timer = setInterval(() => {
    void machineTicks().then((ticks) => this.#looks.push({ at: Date.now(), ticks }));
  }, EVERY_MS);

  /** How busy all cores were in a span, from 0 to 1; undefined where it was not looked at twice. */
  during({ from, to }: Span): number | undefined {
    const within = this.#looks.filter(({ at }) => at >= from && at <= to);
    const [first, last] = [within.at(0), within.at(-1)];
    return first === undefined || last === undefined || first === last
      ? undefined
      : busyBetween(first.ticks, last.ticks);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
