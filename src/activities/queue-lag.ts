import { MeterFile } from '../adapters/meter/meter-file.js';
import type { SettleRequest } from '../contract/activities.js';
import { messageOf } from '../core/errors.js';
import { boundsOf } from '../core/input/bounds.js';
import { checkLine } from '../core/judging/check-line.js';
import { lagChecks } from '../core/judging/latencies.js';
import { beatsOfWindow, cutWindow } from '../core/measuring/window.js';
import { meterFileOf } from './meter.js';

/**
 * Each shard tells its lag every five minutes (queueMetricUpdateInterval in service/history/shard/context_impl.go), so a shorter
 * window would miss most of them.
 */
const WINDOW_MS = 6 * 60_000;

/** What the queues' lag is, in words, and what is wrong with it. */
export interface QueueLag {
  readonly said: string;
  readonly problem?: string;
}

/**
 * How far the queues of the shards are behind, by what the meter has sampled since `watchedSince` (milliseconds since 1970) and
 * at most the last six minutes. Too little to judge by is said, and is no problem: the observation of the settled servers,
 * which comes next, judges it too.
 */
export function queueLag({ target, lag }: SettleRequest, watchedSince: number): QueueLag {
  if (lag?.baseline === undefined) return { said: 'lag of the queues not judged: there is no baseline' };
  const { meter, baseline } = lag;
  const bounds = boundsOf(lag.bounds, target);
  const { beatMs } = meter;
  const to = Date.now();
  const from = Math.max(watchedSince, to - WINDOW_MS);
  try {
    using file = new MeterFile(meterFileOf(meter), target.name);
    const rounds = file.rounds(...beatsOfWindow({ from, to, beatMs }));
    const observation = cutWindow(rounds, { kind: 'settled', from, to, beatMs, minRequests: bounds.minRequests });
    const checks = lagChecks({ observation, baseline, bounds });
    const bad = checks.filter(({ verdict }) => verdict === 'fail');
    if (bad.length > 0) {
      const problem = bad.map((check) => checkLine(check, observation)).join('; ');
      return { said: problem, problem };
    }
    const said = checks.map((check) => checkLine(check, observation, 'short')).join('; ');
    return checks.every(({ verdict }) => verdict === 'pass')
      ? { said: `queues lag no more than before: ${said}` }
      : { said: `lag of the queues not judged: ${said}` };
  } catch (error) {
    return { said: `lag of the queues not judged: ${messageOf(error)}` };
  }
}
