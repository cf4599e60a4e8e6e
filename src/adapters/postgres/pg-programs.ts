import { access, constants, readdir, realpath } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { messageOf, PreconditionError } from '../../core/errors.js';
import { runCommand } from '../run-command.js';

/** Names the folder of `pg_dump` and `pg_restore` to use, before any other place is looked at. */
export const PG_BIN_VARIABLE = 'TEMPORAL_UPGRADE_PG_BIN';
const DEBIAN_FOLDER = '/usr/lib/postgresql';

export interface PgPrograms {
  readonly pgDump: string;
  readonly pgRestore: string;
  readonly major: number;
}

/**
 * Finds a `pg_dump`, with the `pg_restore` beside it, that can read a server of `serverMajor`: it must not be older.
 * Looks into the folder that TEMPORAL_UPGRADE_PG_BIN names (into no other then), PATH, and Debian's versioned folders.
 * @throws PreconditionError with every one that was found, its version, and the way out
 */
export async function findPgPrograms(serverMajor: number): Promise<PgPrograms> {
  const seen: string[] = [];
  for (const folder of await candidateFolders()) {
    const pgDump = join(folder, 'pg_dump');
    const pgRestore = join(folder, 'pg_restore');
    if (!(await isExecutable(pgDump)) || !(await isExecutable(pgRestore))) continue;
    const version = await askVersion(pgDump);
    const major = Number.parseInt(version, 10);
    if (major >= serverMajor) return { pgDump, pgRestore, major };
    seen.push(`${pgDump} ${version}`);
  }
  const found = seen.length === 0 ? 'none was found' : `found only ${seen.join(', ')}`;
  throw new PreconditionError(
    `a backup of PostgreSQL ${serverMajor} needs pg_dump and pg_restore ${serverMajor} or newer on this worker; ${found}. ` +
      `Install the package postgresql-client-${serverMajor}, or set ${PG_BIN_VARIABLE} to the folder that holds them`,
    { serverMajor, found: seen },
  );
}

async function candidateFolders(): Promise<string[]> {
  const configured = process.env[PG_BIN_VARIABLE];
  if (configured !== undefined && configured !== '') return [configured];
  const path = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const majors = await readdir(DEBIAN_FOLDER).catch(() => []);
  const debian = majors
    .filter((name) => /^\d+$/.test(name))
    .sort((a, b) => Number(b) - Number(a))
    .map((name) => join(DEBIAN_FOLDER, name, 'bin'));
  // On many systems /bin is /usr/bin.
  const folders = await Promise.all([...path, ...debian].map((folder) => realpath(folder).catch(() => folder)));
  return [...new Set(folders)];
}

async function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** `16.4` of "pg_dump (PostgreSQL) 16.4 (Debian …)"; the reason instead when it does not say. */
async function askVersion(pgDump: string): Promise<string> {
  try {
    const { stdout } = await runCommand(pgDump, ['--version'], { timeoutMs: 10_000 });
    return /\)\s+(\d+(\.\d+)*)/.exec(stdout)?.[1] ?? `says "${stdout.trim()}"`;
  } catch (error) {
    return `(${messageOf(error)})`;
  }
}
