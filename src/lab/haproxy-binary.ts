import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../adapters/run-command.js';
import { messageOf, PreconditionError } from '../core/errors.js';

/** The package, and those libraries of it that a machine without it may not have. */
const PACKAGES = ['haproxy', 'liblua5.3-0', 'libopentracing-c-wrapper0', 'libopentracing1'];
const FOLDER = 'haproxy';

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
  const cache = process.env['TEMPORAL_UPGRADE_CACHE_DIR'] ?? join(homedir(), '.cache', 'temporal-upgrade');
  const folder = join(cache, FOLDER);
  try {
    await access(folder);
  } catch {
    await unpack(cache, folder).catch((cause: unknown) => {
      throw new PreconditionError(
        `no haproxy: none is installed, and apt-get cannot bring its package (${messageOf(cause).slice(0, 300)}); install haproxy 2.4 or later`,
        {},
        { cause },
      );
    });
  }
  const libraries = join(folder, 'usr', 'lib');
  const [architecture = '.'] = (await readdir(libraries)).filter((name) => name.endsWith('-linux-gnu'));
  const found = {
    program: join(folder, 'usr', 'sbin', 'haproxy'),
    env: { LD_LIBRARY_PATH: join(libraries, architecture) },
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

async function unpack(cache: string, folder: string): Promise<void> {
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, `${FOLDER}-`));
  try {
    const download = () => runCommand('apt-get', ['download', ...PACKAGES], { cwd: work });
    // A fresh machine has no lists of packages yet.
    await download().catch(async () => {
      await runCommand('apt-get', ['update']);
      await download();
    });
    const packages = (await readdir(work)).filter((name) => name.endsWith('.deb'));
    for (const one of packages) await runCommand('dpkg-deb', ['--extract', one, 'all'], { cwd: work });
    await rename(join(work, 'all'), folder);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
