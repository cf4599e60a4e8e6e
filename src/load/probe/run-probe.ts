import { setTimeout as sleep } from 'node:timers/promises';
import { Connection, defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client';
import { OWN_CHANNEL } from '../../adapters/channel-args.js';
import type { ReachableBy } from '../../adapters/connection-options.js';
import { messageOf } from '../../core/errors.js';
import { HoldUpWatch } from '../hold-up-watch.js';
import { grpcReasonOf, grpcStatusOf } from './grpc-status.js';
import { makeProbeCalls, type ProbeCall, type ProbedAs } from './probe-calls.js';
import type { ProbeInterval, ProbeWay } from './probe-interval.js';
import { ProbeTally } from './probe-tally.js';

/** A process that is killed loses at most this much of what it saw. */
const INTERVAL_MS = 5_000;
const PER_SECOND = 10;
const TICK_MS = 20;
/** What the Go SDK gives a call (its defaultRPCTimeout). */
const ATTEMPT_DEADLINE_MS = 10_000;
/** As for the calls of the canaries. */
const CALL_DEADLINE_MS = 30_000;
/** At the end, for calls that are on their way; shorter than what is taken for a hold-up. */
const LAST_CALLS_MS = 900;

export interface ProbeOptions extends ProbedAs {
  readonly reachableBy: ReachableBy;
  /** Where each interval goes; what it could not take comes again with the next one. */
  readonly sink: { record(interval: ProbeInterval): void };
  readonly stop: AbortSignal;
  /** Raw calls each second, and as many with retries; kinds of calls take turns. 10 when left out; 0 is no probe. */
  readonly perSecond?: number | undefined;
  readonly intervalMs?: number;
  readonly onProblem: (message: string) => void;
}

/**
 * Calls the target as its clients do, by the clock, whether or not it answers, until `stop` is aborted. Never throws: what
 * goes wrong is what it is there to count.
 */
export async function runProbe(options: ProbeOptions): Promise<void> {
  const { perSecond = PER_SECOND } = options;
  if (perSecond <= 0 || options.stop.aborted) return;
  const probe = new Probe(options, 1_000 / perSecond);
  try {
    await probe.run();
  } finally {
    probe.close();
  }
}

/** Calls that are made one way, through a connection of their own. */
class Caller {
  readonly #connection: Connection;
  #turn = 0;
  nextAt: number;

  constructor(
    readonly way: ProbeWay,
    readonly first: { readonly turn: number; readonly at: number },
    { reachableBy }: Pick<ProbeOptions, 'reachableBy'>,
  ) {
    this.#connection = Connection.lazy({
      ...reachableBy,
      interceptors: way === 'raw' ? [] : [makeGrpcRetryInterceptor(defaultGrpcRetryOptions())],
      // A channel of its own: the canaries' could otherwise hide, or cause, what this one meets.
      channelArgs: OWN_CHANNEL,
    });
    this.#turn = first.turn;
    this.nextAt = first.at;
  }

  next(calls: readonly ProbeCall[]): ProbeCall | undefined {
    const call = calls[this.#turn % calls.length];
    this.#turn += 1;
    return call;
  }

  make({ call }: ProbeCall): Promise<void> {
    const deadline = Date.now() + (this.way === 'raw' ? ATTEMPT_DEADLINE_MS : CALL_DEADLINE_MS);
    return this.#connection.withDeadline(deadline, () => call(this.#connection.workflowService));
  }

  close(): Promise<void> {
    return this.#connection.close();
  }
}

class Probe {
  readonly #options: ProbeOptions;
  readonly #periodMs: number;
  readonly #calls: readonly ProbeCall[];
  readonly #callers: readonly Caller[];
  readonly #tally: ProbeTally;
  readonly #inFlight = new Set<Promise<void>>();
  #stretch = newStretch(Date.now());
  #intervalFrom = Date.now();
  /** What fell due while the process stood still is not made up for, and that time stays without a record. */
  readonly #watch = new HoldUpWatch((before, now) => {
    this.#record(before);
    this.#stretch = newStretch(now);
    this.#intervalFrom = now;
    for (const caller of this.#callers) caller.nextAt = now;
  });
  #closed = false;

  constructor(options: ProbeOptions, periodMs: number) {
    this.#options = options;
    this.#periodMs = periodMs;
    this.#calls = makeProbeCalls(options);
    this.#tally = new ProbeTally(this.#calls.map(({ kind }) => kind));
    const now = Date.now();
    // The two ways take turns and are half a round apart, so that each kind is tried as often as it can be.
    const half = Math.floor(this.#calls.length / 2);
    this.#callers = [
      new Caller('raw', { turn: 0, at: now }, options),
      new Caller('retried', { turn: half, at: now + periodMs / 2 }, options),
    ];
  }

  async run(): Promise<void> {
    const { stop, intervalMs = INTERVAL_MS } = this.#options;
    while (!stop.aborted) {
      const now = this.#watch.now();
      this.#makeDueCalls(now);
      if (now - this.#intervalFrom >= intervalMs) this.#record(now);
      await sleep(TICK_MS);
    }
    await Promise.race([Promise.all(this.#inFlight), sleep(LAST_CALLS_MS)]);
    this.#record(this.#watch.now());
  }

  /**
   * Counts no more. The connections go when their last calls have ended, at their deadlines: a call that waits for its next try
   * on a closed connection throws where nobody can catch it, and ends the process (SDK 1.24, grpc-retry).
   */
  close(): void {
    this.#closed = true;
    void Promise.all(this.#inFlight)
      .then(() => Promise.all(this.#callers.map((caller) => caller.close())))
      .catch(() => undefined);
  }

  #makeDueCalls(now: number): void {
    for (const caller of this.#callers) {
      for (; caller.nextAt <= now; caller.nextAt += this.#periodMs) {
        const next = caller.next(this.#calls);
        if (next !== undefined) this.#make(caller, next);
      }
    }
  }

  #make(caller: Caller, call: ProbeCall): void {
    const stretch = this.#stretch;
    // The clock of durations is not set back or forth as that of the day is.
    const dueAt = performance.now() - Math.max(0, Date.now() - caller.nextAt);
    const ended = () => ({ kind: call.kind, way: caller.way, at: this.#watch.now() });
    const made = caller
      .make(call)
      .then(
        () => {
          if (this.#closed) return;
          const end = ended();
          this.#tally.succeeded(end, stretch === this.#stretch ? performance.now() - dueAt : undefined);
        },
        (error: unknown) => {
          if (this.#closed) return;
          const end = ended();
          // What crossed a hold-up may have failed by that alone: its deadline passed while nobody was there to hear.
          if (stretch !== this.#stretch) return;
          const ms = Math.round(performance.now() - dueAt);
          this.#tally.failed(end, { code: grpcStatusOf(error), reason: grpcReasonOf(error), ms });
        },
      )
      .finally(() => this.#inFlight.delete(made));
    this.#inFlight.add(made);
  }

  #record(endedAt: number): void {
    const about = { stretch: this.#stretch, startedAt: this.#intervalFrom, endedAt };
    try {
      this.#options.sink.record(this.#tally.interval(about));
    } catch (error) {
      this.#options.onProblem(`what the probe saw could not be written down yet: ${messageOf(error)}`);
      return;
    }
    this.#tally.reset();
    this.#intervalFrom = endedAt;
  }
}

/** No other process, and no other stretch of this one, has the same. */
function newStretch(startedAt: number): string {
  return `${process.pid}-${startedAt}`;
}
