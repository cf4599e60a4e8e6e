import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { aborted } from 'node:util';
import { DefaultLogger, NativeConnection, Runtime, Worker, type NativeConnectionOptions } from '@temporalio/worker';
import { createActivities } from './activities/index.js';
import { loadCatalogue } from './adapters/catalogue-file.js';
import { diagnoseConnection } from './adapters/cluster/diagnose-connection.js';
import { controlPlaneConfig, type ProfileChoice } from './adapters/connection-options.js';
import { startHealthServer, type Health } from './adapters/health-server.js';
import { jsonLine } from './adapters/json-log.js';
import { createToolResolver } from './adapters/tools/tool-resolver.js';
import { DEFAULT_TASK_QUEUE, SEARCH_ATTRIBUTE_NAMES } from './contract/names.js';
import { addSearchAttributes, missingSearchAttributes } from './adapters/search-attributes.js';
import { messageOf, PreconditionError } from './core/errors.js';
import type { Tracing } from './tracing.js';

export interface WorkerSettings extends ProfileChoice {
  readonly taskQueue?: string | undefined;
  readonly address?: string | undefined;
  readonly namespace?: string | undefined;
  /** What it tells the control plane of itself; pid@host when left out. */
  readonly identity?: string | undefined;
  /** Where Prometheus may scrape the metrics of the SDK, host:port; nowhere when left out. */
  readonly metricsAddress?: string | undefined;
  /** Where `/livez` and `/readyz` are answered, host:port; nowhere when left out. */
  readonly healthAddress?: string | undefined;
  readonly logFormat?: 'text' | 'json' | undefined;
}

/** The workflows and their payload converter, bundled by the build. */
const WORKFLOW_BUNDLE = fileURLToPath(new URL('./workflow-bundle.js', import.meta.url));

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
/** As a shell reports a program that SIGINT ended. */
const EXIT_CODE = 130;

/**
 * Runs a worker of the roll-out until `stop` is aborted: activities under way get ten seconds to end, the rest is done again
 * by the next worker. Call once a process.
 */
export async function runWorker(
  settings: WorkerSettings,
  { stop, onReady }: { readonly stop: AbortSignal; readonly onReady?: () => void },
): Promise<void> {
  const { metricsAddress, healthAddress, logFormat } = settings;
  if (logFormat === 'json') logUncaughtErrors();
  Runtime.install({
    // The caller's signal is the only thing that stops it.
    shutdownSignals: [],
    telemetryOptions: metricsAddress === undefined ? {} : { metrics: { prometheus: { bindAddress: metricsAddress } } },
    ...(logFormat === 'json' ? { logger: jsonLogger() } : {}),
  });
  // What has not been sent yet is sent when all else has ended.
  await using tracing = await traceIfAsked();
  const { worker, connection } = await createWorker(settings, tracing);
  try {
    const health =
      healthAddress === undefined
        ? undefined
        : await startHealthServer(healthAddress, () => healthOf(worker, connection));
    try {
      onReady?.();
      await worker.runUntil(aborted(stop, connection));
    } finally {
      await health?.close();
    }
  } finally {
    await connection.close();
  }
}

/** Loaded only where the standard variables of OpenTelemetry name a place for traces: its libraries are many. */
async function traceIfAsked(): Promise<Tracing | undefined> {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: all = '', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: traces = all } = process.env;
  return traces === '' ? undefined : (await import('./tracing.js')).startTracing();
}

/** Ready is a worker that polls, and whose control plane answers. */
async function healthOf(worker: Worker, connection: NativeConnection): Promise<Health> {
  const state = worker.getState();
  if (state !== 'RUNNING') return { ready: false, state };
  try {
    await connection.withDeadline(Date.now() + HEALTH_DEADLINE_MS, () => connection.workflowService.getSystemInfo({}));
    return { ready: true, state };
  } catch (error) {
    return { ready: false, state, problem: `the control plane does not answer: ${messageOf(error)}` };
  }
}

const HEALTH_DEADLINE_MS = 2_000;

function jsonLogger(): DefaultLogger {
  return new DefaultLogger('INFO', (entry) => process.stderr.write(`${jsonLine(entry)}\n`));
}

/** Says what ends this process as every other entry of its log: a line of JSON on stderr. */
export function logEnd(error: unknown): void {
  const timestampNanos = BigInt(Date.now()) * 1_000_000n;
  const message = `the worker ends: ${messageOf(error)}`;
  process.stderr.write(`${jsonLine({ level: 'ERROR', message, timestampNanos, meta: { error } })}\n`);
}

/** What nobody awaits ends a process of Node with its stack in lines; here it is one line as well. */
function logUncaughtErrors(): void {
  process.on('uncaughtException', (error) => {
    logEnd(error);
    process.exit(1);
  });
}

/**
 * Aborted when the process gets SIGINT or SIGTERM; a second one ends it at once. The handlers stay in place: the library that
 * removes lock files at exit ends the process when nobody else listens any more, in the middle of a graceful shutdown.
 */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) process.exit(EXIT_CODE);
    controller.abort();
  };
  for (const signal of SIGNALS) process.on(signal, stop);
  return controller.signal;
}

async function connect(options: NativeConnectionOptions & { readonly address: string }): Promise<NativeConnection> {
  try {
    return await NativeConnection.connect(options);
  } catch (error) {
    const why = await diagnoseConnection(options.address, options.tls ?? undefined, 'TLS of the profile');
    throw new PreconditionError(`no Temporal answers at ${options.address}: ${why ?? messageOf(error)}`);
  }
}

/** Connected and ready to run. The caller closes `connection` in the end. */
async function createWorker(
  settings: WorkerSettings,
  tracing: Tracing | undefined,
): Promise<{ worker: Worker; connection: NativeConnection }> {
  if (!existsSync(WORKFLOW_BUNDLE)) throw new Error(`${WORKFLOW_BUNDLE} is not there; run "make build"`);
  const config = controlPlaneConfig(settings);
  const namespace = settings.namespace ?? config.namespace ?? 'default';
  const address = settings.address ?? config.connectionOptions.address ?? 'localhost:7233';
  const connection = await connect({ ...config.connectionOptions, address });
  try {
    await ensureSearchAttributes(connection, namespace);
    const activities = createActivities({ tools: createToolResolver(), catalogue: await loadCatalogue() });
    const worker = await Worker.create({
      connection,
      namespace,
      taskQueue: settings.taskQueue ?? DEFAULT_TASK_QUEUE,
      ...(settings.identity === undefined ? {} : { identity: settings.identity }),
      workflowBundle: tracing?.workflowBundle ?? { codePath: WORKFLOW_BUNDLE },
      ...(tracing === undefined ? {} : { interceptors: tracing.interceptors, sinks: tracing.sinks }),
      activities,
      shutdownGraceTime: '10s',
      // A cancellation comes with the answer to a heartbeat: by default 16 s may pass until a meter or a load hears of its end.
      maxHeartbeatThrottleInterval: '4s',
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
    // As every entry of this process: in the format that was asked for.
    Runtime.instance().logger.warn(
      `search attributes could not be registered (${messageOf(error)}); roll-outs run without them. ` +
        `To have them: temporal operator search-attribute create --namespace ${namespace} ${command}`,
    );
  }
}
