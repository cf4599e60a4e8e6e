import type pg from 'pg';
import { PreconditionError } from '../../core/errors.js';
import type { PostgresStore } from '../../core/input/input.js';
import type { Work } from '../store.js';
import { backUpBefore, type RestoreOrder, type RestoreWay, type StoreRestore } from '../store-restore.js';
import { countVisibleSince, readNamespaceNames } from './count-since.js';
import { backUpPostgres } from './pg-backup.js';
import { checkPostgresBackup, checkRestored, forgetMembers, restoreInPlace, restoreInto } from './pg-restore.js';
import { withPostgres } from './postgres-connection.js';
import { readServer } from './postgres-inspect.js';
import { withoutTimeLimit } from './postgres-rows.js';
import {
  createBeside,
  listSessions,
  mark,
  markInStep,
  readDatabase,
  readInStep,
  readProgress,
  readUser,
  swapDatabases,
  withMaintenance,
} from './restore-database.js';
import { restoredMark, restoringName } from '../sql/restore-names.js';
import { backupBesideOf, createSqlRestore } from '../sql/sql-restore.js';
import { readStoredRuns } from './stored-runs.js';
import { bringVisibilityInStep } from './visibility-in-step.js';

/** From here on a user who owns a database may make the extension that visibility needs. */
const TRUSTED_EXTENSIONS = 13;

/** Reasons not to be let into a database that are the same the next time (see postgres-connection.ts). */
const LASTING = ['not-admitted', 'no-rights', 'no-database'];

/** How a database of a target goes back to its backup. */
export function createPostgresRestore(input: PostgresStore): StoreRestore {
  return createSqlRestore(input, {
    findWay: () => findWay(input),
    checkBackup: (order, work) => checkPostgresBackup(input, order, work),
    listSessions: () => listSessions(input),
    readProgress: (order) => readProgress(input, order),
    bringBeside: (order, work) => bringBeside(input, order, work),
    bringInPlace: (order, work) => bringInPlace(input, order, work),
    withRuns: (brought, use) =>
      withPostgres(brought, async (client) => {
        await withoutTimeLimit(client);
        return use(readStoredRuns(client));
      }),
    bringInStep: bringVisibilityInStep,
    readInStep: (order) => readInStep(input, order),
    markInStep: (order, done) => markInStep(input, order, done),
    swap: (stamp, work) => swapDatabases(input, stamp, work),
    backupBefore: (order) => backupBefore(input, order),
    countSince: (at) => countVisibleSince(input, at),
    readNamespaceNames: () => readNamespaceNames(input),
  });
}

async function findWay(input: PostgresStore): Promise<RestoreWay> {
  const { bytes, major, foreign } = await withPostgres(input, async (client) => ({
    ...(await readServer(client)),
    foreign: await foreignTables(client),
  }));
  const why = await whyNotBeside(input, major);
  if (why === undefined) return { way: 'beside', bytes };
  if (foreign.length === 0) return { way: 'in-place', why, bytes };
  throw new PreconditionError(
    `database "${input.database}" at ${input.host}:${input.port} cannot be restored: not beside, as ${why}; nor in place, as user "${input.user}" does not own ${foreign.slice(0, 3).join(', ')}. Give it a user that may do one of them`,
    { database: input.database, user: input.user },
  );
}

/** Why no database can be restored beside that of the input; undefined when it can. */
async function whyNotBeside(input: PostgresStore, major: number): Promise<string | undefined> {
  try {
    return await withMaintenance(input, async (client) => {
      const { superuser, createsDatabases } = await readUser(client);
      const facts = await readDatabase(client, input.database);
      if (!createsDatabases) return `user "${input.user}" may not create databases`;
      if (facts?.owned !== true) return `user "${input.user}" does not own "${input.database}"`;
      if (superuser || major >= TRUSTED_EXTENSIONS) return undefined;
      return `user "${input.user}" may not make extensions in PostgreSQL ${major}`;
    });
  } catch (error) {
    // A server that is away for a moment must not turn a restore beside into one in place.
    if (!(error instanceof PreconditionError) || !LASTING.includes(String(error.facts['reason']))) throw error;
    return `no other database of its server can be entered: ${error.message}`;
  }
}

/** Tables that this user cannot replace. */
async function foreignTables(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ table: string }>(
    `select relname as table from pg_class
      where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') and not pg_has_role(relowner, 'USAGE')
      order by 1`,
  );
  return rows.map(({ table }) => table);
}

async function bringBeside(input: PostgresStore, order: RestoreOrder, work: Work): Promise<void> {
  const { rows } = await checkPostgresBackup(input, order, work);
  await createBeside(input);
  const beside = { ...input, database: restoringName(input.database) };
  const { superuser } = await withMaintenance(input, readUser);
  await restoreInto(beside, { file: order.file, keepOwners: superuser }, work);
  await checkRestored(beside, { named: input, schema: order.schema, rows });
  await forgetMembers(beside);
  await mark(input, beside.database, restoredMark(order));
}

/** Begun anew by each try: nothing but the servers, which are down, changes what it leads to. */
async function bringInPlace(input: PostgresStore, order: RestoreOrder, work: Work): Promise<void> {
  const { rows } = await checkPostgresBackup(input, order, work);
  await backUpBefore(order, backupBefore(input, order), (file) => backUpPostgres(input, file, work));
  await restoreInPlace(input, order.file, work);
  await checkRestored(input, { named: input, schema: order.schema, rows });
  await forgetMembers(input);
}

function backupBefore({ database }: PostgresStore, order: RestoreOrder): string {
  return backupBesideOf(database, order, 'dump');
}
