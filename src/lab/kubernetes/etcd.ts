import { join } from 'node:path';
import { runCommand } from '../../adapters/run-command.js';
import { messageOf, PreconditionError } from '../../core/errors.js';
import { unpackedPackages } from '../debian-packages.js';

/**
 * etcd of the system, else that of Debian's or Ubuntu's package, unpacked into the cache: nothing is installed, and no service
 * of it is started.
 * @throws PreconditionError when there is neither
 */
export async function findEtcd(): Promise<string> {
  if (await runs('etcd')) return 'etcd';
  const folder = await unpackedPackages('etcd-server', ['etcd-server']).catch((cause: unknown) => {
    throw new PreconditionError(
      `no etcd: none is installed, and apt-get cannot bring its package (${messageOf(cause).slice(0, 300)}); install etcd 3.4 or later`,
      {},
      { cause },
    );
  });
  const program = join(folder, 'usr', 'bin', 'etcd');
  if (await runs(program)) return program;
  throw new PreconditionError(`${program} cannot be run here; install etcd 3.4 or later`);
}

async function runs(program: string): Promise<boolean> {
  return runCommand(program, ['--version'], { timeoutMs: 20_000 }).then(
    () => true,
    () => false,
  );
}
