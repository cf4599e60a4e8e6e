import { testKilledRollout } from '../helpers/killed-rollout.js';

// Of the phases that act: the first, the longest, and the one that waits. All of them: test/long/killed-in-every-phase.test.ts.
testKilledRollout(['backup', 'servers', 'settle']);
