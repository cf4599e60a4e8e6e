import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { messageOf, PreconditionError } from '../../core/errors.js';
import type { MysqlStore } from '../../core/input/input.js';
import { plainHost } from '../plain-host.js';
import { runCommand } from '../run-command.js';

/** Names the folder of the programs to use, before any other place is looked at. */
export const MYSQL_BIN_VARIABLE = 'TEMPORAL_UPGRADE_MYSQL_BIN';

/** Programs that dump a database and load a dump: those of MySQL, or those of MariaDB, which do the same for MySQL. */
export interface MysqlPrograms {
  readonly dump: string;
  readonly client: string;
  readonly maker: 'MySQL' | 'MariaDB';
  readonly version: string;
}

/** In the order in which they are preferred: MySQL's own know its latest types. */
const NAMES = [
  { dump: 'mysqldump', client: 'mysql' },
  { dump: 'mariadb-dump', client: 'mariadb' },
] as const;

/**
 * Finds a dump program, with the client beside it, in the folder that TEMPORAL_UPGRADE_MYSQL_BIN names (in no other then) or on
 * PATH. @throws PreconditionError with the way out
 */
export async function findMysqlPrograms(): Promise<MysqlPrograms> {
  const configured = process.env[MYSQL_BIN_VARIABLE];
  const folders =
    configured !== undefined && configured !== ''
      ? [configured]
      : (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const seen: string[] = [];
  for (const names of NAMES) {
    for (const folder of folders) {
      const [dump, client] = [join(folder, names.dump), join(folder, names.client)];
      if (!(await isExecutable(dump)) || !(await isExecutable(client))) continue;
      try {
        return { dump, client, ...(await askVersion(dump)) };
      } catch (error) {
        seen.push(`${dump} (${messageOf(error)})`);
      }
    }
  }
  const found = seen.length === 0 ? 'none was found' : `found only ${seen.join(', ')}`;
  throw new PreconditionError(
    `a backup of MySQL needs mysqldump and mysql, or mariadb-dump and mariadb, on this worker; ${found}. Install the package ` +
      `mysql-client or mariadb-client, or set ${MYSQL_BIN_VARIABLE} to the folder that holds them`,
    { found: seen },
  );
}

async function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** Of "mysqldump  Ver 8.0.31 for Linux …" and "mariadb-dump from 11.8.2-MariaDB, client 10.19 for …". */
async function askVersion(dump: string): Promise<Pick<MysqlPrograms, 'maker' | 'version'>> {
  const { stdout } = await runCommand(dump, ['--version'], { timeoutMs: 10_000 });
  const maker = /mariadb/i.test(stdout) ? 'MariaDB' : 'MySQL';
  // MariaDB's says the version of the program before that of the release.
  const [, version] = /(?:Distrib|from)\s+(\d+(?:\.\d+)+)/.exec(stdout) ?? /Ver\s+(\d+(?:\.\d+)+)/.exec(stdout) ?? [];
  if (version === undefined) throw new Error(`says "${stdout.trim()}"`);
  return { maker, version };
}

/** How these programs reach a database. First of all arguments: no file of the worker's user is read. */
export function connectArguments(input: MysqlStore, { maker }: Pick<MysqlPrograms, 'maker'>): string[] {
  return [
    '--no-defaults',
    '--protocol=tcp',
    `--host=${plainHost(input.host)}`,
    `--port=${input.port}`,
    `--user=${input.user}`,
    '--default-character-set=utf8mb4',
    ...tlsArguments(input, maker),
  ];
}

function tlsArguments({ tls }: MysqlStore, maker: MysqlPrograms['maker']): string[] {
  if (tls === undefined) return maker === 'MySQL' ? ['--ssl-mode=DISABLED'] : ['--skip-ssl'];
  const { serverCaFile, clientCertFile, clientKeyFile, serverName } = tls === true ? {} : tls;
  const files = [
    ...(serverCaFile === undefined ? [] : [`--ssl-ca=${serverCaFile}`]),
    ...(clientCertFile === undefined ? [] : [`--ssl-cert=${clientCertFile}`]),
    ...(clientKeyFile === undefined ? [] : [`--ssl-key=${clientKeyFile}`]),
  ];
  // Neither can be told another name than the host's. The authority is verified all the same, and our own connection, made just
  // before, has verified the name; MariaDB's programs know no verification without the name.
  if (serverName !== undefined)
    return maker === 'MySQL'
      ? ['--ssl-mode=VERIFY_CA', ...files]
      : ['--ssl', '--disable-ssl-verify-server-cert', ...files];
  return maker === 'MySQL' ? ['--ssl-mode=VERIFY_IDENTITY', ...files] : ['--ssl', '--ssl-verify-server-cert', ...files];
}

/** The password, by environment: a process list does not show it. */
export function passwordEnvironment(password: string | undefined): Record<string, string> {
  return password === undefined ? {} : { MYSQL_PWD: password };
}
