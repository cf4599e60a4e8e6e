import type { DecisionRecord } from '../core/decision.js';
import type { Observation } from '../core/measuring/observation.js';

/** A person ended the roll-out. Caught by `rollout`; never leaves the workflow. */
export class AbortRequested extends Error {
  override readonly name = 'AbortRequested';
  constructor(readonly decision: DecisionRecord) {
    super('the roll-out was aborted');
  }
}

/** A person wants the servers of the present hop back on the version before. Caught by `runHop`. */
export class RollBackRequested extends Error {
  override readonly name = 'RollBackRequested';
  constructor(readonly decision: DecisionRecord) {
    super('the servers are to be rolled back');
  }
}

/** A person has approved that the databases of the present hop go back to their backups. Caught by `runHop`. */
export class RestoreApproved extends Error {
  override readonly name = 'RestoreApproved';
  constructor(readonly decision: DecisionRecord) {
    super('the backups are to be restored');
  }
}

/** What was measured is not good enough to go on. Becomes an incident. */
export class NotGoodEnough extends Error {
  override readonly name = 'NotGoodEnough';
  /** `verdict` and `observation` where an observation was judged so; other things that were counted have none. */
  constructor(
    message: string,
    readonly verdict?: 'fail' | 'inconclusive',
    readonly observation?: Observation,
  ) {
    super(message);
  }
}
