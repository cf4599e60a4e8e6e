import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { MeterFile } from '../adapters/meter/meter-file.js';
import type { LoadRequest, ObserveRequest, TargetActivities } from '../contract/activities.js';
import { boundsOf } from '../core/input/bounds.js';
import { judge } from '../core/judging/judge.js';
import { messageOf } from '../core/errors.js';
import type { LoadWindow } from '../core/ledger.js';
import { beatsOfWindow, comingWindow, cutWindow } from '../core/measuring/window.js';
import type { Observation, Verdict } from '../core/measuring/observation.js';
import { sameHours } from '../core/judging/same-hours.js';
import { readLoadWindow } from '../load/load-window.js';
import { currentWork, keepForNextAttempt, keptBefore, reportProgress } from './guard.js';
import { ledgerFileOf, readLedger } from './load.js';
import { meterFileOf } from './meter.js';
import { recordWindow } from './records.js';

/** A round whose time-outs are waited for is written so long after its beat; the probe writes every few seconds. */
const LATE_MS = 8_000;
const LOOK_MS = 500;
/** Windows without enough evidence, one after the other, until what a gate rests on does not hold any more. */
const MOST_UNCLEAR = 3;
/** It starts beside the first hop, and anew after the death of a worker. */
const METER_STARTS_WITHIN_MS = 60_000;

type ObserveActivities = Pick<TargetActivities, 'observe' | 'watchEvidence'>;

/** Milliseconds since 1970. */
const Ends = z.object({ from: z.number(), to: z.number() }).readonly();
type Ends = z.infer<typeof Ends>;

interface Judged {
  readonly observation: Observation;
  readonly verdict: Verdict;
}

/** Activities that judge what the meter of a target has sampled, and what its load went through. */
export const createObserveActivities = (): ObserveActivities => ({
  async observe(request) {
    const judged = await observe(request, begunBefore());
    keepForReport(request, judged);
    return judged;
  },

  async watchEvidence(request) {
    let begun = begunBefore();
    for (let unclear = 0; ;) {
      const judged = await observe(request, begun);
      const { verdict } = judged;
      begun = undefined;
      unclear = verdict.verdict === 'inconclusive' ? unclear + 1 : 0;
      if (verdict.verdict !== 'fail' && unclear < MOST_UNCLEAR) continue;
      // Only the one that ends it: a gate may be open for days.
      keepForReport(request, judged);
      return { verdict };
    }
  },
});

async function observe(request: ObserveRequest, begun: Ends | undefined): Promise<Judged> {
  const { target, kind, expected, load, meter } = request;
  const bounds = boundsOf(request.bounds, target);
  const { from, to } = request.past === undefined ? (begun ?? (await windowToObserve(request))) : timesOf(request.past);
  if (request.past === undefined) keepForNextAttempt({ from, to } satisfies Ends);
  await waitFor(request, { from, to });
  const counted = load === undefined ? undefined : await loadOfWindow(load, { from, to });
  using file = new MeterFile(meterFileOf(meter), target.name);
  const { beatMs } = meter;
  const cut = (ends: Ends) => {
    const [first, last] = beatsOfWindow({ ...ends, beatMs });
    return file.rounds(first, last);
  };
  const judgedBy = { minRequests: bounds.minRequests, singleRoles: expected?.singleRoles };
  // In a hop a backlog counts from the baseline on; the long watch is too far from that.
  const queuedSince =
    kind === 'watch' || request.baseline === undefined ? from : Date.parse(request.baseline.startedAt);
  const observation = cutWindow(cut({ from, to }), { kind, from, to, beatMs, ...judgedBy, queuedSince, load: counted });
  const baseline = sameHours({ cut, from, to, beatMs, bounds, until: request.sameHoursUntil }) ?? request.baseline;
  return { observation, verdict: judge({ observation, baseline, bounds, expected }) };
}

function keepForReport(request: ObserveRequest, { observation, verdict: { verdict, summary, checks } }: Judged): void {
  const { kind, startedAt, endedAt } = observation;
  recordWindow(request, { what: request.what ?? kind, kind, startedAt, endedAt, verdict, summary, checks });
}

/** The window of a try that was killed, or failed: judged again, and no better time in its place. What was seen is on disk. */
function begunBefore(): Ends | undefined {
  return Ends.safeParse(keptBefore()).data;
}

/** From now on, or from when the meter is at work: what it was not there to see would only be missing. */
async function windowToObserve({ target, windowMs, since, meter }: ObserveRequest): Promise<Ends> {
  const { signal } = currentWork();
  const { beatMs } = meter;
  const asked = Date.now();
  using file = new MeterFile(meterFileOf(meter), target.name);
  while ((file.lastBeat() ?? 0) < asked - 2 * beatMs && Date.now() < asked + METER_STARTS_WITHIN_MS) {
    reportProgress({ waitsFor: 'the meter' });
    await sleep(LOOK_MS, undefined, { signal });
  }
  return comingWindow({
    now: Date.now(),
    since: since === undefined ? undefined : Date.parse(since),
    windowMs,
    beatMs,
  });
}

function timesOf({ from, to }: { readonly from: string; readonly to: string }): Ends {
  return { from: Date.parse(from), to: Date.parse(to) };
}

/** Until every round of the window is written, or will not be any more. */
async function waitFor({ target, meter }: ObserveRequest, ends: Ends): Promise<void> {
  const { signal } = currentWork();
  const { beatMs } = meter;
  const [first, last] = beatsOfWindow({ ...ends, beatMs });
  const due = (last - first) / beatMs + 1;
  using file = new MeterFile(meterFileOf(meter), target.name);
  while (Date.now() < last || (Date.now() < last + LATE_MS && file.count(first, last) < due)) {
    reportProgress({ until: new Date(last).toISOString() });
    await sleep(Math.max(LOOK_MS, Math.min(last - Date.now(), 5_000)), undefined, { signal });
  }
}

/** Verified first: what has ended by now is then known. A target that cannot be asked is no reason not to judge it. */
async function loadOfWindow(load: LoadRequest, ends: Ends): Promise<LoadWindow> {
  const unverified = await readLedger(load).then(
    () => undefined,
    (error: unknown) => {
      if (currentWork().signal?.aborted === true) throw error;
      return messageOf(error);
    },
  );
  const window = readLoadWindow({ ...load, file: ledgerFileOf(load), ...ends });
  return unverified === undefined ? window : { ...window, unverified };
}
