import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { libpqEnvironment } from '../adapters/postgres/pg-backup.js';
import { findPgPrograms, PG_BIN_VARIABLE } from '../adapters/postgres/pg-programs.js';
import { withPostgres } from '../adapters/postgres/postgres-connection.js';
import { readServer } from '../adapters/postgres/postgres-inspect.js';
import { runCommand } from '../adapters/run-command.js';
import { readSecret } from '../adapters/secrets.js';
import type { Store } from '../adapters/store.js';
import { createStore } from '../adapters/stores.js';
import { createToolResolver } from '../adapters/tools/tool-resolver.js';
import { PostgresStore } from '../core/input/input.js';
import { startStores } from '../lab/start-database.js';

const VERSION = '1.30.7';
const ROWS = 10_000;
const ROW_BYTES = 6_000;
const ROWS_AT_ONCE = 500;
/** Pairs are measured until this time is over, but not fewer than give a median, nor more than say something new. */
const MEASURE_FOR_MS = 60_000;
const PAIRS = { least: 3, most: 7 } as const;
/** Whatever the machine does beside it, it then ends, with an error. */
const ENDS_AFTER_MS = 10 * 60_000;

/** How long a backup took, and the store's own program for the same, one right after the other, in seconds. */
export interface BackupPair {
  readonly backup: number;
  readonly tool: number;
}

/** Backups beside what the store's own program took. */
export interface MeasuredBackup {
  readonly pairs: readonly BackupPair[];
  /** Size of the database, and of each file. */
  readonly bytes: number;
  readonly fileBytes: number;
}

/** Backs a PostgreSQL full of histories up, and has pg_dump alone do it, in turns: each is first in every other pair. */
export async function measureBackup(onProgress: (line: string) => void): Promise<MeasuredBackup> {
  const signal = AbortSignal.timeout(ENDS_AFTER_MS);
  const directory = await mkdtemp(join(tmpdir(), 'bench-backup-'));
  await chmod(directory, 0o711); // PostgreSQL's user has to pass through
  const tools = createToolResolver();
  onProgress('starting postgres');
  const { stores, databases, stop } = await startStores('postgres', directory);
  const [server] = databases;
  try {
    if (server !== undefined) process.env[PG_BIN_VARIABLE] = server.binDir;
    await stores.default.setUp('default', 'backup', { version: VERSION, tools });
    const input = PostgresStore.parse(stores.default.inputOf('backup'));
    onProgress(`writing ${ROWS} rows of ${ROW_BYTES} bytes`);
    await fill(input);
    const store = createStore(input, 'default', tools);
    const { bytes } = await store.describe();
    const pairs: BackupPair[] = [];
    const began = performance.now();
    let fileBytes = 0;
    while (pairs.length < PAIRS.least || (pairs.length < PAIRS.most && performance.now() - began < MEASURE_FOR_MS)) {
      const files = { ours: join(directory, 'ours', 'backup.dump'), tool: join(directory, 'tool.dump') };
      const isToolFirst = pairs.length % 2 === 1;
      const early = isToolFirst ? await timeTool(input, files.tool, signal) : undefined;
      const backup = await timeBackup(store, files.ours, signal);
      const tool = early ?? (await timeTool(input, files.tool, signal));
      fileBytes = (await stat(files.ours)).size;
      if (Math.abs((await stat(files.tool)).size - fileBytes) > fileBytes / 100) {
        throw new Error('the two did not write the same');
      }
      pairs.push({ backup, tool });
      onProgress(`pair ${pairs.length}: a backup ${backup.toFixed(2)} s, pg_dump alone ${tool.toFixed(2)} s`);
      await rm(join(directory, 'ours'), { recursive: true });
      await rm(files.tool);
    }
    return { pairs, bytes, fileBytes };
  } finally {
    await stop();
    await rm(directory, { recursive: true, force: true });
  }
}

/** Half of each row is the same for all, as payloads are: it can be compressed, and not to nothing. */
async function fill(input: PostgresStore): Promise<void> {
  const same = Buffer.alloc(ROW_BYTES / 2, 'payload ');
  await withPostgres(input, async (client) => {
    for (let from = 1; from <= ROWS; from += ROWS_AT_ONCE) {
      const data = Array.from({ length: ROWS_AT_ONCE }, () => Buffer.concat([randomBytes(ROW_BYTES / 2), same]));
      await client.query(
        `insert into history_node (shard_id, tree_id, branch_id, node_id, txn_id, data, data_encoding)
       select n % 8, '\\x00', '\\x00', n + $1, n + $1, data, 'Proto3' from unnest($2::bytea[]) with ordinality as rows (data, n)`,
        [from, data],
      );
    }
    // Else the first of those that read it would write down for all others that the rows are there to stay.
    await client.query('vacuum history_node');
  });
}

async function timeBackup(store: Store, file: string, signal: AbortSignal): Promise<number> {
  const began = performance.now();
  await store.backUp(file, { signal });
  return (performance.now() - began) / 1_000;
}

async function timeTool(input: PostgresStore, file: string, signal: AbortSignal): Promise<number> {
  const password = input.password === undefined ? undefined : await readSecret(input.password);
  const { major } = await withPostgres(input, readServer);
  const programs = await findPgPrograms(major);
  const env = libpqEnvironment(input, password, programs.major);
  const began = performance.now();
  await runCommand(programs.pgDump, ['--format=custom', '--no-password', `--file=${file}`], { env, signal });
  return (performance.now() - began) / 1_000;
}
