import { z } from 'zod';
import { messageOf, PreconditionError } from '../../core/errors.js';
import type { ElasticsearchStore } from '../../core/input/input.js';
import { SEARCH_DIALECT } from '../../core/schema/search-dialect.js';
import type { BackupSurvey, FreeSpace, SearchHealth, StoreSurvey } from '../../core/survey/store-survey.js';
import { freeSpaceBelow } from '../free-space.js';
import {
  compareWithCatalogue,
  lookAhead,
  looked,
  needsOf,
  NOT_REACHED,
  unreached,
} from '../store-parts/survey-parts.js';
import type { StoreSurveyRequest } from '../store.js';
import { placeText, withSearch, type SearchClient } from './search-connection.js';
import {
  DOCUMENTS,
  readBytes,
  readFields,
  readServer,
  shapeOf,
  versionOf,
  withoutCustom,
  type SearchServer,
} from './search-inspect.js';
import { readRights } from './search-rights.js';
import { lookAtTemplate } from './search-template.js';

/** Each question is answered from what the nodes know of themselves. */
const TIMEOUT_MS = 10_000;

/** Looks at a visibility index without changing anything. What could not be seen says why; this throws only for faults of the program. */
export async function surveySearch(input: ElasticsearchStore, request: StoreSurveyRequest): Promise<StoreSurvey> {
  const place = placeText(input);
  const space = await looked(freeSpaceBelow(request.backupDir));
  const backup: BackupSurvey = { directory: request.backupDir, space, program: { seen: 'its own HTTP interface' } };
  try {
    return await withSearch(
      input,
      async (client) => {
        const server = await readServer(client);
        return { place, ...(await surveyIndex(client, { input, request, server })), backup };
      },
      TIMEOUT_MS,
    );
  } catch (error) {
    if (!(error instanceof PreconditionError)) throw error;
    return {
      ...unreached('visibility', messageOf(error)),
      place,
      backup: { ...backup, program: NOT_REACHED },
    };
  }
}

interface Survey {
  readonly input: ElasticsearchStore;
  readonly request: StoreSurveyRequest;
  readonly server: SearchServer;
}

async function surveyIndex(
  client: SearchClient,
  { input, request, server }: Survey,
): Promise<Omit<StoreSurvey, 'place' | 'backup'>> {
  const fields = await looked(readFields(client));
  const columns = 'unseen' in fields ? fields : await looked(withoutCustom(fields.seen));
  const shape = 'unseen' in columns ? columns : { seen: shapeOf(columns.seen) };
  const schemaVersion = 'unseen' in fields ? fields : await looked(versionOf(fields.seen, input));
  const tables = { default: false, visibility: 'seen' in schemaVersion };
  return {
    database: { seen: { product: server.product, version: server.version } },
    schemaVersion,
    tables: 'unseen' in fields ? fields : { seen: tables },
    location: { seen: { server: server.clusterId, database: client.index, schema: '' } },
    shape: await compareWithCatalogue(shape, {
      ...{ role: 'visibility', folder: request.folder, schemaVersion, tables, dialect: SEARCH_DIALECT },
    }),
    invalidIndexes: { seen: [] },
    scripts: await lookAhead(request, { schemaVersion, shape }, (way, present) =>
      looked(
        needsOf(way, present, SEARCH_DIALECT).then(({ changes, creates }) => ({
          ...{ from: way.from, to: way.to, changes: changes.map(nameOf(client)), creates: creates.map(nameOf(client)) },
          ...{ rewrites: [], missing: [] },
        })),
      ),
    ),
    rights: await looked(readRights(client, { ...input, ...server })),
    bytes: await looked(readBytes(client)),
    disk: await looked(readDisk(client)),
    blockers: { seen: { transactions: [], hidden: 0 } }, // a mapping waits for no search
    mode: await looked(readMode(client)),
    collation: { seen: {} },
    search: await looked(readHealth(client)),
    searchTemplate: await looked(lookAtTemplate(client, schemaVersion)),
  };
}

/** An index has one table, and people know it by the name of the index. */
const nameOf =
  ({ index }: SearchClient) =>
  (table: string): string =>
    table === DOCUMENTS ? index : table;

const Health = z.object({
  status: z.enum(['green', 'yellow', 'red']),
  number_of_data_nodes: z.number(),
  unassigned_shards: z.number(),
});

/** Yellow is as good as it gets on one node, which has no second one for copies. */
async function readHealth(client: SearchClient): Promise<SearchHealth> {
  const { status, number_of_data_nodes, unassigned_shards } = await client.get(
    `/_cluster/health/${encodeURIComponent(client.index)}`,
    Health,
  );
  return { status, dataNodes: number_of_data_nodes, unassignedShards: unassigned_shards };
}

const Blocks = z.record(
  z.string(),
  z.object({
    settings: z.record(z.string(), z.unknown()).default({}),
  }),
);

/** An index becomes read-only by itself when a disk is too full (flood stage). */
async function readMode(client: SearchClient): Promise<{ readonly inRecovery: boolean; readonly readOnly: boolean }> {
  const path = `/${encodeURIComponent(client.index)}/_settings/index.blocks.*`;
  const settings = Object.values(await client.get(path, Blocks, { flat_settings: true }));
  const blocked = settings.some((one) => Object.values(one.settings).some((value) => String(value) === 'true'));
  return { inRecovery: false, readOnly: blocked };
}

const Nodes = z.object({
  nodes: z.record(
    z.string(),
    z.object({
      name: z.string(),
      fs: z.object({ total: z.object({ available_in_bytes: z.number() }) }).optional(),
    }),
  ),
});

/** Of the node with the least. */
async function readDisk(client: SearchClient): Promise<FreeSpace> {
  const { nodes } = await client.get('/_nodes/stats/fs', Nodes);
  const known = Object.values(nodes).flatMap(({ name, fs }) =>
    fs === undefined ? [] : [{ path: `data of node ${name}`, freeBytes: fs.total.available_in_bytes }],
  );
  const [least] = known.toSorted((a, b) => a.freeBytes - b.freeBytes);
  if (least === undefined) throw new Error('no node says how much room it has');
  return least;
}
