import { log } from '@temporalio/workflow';
import type { Holder } from '../contract/activities.js';
import type { Target } from '../core/input/input.js';
import { near } from './proxies.js';

/** Lets go of a cluster. One that cannot be reached stays held; a later roll-out sees that this one is over, and takes it. */
export async function letGoOf(target: Target, holder: Holder): Promise<void> {
  try {
    await near(target).look.releaseTarget.executeWithOptions({ summary: `let go of ${target.name}` }, [
      { target, holder },
    ]);
  } catch (error) {
    log.warn('target not released', { target: target.name, error: String(error) });
  }
}
