import type { RolloutInput } from '../core/input.js';
import type { RolloutPlan } from '../core/plan.js';
import type { Conductor } from './conductor.js';

/** Leaves live running for the agreed time, in sight, before the roll-out closes; a person may abort it earlier. */
export async function watchLive(conductor: Conductor, input: RolloutInput, plan: RolloutPlan): Promise<void> {
  const { watchLive: ms } = input.policy;
  if (ms === 0 || plan.live.hops.length === 0) return;
  conductor.next = 'close with a report';
  await conductor.phase('watch', async () => {
    await conductor.waitVisibly(`watch ${input.live.name}`, ms);
    return { summary: `${input.live.name} was watched`, value: true };
  });
}
