import { messageOf, PreconditionError } from '../../core/errors.js';
import type { MysqlStore } from '../../core/input/input.js';
import { MYSQL_DIALECT } from '../../core/schema/schema-dialect.js';
import type { SchemaShape } from '../../core/schema/schema-shape.js';
import type { BackupSurvey, ScriptsAhead, StoreSurvey, TableSize } from '../../core/survey/store-survey.js';
import { isSchemaVersion } from '../../core/version.js';
import { freeSpaceBelow } from '../free-space.js';
import {
  compareWithCatalogue,
  lookAhead,
  looked,
  needsOf,
  NOT_REACHED,
  unreached,
  type SchemaPlace,
} from '../store-parts/survey-parts.js';
import { asLeftOverStep, findUnfinishedStep } from '../store-parts/unfinished-step.js';
import type { StoreRole, StoreSurveyRequest } from '../store.js';
import { withMysql, type MysqlClient } from './mysql-connection.js';
import {
  checkProduct,
  freshStatistics,
  readBytes,
  readKinds,
  readVersionRow,
  type MysqlServer,
} from './mysql-inspect.js';
import { examine } from './half-done.js';
import { findMysqlPrograms } from './mysql-programs.js';
import { readShape } from './mysql-shape.js';
import { readBlockers } from './survey-blockers.js';
import { readClusterRecords, readDeadLetters, readMembers, readShardRows } from './survey-cluster.js';
import { looking, QUESTION_TIMEOUT_MS, type Look } from './survey-look.js';
import { readRights } from './survey-rights.js';
import { readConnections, readDisk, readLocation, readWriteMode } from './survey-server.js';

/** Connecting counts too, over TLS and a slow link. */
const TIMEOUT_MS = QUESTION_TIMEOUT_MS * 3;

/**
 * Looks at a MySQL store without changing anything: one connection, read-only transactions, short time limits. What could not be
 * seen says why; this throws only for faults of the program itself.
 */
export async function surveyMysql(
  input: MysqlStore,
  role: StoreRole,
  request: StoreSurveyRequest,
): Promise<StoreSurvey> {
  const place = `database "${input.database}" at ${input.host}:${input.port}`;
  const space = looked(freeSpaceBelow(request.backupDir));
  const program = looked(findMysqlPrograms().then(({ dump, version }) => `${dump} ${version}`));
  const backup: BackupSurvey = { directory: request.backupDir, space: await space, program: await program };
  try {
    return await withMysql(
      input,
      async (client) => {
        const server = await checkProduct(client, input, role);
        return { place, ...(await surveyDatabase(client, { input, role, request, server })), backup };
      },
      TIMEOUT_MS,
    );
  } catch (error) {
    if (!(error instanceof PreconditionError)) throw error;
    return { ...unreached(role, messageOf(error)), place, backup: { ...backup, program: NOT_REACHED } };
  }
}

interface Survey {
  readonly input: MysqlStore;
  readonly role: StoreRole;
  readonly request: StoreSurveyRequest;
  readonly server: MysqlServer;
}

async function surveyDatabase(
  client: MysqlClient,
  { input, role, request, server }: Survey,
): Promise<Omit<StoreSurvey, 'place' | 'backup'>> {
  await freshStatistics(client);
  return looking(client, async (look) => {
    const tables = await look(readKinds);
    const schemaVersion = await look((it) => readSchemaVersion(it, input));
    const shape = await look(readShape);
    return {
      database: { seen: server },
      schemaVersion,
      tables,
      location: await look(readLocation),
      shape:
        'unseen' in tables
          ? tables
          : await compareWithCatalogue(shape, {
              role,
              folder: request.folder,
              schemaVersion,
              tables: tables.seen,
              dialect: MYSQL_DIALECT,
            }),
      invalidIndexes: { seen: [] }, // an index of MySQL is there, or it is not
      scripts: await lookAhead(request, { schemaVersion, shape }, (place, present) =>
        look((it) => readScriptsAhead(it, place, present)),
      ),
      rights: await look(readRights),
      bytes: await look(readBytes),
      disk: await look(readDisk),
      connections: await look(readConnections),
      blockers: await look(readBlockers),
      mode: await look(readWriteMode),
      collation: { seen: {} }, // sort orders are MySQL's own, and never change
      ...(role === 'default' ? { cluster: await surveyCluster(look) } : {}),
    };
  });
}

async function readSchemaVersion(client: MysqlClient, input: MysqlStore): Promise<string> {
  const version = await readVersionRow(client, input);
  if (isSchemaVersion(version)) return version;
  throw new PreconditionError(`table schema_version says "${version}", which is no version`, { version });
}

async function surveyCluster(look: Look): Promise<StoreSurvey['cluster']> {
  return {
    records: await look(readClusterRecords),
    members: await look(readMembers),
    shards: await look(readShardRows),
    deadLetters: await look(readDeadLetters),
  };
}

/** What the scripts between two schema versions will do here. MySQL has all that they use, or is too old for the server. */
async function readScriptsAhead(client: MysqlClient, place: SchemaPlace, present: SchemaShape): Promise<ScriptsAhead> {
  const { changes, creates, rewrites } = await needsOf(place, present, MYSQL_DIALECT);
  const { left, changed } = await findUnfinishedStep(place, present, MYSQL_DIALECT);
  return {
    from: place.from,
    to: place.to,
    changes,
    creates,
    rewrites: await readSizes(client, rewrites),
    missing: [],
    leftOvers: [
      ...(await examine(client, left)).map((one) => ({ ...asLeftOverStep(one), doubt: one.doubt })),
      ...changed,
    ],
  };
}

async function readSizes(client: MysqlClient, tables: readonly string[]): Promise<TableSize[]> {
  if (tables.length === 0) return [];
  const rows = await client.ask<{ table: string; data: string; indexes: string; rows: string | null }>(
    `select table_name as \`table\`, data_length as data, index_length as indexes, table_rows as \`rows\`
       from information_schema.tables where table_schema = database() and table_name in (?)`,
    [tables],
  );
  return rows.map((row) => ({
    table: row.table,
    tableBytes: Number(row.data),
    indexBytes: Number(row.indexes),
    ...(row.rows === null ? {} : { estimatedRows: Number(row.rows) }),
  }));
}
