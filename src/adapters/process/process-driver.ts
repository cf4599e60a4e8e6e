import { resolve } from 'node:path';
import type { NodeState } from '../../core/cluster.js';
import { formatDuration } from '../../core/duration.js';
import { PreconditionError } from '../../core/errors.js';
import type { ProcessDriver, ProcessNode } from '../../core/input/input.js';
import { environmentLine, shellLine, shellQuote } from '../../core/shell-line.js';
import type { Driver } from '../driver.js';
import { findNode, knownOf } from '../find-node.js';
import { isRunning, readUsage, requireLinux, signalProcess, startTimeOf, type ProcessId } from './linux-process.js';
import { serverArguments, startServer } from './process-start.js';
import { askServerVersion, listServerProcesses, type ServerProcess } from './server-process.js';
import type { Work } from '../store.js';
import type { ToolResolver } from '../tools/tools.js';
import { KILL_TIMEOUT_MS, waitUntilGone } from '../wait-until-gone.js';

const POLL_MS = 100;

/**
 * Servers as plain processes of this host. A node is whatever process runs with its configuration folder and role, found
 * in /proc each time: no pid file can be stale, and it does not matter who started it.
 */
export function createProcessDriver(input: ProcessDriver, tools: ToolResolver): Driver {
  const nodeNamed = (name: string): ProcessNode => findNode(input.nodes, name);

  return {
    async listNodes() {
      const servers = await listServerProcesses();
      return Promise.all(input.nodes.map((node) => describeNode(node, processOf(node, servers))));
    },

    async stopNode(name, work) {
      const node = nodeNamed(name);
      const server = processOf(node, await listServerProcesses());
      if (server !== undefined) await stopProcess(server, node, input.stopTimeout, work);
    },

    async startNode(name, version, work) {
      const node = nodeNamed(name);
      const look = async () => describeNode(node, processOf(node, await listServerProcesses()));
      return startServer(node, { version, look, tools, allowNoAuth: input.allowNoAuth }, work);
    },

    async prepare(version, work) {
      requireLinux();
      await tools.serverTool('temporal-server', version, work);
    },

    readUsage: async ({ instance }) => {
      const [pid, startTicks] = instance?.split(':') ?? [];
      return pid === undefined || startTicks === undefined ? undefined : readUsage({ pid: Number(pid), startTicks });
    },

    configurationPaths: () => input.nodes.map(({ configDir }) => configDir),

    async explain(name, version) {
      const node = nodeNamed(name);
      const server = processOf(node, await listServerProcesses());
      const found = await tools.lookForServerTool('temporal-server', version).catch(() => ({}));
      const program = 'at' in found ? found.at : `temporal-server-${version}`;
      const command = shellLine([program, ...serverArguments(node, input.allowNoAuth)]);
      const patience = formatDuration(input.stopTimeout);
      return [
        ...(server === undefined ? [] : [`kill -TERM ${server.pid} # now that of ${name}; KILL after ${patience}`]),
        `cd / && ${environmentLine(node.environment)}${command} >> ${shellQuote(node.logFile)} 2>&1 &`,
      ];
    },
  };
}

function processOf(node: ProcessNode, servers: readonly ServerProcess[]): ServerProcess | undefined {
  const own = servers.filter(({ configDir }) => configDir === resolve(node.configDir));
  const mixed = own.find(({ services }) => services.length !== 1 || services[0] !== node.role);
  if (mixed !== undefined) {
    const roles = mixed.services.length === 0 ? 'every role' : mixed.services.join(', ');
    throw new PreconditionError(
      `node ${node.name} is to be a process of the role ${node.role} alone, but process ${mixed.pid} runs ${roles} from its configuration; give each role its own process and folder`,
      { node: node.name, pid: mixed.pid, services: mixed.services },
    );
  }
  if (own.length <= 1) return own[0];
  const pids = own.map(({ pid }) => pid);
  throw new PreconditionError(
    `expected one process for node ${node.name}, found ${own.length}: ${pids.join(', ')}; stop those that should not be there`,
    { node: node.name, pids },
  );
}

async function describeNode(node: ProcessNode, server: ServerProcess | undefined): Promise<NodeState> {
  const known = knownOf(node);
  if (server === undefined) return { ...known, running: false };
  const { pid, startTicks } = server;
  try {
    const [version, startedAt] = await Promise.all([askServerVersion(pid), startTimeOf(startTicks)]);
    return { ...known, running: true, version, instance: `${pid}:${startTicks}`, startedAt, pid };
  } catch (error) {
    if (!(await isRunning(server))) return { ...known, running: false }; // it ended while it was asked
    throw error;
  }
}

async function stopProcess(id: ProcessId, node: ProcessNode, timeoutMs: number, work?: Work): Promise<void> {
  const gone = async () => !(await isRunning(id));
  const within = (ms: number, what: string) => waitUntilGone(gone, { timeoutMs: ms, pollMs: POLL_MS, what }, work);
  if (!(await signalProcess(id, 'SIGTERM'))) return;
  if (await within(timeoutMs, `${node.name} (process ${id.pid}) is stopping`)) return;
  work?.onProgress?.(
    `${node.name} (process ${id.pid}) did not stop within ${formatDuration(timeoutMs)} and is killed with SIGKILL`,
  );
  if (!(await signalProcess(id, 'SIGKILL'))) return;
  if (await within(KILL_TIMEOUT_MS, `${node.name} was killed`)) return;
  throw new Error(
    `process ${id.pid} of node ${node.name} is still there ${formatDuration(KILL_TIMEOUT_MS)} after SIGKILL; look at its disk and kernel log`,
  );
}
