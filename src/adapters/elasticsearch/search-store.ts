import type { StoreFacts } from '../../core/cluster.js';
import { PreconditionError } from '../../core/errors.js';
import type { ElasticsearchStore } from '../../core/input/input.js';
import type { DatabaseReading } from '../../core/measuring/round.js';
import type { Store, StoreRole, Work } from '../store.js';
import type { ToolResolver } from '../tools/tools.js';
import { backUpSearch } from './search-backup.js';
import { withSearch } from './search-connection.js';
import { readBytes, readServer } from './search-inspect.js';
import { createSearchRestore } from './search-restore.js';
import { bringTemplates, readSearchVersion, updateSearchSchema } from './search-schema.js';
import { surveySearch } from './search-survey.js';

/** The quickest counts: an answer also waits while this process reads pages of metrics, which is not the database's doing. */
const QUESTIONS = 3;

/** The visibility store of a target in Elasticsearch or OpenSearch. Opens connections for each question and keeps none. */
export function createSearchStore(input: ElasticsearchStore, kind: StoreRole, tools: ToolResolver): Store {
  if (kind === 'default')
    throw new PreconditionError('Elasticsearch cannot be the default store of a Temporal cluster');
  return {
    describe: () =>
      withSearch(input, async (client): Promise<StoreFacts> => {
        const { product, version } = await readServer(client);
        const schemaVersion = await readSearchVersion(client, input);
        const bytes = await readBytes(client);
        return { product: `${product} ${version}`, database: input.index, schemaVersion, bytes };
      }),
    survey: (request) => surveySearch(input, request),
    measure: (timeoutMs) => measure(input, timeoutMs),
    readSchemaVersion: () => withSearch(input, (client) => readSearchVersion(client, input)),
    prepareUpdate: async (serverVersion, work: Work = {}) => {
      await bringTemplates({ serverVersion, tools }, work);
    },
    updateSchema: ({ to, serverVersion }, work: Work = {}) =>
      updateSearchSchema(input, { to, serverVersion, tools }, work),
    backUp: (file, work: Work = {}) => backUpSearch(input, file, work),
    readShards: () =>
      Promise.reject(new PreconditionError('only the default store has shards, not the visibility store')),
    restore: createSearchRestore(input),
    close: () => Promise.resolve(),
  };
}

/** One look at an index. It has no bound of connections that it would tell. @throws PreconditionError */
async function measure(input: ElasticsearchStore, timeoutMs: number): Promise<DatabaseReading> {
  return withSearch(
    input,
    async (client) => {
      let queryMs = Infinity;
      for (let number = 0; number < QUESTIONS; number += 1) {
        const begin = performance.now();
        await readServer(client);
        queryMs = Math.min(queryMs, performance.now() - begin);
      }
      return { queryMs: Math.round(queryMs * 100) / 100, bytes: await readBytes(client) };
    },
    timeoutMs,
  );
}
