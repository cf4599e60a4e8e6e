import { z } from 'zod';
import { PreconditionError } from '../../core/errors.js';
import { placeOfStore, type ElasticsearchStore } from '../../core/input/input.js';
import { checkManifest, type BackupManifest } from '../backup-manifest.js';
import type { StoredRun, VisibleRun } from '../../core/restoring/compare-runs.js';
import { bringInStep } from '../store-parts/in-step.js';
import type { CountedSince, RestoreOrder, StoreRestore } from '../store-restore.js';
import type { Work } from '../store.js';
import { readVisibleRuns, removeRuns, writeDocuments, type Document } from './documents.js';
import { countDocuments, withBackup, type Header } from './search-backup.js';
import type { SearchClient } from './search-connection.js';
import { placeText, withSearch } from './search-connection.js';
import { isInPlace, markOf, readMeta, writeMeta } from './restore-mark.js';
import { takePlace } from './restored-place.js';
import { readBytes, readFields, resolveIndex, versionOf } from './search-inspect.js';
import { checkSnapshot, findSnapshotRecord, restoreSnapshot } from './search-snapshot.js';

const AT_ONCE = 500;

const Done = z.object({ acknowledged: z.literal(true) });

/** How a visibility index goes back to its backup: into an index beside it, which then takes its name. */
export function createSearchRestore(input: ElasticsearchStore): StoreRestore {
  const restoring: ElasticsearchStore = { ...input, index: `${input.index}_restoring` };
  return {
    findWay: () =>
      withSearch(input, async (client) => {
        // A try that was killed on its last lines has removed the index; an alias is none of its doing.
        if (!(await client.has(`/${encodeURIComponent(client.index)}`))) return { way: 'beside', bytes: 0 };
        await refuseAlias(client, input);
        return { way: 'beside', bytes: await readBytes(client) };
      }),
    checkBackup: (order, work: Work = {}) => checkBackup(input, order, work),
    listSessions: () => Promise.resolve([]), // HTTP has none; the servers are seen to be down by their driver
    bring: (order, work: Work = {}) => bring(input, restoring, order, work),
    withRuns: () => Promise.reject(new PreconditionError('only the default store has runs, not the visibility store')),
    bringInStep: async (order, list, work: Work = {}) => {
      const place = (await isInPlace(input, order)) ? input : restoring;
      return withSearch(place, async (client) => {
        const meta = await readMeta(client);
        if (meta.inStep !== undefined) return meta.inStep;
        // A row that has the wrong status is removed: it is written anew as a whole.
        const remove = (runs: readonly (StoredRun | VisibleRun)[]) => removeRuns(client, runs);
        const done = await bringInStep({ rows: readVisibleRuns(client), remove, correct: remove }, list, work);
        await refresh(client);
        await writeMeta(client, { ...meta, inStep: { ...done } });
        return done;
      });
    },
    takePlace: (order, work: Work = {}) => takePlace(input, restoring, order, work),
    countSince: (at) => withSearch(input, (client) => countSince(client, at)),
    readNamespaceNames: () => Promise.reject(new PreconditionError('only the default store has namespaces')),
  };
}

/** An alias is moved by hand: which indexes it is to stand for is its owner's to say. */
async function refuseAlias(client: SearchClient, input: ElasticsearchStore): Promise<void> {
  const index = await resolveIndex(client);
  if (index === input.index) return;
  throw new PreconditionError(
    `${placeText(input)} cannot be restored: "${input.index}" is an alias of ${index}. Name the index itself in the input, or restore by hand`,
    { index: input.index, of: index },
  );
}

async function checkBackup(input: ElasticsearchStore, order: RestoreOrder, work: Work): Promise<BackupManifest> {
  const manifest = await checkManifest(placeOfStore(input), order);
  const record = await findSnapshotRecord(order.file);
  if (record !== undefined) {
    await withSearch(input, (client) => checkSnapshot(client, record));
    return manifest;
  }
  const found = await countDocuments(order.file, work);
  const written = manifest.rows?.['documents'];
  if (written === undefined || written === found) return manifest;
  throw new PreconditionError(`the backup ${order.file} has ${found} documents, ${written} were written down`, {
    file: order.file,
  });
}

async function bring(
  input: ElasticsearchStore,
  restoring: ElasticsearchStore,
  order: RestoreOrder,
  work: Work,
): Promise<BackupManifest> {
  await withSearch(input, async (client) => {
    if (await client.has(`/${encodeURIComponent(client.index)}`)) await refuseAlias(client, input);
  });
  const manifest = await checkBackup(input, order, work);
  if (await isInPlace(input, order)) return manifest;
  await withSearch(restoring, async (client) => {
    if ((await readMeta(client)).restored === markOf(order)) return;
    // Anything else under this name was left by a try that was killed.
    const path = `/${encodeURIComponent(client.index)}`;
    if (await client.has(path)) await client.send('DELETE', { path }, Done);
    const record = await findSnapshotRecord(order.file);
    const count =
      record === undefined
        ? await withBackup(order.file, async (header, documents) => {
            await client.send('PUT', { path, body: settingsOf(header) }, Done);
            return load(client, documents, work);
          })
        : undefined;
    if (record !== undefined) await restoreSnapshot(client, record, work);
    await refresh(client);
    const fields = await readFields(client);
    const version = await versionOf(fields, restoring);
    if (version !== order.schema) {
      throw new PreconditionError(
        `what was restored into index "${client.index}" has schema ${version}, not ${order.schema}`,
      );
    }
    const there = await countAll(client);
    // Of a snapshot the nodes themselves see that it is whole.
    if (count !== undefined && there !== count)
      throw new Error(`index "${client.index}" has ${there} documents, not the ${count} of the backup`);
    await writeMeta(client, { restored: markOf(order) });
  });
  return manifest;
}

/** As the index was; a version that was removed is forgotten at once, so that the servers can write what they now have. */
function settingsOf({ mappings, settings }: Header): object {
  const { index } = settings as { readonly index?: object };
  return { mappings, settings: { index: { ...index, gc_deletes: '0s' } } };
}

async function load(client: SearchClient, documents: AsyncIterable<Document>, work: Work): Promise<number> {
  let batch: Document[] = [];
  let count = 0;
  const flush = async () => {
    work.signal?.throwIfAborted();
    await writeDocuments(client, batch);
    count += batch.length;
    batch = [];
    work.onProgress?.(`${count} documents written into ${client.index}`);
  };
  for await (const document of documents) {
    batch.push(document);
    if (batch.length >= AT_ONCE) await flush();
  }
  await flush();
  return count;
}

const Count = z.object({ count: z.number() });

async function countAll(client: SearchClient): Promise<number> {
  return (await client.get(`/${encodeURIComponent(client.index)}/_count`, Count)).count;
}

async function refresh(client: SearchClient): Promise<void> {
  await client.send('POST', { path: `/${encodeURIComponent(client.index)}/_refresh` }, z.unknown());
}

const Buckets = z.object({
  aggregations: z.object({
    namespaces: z.object({
      buckets: z.array(
        z.object({
          key: z.string(),
          started: z.object({ doc_count: z.number() }),
          closed: z.object({ doc_count: z.number() }),
          running: z.object({ doc_count: z.number() }),
        }),
      ),
    }),
  }),
});
const MOST_NAMESPACES = 10_000;

/** What was started, closed and running since `at` (ISO 8601), by namespace id. */
async function countSince(client: SearchClient, at: string): Promise<CountedSince[]> {
  const before = { range: { StartTime: { lte: at } } };
  const isClosed = { exists: { field: 'CloseTime' } };
  const { aggregations } = await client.send(
    'POST',
    {
      path: `/${encodeURIComponent(client.index)}/_search`,
      body: {
        size: 0,
        aggs: {
          namespaces: {
            terms: { field: 'NamespaceId', size: MOST_NAMESPACES },
            aggs: {
              started: { filter: { range: { StartTime: { gt: at } } } },
              closed: { filter: { bool: { filter: [before, { range: { CloseTime: { gt: at } } }] } } },
              running: { filter: { bool: { filter: [before], must_not: [isClosed] } } },
            },
          },
        },
      },
    },
    Buckets,
  );
  return aggregations.namespaces.buckets
    .map(({ key, started, closed, running }) => ({
      namespaceId: key,
      started: started.doc_count,
      closed: closed.doc_count,
      running: running.doc_count,
    }))
    .filter(({ started, closed, running }) => started + closed + running > 0);
}
