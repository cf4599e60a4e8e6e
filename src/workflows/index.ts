export { rollout } from './rollout.js';
export { load } from './load.js';
export { meter } from './meter.js';
