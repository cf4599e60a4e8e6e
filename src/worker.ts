import { runWorker, stopSignal } from './run-worker.js';

/**
 * Runs a worker against the Temporal that the standard profile, or the TEMPORAL_* variables, name. Ends with SIGINT or
 * SIGTERM. TEMPORAL_UPGRADE_TASK_QUEUE names another task queue than the default, for a worker near one target.
 */
await runWorker({ taskQueue: process.env.TEMPORAL_UPGRADE_TASK_QUEUE }, { stop: stopSignal() });
