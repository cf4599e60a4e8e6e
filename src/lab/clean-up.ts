import { rm } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRunning, signalProcess } from '../adapters/process/linux-process.js';
import { listServerProcesses, type ServerProcess } from '../adapters/process/server-process.js';
import { stopBalancersBelow } from './balancer.js';
import { removePostgres } from './postgres.js';

const STOP_TIMEOUT_MS = 10_000;

/** Temporal servers whose configuration lies below `directory`, of whatever version, whoever started them. */
export async function findServersBelow(directory: string): Promise<ServerProcess[]> {
  const root = resolve(directory) + sep;
  return (await listServerProcesses()).filter(({ configDir }) => configDir.startsWith(root));
}

/** Stops every Temporal server whose configuration lies below `directory`. */
export async function stopServersBelow(directory: string): Promise<void> {
  await stopServers(await findServersBelow(directory));
}

/** Stops these processes; what does not end in ten seconds is killed. */
export async function stopServers(servers: readonly ServerProcess[]): Promise<void> {
  await Promise.all(servers.map((server) => signalProcess(server, 'SIGTERM')));
  const end = Date.now() + STOP_TIMEOUT_MS;
  let left: readonly ServerProcess[] = servers;
  while (left.length > 0) {
    const running = await Promise.all(left.map(isRunning));
    left = left.filter((_, index) => running[index] === true);
    if (Date.now() > end) await Promise.all(left.map((server) => signalProcess(server, 'SIGKILL')));
    await sleep(100);
  }
}

/**
 * Removes a lab in `directory` with all that still runs of it, also when the process that made it was killed: servers of
 * clusters below it, its database server, and the folder. Does nothing when there is none.
 */
export async function removeLab(directory: string): Promise<void> {
  await stopServersBelow(directory);
  await stopBalancersBelow(directory);
  await removePostgres(directory);
  await rm(directory, { recursive: true, force: true });
}
