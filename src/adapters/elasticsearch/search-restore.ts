import { setTimeout as sleep } from 'node:timers/promises';
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
import { readBytes, readFields, resolveIndex, versionOf } from './search-inspect.js';
import { checkSnapshot, findSnapshotRecord, restoreSnapshot } from './search-snapshot.js';

const AT_ONCE = 500;
const POLL_MS = 500;

/** What is written into `_meta` of a mapping, which servers leave alone: how far a restore has come. */
const Meta = z.object({
  /** The backup that the index has all of. */
  restored: z.string().optional(),
  /** What was removed and corrected when it was brought in step. */
  inStep: z.object({ removed: z.number(), corrected: z.number() }).optional(),
});
type Meta = z.infer<typeof Meta>;
const Mapped = z.record(
  z.string(),
  z.object({ mappings: z.object({ _meta: z.looseObject({ temporalUpgrade: Meta.optional() }).optional() }) }),
);
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

function markOf({ stamp, sha256 }: RestoreOrder): string {
  return `${stamp} ${sha256}`;
}

async function readMeta(client: SearchClient): Promise<Meta> {
  const path = `/${encodeURIComponent(client.index)}`;
  if (!(await client.has(path))) return {};
  const [first] = Object.values(await client.get(`${path}/_mapping`, Mapped));
  return first?.mappings._meta?.temporalUpgrade ?? {};
}

async function writeMeta(client: SearchClient, meta: Meta): Promise<void> {
  const body = { _meta: { temporalUpgrade: meta } };
  await client.send('PUT', { path: `/${encodeURIComponent(client.index)}/_mapping`, body }, Done);
}

async function isInPlace(input: ElasticsearchStore, order: RestoreOrder): Promise<boolean> {
  return (await withSearch(input, readMeta)).restored === markOf(order);
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

/**
 * An index cannot be renamed: it is cloned, which links its files, and removed. Killed in between, it finds the clone, and goes on.
 * The old index is removed only when its clone has all of it.
 */
async function takePlace(
  input: ElasticsearchStore,
  restoring: ElasticsearchStore,
  order: RestoreOrder,
  work: Work,
): Promise<string> {
  const kept = `${input.index}_before_restore_${order.stamp}`;
  if (!(await isInPlace(input, order))) {
    await withSearch(input, async (client) => {
      const path = `/${encodeURIComponent(client.index)}`;
      if (await client.has(path)) {
        await clone(client, { from: input.index, to: kept }, work);
        await client.send('DELETE', { path }, Done);
      }
      await clone(client, { from: restoring.index, to: input.index }, work);
    });
  }
  await withSearch(input, async (client) => {
    // A try that was killed may have begun the clone only, which has its mark from its first moment, and its files from `restoring`.
    await untilMade(client, { from: restoring.index, to: input.index }, work);
    await block(client, input.index, false);
    await block(client, kept, false);
    const left = `/${encodeURIComponent(restoring.index)}`;
    if (await client.has(left)) await client.send('DELETE', { path: left }, Done);
  });
  return `index ${kept}`;
}

interface Cloning {
  readonly from: string;
  readonly to: string;
}

/** Also where it was begun before. @throws Error when the clone has not all of it */
async function clone(client: SearchClient, { from, to }: Cloning, work: Work): Promise<void> {
  const name = encodeURIComponent(to);
  await block(client, from, true);
  if (!(await client.has(`/${name}`))) {
    await client.send('PUT', { path: `/${encodeURIComponent(from)}/_clone/${name}`, body: {} }, Done);
  }
  await untilMade(client, { from, to }, work);
  const [there, here] = await Promise.all(
    [to, from].map(async (index) => (await client.get(`/${encodeURIComponent(index)}/_count`, Count)).count),
  );
  if (there !== here) throw new Error(`index ${to} has ${there ?? 0} documents, not the ${here ?? 0} of ${from}`);
}

/** A clone whose primaries have started has all of it: until then its health is red. */
async function untilMade(client: SearchClient, { from, to }: Cloning, work: Work): Promise<void> {
  const Health = z.object({ status: z.string() });
  while ((await client.get(`/_cluster/health/${encodeURIComponent(to)}`, Health)).status === 'red') {
    work.onProgress?.(`index ${from} is being cloned as ${to}`);
    await sleep(POLL_MS, undefined, { signal: work.signal });
  }
}

/** Whether documents may be written. */
async function block(client: SearchClient, index: string, isBlocked: boolean): Promise<void> {
  const path = `/${encodeURIComponent(index)}`;
  if (!(await client.has(path))) return;
  await client.send(
    'PUT',
    { path: `${path}/_settings`, body: { 'index.blocks.write': isBlocked ? true : null } },
    Done,
  );
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
