import { messageOf, PreconditionError, UnreachableError } from '../../core/errors.js';
import type { Host } from './host.js';
import type { UnitAccess } from './unit-access.js';
import type { UnitState } from './unit-state.js';

/** Versions of processes by host and run, as a process never changes its own. */
const known = new Map<string, string>();

/**
 * Version of the server that a unit's main process runs, asked of its very binary, even when its file was replaced since.
 * @throws PreconditionError when it cannot be asked, or is no Temporal server
 */
export async function askRunningVersion(
  { node: { unit }, host, asRoot }: UnitAccess,
  { mainPid, instance }: UnitState,
): Promise<string> {
  const key = `${host.name} ${unit} ${instance}`;
  const remembered = known.get(key);
  if (remembered !== undefined) return remembered;
  const version = await askProgramVersion(host, [...asRoot, `/proc/${mainPid}/exe`]).catch((cause: unknown) => {
    if (cause instanceof UnreachableError) throw cause;
    throw new PreconditionError(
      `the version of ${unit} on ${host.name} cannot be asked of its process ${mainPid}: ${messageOf(cause)}; run as the user of the servers or as root, or set "sudo"; and let its ExecStart run the server itself`,
      { unit, host: host.name },
      { cause },
    );
  });
  known.set(key, version);
  return version;
}

/** What a Temporal server answers to --version. @throws PreconditionError when it does not */
export async function askProgramVersion(host: Host, program: readonly string[]): Promise<string> {
  const said = await host.run([...program, '--version']);
  // Not any program's version: a shell has one too.
  const version = /\btemporal(?:-server)? version v?(\d+\.\d+\.\d+)\b/i.exec(said)?.[1];
  if (version !== undefined) return version;
  throw new PreconditionError(
    `expected a Temporal server that answers --version with its version; it said "${said.trim().slice(0, 200)}"`,
    { host: host.name },
  );
}

/**
 * Sees that a host has the server of `version`. `program` is its path, after what gives rights.
 * @throws PreconditionError when it has none there, or another one
 */
export async function requireProgram(host: Host, program: readonly string[], version: string): Promise<void> {
  const path = program.at(-1) ?? '';
  const found = await askProgramVersion(host, program).catch((cause: unknown) => {
    if (cause instanceof UnreachableError) throw cause;
    throw new PreconditionError(
      `${host.name} has no server ${version} at ${path}; put it there, or correct "versionSwitch.program"`,
      { host: host.name, path, version },
      { cause },
    );
  });
  if (found === version) return;
  throw new PreconditionError(`${path} on ${host.name} is ${found}, expected ${version}; put the right one there`, {
    host: host.name,
    path,
    expected: version,
    found,
  });
}
