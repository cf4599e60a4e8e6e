import {
  ActivityCancellationType,
  CancellationScope,
  isCancellation,
  setCurrentDetails,
  setHandler,
} from '@temporalio/workflow';
import type { MeterRequest, RolloutRef } from '../contract/activities.js';
import { stopMeterSignal } from './messages.js';
import { near } from './proxies.js';

/** Samples one target until it is told to stop. Like the load, it outlives no roll-out: its activity looks. */
export async function meter(request: MeterRequest & { readonly rollout: RolloutRef }): Promise<void> {
  const scope = new CancellationScope();
  setHandler(stopMeterSignal, () => scope.cancel(), { description: 'Stop sampling, for good.' });
  setCurrentDetails(`processes and databases of **${request.target.name}**, sampled`);
  try {
    await scope.run(() =>
      near(request.target).keepRunning.runMeter.executeWithOptions(
        {
          summary: `samples of ${request.target.name}`,
          cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        },
        [request],
      ),
    );
  } catch (error) {
    if (!isCancellation(error)) throw error;
  }
}
