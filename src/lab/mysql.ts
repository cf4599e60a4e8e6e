import { randomBytes } from 'node:crypto';
import { access, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { withMysql, type MysqlClient } from '../adapters/mysql/mysql-connection.js';
import { tablesOf } from '../adapters/mysql/mysql-inspect.js';
import { MYSQL_BIN_VARIABLE } from '../adapters/mysql/mysql-programs.js';
import { runCommand, startDetached } from '../adapters/run-command.js';
import { findFreePort } from './free-ports.js';
import { answersAt, KeptProcess } from './kept-process.js';
import type { LabDatabase } from './lab-database.js';
import { findMariadbBinaries } from './mariadb-binaries.js';
import { findMysqlBinaries, type MysqlBinaries } from './mysql-binaries.js';

/** A MySQL server of the lab. */
export interface LabMysql extends LabDatabase {
  readonly dataDir: string;
}

const HOST = '127.0.0.1';
const USER = 'temporal';
const STARTED_WITHIN_MS = 60_000;
const STOPPED_WITHIN_MS = 30_000;

/** For databases that may be lost: nothing is forced to disk. */
const SETTINGS = [
  `--bind-address=${HOST}`,
  '--skip-name-resolve',
  '--skip-log-bin',
  '--performance-schema=OFF',
  '--max-connections=500',
  '--innodb-buffer-pool-size=128M',
  '--innodb-flush-log-at-trx-commit=0',
  '--innodb-flush-method=nosync',
];
/** What MySQL has and MariaDB does not know. */
const OF_MYSQL = [
  '--mysqlx=OFF',
  // Programs of MariaDB find the plugin of the later one only where it is installed.
  '--default-authentication-plugin=mysql_native_password',
];

/** A server of the lab as it is initialised and started. */
interface Product {
  readonly binaries: MysqlBinaries;
  readonly settings: readonly string[];
  /** Makes the system tables in the folder that `arguments` names. */
  readonly initialise: (args: readonly string[]) => Promise<unknown>;
  /** Makes the user of the lab, where it is not there; `password` has no quote. */
  readonly identified: (password: string) => string;
}

async function mysqlProduct(): Promise<Product> {
  const binaries = await findMysqlBinaries();
  const { mysqld, env } = binaries;
  return {
    binaries,
    settings: OF_MYSQL,
    initialise: (args) => runCommand(mysqld, [...args, '--initialize-insecure'], { env, timeoutMs: 120_000 }),
    identified: (password) => `identified with mysql_native_password by '${password}'`,
  };
}

async function mariadbProduct(): Promise<Product> {
  const { systemTables, ...binaries } = await findMariadbBinaries();
  const { mysqld, env } = binaries;
  return {
    binaries,
    settings: [],
    initialise: async (args) => {
      await mkdir(dataDirOf(args), { recursive: true });
      await runCommand(mysqld, [...args, '--bootstrap'], { env, input: systemTables, timeoutMs: 120_000 });
    },
    identified: (password) => `identified by '${password}'`,
  };
}

const DATA_DIR = '--datadir=';

function dataDirOf(args: readonly string[]): string {
  return args.find((each) => each.startsWith(DATA_DIR))?.slice(DATA_DIR.length) ?? '';
}

/**
 * Starts MySQL, or MariaDB, with a password, on a free port of 127.0.0.1. Data in `directory` is kept and used again; a server that still
 * runs there, left behind by a killed process, is taken over.
 * @throws PreconditionError when there is none to be had
 */
export async function startMysql(
  options: { readonly directory?: string; readonly mariadb?: boolean } = {},
): Promise<LabMysql> {
  const isMariadb = options.mariadb === true;
  const product = await (isMariadb ? mariadbProduct() : mysqlProduct());
  const { binaries } = product;
  const isTemporary = options.directory === undefined;
  const directory = resolve(options.directory ?? (await mkdtemp(join(tmpdir(), 'temporal-upgrade-lab-mysql-'))));
  const dataDir = join(directory, 'mysql-data');
  const passwordFile = join(directory, 'mysql-password');
  if (!(await exists(dataDir))) await initialise(product, { directory, dataDir, passwordFile });
  if ((await keptIn(directory).running()) === undefined) await start(product, { directory, dataDir });
  const port = Number(await readFile(join(directory, 'mysql-port'), 'utf8'));
  const access = { type: 'mysql', plugin: 'mysql8', host: HOST, port, user: USER } as const;
  const within = <T>(database: string, work: (client: MysqlClient) => Promise<T>) =>
    withMysql({ ...access, password: { file: passwordFile }, database }, work);
  return {
    ...access,
    password: await readFile(passwordFile, 'utf8'),
    passwordFile,
    binDir: binaries.clientDir,
    binVariable: MYSQL_BIN_VARIABLE,
    // MariaDB before 11 knows the level of isolation, which servers and tools set, only by its old name.
    ...(isMariadb ? { connectAttributes: { tx_isolation: "'READ-COMMITTED'" } } : {}),
    dataDir,
    createDatabase: (name) =>
      within('mysql', async (client) => {
        // As the schema tool makes it (common/persistence/sql/sqlplugin/mysql/admin.go of the server).
        await client.act(`create database if not exists ${client.name(name)} character set utf8mb4`);
      }),
    hasTable: (database, table) => within(database, async (client) => (await tablesOf(client, [table])).has(table)),
    run: (database, statement) =>
      within(database, async (client) => {
        await client.act(statement);
      }),
    stop: async () => {
      await keptIn(directory).stop(STOPPED_WITHIN_MS);
      if (isTemporary) await rm(directory, { recursive: true, force: true });
    },
  };
}

interface Folders {
  readonly directory: string;
  readonly dataDir: string;
}

/** MySQL runs as root when it is told to. */
const AS_USER = process.getuid?.() === 0 ? ['--user=root'] : [];

/** Killed on any line: either there is no data folder, or a whole one. */
async function initialise(
  { binaries: { baseDir }, initialise: makeTables, identified }: Product,
  { directory, dataDir, passwordFile }: Folders & { readonly passwordFile: string },
): Promise<void> {
  await mkdir(directory, { recursive: true });
  const password = randomBytes(18).toString('base64url');
  await writeFile(passwordFile, password, { mode: 0o600 });
  const work = `${dataDir}.part`;
  await rm(work, { recursive: true, force: true });
  await makeTables(['--no-defaults', `--basedir=${baseDir}`, `${DATA_DIR}${work}`, ...AS_USER]);
  const users = join(directory, 'mysql-users.sql');
  // Each start reads it: a user that is there stays as it is.
  await writeFile(
    users,
    [
      `create user if not exists '${USER}'@'%' ${identified(password)};`,
      `grant all on *.* to '${USER}'@'%' with grant option;`,
      '',
    ].join('\n'),
    { mode: 0o600 },
  );
  await rename(work, dataDir);
}

function keptIn(directory: string): KeptProcess {
  return new KeptProcess(join(directory, 'mysql-process.json'));
}

async function start(
  { binaries: { mysqld, baseDir, env }, settings }: Product,
  { directory, dataDir }: Folders,
): Promise<void> {
  const port = await findFreePort();
  const logFile = join(directory, 'mysql.log');
  const { pid } = await startDetached(
    mysqld,
    [
      '--no-defaults',
      `--basedir=${baseDir}`,
      `${DATA_DIR}${dataDir}`,
      ...AS_USER,
      ...SETTINGS,
      ...settings,
      `--port=${port}`,
      // A path of a socket has room for little more than a hundred characters.
      `--socket=${join(tmpdir(), `temporal-upgrade-mysql-${port}.sock`)}`,
      `--init-file=${join(directory, 'mysql-users.sql')}`,
    ],
    { env, cwd: directory, logFile },
  );
  const process = keptIn(directory);
  await process.keep(pid);
  await writeFile(join(directory, 'mysql-port'), String(port));
  const deadline = Date.now() + STARTED_WITHIN_MS;
  // It listens from the moment on at which its users are there, and greets.
  while (!(await answersAt(port, { greets: true }))) {
    if ((await process.running()) === undefined || Date.now() > deadline) {
      const log = await readFile(logFile, 'utf8').catch(() => '');
      throw new Error(`MySQL did not start:\n${log.trimEnd().split('\n').slice(-8).join('\n')}`);
    }
    await sleep(100);
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Removes a lab's database for good, running or not. Does nothing when there is none. */
export async function removeMysql(directory: string): Promise<void> {
  const folder = resolve(directory);
  await keptIn(folder).stop(STOPPED_WITHIN_MS);
  await rm(folder, { recursive: true, force: true });
}
