import { readdirSync, readFileSync } from 'node:fs';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { PreconditionError } from '../../core/errors.js';
import { journaled } from '../command-journal.js';

/** A run of a process. Process ids are used again; together with the start time (in clock ticks since boot) they are not. */
export interface ProcessId {
  readonly pid: number;
  readonly startTicks: string;
}

export interface LinuxProcess extends ProcessId {
  readonly parentPid: number;
  readonly argv: readonly string[];
}

/** Linux shows times in /proc in hundredths of a second, whatever the kernel's own tick is (USER_HZ, proc(5)). */
const TICKS_PER_SECOND = 100;

/** @throws PreconditionError where there is no Linux /proc */
export function requireLinux(): void {
  if (process.platform === 'linux') return;
  throw new PreconditionError(
    `server processes are found in /proc, which ${process.platform} does not have; run the worker on the Linux host of the servers`,
  );
}

/**
 * Every process that this worker can see, kernel threads and ended processes left out; where `isWanted` is given, those whose
 * arguments it wants. Read without a thread of the pool for each file: /proc is memory, and by way of the pool a few hundred
 * processes take ten times the CPU, twice a second in a roll.
 */
export function listProcesses(isWanted: (argv: readonly string[]) => boolean = () => true): Promise<LinuxProcess[]> {
  requireLinux();
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return Promise.resolve(pids.flatMap((pid) => readProcess(Number(pid), isWanted) ?? []));
}

function readProcess(pid: number, isWanted: (argv: readonly string[]) => boolean): LinuxProcess | undefined {
  try {
    const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    const argv = commandLine.replace(/\0$/, '').split('\0');
    // Before the second file is read: of hundreds of processes a few are servers.
    if (commandLine === '' || !isWanted(argv)) return undefined;
    const run = parseStat(pid, readFileSync(`/proc/${pid}/stat`, 'utf8'));
    return run && { ...run, argv };
  } catch {
    return undefined; // it has ended, or belongs to somebody else
  }
}

/** The run that has this process id now; undefined when there is none. */
export async function identify(pid: number): Promise<ProcessId | undefined> {
  return readStat(pid);
}

/** Whether this very run of the process still runs; one that has ended and only waits to be reaped does not. */
export async function isRunning({ pid, startTicks }: ProcessId): Promise<boolean> {
  return (await readStat(pid))?.startTicks === startTicks;
}

/** Processor time and resident memory of this very run of the process; undefined when it is gone. */
export async function readUsage(
  id: ProcessId,
): Promise<{ readonly cpuSeconds: number; readonly residentBytes: number } | undefined> {
  const [stat, status] = await Promise.all([
    readIfThere(`/proc/${id.pid}/stat`),
    readIfThere(`/proc/${id.pid}/status`),
  ]);
  // Fields of proc(5) after the name: utime and stime at 11 and 12, the start at 19; memory in kibibytes.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
  const kibibytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status ?? '')?.[1]);
  if (fields[19] !== id.startTicks || Number.isNaN(kibibytes)) return undefined;
  const cpuSeconds = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  return { cpuSeconds, residentBytes: kibibytes * 1_024 };
}

/** Sends a signal to this very run of the process; false when it is gone. @throws PreconditionError when not allowed */
export async function signalProcess(id: ProcessId, signal: 'SIGTERM' | 'SIGKILL'): Promise<boolean> {
  if (!(await isRunning(id))) return false;
  try {
    return await journaled(`kill -${signal.slice('SIG'.length)} ${id.pid}`, () =>
      Promise.resolve(process.kill(id.pid, signal)),
    );
  } catch (cause) {
    if (hasCode(cause, 'ESRCH')) return false;
    throw new PreconditionError(
      `this worker may not stop process ${id.pid}; run the worker as the user of the servers`,
      { pid: id.pid },
      { cause },
    );
  }
}

/** When a process with `startTicks` began, ISO 8601, to the second. */
export async function startTimeOf(startTicks: string): Promise<string> {
  const bootSeconds = Number(/^btime (\d+)$/m.exec(await readFile('/proc/stat', 'utf8'))?.[1]);
  return new Date((bootSeconds + Math.floor(Number(startTicks) / TICKS_PER_SECOND)) * 1_000).toISOString();
}

/** Whether process `pid` itself listens on TCP `port`: a listener of somebody else does not count. */
export async function listensOn(pid: number, port: number): Promise<boolean> {
  const tables = await Promise.all(['tcp', 'tcp6'].map((table) => readIfThere(`/proc/${pid}/net/${table}`)));
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  const inodes = tables
    .flatMap((table) => (table ?? '').split('\n').slice(1))
    .map((row) => row.trim().split(/\s+/))
    // Columns of proc(5): local address at 1, state at 3 (0A is LISTEN), inode at 9.
    .filter((columns) => columns[1]?.endsWith(`:${hexPort}`) === true && columns[3] === '0A')
    .map((columns) => `socket:[${columns[9] ?? ''}]`);
  if (inodes.length === 0) return false;
  const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const links = await Promise.all(descriptors.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')));
  return links.some((link) => inodes.includes(link));
}

type Run = Pick<LinuxProcess, 'startTicks' | 'parentPid' | 'pid'>;

async function readStat(pid: number): Promise<Run | undefined> {
  const text = await readIfThere(`/proc/${pid}/stat`);
  return text === undefined ? undefined : parseStat(pid, text);
}

function parseStat(pid: number, text: string): Run | undefined {
  // The second field is the program's name in brackets and may itself hold blanks and brackets.
  const [state, parentPid, ...rest] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const startTicks = rest[17];
  // Z and X have ended: nobody has asked for their exit code yet, and under some init processes nobody ever does.
  if (state === undefined || startTicks === undefined || state === 'Z' || state === 'X') return undefined;
  return { pid, parentPid: Number(parentPid), startTicks };
}

async function readIfThere(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined); // it has ended, or belongs to somebody else
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
