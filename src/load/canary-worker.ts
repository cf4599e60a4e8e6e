import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { aborted } from 'node:util';
import { bundleWorkflowCode, NativeConnection, Worker, type WorkflowBundleOption } from '@temporalio/worker';
import type { ReachableBy } from '../adapters/connection-options.js';
import { messageOf } from '../core/errors.js';
import { canaryActivities } from './canary-activities.js';

const RETRY_MS = 1_000;

/**
 * Works on the canaries of one task queue until `stop` is aborted, then ends what it has at hand. A target that is away,
 * or goes away, does not end it: it connects again until it is stopped.
 */
export async function runCanaryWorker(options: {
  readonly reachableBy: ReachableBy;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly startsPerSecond: number;
  /** Whether workflows stay in memory between their tasks, as workers have it; false replays the history for each. */
  readonly cached: boolean;
  readonly stop: AbortSignal;
  readonly onProblem: (message: string) => void;
}): Promise<void> {
  const { stop, onProblem } = options;
  const workflowBundle = await canaryBundle();
  while (!stop.aborted) {
    try {
      await runOnce({ ...options, workflowBundle });
    } catch (error) {
      onProblem(`canary worker: ${messageOf(error)}`);
      await sleep(RETRY_MS);
    }
  }
}

async function runOnce(options: {
  readonly reachableBy: ReachableBy;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly startsPerSecond: number;
  readonly cached: boolean;
  readonly workflowBundle: WorkflowBundleOption;
  readonly stop: AbortSignal;
}): Promise<void> {
  const { reachableBy, namespace, taskQueue, workflowBundle, stop } = options;
  const connection = await NativeConnection.connect(reachableBy);
  try {
    const worker = await Worker.create({
      connection,
      namespace,
      taskQueue,
      workflowBundle,
      activities: canaryActivities,
      // A canary lives for about six seconds: room for all that do, and no more, as memory is what the load must not take.
      maxCachedWorkflows: options.cached ? Math.min(2_000, Math.max(100, Math.ceil(options.startsPerSecond * 8))) : 0,
      workflowThreadPoolSize: 1,
      shutdownGraceTime: '5s',
      shutdownForceTime: '10s',
    });
    await worker.runUntil(aborted(stop, connection));
  } finally {
    await connection.close();
  }
}

/** The bundle made by the build, beside this file; without one it is made now, which takes seconds and memory. */
async function canaryBundle(): Promise<WorkflowBundleOption> {
  try {
    return { code: await readFile(new URL('./canary-bundle.js', import.meta.url), 'utf8') };
  } catch {
    return bundleCanaries();
  }
}

/** Bundles the canary workflows for the sandbox. */
export function bundleCanaries(): Promise<{ readonly code: string }> {
  return bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('./canary-workflows.js', import.meta.url)),
    logger: { trace() {}, debug() {}, info() {}, warn: console.error, error: console.error, log() {} },
  });
}
