import { CancellationScope } from '@temporalio/workflow';
import type { HopPlace, SettleResult } from '../contract/activities.js';
import { formatDuration } from '../core/duration.js';
import type { Observation } from '../core/measuring/observation.js';
import { settleDemands, type SettleDemands } from '../core/settling/demands.js';
import type { Done } from './conductor.js';
import type { HopContext } from './hop-context.js';

/**
 * Gives History its time to load and rewrite every shard, and has it watched meanwhile and proved from the target's own
 * data. The timer proves nothing alone, and the proof never shortens the timer.
 */
export async function settlePhase(
  { conductor, target, policy, meter }: HopContext,
  place: HopPlace,
  baseline?: Observation,
): Promise<Done<Readonly<Record<string, number>>>> {
  const { atLeast, reason, proofTimeout } = policy.settle;
  const demands = settleDemands(policy.settle);
  conductor.shards = undefined;
  const until = new Date(Date.now() + atLeast).toISOString();
  const lag = { meter, bounds: policy.observation.bounds, baseline };
  const prove = () =>
    conductor.interruptible(() =>
      target.act.proveSettle.executeWithOptions({ summary: 'shards watched, and the settle proved' }, [
        { ...place, until, timeoutMs: proofTimeout, demands, lag },
      ]),
    );
  const what = `shard settle of ${place.environment}${reason === undefined ? '' : `, shortened: ${reason}`}`;
  const [{ paused }, proved] = await bothOrNone(() => conductor.waitVisibly(what, atLeast), prove);
  // While it was paused anything may have happened to a cluster that nobody watched any more.
  const result = paused ? await prove() : proved;
  conductor.shards = result.picture;
  return { summary: summaryOf(result, demands), value: result.owners };
}

/** Waits for both. When one fails, the timer at least is not waited out: what cannot be proved is told at once. */
async function bothOrNone<W, T>(wait: () => Promise<W>, work: () => Promise<T>): Promise<[W, T]> {
  const scope = new CancellationScope();
  const waiting = scope.run(wait);
  const working = work();
  try {
    return await Promise.all([waiting, working]);
  } finally {
    scope.cancel();
    await Promise.allSettled([waiting, working]);
  }
}

function summaryOf({ shards, owners, queueLag }: SettleResult, { steadyMs, updates }: SettleDemands): string {
  const byOwner = Object.entries(owners).map(([owner, count]) => `${owner}: ${count}`);
  return [
    `${shards} shards, each owned once by a new process (${byOwner.join(', ')})`,
    `no owner changed for ${formatDuration(steadyMs)}`,
    updates === 0 ? 'writes of the rows were not waited for' : `each row was seen written at least ${updates} times`,
    queueLag,
  ].join('; ');
}
