import { readlink, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { PreconditionError } from '../../core/errors.js';
import { listProcesses, type LinuxProcess } from './linux-process.js';
import { runCommand } from '../run-command.js';

/** A running `temporal-server … start`. */
export interface ServerProcess extends LinuxProcess {
  /** Absolute folder of the configuration it was started with. */
  readonly configDir: string;
  /** What its --service flags say; empty means every role. */
  readonly services: readonly string[];
}

/** Every Temporal server process of this host, whoever started it, told by its arguments. */
export async function listServerProcesses(): Promise<ServerProcess[]> {
  const candidates = await listProcesses((argv) => argv.includes('start', 1));
  const found = (await Promise.all(candidates.map(asServerProcess))).filter((one) => one !== undefined);
  // sudo, a supervisor and the like carry the same arguments as the server that they started.
  return found.filter(
    ({ pid, configDir }) => !found.some((child) => child.parentPid === pid && child.configDir === configDir),
  );
}

async function asServerProcess(entry: LinuxProcess): Promise<ServerProcess | undefined> {
  const args = entry.argv.slice(1);
  const config = flagValues(args, ['config', 'c']).at(-1);
  if (config === undefined) return undefined;
  // As the server joins them: below --root, whether or not --config begins with a slash; --root is "." by default.
  const root = flagValues(args, ['root', 'r']).at(-1) ?? '.';
  const workingDirectory = await readlink(`/proc/${entry.pid}/cwd`).catch(() => '/');
  const services = flagValues(args, ['service', 'svc', 'services', 's']).flatMap((value) => value.split(','));
  return { ...entry, configDir: resolve(workingDirectory, join(root, config)), services };
}

/** What the flags of these names were given, in order. */
export function flagValues(args: readonly string[], names: readonly string[]): string[] {
  return args.flatMap((arg, index) => {
    const [, name = '', value] = /^--?([^=]+)(?:=(.*))?$/s.exec(arg) ?? [];
    if (!names.includes(name)) return [];
    return [value ?? args[index + 1]].filter((text) => text !== undefined);
  });
}

const versions = new Map<string, Promise<string>>();

/**
 * Version of the binary that process `pid` runs, asked of that binary itself, even when its file was replaced since.
 * @throws PreconditionError when it cannot be asked
 */
export async function askServerVersion(pid: number): Promise<string> {
  const exe = `/proc/${pid}/exe`;
  try {
    const [file, { mtimeMs, size, ino, dev }] = await Promise.all([readlink(exe), stat(exe)]);
    const key = [file, dev, ino, mtimeMs, size].join(' ');
    const known = versions.get(key);
    if (known !== undefined) return await known;
    const asked = readVersion(exe);
    versions.set(key, asked);
    asked.catch(() => versions.delete(key));
    return await asked;
  } catch (cause) {
    if (cause instanceof PreconditionError) throw cause;
    throw new PreconditionError(
      `the version of process ${pid} cannot be asked of its binary; run the worker as the user of the servers`,
      { pid },
      { cause },
    );
  }
}

async function readVersion(program: string): Promise<string> {
  const { stdout } = await runCommand(program, ['--version'], { timeoutMs: 20_000 });
  const version = /\bversion v?(\d+\.\d+\.\d+)\b/.exec(stdout)?.[1];
  if (version !== undefined) return version;
  throw new PreconditionError(
    `expected a Temporal server that answers --version with its version; it said "${stdout.trim().slice(0, 200)}"`,
  );
}
