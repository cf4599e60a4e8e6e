import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../core/errors.js';
import type { LoadPolicy } from '../core/input.js';
import { planCanary } from './canary-plan.js';
import { canaryIdOf, type CanaryTarget } from './canary-target.js';
import { GapMeter } from './gap-meter.js';
import type { CanaryRow, Ledger } from './ledger.js';

const TICK_MS = 20;
/** Between two calls for one canary: its start and its signals meet the target at different moments. */
const NEXT_CALL_MS = 700;
/** After a call that failed in spite of the SDK's retries. */
const RETRY_MS = 5_000;
/** Longer than the deadline of a call, so that no call is made twice at once. */
const LEASE_MS = 90_000;

/**
 * Starts canaries by the clock, whether or not the target answers (an open loop: a slow target does not get less to do),
 * and sends them their signals. The ledger is its queue; whatever a killed generator left is taken up by the next one.
 */
export class Generator {
  readonly #ledger: Ledger;
  readonly #target: CanaryTarget;
  readonly #intervalMs: number;
  readonly #room: number;
  readonly #inFlight = new Set<Promise<void>>();
  readonly #gaps: GapMeter;
  #started: number;
  #failedCalls: number;

  constructor(options: { readonly ledger: Ledger; readonly target: CanaryTarget; readonly policy: LoadPolicy }) {
    this.#ledger = options.ledger;
    this.#target = options.target;
    this.#intervalMs = 1_000 / options.policy.startsPerSecond;
    // A call with its retries ends within 30 s: there is room for the starts and signals that fall due in that time.
    this.#room = Math.min(2_000, Math.max(64, Math.ceil(options.policy.startsPerSecond * 90)));
    this.#gaps = new GapMeter(options.ledger);
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
    let number = this.#ledger.nextNumber();
    let nextStartAt = Date.now();
    let stoppedAt: number | undefined;
    for (;;) {
      const now = Date.now();
      if (stop.aborted) {
        if (stoppedAt === undefined) this.#gaps.stop();
        stoppedAt ??= now;
        if (now - stoppedAt >= drainMs() || (this.#inFlight.size === 0 && this.#ledger.callsLeft() === 0)) return;
      } else if (nextStartAt <= now) {
        this.#ledger.inTransaction(() => {
          for (; nextStartAt <= now; nextStartAt += this.#intervalMs, number += 1) this.#intend(number, nextStartAt);
        });
      }
      this.#makeDueCalls(now);
      await sleep(TICK_MS);
    }
  }

  #intend(number: number, at: number): void {
    const intendedAt = Math.round(at);
    const workflowId = canaryIdOf(this.#target.loadId, number);
    this.#ledger.intend({ workflowId, number, kind: 'short', hop: null, intendedAt, dueAt: intendedAt });
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

  /** The next call of this canary: its start, then its signals, one after the other. Never throws. */
  async #call(canary: CanaryRow): Promise<void> {
    const kind = canary.startedAt === null ? 'start' : 'signal';
    try {
      if (kind === 'start') await this.#start(canary);
      else await this.#signal(canary);
    } catch (error) {
      this.#fail(kind, canary.workflowId, messageOf(error));
      this.#ledger.postpone(canary.row, Date.now() + RETRY_MS);
    }
  }

  async #start(canary: CanaryRow): Promise<void> {
    const runId = await this.#target.start(canary);
    const at = Date.now();
    this.#ledger.confirmStart(canary.row, { runId, at, dueAt: at + NEXT_CALL_MS });
    this.#started += 1;
    this.#gaps.success(at);
  }

  async #signal(canary: CanaryRow): Promise<void> {
    const { signals } = planCanary(canary.number, canary.kind, canary.workflowId);
    const taken = await this.#target.signal(canary, canary.signalsSent);
    const at = Date.now();
    // One that is gone takes no more; what became of it is the verification's question.
    const signalsSent = taken ? canary.signalsSent + 1 : canary.signalsSent;
    const more = taken && signalsSent < signals.length;
    this.#ledger.confirmSignal(canary.row, { signalsSent, at, dueAt: more ? at + NEXT_CALL_MS : null });
    this.#gaps.success(at);
  }

  #fail(call: 'start' | 'signal', workflowId: string, reason: string): void {
    this.#failedCalls += 1;
    this.#ledger.recordFailedCall({ at: Date.now(), call, workflowId, reason: reason.slice(0, 300) });
  }
}
