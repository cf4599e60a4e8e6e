import { stat } from 'node:fs/promises';
import type { MysqlStore } from '../../core/input/input.js';
import { writeBackup, every } from '../backup-file.js';
import { runCommand } from '../run-command.js';
import { readSecret } from '../secrets.js';
import type { Backup, Work } from '../store.js';
import { readDump, type DumpContents } from './dump-reader.js';
import { withMysql } from './mysql-connection.js';
import { readServer, readVersionRow } from './mysql-inspect.js';
import { connectArguments, findMysqlPrograms, passwordEnvironment, type MysqlPrograms } from './mysql-programs.js';

/** What tells whether the contents of a store are all there; those of the other store are not in it. */
const COUNTED = ['shards', 'namespaces', 'executions', 'history_node', 'executions_visibility'];

/**
 * Writes a backup of the database as SQL into `file`, of one moment, reads all of it back, and leaves a manifest beside it. A
 * whole backup that is already there is kept.
 * @throws PreconditionError when no program is here or the file belongs to another database; CommandError
 */
export async function backUpMysql(input: MysqlStore, file: string, work: Work): Promise<Backup> {
  return writeBackup(
    input,
    file,
    async (partial) => {
      const { server, schemaVersion, tables } = await withMysql(input, async (client) => ({
        server: await readServer(client),
        schemaVersion: await readVersionRow(client, input),
        tables: await client.ask<{ name: string }>(
          `select table_name as name from information_schema.tables
          where table_schema = database() and table_type = 'BASE TABLE'`,
        ),
      }));
      const programs = await findMysqlPrograms();
      await dump(input, programs, { partial, mysql: server.product === 'MySQL' }, work);
      const contents = await readBack(partial, work);
      const missing = tables.filter(({ name }) => contents.rows[name] === undefined).map(({ name }) => name);
      if (missing.length > 0) throw new Error(`the backup was read back and lacks tables ${missing.join(', ')}`);
      return {
        serverVersion: server.version,
        schemaVersion,
        entries: Object.keys(contents.rows).length,
        rows: countedRows(contents),
      };
    },
    work,
  );
}

/** Those rows of a dump by which a restore is held against it. */
export function countedRows({ rows }: DumpContents): Record<string, number> {
  return Object.fromEntries(COUNTED.flatMap((table) => (rows[table] === undefined ? [] : [[table, rows[table]]])));
}

async function dump(
  input: MysqlStore,
  programs: MysqlPrograms,
  { partial, mysql }: { readonly partial: string; readonly mysql: boolean },
  work: Work,
): Promise<void> {
  const password = input.password === undefined ? undefined : await readSecret(input.password);
  const stop = every(async () => `${(await stat(partial)).size} bytes written`, work);
  try {
    await runCommand(
      programs.dump,
      [
        ...connectArguments(input, programs),
        // One moment for all tables, without a lock: they are InnoDB's. A change of a table meanwhile makes it fail.
        '--single-transaction',
        '--skip-lock-tables',
        '--quick',
        '--hex-blob',
        '--no-tablespaces', // else the right PROCESS is needed
        '--skip-triggers',
        // Of MySQL's program alone; a dump is to go into a server that has a history of its own.
        ...(programs.maker === 'MySQL' && mysql ? ['--set-gtid-purged=OFF', '--column-statistics=0'] : []),
        `--result-file=${partial}`,
        input.database,
      ],
      {
        env: passwordEnvironment(password),
        secrets: password === undefined ? [] : [password],
        signal: work.signal,
      },
    );
  } finally {
    stop();
  }
}

/** Reads every byte of a dump. @throws Error when it is not whole */
export async function readBack(file: string, work: Work): Promise<DumpContents> {
  const stop = every(() => Promise.resolve('reading the backup back'), work);
  try {
    const contents = await readDump(file, work.signal);
    if (!contents.complete) throw new Error('the backup was read back and ends before its end');
    if ((contents.rows['schema_version'] ?? 0) === 0)
      throw new Error('the backup was read back and holds no row of table schema_version');
    return contents;
  } finally {
    stop();
  }
}
