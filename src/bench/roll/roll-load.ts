import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LoadPolicy, type Connection } from '../../core/input/input.js';
import { ledgerProblems, type LoadWindow } from '../../core/ledger.js';
import { Ledger } from '../../load/ledger.js';
import { readLoadWindow } from '../../load/load-window.js';
import { drainLoad, runLoad } from '../../load/run-load.js';
import { busyBetween, machineTicks } from '../cpu.js';
import type { Span } from './ways.js';

/** Raw calls, and as many with the SDK's retries. */
const PROBES_PER_SECOND = 50;
const STARTED_WITHIN_MS = 120_000;
/** Connections are made, workers are warm. */
const WARM_UP_MS = 20_000;
const RATES = [1, 2, 3, 4, 6, 8, 12];
const BUSY_AT_MOST = 0.6;
const LOOK_MS = 15_000;

/** Canaries and probe against one cluster, with a ledger of their own. */
export class RollLoad {
  readonly #options: Parameters<typeof runLoad>[0];
  readonly #over = new AbortController();
  readonly #running: Promise<void>;
  #started = 0;

  constructor(options: {
    readonly connection: Connection;
    readonly directory: string;
    readonly startsPerSecond: number;
  }) {
    const loadId = `bench-${Date.now()}`;
    this.#options = {
      connection: options.connection,
      policy: LoadPolicy.parse({
        namespace: 'bench',
        longRunning: 0,
        probesPerSecond: PROBES_PER_SECOND,
        startsPerSecond: options.startsPerSecond,
      }),
      ledgerFile: join(options.directory, `${loadId}.sqlite`),
      loadId,
      signal: this.#over.signal,
      onProgress: ({ started }) => (this.#started = started),
    };
    this.#running = runLoad(this.#options);
    // Told where it is waited for.
    this.#running.catch(() => undefined);
  }

  /** Until canaries have been started for a while. @throws Error when none is */
  async warm(): Promise<void> {
    const deadline = Date.now() + STARTED_WITHIN_MS;
    while (this.#started === 0) {
      if (Date.now() > deadline) throw new Error('no canary was started within two minutes');
      await Promise.race([this.#running, sleep(200)]);
    }
    await sleep(WARM_UP_MS);
  }

  /** What canaries and probe saw. */
  window({ from, to }: Span): LoadWindow {
    const { ledgerFile, loadId, policy } = this.#options;
    return readLoadWindow({ file: ledgerFile, loadId, policy, from, to });
  }

  /** Ends it; every canary that was started is verified. Gives how many there were, and what is wrong with any. */
  async end(): Promise<{ readonly canaries: number; readonly problems: readonly string[] }> {
    this.#over.abort();
    await this.#running;
    const { ledgerFile, loadId } = this.#options;
    using ledger = new Ledger(ledgerFile, loadId);
    if (ledger.summary().running > 0)
      await drainLoad({ ...this.#options, signal: new AbortController().signal, onProgress: () => undefined });
    const summary = ledger.summary();
    const unverified = summary.started - summary.completed;
    return {
      canaries: summary.started,
      problems: unverified === 0 ? [] : [`${unverified} canaries not verified`, ...ledgerProblems(summary)],
    };
  }
}

/** The highest rate of canaries at which the machine is less busy than 60 %, probe included. */
export async function findRate(
  begin: (startsPerSecond: number) => RollLoad,
  onProgress: (line: string) => void,
): Promise<number> {
  let found: number | undefined;
  // From below: a machine that is overloaded takes long to come to rest again.
  for (const rate of RATES) {
    const load = begin(rate);
    await load.warm();
    const before = await machineTicks();
    await sleep(LOOK_MS);
    const busy = busyBetween(before, await machineTicks());
    await load.end();
    onProgress(`${rate} canaries a second: ${Math.round(busy * 100)} % of the machine`);
    if (busy >= BUSY_AT_MOST) break;
    found = rate;
  }
  if (found === undefined) throw new Error('this machine is busier than 60 % with a single canary a second');
  return found;
}
