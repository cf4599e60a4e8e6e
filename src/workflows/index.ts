export { rollout } from './rollout.js';
export { load } from './load.js';
export { notice } from './notice.js';
export { meter } from './meter.js';
export { report } from './report.js';
