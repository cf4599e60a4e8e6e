import { messageOf, PreconditionError } from '../../core/errors.js';
import type { CassandraStore } from '../../core/input/input.js';
import { CASSANDRA_DIALECT } from '../../core/schema/cassandra-dialect.js';
import type { BackupSurvey, StoreSurvey } from '../../core/survey/store-survey.js';
import type { Seen } from '../../core/survey/seen.js';
import { isSchemaVersion } from '../../core/version.js';
import { freeSpaceBelow } from '../free-space.js';
import {
  compareWithCatalogue,
  lookAhead,
  looked,
  needsOf,
  NOT_REACHED,
  unreached,
} from '../store-parts/survey-parts.js';
import type { StoreRole, StoreSurveyRequest } from '../store.js';
import { withCassandra, type CassandraClient } from './cassandra-connection.js';
import { placeText, readBytes, readKinds, readNodes, readVersion, readVersionRow } from './cassandra-inspect.js';
import { readShape } from './cassandra-shape.js';
import { findLeftOvers } from './half-done.js';
import { findNodetool } from './snapshots.js';
import { readClusterRecords, readDeadLetters, readMembers, readShardRows } from './survey-cluster.js';
import { readRights } from './survey-rights.js';

/** A survey is read from catalogs and small tables; connecting counts too. */
const TIMEOUT_MS = 10_000;

/** Looks at a Cassandra store without changing anything. What could not be seen says why; this throws only for faults of the program. */
export async function surveyCassandra(
  input: CassandraStore,
  role: StoreRole,
  request: StoreSurveyRequest,
): Promise<StoreSurvey> {
  const place = placeText(input);
  const space = await looked(freeSpaceBelow(request.backupDir));
  try {
    return await withCassandra(
      input,
      async (client) => {
        const nodes = await looked(readNodes(client));
        const program = 'unseen' in nodes ? nodes : await looked(findNodetool(input, nodes.seen));
        const backup: BackupSurvey = { directory: request.backupDir, space, program };
        return { place, ...(await surveyKeyspace(client, { input, role, request })), nodes, backup };
      },
      TIMEOUT_MS,
    );
  } catch (error) {
    if (!(error instanceof PreconditionError)) throw error;
    return {
      ...unreached(role, messageOf(error)),
      place,
      backup: { directory: request.backupDir, space, program: NOT_REACHED },
    };
  }
}

interface Survey {
  readonly input: CassandraStore;
  readonly role: StoreRole;
  readonly request: StoreSurveyRequest;
}

async function surveyKeyspace(
  client: CassandraClient,
  { input, role, request }: Survey,
): Promise<Omit<StoreSurvey, 'place' | 'backup'>> {
  const version = await readVersion(client);
  const tables = await looked(readKinds(client));
  const schemaVersion = await looked(readSchemaVersion(client, input));
  const shape = await looked(readShape(client));
  return {
    database: { seen: { product: 'Cassandra', version } },
    schemaVersion,
    tables,
    location: await looked(readLocation(client)),
    shape:
      'unseen' in tables
        ? tables
        : await compareWithCatalogue(shape, {
            ...{ role, folder: request.folder, schemaVersion, tables: tables.seen, dialect: CASSANDRA_DIALECT },
          }),
    invalidIndexes: { seen: [] },
    scripts: await lookAhead(request, { schemaVersion, shape }, (place, present) =>
      looked(
        needsOf(place, present, CASSANDRA_DIALECT).then(async ({ changes, creates }) => ({
          ...{ from: place.from, to: place.to, changes, creates, rewrites: [], missing: [] },
          leftOvers: await findLeftOvers(place, present),
        })),
      ),
    ),
    rights: await looked(readRights(client, input.user)),
    bytes: await looked(readBytes(client)),
    disk: { unseen: 'each node has its own' }, // and no change of tables takes any
    blockers: { seen: { transactions: [], hidden: 0 } }, // Cassandra has no transactions that could stand in the way
    mode: { seen: { inRecovery: false, readOnly: false } },
    collation: { seen: {} },
    ...(role === 'default' ? { cluster: await surveyTables(client) } : {}),
  };
}

async function readSchemaVersion(client: CassandraClient, input: CassandraStore): Promise<string> {
  const version = await readVersionRow(client, input);
  if (isSchemaVersion(version)) return version;
  throw new PreconditionError(`table schema_version says "${version}", which is no version`, { version });
}

async function readLocation(client: CassandraClient): Promise<{ server: string; database: string; schema: string }> {
  // The id of a keyspace's tables is the same on every node, and another in every cluster.
  const [row] = await client.ask<{ id: { toString(): string } }>(
    `select id from system_schema.tables where keyspace_name = ? and table_name = 'schema_version'`,
    [client.keyspace],
  );
  return { server: row?.id.toString() ?? '', database: client.keyspace, schema: '' };
}

async function surveyTables(client: CassandraClient): Promise<NonNullable<StoreSurvey['cluster']>> {
  const look = <T>(read: (it: CassandraClient) => Promise<T>): Promise<Seen<T>> => looked(read(client));
  return {
    records: await look(readClusterRecords),
    members: await look(readMembers),
    shards: await look(readShardRows),
    deadLetters: await look(readDeadLetters),
  };
}
