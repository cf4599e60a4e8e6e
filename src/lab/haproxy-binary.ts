import { join } from 'node:path';
import { runCommand } from '../adapters/run-command.js';
import { messageOf, PreconditionError } from '../core/errors.js';
import { librariesOf, unpackedPackages } from './debian-packages.js';

/** The package, and those libraries of it that a machine without it may not have. */
const PACKAGES = ['haproxy', 'liblua5.3-0', 'libopentracing-c-wrapper0', 'libopentracing1'];

/** A haproxy that can be run, and where its libraries are when it is not an installed one. */
export interface HaproxyProgram {
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * The haproxy of the system, else that of Debian's or Ubuntu's packages, unpacked into a cache: nothing is installed, and no
 * service of it is started.
 * @throws PreconditionError when there is neither
 */
export async function findHaproxy(): Promise<HaproxyProgram> {
  const installed: HaproxyProgram = { program: 'haproxy', env: {} };
  if (await runs(installed)) return installed;
  const folder = await unpackedPackages('haproxy', PACKAGES).catch((cause: unknown) => {
    throw new PreconditionError(
      `no haproxy: none is installed, and apt-get cannot bring its package (${messageOf(cause).slice(0, 300)}); install haproxy 2.4 or later`,
      {},
      { cause },
    );
  });
  const found = {
    program: join(folder, 'usr', 'sbin', 'haproxy'),
    env: { LD_LIBRARY_PATH: await librariesOf(folder) },
  };
  if (await runs(found)) return found;
  throw new PreconditionError(`${found.program} cannot be run here; install haproxy 2.4 or later`);
}

async function runs({ program, env }: HaproxyProgram): Promise<boolean> {
  return runCommand(program, ['-v'], { env }).then(
    () => true,
    () => false,
  );
}
