import {
  ActivityCancellationType,
  CancellationScope,
  isCancellation,
  setCurrentDetails,
  setHandler,
} from '@temporalio/workflow';
import type { LoadRequest, RolloutRef } from '../contract/activities.js';
import { stopLoadSignal } from './messages.js';
import { near } from './proxies.js';

/** Runs the load of one target until it is told to stop. The generator outlives no roll-out: its activity looks. */
export async function load(request: LoadRequest & { readonly rollout: RolloutRef }): Promise<void> {
  const scope = new CancellationScope();
  setHandler(stopLoadSignal, () => scope.cancel(), { description: 'Stop starting canaries, for good.' });
  setCurrentDetails(`${request.policy.startsPerSecond} canaries a second on **${request.target.name}**`);
  try {
    await scope.run(() =>
      near(request.target).keepRunning.runLoad.executeWithOptions(
        {
          summary: `load on ${request.target.name}`,
          // The generator ends its present calls before the workflow says that it has stopped.
          cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        },
        [request],
      ),
    );
  } catch (error) {
    if (!isCancellation(error)) throw error;
  }
}
