import { createHash, randomBytes } from 'node:crypto';
import { appendFile, chmod, chown, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { PG_BIN_VARIABLE } from '../adapters/postgres/pg-programs.js';
import { CommandError, runCommand } from '../adapters/run-command.js';
import { findFreePort } from './free-ports.js';
import type { LabDatabase } from './lab-database.js';
import { findOtherPostgresBinaries, findPostgresBinaries } from './postgres-binaries.js';
import { findPostgres12 } from './postgres12-binaries.js';
import { findUnprivilegedUser, isReachable, type HostUser } from './unprivileged-user.js';

/** A PostgreSQL server of the lab. */
export interface LabPostgres extends LabDatabase {
  readonly dataDir: string;
}

const HOST = '127.0.0.1';
const USER = 'postgres';

/**
 * For databases that may be lost: nothing is forced to disk. Twenty Temporal processes with some twenty connections each
 * fit into 500.
 */
const SETTINGS = [
  "unix_socket_directories = ''",
  'max_connections = 500',
  'fsync = off',
  'synchronous_commit = off',
  'full_page_writes = off',
];

/** Where a server is reached besides. */
export interface PostgresNetwork {
  /** Address of this host in it. */
  readonly host: string;
  /** As in `10.88.7.0/24`. */
  readonly subnet: string;
}

/**
 * Starts PostgreSQL with a password, on a free port of 127.0.0.1, and of `network` where one is given. Data in `directory` is kept and used again; a server
 * that still runs there, left behind by a killed process, is taken over. `otherMajor`: of another major version than usual; `oldest`: of
 * the oldest that the plugin postgres12 takes.
 * @throws PreconditionError when there is no PostgreSQL to be had
 */
export async function startPostgres(
  options: {
    readonly directory?: string;
    readonly otherMajor?: boolean;
    readonly oldest?: boolean;
    readonly network?: PostgresNetwork;
  } = {},
): Promise<LabPostgres> {
  const user = await findUnprivilegedUser();
  const { binDir, programsDir } = await binariesFor(options, user);
  const isTemporary = options.directory === undefined;
  const directory = resolve(options.directory ?? (await makeTemporaryFolder()));
  const dataDir = await findDataDir(directory, user);
  const passwordFile = join(directory, 'postgres-password');
  const control = { binDir, dataDir, user };
  if (!(await exists(join(dataDir, 'PG_VERSION')))) await initialise({ ...control, passwordFile });
  if (!(await isUp(control))) await start(control, options.network);
  const port = Number((await readFile(join(dataDir, 'postmaster.pid'), 'utf8')).split('\n')[3]);
  const password = await readFile(passwordFile, 'utf8');
  const withDatabase = <T>(database: string, work: (client: pg.Client) => Promise<T>) =>
    connected({ host: HOST, port, user: USER, password, database }, work);
  return {
    type: 'postgresql',
    plugin: 'postgres12',
    host: HOST,
    port,
    user: USER,
    password,
    passwordFile,
    binDir: programsDir,
    binVariable: PG_BIN_VARIABLE,
    dataDir,
    createDatabase: (name) =>
      withDatabase('postgres', async (client) => {
        const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [name]);
        if (rowCount === 0) await client.query(`create database ${client.escapeIdentifier(name)}`);
      }),
    hasTable: (database, table) =>
      withDatabase(database, async (client) => {
        const { rows } = await client.query<{ found: boolean }>('select to_regclass($1) is not null as found', [table]);
        return rows[0]?.found === true;
      }),
    run: (database, statement) =>
      withDatabase(database, async (client) => {
        await client.query(statement);
      }),
    stop: async () => {
      await stop(control);
      if (!isTemporary) return;
      await rm(dataDir, { recursive: true, force: true });
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function binariesFor(
  { otherMajor, oldest }: { readonly otherMajor?: boolean; readonly oldest?: boolean },
  user: HostUser | undefined,
): Promise<{ readonly binDir: string; readonly programsDir: string }> {
  if (oldest === true) return findPostgres12(user);
  const binDir = await (otherMajor === true ? findOtherPostgresBinaries(user) : findPostgresBinaries(user));
  return { binDir, programsDir: binDir };
}

async function connected<T>(config: pg.ClientConfig, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(config);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Removes a lab's database for good, running or not. Does nothing when there is none. */
export async function removePostgres(directory: string): Promise<void> {
  const user = await findUnprivilegedUser();
  await mkdir(directory, { recursive: true });
  const dataDir = await findDataDir(resolve(directory), user);
  if (await exists(join(dataDir, 'PG_VERSION'))) {
    await stop({ binDir: await findPostgresBinaries(user), dataDir, user });
  }
  await rm(dataDir, { recursive: true, force: true });
  await rm(join(directory, 'postgres-password'), { force: true });
}

interface Control {
  readonly binDir: string;
  readonly dataDir: string;
  readonly user: HostUser | undefined;
}

/** Below `directory`; or, when PostgreSQL's user cannot get there, in a folder of /var/tmp that belongs to `directory`. */
async function findDataDir(directory: string, user: HostUser | undefined): Promise<string> {
  await mkdir(directory, { recursive: true });
  if (user === undefined || (await isReachable(directory, user))) return join(directory, 'postgres-data');
  const key = createHash('sha256').update(directory).digest('hex').slice(0, 16);
  return join('/var/tmp', `temporal-upgrade-lab-data-${key}`);
}

/** Killed on any line: either there is no data folder, or a whole one. */
async function initialise({ binDir, dataDir, user, passwordFile }: Control & { readonly passwordFile: string }) {
  const password = randomBytes(18).toString('base64url');
  await writeFile(passwordFile, password, { mode: 0o600 });
  const work = `${dataDir}.part`;
  await rm(work, { recursive: true, force: true });
  await mkdir(work, { mode: 0o700 });
  // initdb reads the password from a file of the user that it runs as.
  const passwordForInitdb = `${work}.password`;
  await rm(passwordForInitdb, { force: true });
  await writeFile(passwordForInitdb, password, { mode: 0o600 });
  if (user !== undefined) for (const path of [work, passwordForInitdb]) await chown(path, user.uid, user.gid);
  try {
    const args = ['--pgdata', work, '--username', USER, '--auth', 'scram-sha-256', '--pwfile', passwordForInitdb];
    await run(join(binDir, 'initdb'), [...args, '--encoding', 'UTF8', '--no-locale', '--no-sync'], user);
  } finally {
    await rm(passwordForInitdb, { force: true });
  }
  await appendFile(join(work, 'postgresql.conf'), "include_if_exists = 'lab.conf'\n");
  await rename(work, dataDir);
}

async function start({ binDir, dataDir, user }: Control, network: PostgresNetwork | undefined): Promise<void> {
  const port = await findFreePort();
  const addresses = [HOST, ...(network === undefined ? [] : [network.host])];
  const settings = [...SETTINGS, `listen_addresses = '${addresses.join(',')}'`, `port = ${port}`];
  if (network !== undefined) {
    // Who may come from where, else as initdb has written it: only this host itself.
    const lines = [`${HOST}/32`, network.subnet].map((from) => `host all all ${from} scram-sha-256\n`);
    const file = join(dataDir, 'lab-hba.conf');
    await writeFile(file, lines.join(''), { mode: 0o644 });
    settings.push(`hba_file = '${file}'`);
  }
  await writeFile(join(dataDir, 'lab.conf'), `${settings.join('\n')}\n`, { mode: 0o644 });
  const log = join(dataDir, 'server.log');
  await run(join(binDir, 'pg_ctl'), ['start', '--wait', '--timeout=60', '--pgdata', dataDir, '--log', log], user);
}

async function stop(control: Control): Promise<void> {
  if (!(await isUp(control))) return;
  const stopWith = (mode: string) =>
    run(
      join(control.binDir, 'pg_ctl'),
      ['stop', '--wait', '--timeout=20', '--pgdata', control.dataDir, `--mode=${mode}`],
      control.user,
    );
  try {
    await stopWith('fast');
  } catch {
    await stopWith('immediate');
  }
}

async function isUp({ binDir, dataDir, user }: Control): Promise<boolean> {
  try {
    await run(join(binDir, 'pg_ctl'), ['status', '--pgdata', dataDir], user);
    return true;
  } catch (error) {
    // pg_ctl(1): 3 when the server does not run, 4 when there is no data folder.
    if (error instanceof CommandError && (error.exitCode === 3 || error.exitCode === 4)) return false;
    throw error;
  }
}

async function run(program: string, args: readonly string[], user: HostUser | undefined): Promise<void> {
  // The folder of this process may be closed to that user, and PostgreSQL's programs want one that they can enter.
  await runCommand(program, args, { cwd: '/', timeoutMs: 120_000, ...user });
}

async function makeTemporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'temporal-upgrade-lab-postgres-'));
  await chmod(folder, 0o711); // PostgreSQL's user has to pass through; its data stays closed to others
  return folder;
}

async function exists(path: string): Promise<boolean> {
  return readFile(path).then(
    () => true,
    () => false,
  );
}
