import { messageOf, PreconditionError } from '../../core/errors.js';
import type { Host } from './host.js';

/** Versions of processes by host and run, as a process never changes its own. */
const known = new Map<string, string>();

export interface RunOfUnit {
  readonly unit: string;
  readonly mainPid: number;
  readonly instance: string;
}

/**
 * Version of the server that a process runs, asked of its very binary, even when its file was replaced since.
 * @throws PreconditionError when it cannot be asked, or is no Temporal server
 */
export async function askRunningVersion(host: Host, { unit, mainPid, instance }: RunOfUnit, asRoot: readonly string[]) {
  const key = `${host.name} ${unit} ${instance}`;
  const remembered = known.get(key);
  if (remembered !== undefined) return remembered;
  const program = `/proc/${mainPid}/exe`;
  const version = await askProgramVersion(host, [...asRoot, program]).catch((cause: unknown) => {
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
