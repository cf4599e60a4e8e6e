import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { NativeConnection, Worker } from '@temporalio/worker';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { createActivities } from './activities/index.js';
import { loadCatalogue } from './adapters/catalogue-file.js';
import { createToolResolver } from './adapters/tools/tool-resolver.js';
import { DEFAULT_TASK_QUEUE, SEARCH_ATTRIBUTE_NAMES } from './contract/names.js';
import { addSearchAttributes, missingSearchAttributes } from './adapters/search-attributes.js';
import { messageOf } from './core/errors.js';

export interface WorkerSettings {
  readonly taskQueue?: string | undefined;
  /** Profile of the standard temporal.toml; the default profile, and TEMPORAL_* variables, when left out. */
  readonly profile?: string | undefined;
  readonly address?: string | undefined;
  readonly namespace?: string | undefined;
}

/** The workflows and their payload converter, bundled by the build. */
const WORKFLOW_BUNDLE = fileURLToPath(new URL('./workflow-bundle.js', import.meta.url));

/** A worker of the roll-out, connected and ready to run. The caller closes `connection` after `worker.run()`. */
export async function createWorker(
  settings: WorkerSettings = {},
): Promise<{ worker: Worker; connection: NativeConnection }> {
  if (!existsSync(WORKFLOW_BUNDLE)) throw new Error(`${WORKFLOW_BUNDLE} is not there; run "make build"`);
  const config = loadClientConnectConfig({ profile: settings.profile });
  const namespace = settings.namespace ?? config.namespace ?? 'default';
  const connection = await NativeConnection.connect({
    ...config.connectionOptions,
    ...(settings.address === undefined ? {} : { address: settings.address }),
  });
  try {
    await ensureSearchAttributes(connection, namespace);
    const activities = createActivities({ tools: createToolResolver(), catalogue: await loadCatalogue() });
    const worker = await Worker.create({
      connection,
      namespace,
      taskQueue: settings.taskQueue ?? DEFAULT_TASK_QUEUE,
      workflowBundle: { codePath: WORKFLOW_BUNDLE },
      activities,
      shutdownGraceTime: '10s',
      // A roll-out is a handful of workflows; the defaults are for thousands, and cost memory.
      maxCachedWorkflows: 50,
      maxConcurrentWorkflowTaskExecutions: 10,
    });
    return { worker, connection };
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/**
 * Registers the search attributes of a roll-out where the control plane allows it. Where it does not (Temporal Cloud, or no
 * rights), roll-outs do without them: the activity that validates the input looks, and they only help lists.
 */
async function ensureSearchAttributes(connection: NativeConnection, namespace: string): Promise<void> {
  try {
    const missing = await missingSearchAttributes(connection, namespace, SEARCH_ATTRIBUTE_NAMES);
    if (missing.length > 0) await addSearchAttributes(connection, namespace, missing);
  } catch (error) {
    const command = SEARCH_ATTRIBUTE_NAMES.map((name) => `--name ${name} --type Keyword`).join(' ');
    process.stderr.write(
      `search attributes could not be registered (${messageOf(error)}); roll-outs run without them. ` +
        `To have them: temporal operator search-attribute create --namespace ${namespace} ${command}\n`,
    );
  }
}
