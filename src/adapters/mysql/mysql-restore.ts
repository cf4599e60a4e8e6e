import { PreconditionError } from '../../core/errors.js';
import type { MysqlStore } from '../../core/input/input.js';
import { every } from '../backup-file.js';
import { checkManifest, type BackupManifest } from '../backup-manifest.js';
import { runCommand } from '../run-command.js';
import { readSecret } from '../secrets.js';
import { restoredMark, restoringName } from '../sql/restore-names.js';
import { backupBesideOf, createSqlRestore } from '../sql/sql-restore.js';
import { backUpBefore, type RestoreOrder, type RestoreWay, type StoreRestore } from '../store-restore.js';
import type { Work } from '../store.js';
import { countVisibleSince, readNamespaceNames } from './count-since.js';
import { backUpMysql, countedRows, readBack } from './mysql-backup.js';
import { withMysql, type MysqlClient } from './mysql-connection.js';
import { readBytes, readVersionRow, tablesOf } from './mysql-inspect.js';
import { connectArguments, findMysqlPrograms, passwordEnvironment } from './mysql-programs.js';
import {
  createBeside,
  listSessions,
  mark,
  markInStep,
  readInStep,
  readProgress,
  swapTables,
} from './restore-database.js';
import { readStoredRuns } from './stored-runs.js';
import { covers, parseGrants, readGrants } from './survey-rights.js';
import { bringVisibilityInStep } from './visibility-in-step.js';

/** What making a database, filling it and moving its tables takes (MySQL manual, RENAME TABLE). */
const NEEDED = ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'CREATE', 'DROP', 'ALTER', 'INDEX'];

/** How a database of a target goes back to its backup. */
export function createMysqlRestore(input: MysqlStore): StoreRestore {
  return createSqlRestore(input, {
    findWay: () => findWay(input),
    checkBackup: (order, work) => checkBackup(input, order, work),
    listSessions: () => listSessions(input),
    readProgress: (order) => readProgress(input, order),
    bringBeside: (order, work) => bringBeside(input, order, work),
    bringInPlace: (order, work) => bringInPlace(input, order, work),
    withRuns: (brought, use) => withMysql(brought, async (client) => use(readStoredRuns(client))),
    bringInStep: bringVisibilityInStep,
    readInStep: (order) => readInStep(input, order),
    markInStep: (order, done) => markInStep(input, order, done),
    swap: (stamp, work) => swapTables(input, stamp, work),
    backupBefore: (order) => backupBefore(input, order),
    countSince: (at) => countVisibleSince(input, at),
    readNamespaceNames: () => readNamespaceNames(input),
  });
}

async function findWay(input: MysqlStore): Promise<RestoreWay> {
  return withMysql(input, async (client) => {
    const bytes = await readBytes(client);
    const grants = parseGrants(await readGrants(client));
    const may = (database: string) =>
      NEEDED.every((privilege) => grants.some((grant) => covers(grant, { database, table: '*', privilege })));
    // Both new databases have names that begin like that of the old one, and rights are given by pattern.
    if (may(restoringName(input.database)) && may(`${input.database}_before_restore_x`))
      return { way: 'beside', bytes };
    const why = `user "${input.user}" may not make databases whose names begin with "${input.database}_"`;
    if (may(input.database)) return { way: 'in-place', why, bytes };
    throw new PreconditionError(
      `database "${input.database}" at ${input.host}:${input.port} cannot be restored: not beside, as ${why}; nor in place, as it may not drop and create tables there. Give it a user that may do one of them`,
      { database: input.database, user: input.user },
    );
  });
}

async function checkBackup(input: MysqlStore, order: RestoreOrder, work: Work): Promise<BackupManifest> {
  return (await readChecked(input, order, work)).manifest;
}

/** A backup that is what the order says, with what is in it. @throws PreconditionError */
async function readChecked(input: MysqlStore, order: RestoreOrder, work: Work) {
  const manifest = await checkManifest(input, order);
  const contents = await readBack(order.file, work);
  const rows = countedRows(contents);
  const other = Object.entries(manifest.rows ?? {}).find(([table, count]) => rows[table] !== count);
  if (other === undefined) return { manifest, contents };
  const [table, count] = other;
  throw new PreconditionError(
    `the backup ${order.file} has ${rows[table] ?? 0} rows of ${table}, ${count} were written down`,
    { file: order.file },
  );
}

async function bringBeside(input: MysqlStore, order: RestoreOrder, work: Work): Promise<void> {
  const manifest = await checkBackup(input, order, work);
  await createBeside(input);
  const beside = { ...input, database: restoringName(input.database) };
  await load(beside, order.file, work);
  await checkRestored(beside, input, { ...order, rows: manifest.rows });
  await forgetMembers(beside);
  await mark(input, restoredMark(order));
}

/**
 * The dump drops each of its tables before it makes it anew. Begun anew by each try: nothing but the servers, which are down,
 * changes what it leads to.
 */
async function bringInPlace(input: MysqlStore, order: RestoreOrder, work: Work): Promise<void> {
  const { manifest, contents } = await readChecked(input, order, work);
  await backUpBefore(order, backupBefore(input, order), (file) => backUpMysql(input, file, work));
  await load(input, order.file, work);
  await withMysql(input, (client) => dropOtherTables(client, Object.keys(contents.rows)));
  await checkRestored(input, input, { ...order, rows: manifest.rows });
  await forgetMembers(input);
}

/** Scripts of the next upgrade would find them there. */
async function dropOtherTables(client: MysqlClient, known: readonly string[]): Promise<void> {
  const rows = await client.ask<{ name: string }>(
    `select table_name as name from information_schema.tables
      where table_schema = database() and table_type = 'BASE TABLE' and table_name not in (?)`,
    [known],
  );
  for (const { name } of rows) await client.act(`drop table if exists ${client.name(name)}`);
}

function backupBefore({ database }: MysqlStore, order: RestoreOrder): string {
  return backupBesideOf(database, order, 'sql');
}

async function load(input: MysqlStore, file: string, work: Work): Promise<void> {
  const programs = await findMysqlPrograms();
  const password = input.password === undefined ? undefined : await readSecret(input.password);
  const stop = every(() => Promise.resolve(`restoring into ${input.database}`), work);
  try {
    await runCommand(programs.client, [...connectArguments(input, programs), '--batch', input.database], {
      inputFile: file,
      env: passwordEnvironment(password),
      secrets: password === undefined ? [] : [password],
      signal: work.signal,
    });
  } finally {
    stop();
  }
}

/** Holds what was restored against the backup: schema version and rows. @throws PreconditionError */
async function checkRestored(
  connectTo: MysqlStore,
  named: MysqlStore,
  { schema, rows }: Pick<RestoreOrder, 'schema'> & Pick<BackupManifest, 'rows'>,
): Promise<void> {
  await withMysql(connectTo, async (client) => {
    const where = `what was restored into "${connectTo.database}"`;
    const version = await readVersionRow(client, named);
    if (version !== schema) throw new PreconditionError(`${where} has schema ${version}, not ${schema}`);
    const wrong: string[] = [];
    for (const [table, count] of Object.entries(rows ?? {})) {
      const [row] = await client.askLong<{ n: string }>(`select count(*) as n from ${client.name(table)}`);
      if (Number(row?.n) !== count) wrong.push(`${table} ${row?.n ?? 'missing'} of ${count}`);
    }
    if (wrong.length > 0)
      throw new PreconditionError(`${where} does not have all rows of the backup: ${wrong.join(', ')}`);
  });
}

/**
 * Takes out of a restored default store who its servers were: nobody runs, and new ones would call each of them for up to half
 * a minute before they join. Does nothing in a visibility store.
 */
async function forgetMembers(input: MysqlStore): Promise<void> {
  await withMysql(input, async (client) => {
    if ((await tablesOf(client, ['cluster_membership'])).size > 0) await client.act('delete from cluster_membership');
  });
}
