import { codeOf, PreconditionError } from '../../core/errors.js';
import type { MysqlStore } from '../../core/input/input.js';
import type { InStep } from '../store-parts/in-step.js';
import { patiently } from '../sql/patiently.js';
import {
  inStepMark,
  keptName,
  parseInStepMark,
  restoredMark,
  restoringName,
  type Marked,
} from '../sql/restore-names.js';
import type { Work } from '../store.js';
import { withMysql, type MysqlClient } from './mysql-connection.js';

/**
 * A database of MySQL cannot be renamed, nor has it a comment. But one statement renames tables from one database into another,
 * all at once; and what was done is written into a table of its own in the database of the restore, which then goes with the
 * tables that were there before.
 */
const MARKS = 'temporal_upgrade_restore';
const RENAME_WITHIN_SECONDS = 5;

/**
 * An empty database beside that of the input, with its character set. What an earlier try left under the name is dropped.
 * @throws PreconditionError when somebody else's database has the name
 */
export async function createBeside(input: MysqlStore): Promise<void> {
  const name = restoringName(input.database);
  await withMysql(input, async (client) => {
    const tables = await tablesIn(client, name);
    // The first thing that a restore makes there is the table of its marks.
    if (tables !== undefined && tables.length > 0 && !tables.includes(MARKS)) {
      throw new PreconditionError(
        `database "${name}" at ${input.host}:${input.port} is where the backup would be restored first, and it was not made by a restore; move it away`,
        { database: name },
      );
    }
    await endSessionsIn(client, name); // the program of a killed try may still write into it
    await client.act(`drop database if exists ${client.name(name)}`);
    await client.act(`create database ${client.name(name)} ${await characters(client)}`);
    await client.act(
      `create table ${client.name(name)}.${client.name(MARKS)} (mark varchar(500) not null) character set utf8mb4`,
    );
  });
}

/** How the database that is connected to writes text, as a new one is told. */
async function characters(client: MysqlClient): Promise<string> {
  const [like] = await client.ask<{ charset: string; collation: string }>(
    `select default_character_set_name as charset, default_collation_name as collation
       from information_schema.schemata where schema_name = database()`,
  );
  if (like === undefined) throw new PreconditionError('the database that would be restored is not there any more');
  return `character set ${client.name(like.charset)} collate ${client.name(like.collation)}`;
}

async function endSessionsIn(client: MysqlClient, database: string): Promise<void> {
  const sessions = await client.ask<{ id: string }>(
    'select id as id from information_schema.processlist where db = ? and id <> connection_id()',
    [database],
  );
  for (const { id } of sessions) await client.act(`kill ${Number(id)}`).catch(() => undefined); // it has ended by itself
}

/** Names of the tables of a database; undefined when there is none of that name. */
async function tablesIn(client: MysqlClient, database: string): Promise<string[] | undefined> {
  const found = await client.ask('select 1 from information_schema.schemata where schema_name = ?', [database]);
  if (found.length === 0) return undefined;
  const rows = await client.ask<{ name: string }>(
    `select table_name as name from information_schema.tables
      where table_schema = ? and table_type = 'BASE TABLE' order by table_name`,
    [database],
  );
  return rows.map(({ name }) => name);
}

/** Writes what has been done with the restored database where every later try finds it. */
export async function mark(input: MysqlStore, text: string): Promise<void> {
  await withMysql(input, async (client) => {
    const table = `${client.name(restoringName(input.database))}.${client.name(MARKS)}`;
    await client.act(`insert into ${table} (mark) values (?)`, [text]);
  });
}

async function readMarks(client: MysqlClient, database: string): Promise<string[]> {
  const tables = await tablesIn(client, database);
  if (tables?.includes(MARKS) !== true) return [];
  const rows = await client.ask<{ mark: string }>(`select mark from ${client.name(database)}.${client.name(MARKS)}`);
  return rows.map(({ mark: text }) => text);
}

/** How far a restore beside has come, by what is there. */
export async function readProgress(input: MysqlStore, order: Marked): Promise<'nothing' | 'brought' | 'in place'> {
  return withMysql(input, async (client) => {
    const kept = await tablesIn(client, keptName(input.database, order.stamp));
    if (kept?.includes('schema_version') === true) return 'in place';
    const marks = await readMarks(client, restoringName(input.database));
    return marks.includes(restoredMark(order)) ? 'brought' : 'nothing';
  });
}

/** Writes down that a visibility database shows what the default store says, and what that took. */
export async function markInStep(input: MysqlStore, order: Marked, done: InStep): Promise<void> {
  await mark(input, inStepMark(order, done));
}

/** What {@link markInStep} wrote down, whether the tables have taken their place since or not; undefined before. */
export async function readInStep(input: MysqlStore, order: Marked): Promise<InStep | undefined> {
  return withMysql(input, async (client) => {
    for (const database of [restoringName(input.database), keptName(input.database, order.stamp)]) {
      for (const text of await readMarks(client, database)) {
        const done = parseInStepMark(text, order);
        if (done !== undefined) return done;
      }
    }
    return undefined;
  });
}

/**
 * Lets the restored tables take the place of those of the database, which go into one of their own: all at once, in one
 * statement. Does nothing when it was done. @throws PreconditionError when somebody holds one of them
 */
export async function swapTables(input: MysqlStore, stamp: string, work: Work): Promise<string> {
  const [restoring, kept] = [restoringName(input.database), keptName(input.database, stamp)];
  await withMysql(input, async (client) => {
    await client.act(`create database if not exists ${client.name(kept)} ${await characters(client)}`);
    await client.act(`set session lock_wait_timeout = ${RENAME_WITHIN_SECONDS}`);
    const swap = async () => {
      if ((await tablesIn(client, kept))?.includes('schema_version') === true) return;
      const place = (database: string, table: string) => `${client.name(database)}.${client.name(table)}`;
      const old = (await tablesIn(client, input.database)) ?? [];
      const brought = (await tablesIn(client, restoring)) ?? [];
      const moves = [
        ...old.map((table) => `${place(input.database, table)} to ${place(kept, table)}`),
        ...brought.map(
          (table) => `${place(restoring, table)} to ${place(table === MARKS ? kept : input.database, table)}`,
        ),
      ];
      await client.act(`rename table ${moves.join(', ')}`);
    };
    await patiently(swap, (error) => codeOf(error) === 'ER_LOCK_WAIT_TIMEOUT', work);
    if ((await tablesIn(client, restoring))?.length === 0) await client.act(`drop database ${client.name(restoring)}`);
  });
  return kept;
}

/** Who else is connected to the database of the input, a line each; not this program, where MySQL tells that it is. */
export async function listSessions(input: MysqlStore): Promise<string[]> {
  return withMysql(input, async (client) => {
    const ours = await client
      .ask<{ id: string }>(
        `select processlist_id as id from performance_schema.session_account_connect_attrs
          where attr_name = 'program_name' and attr_value like 'temporal-upgrade%'`,
      )
      .catch(() => []); // performance_schema is off, or closed to this user
    const known = new Set(ours.map(({ id }) => String(id)));
    const rows = await client.ask<{ id: string; user: string; host: string }>(
      `select id as id, user as user, host as host from information_schema.processlist where db = database() and id <> connection_id() order by id`,
    );
    return rows
      .filter(({ id }) => !known.has(String(id)))
      .map(({ id, user, host }) => `session ${id}, user ${user}, from ${host}`);
  });
}
