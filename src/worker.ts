import { runWorker, stopSignal } from './run-worker.js';

/**
 * Runs a worker against the Temporal that the standard profile, or the TEMPORAL_* variables, name. Ends with SIGINT or
 * SIGTERM. TEMPORAL_UPGRADE_TASK_QUEUE names another task queue than the default, for a worker near one target;
 * TEMPORAL_UPGRADE_METRICS and TEMPORAL_UPGRADE_HEALTH where metrics and health are to be had (host:port), and
 * TEMPORAL_UPGRADE_LOG=json logs a line of JSON for each entry.
 */
await runWorker(
  {
    taskQueue: process.env.TEMPORAL_UPGRADE_TASK_QUEUE,
    metricsAddress: process.env.TEMPORAL_UPGRADE_METRICS,
    healthAddress: process.env.TEMPORAL_UPGRADE_HEALTH,
    logFormat: process.env.TEMPORAL_UPGRADE_LOG === 'json' ? 'json' : 'text',
  },
  { stop: stopSignal() },
);
