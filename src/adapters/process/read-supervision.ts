import { readFile, readlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { messageOf } from '../../core/errors.js';
import type { Seen } from '../../core/survey/seen.js';
import { type Ancestor, type Supervisor, supervisorsOf } from '../../core/survey/supervision.js';
import { listProcesses, type LinuxProcess } from './linux-process.js';

/** In the package.json of this project, which tells its workers from other programs. */
const OWN_PACKAGE = /"name"\s*:\s*"temporal-upgrade"/;

/** What would start each of these processes again by itself, by process id. @throws PreconditionError without /proc */
export async function readSupervision(pids: readonly number[]): Promise<Map<number, Seen<readonly Supervisor[]>>> {
  const processes = new Map((await listProcesses()).map((entry) => [entry.pid, entry]));
  const ownCgroup = await readFile('/proc/self/cgroup', 'utf8').catch(() => '');
  const read = async (pid: number): Promise<Seen<readonly Supervisor[]>> => {
    try {
      const cgroup = await readFile(`/proc/${pid}/cgroup`, 'utf8');
      const ancestors = await Promise.all(above(pid, processes).map(describe));
      return { seen: supervisorsOf({ pid, cgroup, ownCgroup, ancestors }) };
    } catch (error) {
      return { unseen: `process ${pid} cannot be looked at: ${messageOf(error)}` };
    }
  };
  return new Map(await Promise.all(pids.map(async (pid) => [pid, await read(pid)] as const)));
}

/** Parent, its parent and so on, without init. */
function above(pid: number, processes: ReadonlyMap<number, LinuxProcess>): LinuxProcess[] {
  const found: LinuxProcess[] = [];
  for (let next = processes.get(pid)?.parentPid; next !== undefined && next > 1;) {
    const parent = processes.get(next);
    if (parent === undefined || found.includes(parent)) break; // a kernel thread, or an id that was used again
    found.push(parent);
    next = parent.parentPid;
  }
  return found;
}

async function describe({ pid, argv }: LinuxProcess): Promise<Ancestor> {
  return { pid, argv, isOurs: pid === process.pid || (await isOwnWorker(pid, argv)) };
}

/** Whether a process runs a script of this project, of whatever installation: its servers outlive it and are its own. */
async function isOwnWorker(pid: number, [program = '', ...args]: readonly string[]): Promise<boolean> {
  const script = args.find((arg) => !arg.startsWith('-'));
  if (script === undefined || !/(^|\/)node$/.test(program)) return false;
  const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => '/');
  for (let folder = dirname(resolve(cwd, script)); folder !== '/'; folder = dirname(folder)) {
    const text = await readFile(join(folder, 'package.json'), 'utf8').catch(() => undefined);
    // Not the nearest: a test runner below node_modules is run from the project's folder.
    if (text !== undefined && OWN_PACKAGE.test(text)) return true;
  }
  return false;
}
