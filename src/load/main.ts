import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { connectionOptions, type ReachableBy } from '../adapters/connection-options.js';
import { messageOf } from '../core/errors.js';
import { namespacesOf } from '../core/input/load-namespaces.js';
import { ensureCanaryNamespace } from './canary-namespace.js';
import { CanaryTarget } from './canary-target.js';
import { cutDown, findCapabilities } from './capabilities.js';
import { runCanaryWorkers } from './canary-workers.js';
import { Generator } from './generator.js';
import { lockGenerator } from './generator-lock.js';
import { Ledger } from './ledger.js';
import { copyMix } from './live-mix.js';
import { LoadOptions, type LoadLine } from './load-options.js';
import { planLoad, type PlannedLoad } from './planned-load.js';
import { ProbeStore } from './probe/probe-store.js';
import { runProbe } from './probe/run-probe.js';
import { Schedules } from './schedules.js';
import { canaryCommand } from './start-command.js';
import { verifyCanaries } from './verify-ledger.js';
import { askVisibility } from './witness.js';

/**
 * The load process: generator and worker of the canaries of one target. Reads its options from the first line of stdin;
 * prints a line of JSON each second. SIGTERM ends it gracefully; the end of stdin, which is the death of its parent, at
 * once. It may be killed at any moment and started again on its ledger.
 */

/** How long a graceful end waits for calls to be made, and then for canaries to end. */
const DRAIN_MS = 30_000;
const END_MS = 60_000;
/** Longer than an ending generator takes, so that a new one follows it. */
const LOCK_WAIT_MS = 60_000;
const VERIFY_EACH_MS = 15_000;
/** Canaries younger than this are mostly still running: no use to ask. */
const VERIFY_AFTER_MS = 20_000;
const SETTLE_MS = 120_000;
const SCHEDULE_EACH_MS = 1_000;

const graceful = new AbortController();
const endNow = new AbortController();
const stop = AbortSignal.any([graceful.signal, endNow.signal]);

/** The first time it ends gracefully; asked again, or when it only drains, at once. */
function end(): void {
  if (graceful.signal.aborted) endNow.abort();
  else graceful.abort();
}
process.on('SIGTERM', end);
process.on('SIGINT', end);

function report(message: string): void {
  process.stderr.write(`${message}\n`);
}

function readOptions(): Promise<LoadOptions> {
  return new Promise((resolve, reject) => {
    const lines = createInterface({ input: process.stdin });
    lines.once('line', (line) => {
      try {
        resolve(LoadOptions.parse(JSON.parse(line)));
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
    lines.once('close', () => {
      endNow.abort();
      reject(new Error('stdin ended before the options came; expected them as one line of JSON'));
    });
  });
}

async function main(): Promise<void> {
  const options = await readOptions();
  const { ledgerFile, loadId } = options;
  if (options.drain === true) graceful.abort();
  // The worker's own handling of signals would end it before its canaries have ended.
  Runtime.install({ shutdownSignals: [], logger: new DefaultLogger('WARN', ({ message }) => report(message)) });
  const reachableBy = await connectionOptions(options.connection);
  const connection = Connection.lazy(reachableBy);
  using ledger = new Ledger(ledgerFile, loadId);
  const target = new CanaryTarget(connection, loadId);

  const ticking = tickWhileWaiting(ledger);
  const lock = await lockGenerator(ledgerFile, LOCK_WAIT_MS);
  try {
    const planned = await plan(options, ledger, connection);
    if (planned !== undefined) ledger.noteLeftOut(planned.leftOut, planned.cannot);
    clearInterval(ticking);
    // A stopped load, too, has its canaries brought to their end; only without a parent nobody waits for that.
    if (!endNow.signal.aborted) await runUntilStopped({ options, ledger, target, reachableBy, planned });
  } finally {
    lock[Symbol.dispose]();
  }
}

/** Undefined when the load was stopped before everybody could be asked. */
async function plan(
  { policy, loadId }: LoadOptions,
  ledger: Ledger,
  connection: Connection,
): Promise<PlannedLoad | undefined> {
  const feasible = await keepAsking(
    async () => {
      for (const namespace of namespacesOf(policy)) await ensureCanaryNamespace(connection, namespace, stop);
      return cutDown(policy, await findCapabilities(connection, policy, { signal: stop }));
    },
    (reason) => ledger.recordFailedCall({ at: Date.now(), call: 'prepare', workflowId: '', reason }),
  );
  if (feasible === undefined) return undefined;
  const { copyMixOf, own = [] } = policy;
  if (copyMixOf === undefined) return planLoad(policy, { loadId, feasible, copied: undefined });
  const copied = await keepAsking(
    () => copyMix(copyMixOf, own),
    // Another cluster is away, not the target.
    (reason) => ledger.noteProblem(Date.now(), `the cluster of copyMixOf cannot be asked: ${reason}`),
  );
  return copied === undefined ? undefined : planLoad(policy, { loadId, feasible, copied });
}

interface Parts {
  readonly options: LoadOptions;
  readonly ledger: Ledger;
  readonly target: CanaryTarget;
  readonly reachableBy: ReachableBy;
  /** Undefined when the load was stopped before the target could be asked: then nothing is started. */
  readonly planned: PlannedLoad | undefined;
}

async function runUntilStopped({ options, ledger, target, reachableBy, planned }: Parts): Promise<void> {
  const { policy, loadId } = options;
  const schedules = new Schedules(ledger, target);
  const generator = new Generator({ ledger, target, streams: planned?.streams ?? [], rampUpMs: policy.rampUp });
  const printing = setInterval(() => print({ ...generator.state(), leftOut: [...(planned?.leftOut ?? [])] }), 1_000);
  const stopWorker = new AbortController();
  ledger.noteWorker(Date.now());
  const working = runCanaryWorkers({ reachableBy, policy, loadId, stop: stopWorker.signal, onProblem: report });
  const verifying = verifyAsItGoes(ledger, target);
  const ticking = planned?.schedule === true ? keepSchedule(ledger, schedules, options) : undefined;
  const probing = probeUntilStopped({ options, reachableBy });
  // A worker that cannot even be made ends the process: its parent sees it, and starts another.
  await Promise.race([generator.run(stop, () => (endNow.signal.aborted ? 0 : DRAIN_MS)), working]);
  await Promise.all([verifying, ticking, probing]);
  // Left without a parent, it leaves its schedule to the next process: stopped, it would run on, and be followed by another.
  if (!endNow.signal.aborted) schedules.stop(Date.now());
  // A drain stays until a canary that does not end is known to be stuck.
  const endMs = options.drain === true ? SETTLE_MS + VERIFY_EACH_MS : END_MS;
  if (!endNow.signal.aborted) await waitForCanaries(ledger, target, endMs);
  if (!endNow.signal.aborted) await endSchedules(schedules);
  stopWorker.abort();
  await working;
  clearInterval(printing);
  print(generator.state());
}

/** Until the load is stopped: a schedule runs, and its ticks are written down as they fall due. */
async function keepSchedule(ledger: Ledger, schedules: Schedules, { policy, loadId }: LoadOptions): Promise<void> {
  const command = canaryCommand(policy.namespace, loadId);
  while (!stop.aborted) {
    try {
      await schedules.ensure(policy.scheduleEvery ?? 0, command);
      schedules.noteTicks(Date.now());
    } catch (error) {
      ledger.recordFailedCall({ at: Date.now(), call: 'schedule', workflowId: '', reason: messageOf(error) });
    }
    await sleep(SCHEDULE_EACH_MS, undefined, { signal: stop }).catch(() => undefined);
  }
}

/** What cannot be deleted ends by itself, hours later. */
async function endSchedules(schedules: Schedules): Promise<void> {
  await schedules.deleteStopped().catch((error: unknown) => report(`schedules: ${messageOf(error)}`));
}

/** Calls the target as its clients do, beside the canaries; the record goes into the ledger's file. */
async function probeUntilStopped(parts: {
  readonly options: LoadOptions;
  readonly reachableBy: ReachableBy;
}): Promise<void> {
  const { policy, loadId: id, ledgerFile } = parts.options;
  using sink = new ProbeStore(ledgerFile);
  const { namespace, probesPerSecond: perSecond } = policy;
  const { reachableBy } = parts;
  await runProbe({ reachableBy, namespace, id, mayChange: true, sink, stop, perSecond, onProblem: report });
}

function print(state: Omit<LoadLine, 'pid' | 'rssBytes'>): void {
  const line: LoadLine = { ...state, pid: process.pid, rssBytes: process.memoryUsage.rss() };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** Shows that it lives while it waits for its turn. */
function tickWhileWaiting(ledger: Ledger): NodeJS.Timeout {
  return setInterval(
    () =>
      print({
        started: ledger.countStarted(),
        failedCalls: ledger.countFailedCalls(),
        inFlight: 0,
        longestGapMs: 0,
      }),
    1_000,
  );
}

/** Who is away now is waited for, and each attempt is written down: no load is no good news. */
async function keepAsking<T>(ask: () => Promise<T>, writeDown: (reason: string) => void): Promise<T | undefined> {
  while (!stop.aborted) {
    try {
      return await ask();
    } catch (error) {
      if (stop.aborted) return undefined;
      writeDown(messageOf(error));
      report(`before the load can begin: ${messageOf(error)}`);
      await sleep(1_000);
    }
  }
  return undefined;
}

/**
 * Verifies what has ended while it is fresh: the target deletes closed canaries after some days, and a roll-out may wait
 * longer than that at a gate.
 */
async function verifyAsItGoes(ledger: Ledger, target: CanaryTarget): Promise<void> {
  while (!stop.aborted) {
    await sleep(VERIFY_EACH_MS, undefined, { signal: stop }).catch(() => undefined);
    if (stop.aborted) return;
    await verify(ledger, target, VERIFY_AFTER_MS, stop);
    await askVisibility(ledger, target, stop).catch(() => undefined); // stopped meanwhile
  }
}

/** After the last start: until every canary that nothing holds back has ended, or the time for that is over. */
async function waitForCanaries(ledger: Ledger, target: CanaryTarget, endMs: number): Promise<void> {
  const giveUpAt = Date.now() + endMs;
  while (!endNow.signal.aborted && Date.now() < giveUpAt && ledger.countReadyToEnd() > 0) {
    await sleep(2_000);
    await verify(ledger, target, 0, endNow.signal);
  }
}

async function verify(ledger: Ledger, target: CanaryTarget, afterMs: number, signal: AbortSignal): Promise<void> {
  try {
    await verifyCanaries({ ledger, target, settleMs: SETTLE_MS, before: Date.now() - afterMs, signal });
  } catch (error) {
    // The target is away: the next time, or the verification of the roll-out itself, asks again.
    if (!signal.aborted) report(`verification: ${messageOf(error)}`);
  }
}

endNow.signal.addEventListener('abort', () => {
  // Whatever hangs then must not keep a second generator waiting.
  setTimeout(() => process.exit(0), 5_000).unref();
});
main().then(
  () => process.exit(0),
  (error: unknown) => {
    report(messageOf(error));
    process.exit(1);
  },
);
