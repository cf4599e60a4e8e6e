import type pg from 'pg';
import { loadShape } from '../catalogue-file.js';
import { freeSpaceBelow } from '../free-space.js';
import type { StoreSurveyRequest } from '../store.js';
import { messageOf, PreconditionError } from '../../core/errors.js';
import type { PostgresStore } from '../../core/input/input.js';
import { compareShapes } from '../../core/schema/compare-shapes.js';
import type { SchemaShape } from '../../core/schema/schema-shape.js';
import type { Seen } from '../../core/survey/seen.js';
import type { ShapeDifference } from '../../core/schema/shape-difference.js';
import type { BackupSurvey, ScriptsAhead, StoreSurvey } from '../../core/survey/store-survey.js';
import { compareSchemaVersions, isSchemaVersion } from '../../core/version.js';
import { findPgPrograms } from './pg-programs.js';
import { withPostgres } from './postgres-connection.js';
import { readVersionRow, type StoreRole } from './postgres-inspect.js';
import { readShapeWithin } from './postgres-shape.js';
import { readBlockers } from './survey-blockers.js';
import { readClusterRecords, readDeadLetters, readMembers, readShardRows } from './survey-cluster.js';
import { readDisk } from './survey-disk.js';
import { looking, type Look } from './survey-look.js';
import { readRights } from './survey-rights.js';
import { invalidIndexes, readScriptsAhead } from './survey-schema.js';
import {
  readBytes,
  readCollation,
  readConnections,
  readServerFacts,
  readSystemIdentifier,
  type ServerFacts,
} from './survey-server.js';

const NOT_REACHED = { unseen: 'the database was not reached' };

/**
 * Looks at a PostgreSQL store without changing anything: one connection, read-only transactions, short time limits. What could
 * not be seen says why; this throws only for faults of the program itself.
 */
export async function surveyPostgres(
  input: PostgresStore,
  role: StoreRole,
  request: StoreSurveyRequest,
): Promise<StoreSurvey> {
  const place = `database "${input.database}" at ${input.host}:${input.port}`;
  const space = looked(freeSpaceBelow(request.backupDir));
  try {
    return await withPostgres(input, async (client) => {
      const facts = await readServerFacts(client);
      const program = looked(findProgram(facts.major));
      const backup = async () => ({ directory: request.backupDir, space: await space, program: await program });
      return { place, ...(await surveyDatabase(client, { input, role, request, facts, backup })) };
    });
  } catch (error) {
    if (!(error instanceof PreconditionError)) throw error;
    const backup = { directory: request.backupDir, space: await space, program: NOT_REACHED };
    return { ...unreached(role, messageOf(error)), place, backup };
  }
}

interface Survey {
  readonly input: PostgresStore;
  readonly role: StoreRole;
  readonly request: StoreSurveyRequest;
  readonly facts: ServerFacts;
  readonly backup: () => Promise<BackupSurvey>;
}

async function surveyDatabase(client: pg.Client, survey: Survey): Promise<Omit<StoreSurvey, 'place'>> {
  const { input, role, request, facts, backup } = survey;
  // In a transaction of its own, as it changes the search path.
  const shape = await looking(client, (look) => look(readShapeWithin));
  return looking(client, async (look) => {
    const schemaVersion = await look((it) => readSchemaVersion(it, input));
    const server = await look(readSystemIdentifier);
    return {
      database: { seen: { product: 'PostgreSQL', version: facts.version } },
      schemaVersion,
      tables: { seen: facts.tables },
      location: 'seen' in server ? { seen: { ...pick(facts), server: server.seen } } : server,
      shape: await compare(shape, { role, folder: request.folder, schemaVersion, facts }),
      invalidIndexes: 'seen' in shape ? { seen: invalidIndexes(shape.seen) } : shape,
      scripts: await scriptsAhead(look, { request, schemaVersion, shape }),
      rights: await look((it) => readRights(it, facts.schema)),
      bytes: await look(readBytes),
      disk: await look(readDisk),
      connections: await look(readConnections),
      blockers: await look((it) => readBlockers(it, facts.schema)),
      mode: { seen: { inRecovery: facts.inRecovery, readOnly: facts.readOnly } },
      // PostgreSQL keeps no version of it before 15, so there is none to be wrong.
      collation: facts.major < 15 ? { seen: {} } : await look(readCollation),
      ...(role === 'default' ? { cluster: await surveyCluster(look, facts) } : {}),
      backup: await backup(),
    };
  });
}

async function readSchemaVersion(client: pg.Client, input: PostgresStore): Promise<string> {
  const version = await readVersionRow(client, input);
  if (isSchemaVersion(version)) return version;
  throw new PreconditionError(`table schema_version says "${version}", which is no version`, { version });
}

function pick({ database, schema }: ServerFacts): { readonly database: string; readonly schema: string } {
  return { database, schema };
}

interface Compared {
  readonly role: StoreRole;
  readonly folder: string;
  readonly schemaVersion: Seen<string>;
  readonly facts: ServerFacts;
}

async function compare(
  shape: Seen<SchemaShape>,
  { role, folder, schemaVersion, facts }: Compared,
): Promise<Seen<readonly ShapeDifference[]>> {
  if ('unseen' in shape) return shape;
  if ('unseen' in schemaVersion) return { unseen: 'its schema version is not known' };
  if (!facts.tables[role]) return { unseen: `it does not hold the tables of a ${role} store` };
  const expected = await looked(loadShape(folder, schemaVersion.seen));
  if ('unseen' in expected) return expected;
  if (expected.seen !== undefined) return { seen: compareShapes(expected.seen, shape.seen) };
  return { unseen: `the catalogue does not know the tables of schema ${schemaVersion.seen} of ${folder}` };
}

async function scriptsAhead(
  look: Look,
  {
    request: { folder, schemaTo },
    schemaVersion,
    shape,
  }: {
    readonly request: StoreSurveyRequest;
    readonly schemaVersion: Seen<string>;
    readonly shape: Seen<SchemaShape>;
  },
): Promise<Seen<ScriptsAhead> | undefined> {
  if (schemaTo === undefined) return undefined;
  if ('unseen' in schemaVersion) return { unseen: 'the schema version that they start from is not known' };
  if (compareSchemaVersions(schemaVersion.seen, schemaTo) >= 0) return undefined;
  if ('unseen' in shape) return shape;
  return look((client) => readScriptsAhead(client, { folder, from: schemaVersion.seen, to: schemaTo }, shape.seen));
}

async function surveyCluster(look: Look, { hasQueueMessages }: ServerFacts): Promise<StoreSurvey['cluster']> {
  return {
    records: await look(readClusterRecords),
    members: await look(readMembers),
    shards: await look(readShardRows),
    deadLetters: await look((client) => readDeadLetters(client, hasQueueMessages)),
  };
}

async function findProgram(serverMajor: number): Promise<string> {
  const { pgDump, major } = await findPgPrograms(serverMajor);
  return `${pgDump} ${major}`;
}

/** Everything about a store that was not reached. */
function unreached(role: StoreRole, reason: string): Omit<StoreSurvey, 'place' | 'backup'> {
  return {
    database: { unseen: reason },
    schemaVersion: NOT_REACHED,
    tables: NOT_REACHED,
    location: NOT_REACHED,
    shape: NOT_REACHED,
    invalidIndexes: NOT_REACHED,
    rights: NOT_REACHED,
    bytes: NOT_REACHED,
    disk: NOT_REACHED,
    connections: NOT_REACHED,
    blockers: NOT_REACHED,
    mode: NOT_REACHED,
    collation: NOT_REACHED,
    ...(role === 'default'
      ? { cluster: { records: NOT_REACHED, members: NOT_REACHED, shards: NOT_REACHED, deadLetters: NOT_REACHED } }
      : {}),
  };
}

async function looked<T>(work: Promise<T>): Promise<Seen<T>> {
  try {
    return { seen: await work };
  } catch (error) {
    return { unseen: messageOf(error) };
  }
}
