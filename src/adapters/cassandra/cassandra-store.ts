import type { StoreFacts } from '../../core/cluster.js';
import { PreconditionError } from '../../core/errors.js';
import type { CassandraStore } from '../../core/input/input.js';
import type { Store, StoreRole, Work } from '../store.js';
import type { ToolResolver } from '../tools/tools.js';
import { backUpCassandra } from './cassandra-backup.js';
import { withCassandra } from './cassandra-connection.js';
import { checkKind, readBytes, readVersion, readVersionRow } from './cassandra-inspect.js';
import { CassandraMeasure } from './cassandra-measure.js';
import { createCassandraRestore } from './cassandra-restore.js';
import { updateCassandraSchema } from './cassandra-schema.js';
import { surveyCassandra } from './cassandra-survey.js';
import { bringCassandraTool } from './cassandra-tool.js';
import { readCassandraShards } from './read-shards.js';

/** A store of a target in Cassandra. Opens a session for each question and keeps none, but the one that it is measured in. */
export function createCassandraStore(input: CassandraStore, kind: StoreRole, tools: ToolResolver): Store {
  const measure = new CassandraMeasure(input);
  return {
    describe: () =>
      withCassandra(input, async (client): Promise<StoreFacts> => {
        const version = await readVersion(client);
        const schemaVersion = await readVersionRow(client, input);
        await checkKind(client, input, kind);
        const bytes = await readBytes(client);
        return { product: `Cassandra ${version}`, database: input.keyspace, schemaVersion, bytes };
      }),
    survey: (request) => surveyCassandra(input, kind, request),
    measure: (timeoutMs) => measure.look(timeoutMs),
    readSchemaVersion: () => withCassandra(input, (client) => readVersionRow(client, input)),
    prepareUpdate: async (serverVersion, work: Work = {}) => {
      await bringCassandraTool(tools, { kind, serverVersion }, work);
    },
    updateSchema: ({ to, serverVersion }, work: Work = {}) =>
      updateCassandraSchema(input, { kind, to, serverVersion, tools }, work),
    backUp: (file, work: Work = {}) => backUpCassandra(input, file, work),
    readShards: () => {
      if (kind !== 'default') {
        return Promise.reject(new PreconditionError('only the default store has shards, not the visibility store'));
      }
      return withCassandra(input, readCassandraShards);
    },
    restore: createCassandraRestore(input, kind),
    close: () => measure.close(),
  };
}
