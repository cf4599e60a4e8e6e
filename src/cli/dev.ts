import { homedir } from 'node:os';
import { join } from 'node:path';
import { Option, type Command } from 'commander';
import type { ControlPlaneOptions } from '../client.js';
import { DEFAULT_TASK_QUEUE } from '../contract/names.js';
import { withControlPlane } from './options.js';
import { runCommandLine } from './output.js';

const DATA_DIR = join(homedir(), '.local', 'share', 'temporal-upgrade');

/** `dev`: the embedded control plane and a worker, in the foreground. */
export function addDevCommand(program: Command): void {
  program
    .command('dev')
    .description('start the embedded control plane (with the Web UI) and a worker; Ctrl-C stops both')
    .addOption(new Option('--port <port>', 'port of the control plane').default(7233).argParser(Number))
    .addOption(new Option('--ui-port <port>', 'port of its Web UI').default(8233).argParser(Number))
    .addOption(new Option('--data-dir <folder>', 'folder of its database file').default(DATA_DIR))
    .action((options: { readonly port: number; readonly uiPort: number; readonly dataDir: string }) =>
      runCommandLine('text', async () => {
        // Loaded here: the worker is heavy, and the other commands answer faster without it.
        const { runDev } = await import('../dev.js');
        await runDev(options, (line) => process.stderr.write(`${line}\n`));
      }),
    );
}

/** `worker`: a worker alone, against any Temporal. */
export function addWorkerCommand(program: Command): void {
  withControlPlane(
    program
      .command('worker')
      .description('run a worker against the control plane; near a target, with the task queue that the target names')
      .addOption(
        new Option('-t, --task-queue <name>', 'task queue to work on')
          .env('TEMPORAL_UPGRADE_TASK_QUEUE')
          .default(DEFAULT_TASK_QUEUE),
      )
      .addOption(
        new Option('--metrics-address <host:port>', 'where Prometheus may scrape it').env('TEMPORAL_UPGRADE_METRICS'),
      )
      .addOption(
        new Option('--health-address <host:port>', 'where /livez and /readyz are answered').env(
          'TEMPORAL_UPGRADE_HEALTH',
        ),
      )
      .addOption(
        new Option('--log-format <format>', 'how it logs to stderr')
          .choices(['text', 'json'])
          .default('text')
          .env('TEMPORAL_UPGRADE_LOG'),
      ),
  ).action(async (options: WorkerOptions) => {
    const { logEnd, runWorker, stopSignal } = await import('../run-worker.js');
    const work = () =>
      runWorker(options, {
        stop: stopSignal(),
        onReady: () => {
          if (options.logFormat === 'text') process.stderr.write(`worker on task queue ${options.taskQueue}\n`);
        },
      });
    await (options.logFormat === 'json' ? runCommandLine('text', work, logEnd) : runCommandLine('text', work));
  });
}

interface WorkerOptions extends ControlPlaneOptions {
  readonly taskQueue: string;
  readonly metricsAddress?: string;
  readonly healthAddress?: string;
  readonly logFormat: 'text' | 'json';
}
