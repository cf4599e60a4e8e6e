import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { PreconditionError } from '../../core/errors.js';
import type { PostgresStore } from '../../core/input/input.js';
import { every } from '../backup-file.js';
import { type BackupManifest, checkManifest } from '../backup-manifest.js';
import { runCommand } from '../run-command.js';
import { readSecret } from '../secrets.js';
import type { Work } from '../store.js';
import type { RestoreOrder } from '../store-restore.js';
import { libpqEnvironment, readBack } from './pg-backup.js';
import { findPgPrograms, type PgPrograms } from './pg-programs.js';
import { withPostgres } from './postgres-connection.js';
import { checkIndexes, readServer, readVersionRow } from './postgres-inspect.js';
import { askLong, countRows, withoutTimeLimit } from './postgres-rows.js';

/** Entries of a backup that belong to the database around the tables: they stay as they are, and are another's to change. */
const AROUND_TABLES = /^\d+; \d+ \d+ (EXTENSION|SCHEMA|COMMENT|ACL) /;
/** Connections that write at the same time. */
const JOBS = 2;

/** Reads all of a backup again, and holds it against the order. @throws PreconditionError */
export async function checkPostgresBackup(
  input: PostgresStore,
  order: RestoreOrder,
  work: Work,
): Promise<BackupManifest> {
  const manifest = await checkManifest(input, order);
  const { file } = order;
  const entries = await readBack(await programsOf(input), file, work);
  if (entries === manifest.entries) return manifest;
  throw new PreconditionError(`the backup ${file} has ${entries} entries, ${manifest.entries} were written down`, {
    file,
  });
}

/** Restores all of a backup into an empty database. */
export async function restoreInto(
  input: PostgresStore,
  { file, keepOwners }: { readonly file: string; readonly keepOwners: boolean },
  work: Work,
): Promise<void> {
  const owners = keepOwners ? [] : ['--no-owner'];
  await pgRestore(input, [`--jobs=${JOBS}`, ...owners, file], work);
  await withPostgres(input, async (client) => {
    await withoutTimeLimit(client);
    // Without statistics the first minutes of the servers would be scans of whole tables.
    await askLong(client, 'analyze');
  });
}

/**
 * Replaces the tables of a database by those of a backup, in one transaction, and then removes those that the backup does not
 * know: scripts of the next upgrade would find them there.
 */
export async function restoreInPlace(input: PostgresStore, file: string, work: Work): Promise<void> {
  const { pgRestore: program } = await programsOf(input);
  const { stdout } = await runCommand(program, ['--list', file], { signal: work.signal });
  const lines = stdout.split('\n');
  const folder = await mkdtemp(join(tmpdir(), 'temporal-upgrade-restore-'));
  try {
    const list = join(folder, 'entries');
    await writeFile(list, lines.filter((line) => !AROUND_TABLES.test(line)).join('\n'));
    const replace = ['--clean', '--if-exists', '--single-transaction', '--no-owner', `--use-list=${list}`];
    await pgRestore(input, [...replace, file], work);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  await withPostgres(input, (client) => dropOtherTables(client, tablesOf(lines)));
}

/** Of lines as `215; 1259 16390 TABLE public shards postgres`. */
function tablesOf(lines: readonly string[]): string[] {
  return lines.flatMap((line) => /^\d+; \d+ \d+ TABLE \S+ (\S+) /.exec(line)?.[1] ?? []);
}

async function dropOtherTables(client: pg.Client, known: readonly string[]): Promise<void> {
  const { rows } = await client.query<{ table: string }>(
    `select c.relname as table from pg_class c
      where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
        and c.relname <> all ($1)`,
    [known],
  );
  for (const { table } of rows) await client.query(`drop table if exists ${client.escapeIdentifier(table)}`);
}

async function pgRestore(input: PostgresStore, args: readonly string[], work: Work): Promise<void> {
  const programs = await programsOf(input);
  const password = input.password === undefined ? undefined : await readSecret(input.password);
  const stop = every(() => Promise.resolve(`restoring into ${input.database}`), work);
  try {
    await runCommand(
      programs.pgRestore,
      // Comments on extensions are their owner's to make.
      [`--dbname=${input.database}`, '--exit-on-error', '--no-password', '--no-comments', ...args],
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

/**
 * Holds what was restored against the backup: schema version, whole indexes, rows. `connectTo` is the database, `named` the input
 * whose name stands in it. @throws PreconditionError
 */
export async function checkRestored(
  connectTo: PostgresStore,
  {
    named,
    schema,
    rows,
  }: { readonly named: PostgresStore; readonly schema: string; readonly rows: BackupManifest['rows'] },
): Promise<void> {
  await withPostgres(connectTo, async (client) => {
    await withoutTimeLimit(client);
    const where = `what was restored into "${connectTo.database}"`;
    const version = await readVersionRow(client, named);
    if (version !== schema) throw new PreconditionError(`${where} has schema ${version}, not ${schema}`);
    await checkIndexes(client, connectTo);
    const found = await countRows(client);
    const missing = Object.entries(rows ?? {}).filter(([table, count]) => found[table] !== count);
    if (missing.length === 0) return;
    const lines = missing.map(([table, count]) => `${table} ${found[table] ?? 'missing'} of ${count}`);
    throw new PreconditionError(`${where} does not have all rows of the backup: ${lines.join(', ')}`);
  });
}

/**
 * Takes out of a restored default store who its servers were: nobody runs, and new ones would call each of them for up to half
 * a minute before they join. Does nothing in a visibility store.
 */
export async function forgetMembers(input: PostgresStore): Promise<void> {
  await withPostgres(input, async (client) => {
    const { rows } = await client.query<{ found: boolean }>(
      `select to_regclass('cluster_membership') is not null as found`,
    );
    if (rows[0]?.found === true) await client.query('delete from cluster_membership');
  });
}

async function programsOf(input: PostgresStore): Promise<PgPrograms> {
  const { major } = await withPostgres(input, readServer);
  return findPgPrograms(major);
}
