import pg from 'pg';
import { PreconditionError } from '../../core/errors.js';
import type { PostgresStore } from '../../core/input/input.js';
import type { InStep } from '../store-parts/in-step.js';
import type { Work } from '../store.js';
import { withPostgres } from './postgres-connection.js';
import { patiently } from '../sql/patiently.js';
import {
  inStepMark,
  keptName,
  MARK,
  parseInStepMark,
  restoredMark,
  restoringName,
  type Marked,
} from '../sql/restore-names.js';

/** Databases that every server has: one cannot be renamed over a connection to itself. */
const MAINTENANCE = ['postgres', 'template1'];
const OBJECT_IN_USE = '55006';

/** A database as the catalogs of its server have it. */
export interface DatabaseFacts {
  readonly owner: string;
  readonly encoding: string;
  readonly collate: string;
  readonly ctype: string;
  /** `c`: the operating system's; `i`: ICU; `b`: built in. */
  readonly provider: string;
  readonly locale: string | null;
  readonly comment: string | null;
  /** Whether this user has the rights of its owner. */
  readonly owned: boolean;
  readonly bytes: number;
}

/** Runs `work` on a connection to the same server that is in the way of no rename. @throws PreconditionError */
export async function withMaintenance<T>(input: PostgresStore, work: (client: pg.Client) => Promise<T>): Promise<T> {
  let refused: unknown;
  for (const database of MAINTENANCE) {
    let connected = false;
    try {
      return await withPostgres({ ...input, database }, async (client) => {
        connected = true;
        return work(client);
      });
    } catch (error) {
      if (connected) throw error;
      refused ??= error;
    }
  }
  throw refused;
}

/** What is known of a database; undefined when there is none of that name. */
export async function readDatabase(client: pg.Client, name: string): Promise<DatabaseFacts | undefined> {
  // Columns of later versions are read by way of JSON: a name that is not there would be an error.
  const { rows } = await client.query<Omit<DatabaseFacts, 'bytes'> & { readonly bytes: string }>(
    `select pg_get_userbyid(d.datdba) as owner, pg_encoding_to_char(d.encoding) as encoding, d.datcollate as collate,
            d.datctype as ctype, coalesce(to_jsonb(d)->>'datlocprovider', 'c') as provider,
            coalesce(to_jsonb(d)->>'datlocale', to_jsonb(d)->>'daticulocale') as locale,
            shobj_description(d.oid, 'pg_database') as comment, pg_has_role(d.datdba, 'USAGE') as owned,
            pg_database_size(d.oid) as bytes
       from pg_database d where d.datname = $1`,
    [name],
  );
  const row = rows[0];
  return row === undefined ? undefined : { ...row, bytes: Number(row.bytes) };
}

/** What the user of the input may do on its server. */
export async function readUser(
  client: pg.Client,
): Promise<{ readonly superuser: boolean; readonly createsDatabases: boolean }> {
  const { rows } = await client.query<{ superuser: boolean; createdb: boolean }>(
    'select rolsuper as superuser, rolsuper or rolcreatedb as createdb from pg_roles where rolname = current_user',
  );
  return { superuser: rows[0]?.superuser === true, createsDatabases: rows[0]?.createdb === true };
}

/**
 * An empty database beside that of the input, made like it: owner, encoding, collation, settings, rights. What an earlier try
 * left under the name is dropped. @throws PreconditionError when somebody else's database has the name
 */
export async function createBeside(input: PostgresStore): Promise<void> {
  const name = restoringName(input.database);
  const dropped = await withMaintenance(input, (client) => readDatabase(client, name));
  if (dropped !== undefined) await dropLeftover(input, name, dropped);
  await withMaintenance(input, async (client) => {
    const like = await readDatabase(client, input.database);
    if (like === undefined) throw new PreconditionError(`there is no database "${input.database}" to restore`);
    const words = [
      `owner ${client.escapeIdentifier(like.owner)}`,
      'template template0',
      `encoding ${client.escapeLiteral(like.encoding)}`,
      `lc_collate ${client.escapeLiteral(like.collate)}`,
      `lc_ctype ${client.escapeLiteral(like.ctype)}`,
      ...localeWords(client, like),
    ];
    await client.query(`create database ${client.escapeIdentifier(name)} with ${words.join(' ')}`);
    await comment(client, name, `${MARK}: begun`);
    await copySettings(client, input.database, name);
  });
}

function localeWords(client: pg.Client, { provider, locale }: DatabaseFacts): string[] {
  if (provider === 'c' || locale === null) return [];
  const [name, option] = provider === 'i' ? ['icu', 'icu_locale'] : ['builtin', 'builtin_locale'];
  return [`locale_provider ${name}`, `${option} ${client.escapeLiteral(locale)}`];
}

/** Rights on the database, and settings that its sessions begin with. */
async function copySettings(client: pg.Client, from: string, to: string): Promise<void> {
  const database = client.escapeIdentifier(to);
  const { rows: grants } = await client.query<{ grantee: string; privilege: string; option: boolean }>(
    `select case when a.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end as grantee,
            a.privilege_type as privilege, a.is_grantable as option
       from pg_database d cross join aclexplode(d.datacl) a where d.datname = $1`,
    [from],
  );
  if (grants.length > 0) await client.query(`revoke all on database ${database} from public`);
  for (const { grantee, privilege, option } of grants) {
    await client.query(`grant ${privilege} on database ${database} to ${grantee}${option ? ' with grant option' : ''}`);
  }
  const { rows: settings } = await client.query<{ setting: string }>(
    `select unnest(s.setconfig) as setting from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase
      where d.datname = $1 and s.setrole = 0`,
    [from],
  );
  for (const { setting } of settings) {
    const [key = '', value = ''] = splitOnce(setting);
    // A list of names is stored as it is written.
    const written = key === 'search_path' ? value : client.escapeLiteral(value);
    await client.query(`alter database ${database} set ${key} = ${written === '' ? "''" : written}`);
  }
}

function splitOnce(setting: string): [string, string] {
  const at = setting.indexOf('=');
  return [setting.slice(0, at), setting.slice(at + 1)];
}

async function dropLeftover(input: PostgresStore, name: string, facts: DatabaseFacts): Promise<void> {
  const isOurs = facts.comment?.startsWith(MARK) === true || (await isEmpty({ ...input, database: name }));
  if (!isOurs) {
    throw new PreconditionError(
      `database "${name}" at ${input.host}:${input.port} is where the backup would be restored first, and it was not made by a restore; move it away`,
      { database: name },
    );
  }
  await withMaintenance(input, async (client) => {
    // The program of a killed try may still write into it.
    await client.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name]);
    const drop = () => client.query(`drop database if exists ${client.escapeIdentifier(name)}`);
    await patiently(drop, isInUse, {});
  });
}

/** A try may have been killed between making a database and marking it. */
async function isEmpty(input: PostgresStore): Promise<boolean> {
  return withPostgres(input, async (client) => {
    const { rows } = await client.query(
      `select 1 from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema') limit 1`,
    );
    return rows.length === 0;
  });
}

/** Writes what has been done with a database where every later try finds it. */
export async function mark(input: PostgresStore, name: string, text: string): Promise<void> {
  await withMaintenance(input, (client) => comment(client, name, text));
}

async function comment(client: pg.Client, name: string, text: string): Promise<void> {
  await client.query(`comment on database ${client.escapeIdentifier(name)} is ${client.escapeLiteral(text)}`);
}

/** How far a restore beside has come, by what is there. */
export async function readProgress(input: PostgresStore, order: Marked): Promise<'nothing' | 'brought' | 'in place'> {
  return withMaintenance(input, async (client) => {
    if ((await readDatabase(client, keptName(input.database, order.stamp))) !== undefined) return 'in place';
    const restoring = await readDatabase(client, restoringName(input.database));
    const text = restoring?.comment ?? '';
    return text.startsWith(restoredMark(order)) ? 'brought' : 'nothing';
  });
}

/** Writes down that a visibility database shows what the default store says, and what that took. */
export async function markInStep(input: PostgresStore, order: Marked, done: InStep): Promise<void> {
  await mark(input, restoringName(input.database), inStepMark(order, done));
}

/** What {@link markInStep} wrote down, whether the database has taken its place since or not; undefined before. */
export async function readInStep(input: PostgresStore, order: Marked): Promise<InStep | undefined> {
  return withMaintenance(input, async (client) => {
    for (const name of [restoringName(input.database), input.database]) {
      const done = parseInStepMark((await readDatabase(client, name))?.comment ?? '', order);
      if (done !== undefined) return done;
    }
    return undefined;
  });
}

/**
 * Gives the restored database the name of the old one, which gets another: both at once, so that the name is never without a
 * database. Does nothing when it was done. @throws PreconditionError when somebody is connected
 */
export async function swapDatabases(input: PostgresStore, stamp: string, work: Work): Promise<string> {
  const [restoring, kept] = [restoringName(input.database), keptName(input.database, stamp)];
  return withMaintenance(input, async (client) => {
    const named = (name: string) => client.escapeIdentifier(name);
    const swap = async () => {
      if ((await readDatabase(client, kept)) !== undefined) return;
      await client.query('begin');
      try {
        await client.query(`alter database ${named(input.database)} rename to ${named(kept)}`);
        await client.query(`alter database ${named(restoring)} rename to ${named(input.database)}`);
        await client.query('commit');
      } catch (error) {
        await client.query('rollback');
        throw error;
      }
    };
    await patiently(swap, isInUse, work);
    return kept;
  });
}

function isInUse(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === OBJECT_IN_USE;
}

/** Who else is connected to the database of the input, a line each; not this program, which comes and goes. */
export async function listSessions(input: PostgresStore): Promise<string[]> {
  return withPostgres(input, async (client) => {
    const { rows } = await client.query<{ line: string }>(
      `select format('process %s, user %s, from %s, "%s"', pid, usename, coalesce(host(client_addr), 'its own host'),
                     coalesce(application_name, '')) as line
         from pg_stat_activity
        where datname = $1 and pid <> pg_backend_pid() and coalesce(application_name, '') not like 'temporal-upgrade%'
          and backend_type = 'client backend' order by pid`,
      [input.database],
    );
    return rows.map(({ line }) => line);
  });
}
