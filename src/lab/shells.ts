import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../adapters/run-command.js';
import { messageOf, PreconditionError } from '../core/errors.js';
import { librariesOf, unpackedPackages } from './debian-packages.js';

/** With the libraries of each that a machine without it may not have. */
const PACKAGES = {
  zsh: ['zsh', 'zsh-common'],
  fish: ['fish', 'fish-common', ['libpcre2-32-0', 'fish-common']],
} as const;

/** A shell that can be run, and what it needs when it is not an installed one. */
export interface ShellProgram {
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
  /** Where its packages were unpacked; undefined for the one of the system. */
  readonly folder: string | undefined;
}

/**
 * The shell of the system, else that of Debian's or Ubuntu's packages, unpacked into a cache: nothing is installed.
 * @throws PreconditionError when there is neither
 */
export async function findShell(name: keyof typeof PACKAGES): Promise<ShellProgram> {
  const installed: ShellProgram = { program: name, env: {}, folder: undefined };
  if (await runs(installed)) return installed;
  const folder = await unpackedPackages(name, PACKAGES[name]).catch((cause: unknown) => {
    throw new PreconditionError(
      `no ${name}: none is installed, and apt-get cannot bring its package (${messageOf(cause).slice(0, 300)}); install ${name}`,
      {},
      { cause },
    );
  });
  const env = { LD_LIBRARY_PATH: await librariesOf(folder) };
  // Debian has zsh in /bin, Ubuntu in /usr/bin.
  const inUsr = join(folder, 'usr', 'bin', name);
  const program = await access(inUsr).then(
    () => inUsr,
    () => join(folder, 'bin', name),
  );
  const found = { program, env, folder };
  if (await runs(found)) return found;
  throw new PreconditionError(`${program} cannot be run here; install ${name}`);
}

async function runs({ program, env }: ShellProgram): Promise<boolean> {
  return runCommand(program, ['--version'], { env }).then(
    () => true,
    () => false,
  );
}
