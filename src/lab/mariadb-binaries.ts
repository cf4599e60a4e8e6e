import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, PreconditionError } from '../core/errors.js';
import { librariesOf, unpackedPackages } from './debian-packages.js';
import { clientFolder, type MysqlBinaries } from './mysql-binaries.js';

/** The server with its scripts, and what it is linked to, by its names in Debian 12 and later. */
const SERVER = ['mariadb-server-core', ['libaio1', 'libaio1t64'], 'libnuma1', 'liburing2'] as const;
/** What makes the system tables of an empty data folder, in the order of mariadb-install-db. */
const SYSTEM_TABLES = [
  'mysql_system_tables.sql',
  'mysql_performance_tables.sql',
  'mysql_system_tables_data.sql',
  'maria_add_gis_sp_bootstrap.sql',
];

/** A MariaDB server, and what makes its first tables. */
export interface MariadbBinaries extends MysqlBinaries {
  /** Statements for `--bootstrap`: mariadb-install-db would want the server installed where it was built for. */
  readonly systemTables: string;
}

/**
 * A MariaDB server from Debian's packages, unpacked in the cache; nothing is installed.
 * @throws PreconditionError when it cannot be had
 */
export async function findMariadbBinaries(): Promise<MariadbBinaries> {
  try {
    const unpacked = await unpackedPackages('mariadb-server', SERVER);
    const baseDir = join(unpacked, 'usr');
    const scripts = SYSTEM_TABLES.map((name) => readFile(join(baseDir, 'share', 'mysql', name), 'utf8'));
    return {
      baseDir,
      mysqld: join(baseDir, 'sbin', 'mariadbd'),
      clientDir: await clientFolder(),
      env: { LD_LIBRARY_PATH: await librariesOf(unpacked) },
      systemTables: ['create database mysql;\nuse mysql;\n', ...(await Promise.all(scripts))].join('\n'),
    };
  } catch (cause) {
    throw new PreconditionError(
      `no MariaDB for the lab: its packages take apt-get (${messageOf(cause).slice(0, 500)})`,
      {},
      { cause },
    );
  }
}
