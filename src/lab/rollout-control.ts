import { readFile, readlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import {
  isRunning,
  listProcesses,
  signalProcess,
  type LinuxProcess,
  type ProcessId,
} from '../adapters/process/linux-process.js';
import { startDetached } from '../adapters/run-command.js';
import type { ToolResolver } from '../adapters/tools/tools.js';
import { DEFAULT_TASK_QUEUE } from '../contract/names.js';
import { startDevServer, type DevServer } from '../dev-server.js';
import { findFreePorts } from './free-ports.js';
import type { LabDatabase } from './lab-database.js';

/** A worker of the roll-out, as a process of its own. */
export interface WorkerProcess {
  readonly id: ProcessId;
  /** Ends it at once, as `kill -9` does. */
  kill(): Promise<void>;
  stop(): Promise<void>;
  /** Highest resident memory so far, in bytes. */
  peakMemory(): Promise<number>;
}

/** What runs roll-outs in a lab, whatever they upgrade. */
export interface RolloutControl {
  readonly controlPlane: DevServer;
  readonly client: Client;
  startWorker(): Promise<WorkerProcess>;
  /** Ends the control plane at once, and starts it again on its database file. */
  killControlPlane(): Promise<void>;
  restartControlPlane(): Promise<void>;
  /** Ends workers and control plane. */
  stop(): Promise<void>;
  /** After everything else: a call that is still tried again throws then where nobody can catch it (interrupted by Ctrl-C). */
  disconnect(): Promise<void>;
}

export interface RolloutControlOptions {
  /** Its folder; `control-plane` below it is the database of the control plane. */
  readonly directory: string;
  readonly tools: ToolResolver;
  /** Whose programs the workers dump with: they must not be older than the server. */
  readonly databases: readonly LabDatabase[];
}

const CLI = fileURLToPath(new URL('../../bin/temporal-upgrade', import.meta.url));
const BUILT_CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

/** Starts a control plane; no worker yet. What a killed lab left in `directory` has to be gone: {@link stopRolloutControl}. */
export async function startRolloutControl({
  directory,
  tools,
  databases,
}: RolloutControlOptions): Promise<RolloutControl> {
  const [port = 0, uiPort = 0] = await findFreePorts(2);
  const serverOptions = { dataDir: controlPlaneIn(directory), port, uiPort, tools };
  const controlPlane = await startDevServer(serverOptions);
  const { address } = controlPlane;
  const connection = await Connection.connect({ address });
  const workers: WorkerProcess[] = [];
  return {
    controlPlane,
    client: new Client({ connection }),
    startWorker: async () => {
      const number = workers.length + 1;
      const worker = await startWorker({ directory, address, databases, number });
      workers.push(worker);
      await waitUntilPolling(connection, worker.id, workerLog(directory, number));
      return worker;
    },
    killControlPlane: () => stopControlPlaneOf(controlPlaneIn(directory), 'SIGKILL'),
    restartControlPlane: async () => void (await startDevServer(serverOptions)),
    stop: async () => {
      for (const worker of workers) await worker.stop();
      await controlPlane.stop();
    },
    disconnect: () => connection.close(),
  };
}

/** Ends the control plane and the workers of a lab in `directory`, whoever started them. */
export async function stopRolloutControl(directory: string): Promise<void> {
  await stopControlPlaneOf(controlPlaneIn(directory));
  await stopWorkersOf(directory);
}

function controlPlaneIn(directory: string): string {
  return join(directory, 'control-plane');
}

async function startWorker(options: {
  readonly directory: string;
  readonly address: string;
  readonly databases: readonly LabDatabase[];
  readonly number: number;
}): Promise<WorkerProcess> {
  const { directory, address, databases, number } = options;
  const logFile = workerLog(directory, number);
  const { pid } = await startDetached(CLI, ['worker'], {
    cwd: directory,
    logFile,
    env: {
      TEMPORAL_ADDRESS: address,
      TEMPORAL_NAMESPACE: 'default',
      // The same Node as here.
      PATH: `${dirname(process.execPath)}:${process.env.PATH ?? ''}`,
      // Programs that dump must not be older than the server, which is the lab's own.
      ...Object.fromEntries(databases.map(({ binVariable, binDir }) => [binVariable, binDir])),
      ...environmentOfTools(),
    },
  });
  const found = (await listProcesses()).find((candidate) => candidate.pid === pid);
  if (found === undefined) throw new Error(`the worker ended at once; ${logFile} says why`);
  const id: ProcessId = { pid, startTicks: found.startTicks };
  const end = async (signal: 'SIGTERM' | 'SIGKILL') => {
    await signalProcess(id, signal);
    const deadline = Date.now() + 30_000;
    while (await isRunning(id)) {
      if (Date.now() > deadline) await signalProcess(id, 'SIGKILL');
      await sleep(50);
    }
  };
  return { id, kill: () => end('SIGKILL'), stop: () => end('SIGTERM'), peakMemory: () => peakMemoryOf(pid) };
}

function workerLog(directory: string, number: number): string {
  return join(directory, `worker-${number}.log`);
}

/** Waits until the worker asks for tasks; identities of pollers begin with their process id. */
async function waitUntilPolling(connection: Connection, id: ProcessId, logFile: string): Promise<void> {
  for (;;) {
    if (!(await isRunning(id)))
      throw new Error(`the worker ended while it started:\n${await readFile(logFile, 'utf8')}`);
    const { pollers } = await connection.workflowService.describeTaskQueue({
      namespace: 'default',
      taskQueue: { name: DEFAULT_TASK_QUEUE },
      taskQueueType: 1, // workflow tasks
    });
    if (pollers?.some(({ identity }) => identity?.startsWith(`${id.pid}@`))) return;
    await sleep(200);
  }
}

/** What tells the worker's tool resolver where to look, as it tells this process. */
function environmentOfTools(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value !== undefined &&
      /^(TEMPORAL_UPGRADE_(TOOLS_DIR|CACHE_DIR|RELEASES_URL)|XDG_CACHE_HOME|GO[A-Z]+)$/.test(name)
        ? [[name, value]]
        : [],
    ),
  );
}

/** `VmHWM` of /proc/PID/status, which the kernel gives in kibibytes. */
async function peakMemoryOf(pid: number): Promise<number> {
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kibibytes) * 1_024;
}

async function stopControlPlaneOf(dataDir: string, signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
  await endAll(({ argv }) => argv.includes(join(dataDir, 'control-plane.db')), signal);
}

async function stopWorkersOf(directory: string): Promise<void> {
  await endAll(
    async ({ pid, argv }) => argv.includes(BUILT_CLI) && (await workingDirectoryOf(pid)) === directory,
    'SIGKILL',
  );
}

async function workingDirectoryOf(pid: number): Promise<string | undefined> {
  return readlink(`/proc/${pid}/cwd`).catch(() => undefined);
}

async function endAll(
  matches: (found: LinuxProcess) => boolean | Promise<boolean>,
  signal: 'SIGTERM' | 'SIGKILL',
): Promise<void> {
  for (const found of await listProcesses()) {
    if (!(await matches(found))) continue;
    await signalProcess(found, signal);
    while (await isRunning(found)) await sleep(50);
  }
}
