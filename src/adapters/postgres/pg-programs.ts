import { access, constants, readdir, realpath } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { messageOf, PreconditionError } from '../../core/errors.js';
import { runCommand } from '../run-command.js';

/** Names the folder of `pg_dump` and `pg_restore` to use, before any other place is looked at. */
export const PG_BIN_VARIABLE = 'TEMPORAL_UPGRADE_PG_BIN';
const DEBIAN_FOLDER = '/usr/lib/postgresql';
/**
 * From this version on pg_restore begins with `SET transaction_timeout = 0` (_doSetFixedOutputState in pg_backup_archiver.c), which servers
 * before it refuse: a backup that is made by it has no way back into them.
 */
const FIRST_WITH_TRANSACTION_TIMEOUT = 17;

export interface PgPrograms {
  readonly pgDump: string;
  readonly pgRestore: string;
  readonly major: number;
}

/**
 * Finds a `pg_dump`, with the `pg_restore` beside it, that can read a server of `serverMajor` and bring back what it read: it must not be
 * older, and from 17 on not newer than what such a server knows. Of several the one that is nearest.
 * Looks into the folder that TEMPORAL_UPGRADE_PG_BIN names (into no other then), PATH, and Debian's versioned folders.
 * @throws PreconditionError with every one that was found, its version, and the way out
 */
export async function findPgPrograms(serverMajor: number): Promise<PgPrograms> {
  const seen: string[] = [];
  const fitting: PgPrograms[] = [];
  for (const folder of await candidateFolders()) {
    const pgDump = join(folder, 'pg_dump');
    const pgRestore = join(folder, 'pg_restore');
    if (!(await isExecutable(pgDump)) || !(await isExecutable(pgRestore))) continue;
    const version = await askVersion(pgDump);
    const major = Number.parseInt(version, 10);
    if (fits(major, serverMajor)) fitting.push({ pgDump, pgRestore, major });
    else seen.push(`${pgDump} ${version}`);
  }
  const [nearest] = fitting.toSorted((a, b) => a.major - b.major);
  if (nearest !== undefined) return nearest;
  const found = seen.length === 0 ? 'none was found' : `found only ${seen.join(', ')}`;
  const bound =
    serverMajor < FIRST_WITH_TRANSACTION_TIMEOUT
      ? `, and older than ${FIRST_WITH_TRANSACTION_TIMEOUT}: later ones restore nothing into it, as they set transaction_timeout, which it does not know`
      : '';
  throw new PreconditionError(
    `a backup of PostgreSQL ${serverMajor} needs pg_dump and pg_restore ${serverMajor} or newer on this worker${bound}; ${found}. ` +
      `Install the package postgresql-client-${serverMajor}, or set ${PG_BIN_VARIABLE} to the folder that holds them`,
    { serverMajor, found: seen },
  );
}

function fits(major: number, serverMajor: number): boolean {
  if (serverMajor >= FIRST_WITH_TRANSACTION_TIMEOUT) return major >= serverMajor;
  return major >= serverMajor && major < FIRST_WITH_TRANSACTION_TIMEOUT;
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
