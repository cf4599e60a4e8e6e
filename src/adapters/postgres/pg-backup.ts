import { stat } from 'node:fs/promises';
import type { PostgresStore } from '../../core/input/input.js';
import { every, writeBackup } from '../backup-file.js';
import { followFile } from '../follow-file.js';
import { plainHost } from '../plain-host.js';
import { runCommand } from '../run-command.js';
import { readSecret } from '../secrets.js';
import type { Backup, Work } from '../store.js';
import { findPgPrograms, type PgPrograms } from './pg-programs.js';
import { withPostgres } from './postgres-connection.js';
import { readServer, readVersionRow } from './postgres-inspect.js';
import { countRows, withoutTimeLimit } from './postgres-rows.js';

/** pg_dump waits for ever when someone else rewrites a table; a failed backup can be tried again. */
const LOCK_WAIT_MS = 60_000;

/**
 * Writes a backup of the database in PostgreSQL's custom format into `file`, reads all of it back while it is written, and leaves
 * a manifest beside it. A whole backup that is already there is kept.
 * @throws PreconditionError when no fitting pg_dump is here or the file belongs to another database; CommandError
 */
export async function backUpPostgres(input: PostgresStore, file: string, work: Work): Promise<Backup> {
  return writeBackup(
    input,
    file,
    async (partial) => {
      const { server, schemaVersion } = await withPostgres(input, async (client) => ({
        server: await readServer(client),
        schemaVersion: await readVersionRow(client, input),
      }));
      const programs = await findPgPrograms(server.major);
      const rows = await dumpWithCounts(input, { programs, partial }, work);
      const entries = await countEntries(programs, partial, work);
      return { serverVersion: server.version, schemaVersion, entries, rows };
    },
    work,
  );
}

/** The rows are counted in the very snapshot that is written, so that a restore can be held against them. */
async function dumpWithCounts(
  input: PostgresStore,
  files: { readonly programs: PgPrograms; readonly partial: string },
  work: Work,
): Promise<Record<string, number>> {
  return withPostgres(input, async (client) => {
    await withoutTimeLimit(client);
    await client.query('begin isolation level repeatable read read only');
    const { rows } = await client.query<{ snapshot: string }>('select pg_export_snapshot() as snapshot');
    const snapshot = rows[0]?.snapshot ?? '';
    // A count that nobody waits for any more ends with the connection.
    const [counts] = await Promise.all([countRows(client), dumpAndReadBack(input, { ...files, snapshot }, work)]);
    await client.query('commit');
    return counts;
  });
}

interface Dump {
  readonly programs: PgPrograms;
  readonly partial: string;
  readonly snapshot: string;
}

/**
 * The data is read back from the file as it grows, beside the packing, which is what takes the time. At the end pg_dump writes its
 * table of contents anew, with where each part lies; that is read when it is there.
 */
async function dumpAndReadBack(input: PostgresStore, files: Dump, work: Work): Promise<void> {
  const giveUp = new AbortController();
  const signal = AbortSignal.any([giveUp.signal, ...(work.signal === undefined ? [] : [work.signal])]);
  let ended = false;
  const dumping = dump(input, files, { ...work, signal }).finally(() => {
    ended = true;
  });
  const inputChunks = followFile(files.partial, () => ended);
  const reading = runCommand(files.programs.pgRestore, ['--file=/dev/null'], { inputChunks, signal });
  try {
    await Promise.all([dumping, reading]);
  } catch (error) {
    giveUp.abort(); // the other of the two, whichever failed first
    const [dumped] = await Promise.allSettled([dumping, reading]);
    throw work.signal?.aborted === true && dumped.status === 'rejected' ? dumped.reason : error;
  }
}

async function dump(input: PostgresStore, { programs, partial, snapshot }: Dump, work: Work): Promise<void> {
  const password = input.password === undefined ? undefined : await readSecret(input.password);
  const stop = every(async () => `${(await stat(partial)).size} bytes written`, work);
  try {
    await runCommand(
      programs.pgDump,
      [
        '--format=custom',
        '--no-password',
        `--snapshot=${snapshot}`,
        `--lock-wait-timeout=${LOCK_WAIT_MS}`,
        `--file=${partial}`,
      ],
      {
        env: libpqEnvironment(input, password, programs.major),
        secrets: password === undefined ? [] : [password],
        signal: work.signal,
      },
    );
  } finally {
    stop();
  }
}

/** Reads the table of contents. Returns the number of entries. */
async function countEntries({ pgRestore }: PgPrograms, file: string, work: Work): Promise<number> {
  const { stdout } = await runCommand(pgRestore, ['--list', file], { signal: work.signal });
  const entries = stdout.split('\n').filter((line) => /^\d+;/.test(line));
  if (!entries.some((line) => / TABLE DATA \S+ schema_version /.test(line))) {
    throw new Error(`the backup was read back and holds no data of table schema_version (${entries.length} entries)`);
  }
  return entries.length;
}

/** Reads the table of contents, and then every byte of data. Returns the number of entries. */
export async function readBack(programs: PgPrograms, file: string, work: Work): Promise<number> {
  const entries = await countEntries(programs, file, work);
  // The table of contents stands at the front and is whole even in a file that was cut; only reading all of it proves it.
  const stop = every(() => Promise.resolve('reading the backup back'), work);
  try {
    await runCommand(programs.pgRestore, ['--file=/dev/null', file], { signal: work.signal });
  } finally {
    stop();
  }
  return entries;
}

/** Settings of libpq's programs by environment, so that nothing of them stands in a process list. */
export function libpqEnvironment(
  input: PostgresStore,
  password: string | undefined,
  programMajor: number,
): Record<string, string> {
  return {
    PGHOST: plainHost(input.host),
    PGPORT: String(input.port),
    PGDATABASE: input.database,
    PGUSER: input.user,
    PGAPPNAME: 'temporal-upgrade-backup',
    PGCONNECT_TIMEOUT: '10',
    ...(password === undefined ? {} : { PGPASSWORD: password }),
    ...libpqTls(input, programMajor),
  };
}

function libpqTls(input: PostgresStore, programMajor: number): Record<string, string> {
  if (input.tls === undefined) return { PGSSLMODE: 'disable' };
  const { serverCaFile, clientCertFile, clientKeyFile, serverName } = input.tls === true ? {} : input.tls;
  const client = {
    ...(clientCertFile === undefined ? {} : { PGSSLCERT: clientCertFile }),
    ...(clientKeyFile === undefined ? {} : { PGSSLKEY: clientKeyFile }),
  };
  if (serverCaFile !== undefined) {
    // libpq cannot be told another name than the host; our own connection, made just before, has checked it.
    const otherName = serverName !== undefined && serverName !== input.host;
    return { PGSSLMODE: otherName ? 'verify-ca' : 'verify-full', PGSSLROOTCERT: serverCaFile, ...client };
  }
  // The system's authorities are known to libpq from version 16 on only.
  if (programMajor >= 16) return { PGSSLMODE: 'verify-full', PGSSLROOTCERT: 'system', ...client };
  return { PGSSLMODE: 'require', ...client };
}
