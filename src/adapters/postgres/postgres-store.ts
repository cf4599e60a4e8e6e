import type { ShardRow, StoreFacts } from '../../core/cluster.js';
import { PreconditionError } from '../../core/errors.js';
import type { PostgresStore } from '../../core/input/input.js';
import { backUpPostgres } from './pg-backup.js';
import { withPostgres } from './postgres-connection.js';
import { checkKind, readServer, readVersionRow } from './postgres-inspect.js';
import { createPostgresRestore } from './postgres-restore.js';
import { measurePostgres } from './postgres-measure.js';
import { surveyPostgres } from './postgres-survey.js';
import { updatePostgresSchema } from './postgres-schema.js';
import { bringSchemaTool, scriptsFolder } from '../sql/sql-tool.js';
import { decodeShardRow, type RawShardRow } from '../store-parts/shard-row.js';
import type { Backup, Store, StoreRole, Work } from '../store.js';
import type { ToolResolver } from '../tools/tools.js';

/** A store of a target in PostgreSQL 12 or later. Opens a connection for each question and keeps none. */
export function createPostgresStore(input: PostgresStore, kind: StoreRole, tools: ToolResolver): Store {
  return {
    describe: () =>
      withPostgres(input, async (client): Promise<StoreFacts> => {
        const schemaVersion = await readVersionRow(client, input);
        await checkKind(client, input, kind);
        const { version, bytes } = await readServer(client);
        return { product: `PostgreSQL ${version}`, database: input.database, schemaVersion, bytes };
      }),
    survey: (request) => surveyPostgres(input, kind, request),
    measure: (timeoutMs) => measurePostgres(input, timeoutMs),
    readSchemaVersion: () => withPostgres(input, (client) => readVersionRow(client, input)),
    prepareUpdate: async (serverVersion, work: Work = {}) => {
      await bringSchemaTool(tools, { folder: scriptsFolder(input, kind), serverVersion }, work);
    },
    updateSchema: ({ to, serverVersion }, work: Work = {}) =>
      updatePostgresSchema(input, { kind, to, serverVersion, tools }, work),
    backUp: (file, work: Work = {}): Promise<Backup> => backUpPostgres(input, file, work),
    readShards: () => readShards(input, kind),
    restore: createPostgresRestore(input),
    close: () => Promise.resolve(),
  };
}

async function readShards(input: PostgresStore, kind: StoreRole): Promise<ShardRow[]> {
  if (kind !== 'default') throw new PreconditionError('only the default store has shards, not the visibility store');
  const { rows } = await withPostgres(input, (client) =>
    client.query<RawShardRow>('select shard_id, range_id, data, data_encoding from shards order by shard_id'),
  );
  return rows.map(decodeShardRow);
}
