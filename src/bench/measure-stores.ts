import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadCatalogue } from '../adapters/catalogue-file.js';
import { withPostgres } from '../adapters/postgres/postgres-connection.js';
import { libpqEnvironment } from '../adapters/postgres/pg-backup.js';
import { findPgPrograms, PG_BIN_VARIABLE } from '../adapters/postgres/pg-programs.js';
import { runCommand } from '../adapters/run-command.js';
import { readSecret } from '../adapters/secrets.js';
import { createStore } from '../adapters/stores.js';
import { createToolResolver } from '../adapters/tools/tool-resolver.js';
import { PostgresStore, pluginOf } from '../core/input/input.js';
import { storeKind } from '../core/planning/present-state.js';
import { schemaFolder, schemaVersion } from '../core/schema/schema-version.js';
import { roleOfPart, type StorePart } from '../core/stores.js';
import { startStores, type LabStore } from '../lab/start-database.js';

const [FROM, TO] = ['1.30.7', '1.31.2'] as const;
const REPEATS = 7;
/** Two labs have one store of each kind among them. */
const LABS: readonly LabStore[] = ['postgres+mysql', 'cassandra+opensearch'];

/** How long a look at each store took. */
export interface MeasuredInspection {
  /** Median of the looks, in seconds, by product. */
  readonly stores: readonly { readonly product: string; readonly seconds: number }[];
}

/** Reads schema version and shape of a real store of each kind, as preflight does, with nothing kept in between. */
export async function measureInspection(onProgress: (line: string) => void): Promise<MeasuredInspection> {
  const tools = createToolResolver();
  const catalogue = await loadCatalogue();
  const measured: { product: string; seconds: number }[] = [];
  for (const lab of LABS) {
    const directory = await mkdtemp(join(tmpdir(), 'bench-stores-'));
    await chmod(directory, 0o711); // PostgreSQL's user has to pass through
    onProgress(`starting ${lab}`);
    const { stores, stop } = await startStores(lab, directory);
    try {
      for (const part of ['default', 'visibility'] as const satisfies readonly StorePart[]) {
        const database = `inspect_${part}`;
        await stores[part].setUp(part, database, { version: FROM, tools });
        const input = stores[part].inputOf(database);
        const kind = storeKind(pluginOf(input));
        const store = createStore(input, roleOfPart(part), tools);
        const folder = schemaFolder(catalogue, kind, part);
        const schemaTo = schemaVersion(catalogue, TO, kind, part);
        await store.prepareUpdate(TO);
        const seconds: number[] = [];
        for (let look = 0; look < REPEATS; look += 1) {
          const began = performance.now();
          const survey = await store.survey({ folder, schemaTo, backupDir: directory });
          seconds.push((performance.now() - began) / 1_000);
          if (!('seen' in survey.schemaVersion) || !('seen' in survey.shape)) {
            throw new Error(`the ${part} store of ${lab} was not seen: ${JSON.stringify(survey.shape)}`);
          }
        }
        measured.push({ product: (await store.describe()).product, seconds: medianOf(seconds) });
        await store.close();
      }
    } finally {
      await stop();
      await rm(directory, { recursive: true, force: true });
    }
  }
  return { stores: measured };
}

/** How long a backup took beside what the store's own program took for the same. */
export interface MeasuredBackup {
  readonly backupSeconds: readonly number[];
  readonly toolSeconds: readonly number[];
  readonly bytes: number;
  readonly fileBytes: number;
}

const ROWS = 20_000;
const ROW_BYTES = 6_000;
const ROWS_AT_ONCE = 500;
const BACKUPS = 3;

/** Backs a PostgreSQL full of histories up, and has pg_dump alone do it, in turns. */
export async function measureBackup(onProgress: (line: string) => void): Promise<MeasuredBackup> {
  const directory = await mkdtemp(join(tmpdir(), 'bench-backup-'));
  await chmod(directory, 0o711); // PostgreSQL's user has to pass through
  const tools = createToolResolver();
  const { stores, databases, stop } = await startStores('postgres', directory);
  const [server] = databases;
  try {
    if (server !== undefined) process.env[PG_BIN_VARIABLE] = server.binDir;
    await stores.default.setUp('default', 'backup', { version: FROM, tools });
    const input = PostgresStore.parse(stores.default.inputOf('backup'));
    onProgress(`writing ${ROWS} rows of ${ROW_BYTES} bytes`);
    await fill(input);
    const store = createStore(input, 'default', tools);
    const { bytes } = await store.describe();
    const backupSeconds: number[] = [];
    const toolSeconds: number[] = [];
    let fileBytes = 0;
    for (let turn = 0; turn < BACKUPS; turn += 1) {
      onProgress(`turn ${turn + 1} of ${BACKUPS}`);
      const began = performance.now();
      const backup = await store.backUp(join(directory, `ours-${turn}`, 'backup.dump'));
      backupSeconds.push((performance.now() - began) / 1_000);
      toolSeconds.push(await timeTool(input, join(directory, `tool-${turn}.dump`)));
      fileBytes = backup.bytes;
      if (Math.abs((await stat(join(directory, `tool-${turn}.dump`))).size - fileBytes) > fileBytes / 100) {
        throw new Error('the two did not write the same');
      }
      await rm(join(directory, `ours-${turn}`), { recursive: true });
      await rm(join(directory, `tool-${turn}.dump`));
    }
    return { backupSeconds, toolSeconds, bytes, fileBytes };
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
  });
}

async function timeTool(input: PostgresStore, file: string): Promise<number> {
  const password = input.password === undefined ? undefined : await readSecret(input.password);
  const { major } = await withPostgres(input, async (client) => ({
    major: Math.floor(
      Number((await client.query<{ n: string }>(`select current_setting('server_version_num') as n`)).rows[0]?.n) /
        10_000,
    ),
  }));
  const programs = await findPgPrograms(major);
  const env = libpqEnvironment(input, password, programs.major);
  const began = performance.now();
  await runCommand(programs.pgDump, ['--format=custom', '--no-password', `--file=${file}`], { env });
  return (performance.now() - began) / 1_000;
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
