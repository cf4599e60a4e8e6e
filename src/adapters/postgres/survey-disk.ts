import { readFile, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import { messageOf } from '../../core/errors.js';
import type { FreeSpace } from '../../core/survey/store-survey.js';

/** Between the start of the process, which the file has, and that of its work, which the server tells. */
const START_TOLERANCE_SECONDS = 10;

/**
 * Free space below the files of the database, when it runs on this host. That a folder of the same name is here proves nothing,
 * as the way may lead through a tunnel or out of a container; so the running server is recognised by its own file.
 * @throws Error that says why it cannot be known from here
 */
export async function readDisk(client: pg.Client): Promise<FreeSpace> {
  const { rows } = await client.query<{ folder: string; tablespace: string; port: number; started: number }>(
    `select current_setting('data_directory') as folder, current_setting('port')::int as port,
            extract(epoch from pg_postmaster_start_time())::float8 as started,
            (select pg_tablespace_location(dattablespace) from pg_database where datname = current_database()) as tablespace`,
  );
  const row = rows[0];
  if (row === undefined) throw new Error('PostgreSQL does not say where its files are');
  const lines = await readFile(join(row.folder, 'postmaster.pid'), 'utf8').catch((error: unknown) => {
    throw new Error(`its data folder ${row.folder} cannot be read on the host of this worker (${messageOf(error)})`);
  });
  const [, , started = '', port = ''] = lines.split('\n');
  if (Number(port) !== row.port || Math.abs(Number(started) - row.started) > START_TOLERANCE_SECONDS) {
    throw new Error(`the folder ${row.folder} on the host of this worker belongs to another database server`);
  }
  const path = row.tablespace === '' ? row.folder : row.tablespace;
  const { bavail, bsize } = await statfs(path);
  return { path, freeBytes: bavail * bsize };
}
