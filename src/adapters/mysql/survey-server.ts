import { readFile, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../core/errors.js';
import type {
  ConnectionCount,
  ConnectionUse,
  FreeSpace,
  StoreLocation,
  WriteMode,
} from '../../core/survey/store-survey.js';
import type { MysqlClient } from './mysql-connection.js';
import { readServer } from './mysql-inspect.js';

/** Which tables these are, by whatever host name they are reached. MariaDB has no identity of its own but its address. */
export async function readLocation(client: MysqlClient): Promise<StoreLocation> {
  const isMariadb = (await readServer(client)).product === 'MariaDB';
  const server = isMariadb ? "concat(@@hostname, ':', @@port)" : '@@server_uuid';
  const [row] = await client.ask<{ server: string; database: string }>(
    `select ${server} as server, database() as \`database\``,
  );
  if (row === undefined) throw new Error('MySQL answered without a row');
  return { ...row, schema: row.database };
}

/** Whether it follows another server, and whether it takes writes. */
export async function readWriteMode(client: MysqlClient): Promise<WriteMode> {
  const [row] = await client.ask<{ read_only: string | number }>('select @@read_only as read_only');
  const readOnly = Number(row?.read_only) === 1;
  return { inRecovery: readOnly && (await followsAnother(client)), readOnly };
}

/** A server may follow another and take writes all the same; asking takes a right that not everybody has. */
async function followsAnother(client: MysqlClient): Promise<boolean> {
  const ask = (statement: string) => client.ask(statement).then((rows) => rows.length > 0);
  // The first is known from 8.0.22 on, the second up to 8.3.
  return ask('show replica status').catch(() => ask('show slave status').catch(() => false));
}

/** Limits of connections, and who has how many. Without the right PROCESS only those of this user are seen. */
export async function readConnections(client: MysqlClient): Promise<ConnectionUse> {
  const [limits] = await client.ask<{ user: string; database: string; most: string; own: string }>(
    `select substring_index(current_user(), '@', 1) as user, database() as \`database\`, @@max_connections as most,
            @@max_user_connections as own`,
  );
  if (limits === undefined) throw new Error('MySQL does not say who is connected');
  const rows = await client.ask<{ user: string; database: string; count: string }>(
    `select user as user, coalesce(db, '') as \`database\`, count(*) as count from information_schema.processlist
      where id <> connection_id() and command not in ('Daemon', 'Binlog Dump', 'Binlog Dump GTID')
      group by 1, 2 order by 3 desc`,
  );
  const [all] = await client.ask<{ Value: string }>(`show global status like 'Threads_connected'`);
  const inUse: ConnectionCount[] = rows.map(({ count, ...row }) => ({ ...row, application: '', count: Number(count) }));
  const seen = inUse.reduce((sum, { count }) => sum + count, 1);
  const others = Number(all?.Value ?? seen) - seen;
  const own = Number(limits.own);
  return {
    user: limits.user,
    database: limits.database,
    max: Number(limits.most),
    reserved: 0, // the one for administrators comes on top of max_connections
    ...(own > 0 ? { userLimit: own } : {}),
    inUse: others > 0 ? [...inUse, { user: '', database: '', application: '', count: others }] : inUse,
  };
}

/**
 * Free space below the files of the database, when it runs on this host: a folder of the same name proves nothing, so the
 * server is recognised by its own identity in that folder.
 * @throws Error that says why it cannot be known from here
 */
export async function readDisk(client: MysqlClient): Promise<FreeSpace> {
  if ((await readServer(client)).product === 'MariaDB') {
    throw new Error('MariaDB has no identity of its own, by which its data folder could be known');
  }
  const [row] = await client.ask<{ folder: string; server: string }>(
    'select @@datadir as folder, @@server_uuid as server',
  );
  if (row === undefined) throw new Error('MySQL does not say where its files are');
  const own = await readFile(join(row.folder, 'auto.cnf'), 'utf8').catch((error: unknown) => {
    throw new Error(`its data folder ${row.folder} cannot be read on the host of this worker (${messageOf(error)})`);
  });
  if (!own.includes(row.server)) {
    throw new Error(`the folder ${row.folder} on the host of this worker belongs to another database server`);
  }
  const { bavail, bsize } = await statfs(row.folder);
  return { path: row.folder, freeBytes: bavail * bsize };
}
