import type pg from 'pg';
import { messageOf, PreconditionError } from '../../core/errors.js';
import type { PostgresStore } from '../../core/input/input.js';
import { POSTGRES_DIALECT } from '../../core/schema/schema-dialect.js';
import type { BackupSurvey, StoreSurvey } from '../../core/survey/store-survey.js';
import { isSchemaVersion } from '../../core/version.js';
import { freeSpaceBelow } from '../free-space.js';
import { compareWithCatalogue, lookAhead, looked, NOT_REACHED, unreached } from '../store-parts/survey-parts.js';
import type { StoreRole, StoreSurveyRequest } from '../store.js';
import { findPgPrograms } from './pg-programs.js';
import { withPostgres } from './postgres-connection.js';
import { readVersionRow } from './postgres-inspect.js';
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
      shape: await compareWithCatalogue(shape, {
        role,
        folder: request.folder,
        schemaVersion,
        tables: facts.tables,
        dialect: POSTGRES_DIALECT,
      }),
      invalidIndexes: 'seen' in shape ? { seen: invalidIndexes(shape.seen) } : shape,
      scripts: await lookAhead(request, { schemaVersion, shape }, (place, present) =>
        look((it) => readScriptsAhead(it, place, present)),
      ),
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
