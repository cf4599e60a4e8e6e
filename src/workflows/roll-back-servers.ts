import type { Observation } from '../core/measuring/observation.js';
import type { HopContext } from './hop-context.js';
import { replaceServers } from './replace-servers.js';
import type { RollState } from './roll-settings.js';
import { settlePhase } from './settle-phase.js';

/**
 * Puts the servers of a hop back to the version before, in reverse order and with the same care. The schema stays: a
 * server of the previous minor runs on the newer one. `baseline` is what the lag of the queues is held against, where it was measured.
 */
export async function rollBackServers(context: HopContext, state: RollState, baseline?: Observation): Promise<void> {
  const { conductor, hop, place, target } = context;
  // The person has decided; from here on the decision is being carried out.
  conductor.desk.reversibleHop = undefined;
  const back = { ...place, from: hop.to, to: hop.from, attempt: place.attempt };
  conductor.next = `settle on ${hop.from}`;
  await conductor.phase('roll-back', async () => {
    await target.act.takeSnapshot.executeWithOptions({ summary: 'who owns which shard' }, [
      // The frontend may be just what does not start any more.
      { ...back, shardsOnly: true },
    ]);
    return replaceServers(context, { direction: 'back', state });
  });
  conductor.next = 'wait for a person';
  await conductor.phase('settle', () => settlePhase(context, back, baseline));
}
