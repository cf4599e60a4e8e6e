import type { HopPlace } from '../contract/activities.js';
import { now, type Done } from './conductor.js';
import type { HopContext } from './hop-context.js';

/**
 * Gives History its time to load and rewrite every shard, then has it proved from the target's own data. The timer proves
 * nothing alone, and the proof never shortens the timer.
 */
export async function settlePhase(
  { conductor, target, policy }: HopContext,
  place: HopPlace,
): Promise<Done<Readonly<Record<string, number>>>> {
  const { atLeast, reason, proofTimeout } = policy.settle;
  const since = now();
  await conductor.waitVisibly(
    `shard settle of ${place.environment}${reason === undefined ? '' : `, shortened: ${reason}`}`,
    atLeast,
  );
  const { shards, owners } = await conductor.interruptible(() =>
    target.act.proveSettle.executeWithOptions({ summary: 'proof of the settle' }, [
      { ...place, since, timeoutMs: proofTimeout },
    ]),
  );
  const byOwner = Object.entries(owners).map(([owner, count]) => `${owner}: ${count}`);
  return { summary: `${shards} shards, each owned once by a new process (${byOwner.join(', ')})`, value: owners };
}
