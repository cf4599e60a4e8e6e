import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../core/errors.js';
import { planCanary } from './canary-plan.js';
import { canaryIdOf, type CanaryTarget } from './canary-target.js';
import { GapMeter } from './gap-meter.js';
import { HoldUpWatch } from './hold-up-watch.js';
import type { CanaryRow, Ledger } from './ledger.js';
import { dueAfterMs, firstDueAt, type Ramp } from './ramp.js';
import type { Stream } from './streams.js';

const TICK_MS = 20;
/** Between two calls for one canary: its start and its signals meet the target at different moments. */
const NEXT_CALL_MS = 700;
/** After a call that failed in spite of the SDK's retries. */
const RETRY_MS = 5_000;
/** Longer than the deadline of a call, so that no call is made twice at once. */
const LEASE_MS = 90_000;

/** A stream, and the moment at which its next start falls due, in milliseconds since 1970. */
interface Running {
  readonly stream: Stream;
  readonly ramp: Ramp;
  index: number;
}

/**
 * Starts canaries by the clock, whether or not the target answers (an open loop: a slow target does not get less to do),
 * and makes their calls. The ledger is its queue; whatever a killed generator left is taken up by the next one.
 */
export class Generator {
  readonly #ledger: Ledger;
  readonly #target: CanaryTarget;
  readonly #streams: readonly Stream[];
  readonly #rampUpMs: number;
  readonly #room: number;
  readonly #inFlight = new Set<Promise<void>>();
  readonly #gaps = new GapMeter();
  #watch = new HoldUpWatch(() => undefined);
  #running: readonly Running[] = [];
  /** When the first start fell due, in milliseconds since 1970. */
  #beganAt = 0;
  #started: number;
  #failedCalls: number;

  constructor(options: {
    readonly ledger: Ledger;
    readonly target: CanaryTarget;
    readonly streams: readonly Stream[];
    readonly rampUpMs?: number | undefined;
  }) {
    this.#ledger = options.ledger;
    this.#target = options.target;
    this.#streams = options.streams;
    this.#rampUpMs = options.rampUpMs ?? 0;
    const perSecond = this.#streams.reduce((sum, { startsPerSecond }) => sum + startsPerSecond, 0);
    // A call with its retries ends within 30 s: there is room for the starts and signals that fall due in that time.
    this.#room = Math.min(2_000, Math.max(64, Math.ceil(perSecond * 90)));
    this.#started = this.#ledger.countStarted();
    this.#failedCalls = this.#ledger.countFailedCalls();
  }

  /** Counts of the whole load, `longestGapMs` of this process. */
  state(): { started: number; failedCalls: number; inFlight: number; longestGapMs: number } {
    return {
      started: this.#started,
      failedCalls: this.#failedCalls,
      inFlight: this.#inFlight.size,
      longestGapMs: this.#gaps.longestMs(Date.now()),
    };
  }

  /** Resolves after `stop` was aborted and no call is left to do, or `drainMs()` milliseconds after it. */
  async run(stop: AbortSignal, drainMs: () => number): Promise<void> {
    this.#ledger.dropLeases(Date.now());
    const startedAt = Date.now();
    // Not later than now: the clock may have been set back since.
    this.#beganAt = stop.aborted ? startedAt : Math.min(startedAt, this.#ledger.beganAt(startedAt));
    this.#running = this.#streams.map((stream) => this.#begin(stream));
    this.#watch = new HoldUpWatch((before, now) => this.#skip(before, now));
    try {
      await this.#tick(stop, drainMs);
    } finally {
      // Calls that are still under way end later, and nobody looks at the clock until then.
      this.#watch.end();
    }
  }

  async #tick(stop: AbortSignal, drainMs: () => number): Promise<void> {
    let number = this.#ledger.nextNumber();
    let stoppedAt: number | undefined;
    for (;;) {
      const now = this.#watch.now();
      if (stop.aborted) {
        if (stoppedAt === undefined) this.#gaps.stop();
        stoppedAt ??= now;
        if (now - stoppedAt >= drainMs() || (this.#inFlight.size === 0 && this.#ledger.callsLeft() === 0)) return;
      } else {
        number = this.#intendDue(now, number);
      }
      this.#makeDueCalls(now);
      await sleep(TICK_MS);
    }
  }

  /** One that was killed does not ramp up again, nor start at once all that fell due while it was away. */
  #begin(stream: Stream): Running {
    const ramp = { startsPerSecond: stream.startsPerSecond, rampUpMs: this.#rampUpMs };
    return { stream, ramp, index: firstDueAt(ramp, Date.now() - this.#beganAt) };
  }

  /**
   * What fell due while this process stood still is not started at once, as though the target had been slow; and when the clock
   * was set back, nothing waits until it is again as late as it was.
   */
  #skip(before: number, now: number): void {
    this.#ledger.shiftWaiting(now - before);
    this.#gaps.skip(now - before);
    if (now < this.#beganAt) this.#beganAt = now;
    for (const one of this.#running) one.index = firstDueAt(one.ramp, now - this.#beganAt);
  }

  /** Writes down all starts that have fallen due; returns the number of the next one. */
  #intendDue(now: number, number: number): number {
    const dueAt = ({ ramp, index }: Running) => this.#beganAt + dueAfterMs(ramp, index);
    if (!this.#running.some((one) => dueAt(one) <= now)) return number;
    return this.#ledger.inTransaction(() => {
      let next = number;
      for (const one of this.#running) {
        for (; dueAt(one) <= now; one.index += 1, next += 1) this.#intend(one.stream, next, dueAt(one));
      }
      return next;
    });
  }

  #intend(stream: Stream, number: number, at: number): void {
    const intendedAt = Math.round(at);
    const workflowId = canaryIdOf(this.#target.loadId, number);
    const choice = stream.choose(number);
    this.#ledger.intend({ workflowId, number, ...choice, hop: null, intendedAt, dueAt: intendedAt });
    // It stays written down and is started later; that it could not be started in time is not passed over.
    if (this.#inFlight.size >= this.#room) {
      this.#fail('start', workflowId, `no room: ${this.#inFlight.size} calls are waiting for the target already`);
    }
  }

  #makeDueCalls(now: number): void {
    const room = this.#room - this.#inFlight.size;
    if (room <= 0) return;
    for (const canary of this.#ledger.takeDue(now, now + LEASE_MS, room)) {
      const call = this.#call(canary).finally(() => this.#inFlight.delete(call));
      this.#inFlight.add(call);
    }
  }

  /** The next call of this canary: its start, then those of its plan, one after the other. Never throws. */
  async #call(canary: CanaryRow): Promise<void> {
    const calls = callsOf(canary);
    const call = canary.startedAt === null ? 'start' : (calls[canary.callsDone] ?? 'call');
    const { stretch } = this.#watch;
    try {
      if (canary.startedAt === null) await this.#start(canary, calls.length > 0);
      else await this.#makeCall(canary, calls.length);
    } catch (error) {
      const now = this.#watch.now();
      // What crossed a hold-up of this process may have failed by that alone; it is made again.
      if (stretch === this.#watch.stretch) this.#fail(call, canary.workflowId, messageOf(error));
      this.#ledger.postpone(canary.row, now + RETRY_MS);
    }
  }

  async #start(canary: CanaryRow, hasCalls: boolean): Promise<void> {
    const runId = await this.#target.start(canary);
    const at = this.#watch.now();
    this.#ledger.confirmStart(canary.row, { runId, at, dueAt: hasCalls ? at + NEXT_CALL_MS : null, ready: !hasCalls });
    this.#started += 1;
    this.#gaps.success(at);
  }

  async #makeCall(canary: CanaryRow, calls: number): Promise<void> {
    const { taken, wrongAnswer } = await this.#target.call(canary, canary.callsDone);
    const at = this.#watch.now();
    // One that is gone takes no more; what became of it is the verification's question.
    const callsDone = taken ? canary.callsDone + 1 : canary.callsDone;
    const more = taken && callsDone < calls;
    this.#ledger.confirmCall(canary.row, { callsDone, at, dueAt: more ? at + NEXT_CALL_MS : null, wrongAnswer });
    this.#gaps.success(at);
  }

  #fail(call: string, workflowId: string, reason: string): void {
    this.#failedCalls += 1;
    this.#ledger.recordFailedCall({ at: Date.now(), call, workflowId, reason });
  }
}

/** What is to be called on this canary, by its kinds of calls. */
function callsOf({ kind, number, workflowId }: CanaryRow): readonly string[] {
  return kind === 'tick' || kind === 'own' ? [] : planCanary(number, kind, workflowId).calls.map(({ call }) => call);
}
