import type { Holder, HopPlace, LoadRequest, MeterRequest, RecordPlace } from '../contract/activities.js';
import type { Policy } from '../core/input/input.js';
import type { Environment, Hop } from '../core/plan.js';
import type { Conductor } from './conductor.js';
import type { near } from './proxies.js';

/** What an observation needs, in a hop or outside. */
export type ObserveContext = Pick<HopContext, 'conductor' | 'target' | 'policy' | 'load' | 'meter'> & {
  readonly place: RecordPlace;
};

/** What every phase of a hop needs. */
export interface HopContext {
  readonly conductor: Conductor;
  readonly environment: Environment;
  readonly hop: Hop;
  readonly place: HopPlace;
  readonly policy: Policy;
  readonly holder: Holder;
  /** Activities near the target. */
  readonly target: ReturnType<typeof near>;
  /** Where the samples of this target are. */
  readonly meter: MeterRequest;
  /** Present when canaries run on this target. */
  readonly load?: LoadRequest | undefined;
  /** Names the long canaries that cross this try of the hop. */
  readonly crossing: string;
}

/** As a request carries it that is of no hop alone. */
export function recordOf({ target, rolloutId, dataDir, firstRunId }: RecordPlace): RecordPlace {
  return { target, rolloutId, dataDir, firstRunId };
}
