import type { ShardRow, StoreFacts } from '../../core/cluster.js';
import { PreconditionError } from '../../core/errors.js';
import type { MysqlStore } from '../../core/input/input.js';
import { decodeShardRow, type RawShardRow } from '../store-parts/shard-row.js';
import { bringSchemaTool, scriptsFolder } from '../sql/sql-tool.js';
import type { Store, StoreRole, Work } from '../store.js';
import type { ToolResolver } from '../tools/tools.js';
import { backUpMysql } from './mysql-backup.js';
import { withMysql } from './mysql-connection.js';
import { checkKind, checkProduct, readBytes, readVersionRow } from './mysql-inspect.js';
import { measureMysql } from './mysql-measure.js';
import { createMysqlRestore } from './mysql-restore.js';
import { updateMysqlSchema } from './mysql-schema.js';
import { surveyMysql } from './mysql-survey.js';

/** A store of a target in MySQL. Opens a connection for each question and keeps none. */
export function createMysqlStore(input: MysqlStore, kind: StoreRole, tools: ToolResolver): Store {
  return {
    describe: () =>
      withMysql(input, async (client): Promise<StoreFacts> => {
        const { product, version } = await checkProduct(client, input, kind);
        const schemaVersion = await readVersionRow(client, input);
        await checkKind(client, input, kind);
        const bytes = await readBytes(client);
        return { product: `${product} ${version}`, database: input.database, schemaVersion, bytes };
      }),
    survey: (request) => surveyMysql(input, kind, request),
    measure: (timeoutMs) => measureMysql(input, timeoutMs),
    readSchemaVersion: () => withMysql(input, (client) => readVersionRow(client, input)),
    prepareUpdate: async (serverVersion, work: Work = {}) => {
      await bringSchemaTool(tools, { folder: scriptsFolder(input, kind), serverVersion }, work);
    },
    updateSchema: ({ to, serverVersion }, work: Work = {}) =>
      updateMysqlSchema(input, { kind, to, serverVersion, tools }, work),
    backUp: (file, work: Work = {}) => backUpMysql(input, file, work),
    readShards: () => readShards(input, kind),
    restore: createMysqlRestore(input),
    close: () => Promise.resolve(),
  };
}

async function readShards(input: MysqlStore, kind: StoreRole): Promise<ShardRow[]> {
  if (kind !== 'default') throw new PreconditionError('only the default store has shards, not the visibility store');
  const rows = await withMysql(input, (client) =>
    client.ask<Omit<RawShardRow, 'range_id'> & { readonly range_id: string | number }>(
      'select shard_id, range_id, data, data_encoding from shards order by shard_id',
    ),
  );
  return rows.map((row) => decodeShardRow({ ...row, shard_id: Number(row.shard_id), range_id: String(row.range_id) }));
}
