import { mkdir, open } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkHealth } from './adapters/grpc-health.js';
import { isRunning, listProcesses, signalProcess, type LinuxProcess } from './adapters/process/linux-process.js';
import { startDetached } from './adapters/run-command.js';
import type { ToolResolver } from './adapters/tools/tools.js';
import { SEARCH_ATTRIBUTE_NAMES } from './contract/names.js';
import { PreconditionError } from './core/errors.js';

export interface DevServerOptions {
  readonly dataDir: string;
  readonly port: number;
  readonly uiPort: number;
  readonly tools: ToolResolver;
  readonly onProgress?: ((line: string) => void) | undefined;
}

export interface DevServer {
  readonly address: string;
  readonly uiUrl: string;
  /** Stops it; the database file stays, and the next start goes on from it. */
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 20_000;
const FRONTEND = 'temporal.api.workflowservice.v1.WorkflowService';

/**
 * The embedded control plane: a development server of the Temporal CLI with a database file, so that it survives its own
 * end. One that is left from a killed `dev` is found again and used. @throws PreconditionError when a port is taken
 */
export async function startDevServer(options: DevServerOptions): Promise<DevServer> {
  const { port, uiPort, tools, onProgress } = options;
  // The server runs in that folder, and is found again by the path of its file.
  const dataDir = resolve(options.dataDir);
  const databaseFile = join(dataDir, 'control-plane.db');
  const logFile = join(dataDir, 'control-plane.log');
  const address = `127.0.0.1:${port}`;
  await mkdir(dataDir, { recursive: true });
  const cli = await tools.temporalCli({ onProgress });

  let server = await findServer(databaseFile);
  if (server === undefined) {
    await requireFreePort(port, '--port');
    await requireFreePort(uiPort, '--ui-port');
    await (await open(logFile, 'a')).close();
    const searchAttributes = SEARCH_ATTRIBUTE_NAMES.flatMap((name) => ['--search-attribute', `${name}=Keyword`]);
    const args = ['server', 'start-dev', '--db-filename', databaseFile, '--ip', '127.0.0.1', '--log-level', 'warn'];
    await startDetached(cli, [...args, '--port', String(port), '--ui-port', String(uiPort), ...searchAttributes], {
      env: {},
      cwd: dataDir,
      logFile,
    });
    server = await findServer(databaseFile);
  } else if (server.argv[server.argv.indexOf('--port') + 1] !== String(port)) {
    throw new PreconditionError(
      `the control plane of ${dataDir} runs already (process ${server.pid}), on another port than ${port}; ` +
        'give that port with --port, or another folder with --data-dir',
      { pid: server.pid },
    );
  }
  await waitUntilServing(address, server, logFile);
  return {
    address,
    uiUrl: `http://127.0.0.1:${uiPort}`,
    stop: () => stopServer(databaseFile),
  };
}

/** The server of this database file, whoever started it. */
async function findServer(databaseFile: string): Promise<LinuxProcess | undefined> {
  const processes = await listProcesses();
  return processes.find(({ argv }) => argv.includes('start-dev') && argv.includes(databaseFile));
}

async function waitUntilServing(address: string, server: LinuxProcess | undefined, logFile: string): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline) {
    if ((await checkHealth(address, FRONTEND)) === 'SERVING') return;
    if (server === undefined || !(await isRunning(server))) {
      throw new PreconditionError(`the control plane ended while it started; ${logFile} says why`, { logFile });
    }
    await sleep(200);
  }
  throw new PreconditionError(`the control plane does not answer at ${address}; ${logFile} may say why`, { logFile });
}

async function stopServer(databaseFile: string): Promise<void> {
  const server = await findServer(databaseFile);
  if (server === undefined) return;
  await signalProcess(server, 'SIGTERM');
  const deadline = Date.now() + STOP_TIMEOUT_MS;
  while (await isRunning(server)) {
    if (Date.now() > deadline) await signalProcess(server, 'SIGKILL');
    await sleep(100);
  }
}

async function requireFreePort(port: number, flag: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => {
      const reason = error.code === 'EADDRINUSE' ? 'is taken by another program' : `cannot be used (${error.code})`;
      reject(new PreconditionError(`port ${port} ${reason}; choose another with ${flag}`, { port }));
    });
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve()));
  });
}
