import { HOP_PHASES } from '../../src/core/status.js';
import { testKilledRollout } from '../helpers/killed-rollout.js';

testKilledRollout(HOP_PHASES, { everyRestart: true });
