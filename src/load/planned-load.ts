import type { Connection } from '@temporalio/client';
import type { LoadPolicy } from '../core/input/input.js';
import { cutDown, findCapabilities } from './capabilities.js';
import { copyMix } from './live-mix.js';
import { streamsOf, type Stream } from './streams.js';

/** What a load does of its profile. */
export interface PlannedLoad {
  readonly streams: readonly Stream[];
  readonly schedule: boolean;
  /** What it does not do, with the reason. */
  readonly leftOut: readonly string[];
}

/**
 * Asks the target what of the profile it can do, and the cluster whose mix is copied how often each type is started there.
 * @throws when one of them cannot be asked
 */
export async function planLoad(options: {
  readonly connection: Connection;
  readonly policy: LoadPolicy;
  readonly loadId: string;
  readonly signal?: AbortSignal | undefined;
}): Promise<PlannedLoad> {
  const { connection, policy, loadId, signal } = options;
  const { mix, schedule, leftOut } = cutDown(policy, await findCapabilities(connection, policy, signal));
  const copied = policy.copyMixOf === undefined ? undefined : await copyMix(policy.copyMixOf, policy.own ?? []);
  return {
    streams: streamsOf(policy, { loadId, mix, ownWeights: copied?.weights }),
    schedule,
    leftOut: [...leftOut, ...(copied?.leftOut ?? [])],
  };
}
