export { rollout } from './rollout.js';
export { load } from './load.js';
