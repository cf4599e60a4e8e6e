import { z } from 'zod';
import type { StoredRun, VisibleRun } from '../../core/restoring/compare-runs.js';
import type { SearchClient } from './search-connection.js';

const PAGE = 1_000;
/** A page is written into a file before the next one is asked for. */
const KEPT_FOR = '5m';

/** A document as it was written: the server's own version of it decides which write is newer. */
export interface Document {
  readonly id: string;
  readonly version: number | bigint;
  readonly source: Readonly<Record<string, unknown>>;
}

const Number64 = z.union([z.number(), z.bigint()]);
const Hit = z.object({
  _id: z.string(),
  _version: Number64,
  _source: z.record(z.string(), z.unknown()).default({}),
  sort: z.array(z.unknown()).default([]),
});
const Page = z.object({ _scroll_id: z.string().optional(), hits: z.object({ hits: z.array(Hit) }) });

/** All documents of the index as they were when the first was read, in no order. */
export async function* readDocuments(client: SearchClient): AsyncGenerator<Document> {
  const path = `/${encodeURIComponent(client.index)}/_search`;
  const begin = { size: PAGE, sort: ['_doc'], version: true };
  let page = await client.send('POST', { path, query: { scroll: KEPT_FOR }, body: begin }, Page);
  try {
    while (page.hits.hits.length > 0) {
      for (const { _id, _version, _source } of page.hits.hits) yield { id: _id, version: _version, source: _source };
      const body = { scroll: KEPT_FOR, scroll_id: page._scroll_id };
      page = await client.send('POST', { path: '/_search/scroll', body }, Page);
    }
  } finally {
    // It would go by itself; some clusters allow few of them.
    const body = { scroll_id: [page._scroll_id] };
    await client.send('DELETE', { path: '/_search/scroll', body }, z.unknown()).catch(() => undefined);
  }
}

const Answer = z.object({
  errors: z.boolean(),
  items: z.array(z.record(z.string(), z.looseObject({ status: z.number(), error: z.unknown().optional() }))),
});

/** Documents that are there already in this version, or a newer one, stay. @throws Error naming the first that was refused */
export async function writeDocuments(client: SearchClient, documents: readonly Document[]): Promise<void> {
  const lines = documents.flatMap(({ id, version, source }) => [
    { index: { _id: id, version, version_type: 'external_gte' } },
    source,
  ]);
  await change(client, lines);
}

async function change(client: SearchClient, lines: readonly object[]): Promise<void> {
  if (lines.length === 0) return;
  const { errors, items } = await client.sendLines(`/${encodeURIComponent(client.index)}/_bulk`, lines, Answer);
  if (!errors) return;
  const refused = items.flatMap((item) => Object.values(item)).find(({ status }) => status >= 400 && status !== 404);
  if (refused !== undefined) throw new Error(`a document was refused: ${JSON.stringify(refused.error)}`);
}

/** What the server writes as `ExecutionStatus`, by the numbers of `temporal.api.enums.v1.WorkflowExecutionStatus`. */
const STATUSES = [
  'Unspecified',
  'Running',
  'Completed',
  'Failed',
  'Canceled',
  'Terminated',
  'ContinuedAsNew',
  'TimedOut',
  'Paused',
] as const;

const RunSource = z.object({ NamespaceId: z.string(), RunId: z.string(), ExecutionStatus: z.string() });

/** A document that shows a run. */
export interface VisibleDocument extends VisibleRun {
  readonly id: string;
}

/** Every run that the index shows, in order of namespace id and run id. */
export async function* readVisibleRuns(client: SearchClient): AsyncGenerator<VisibleDocument> {
  const path = `/${encodeURIComponent(client.index)}/_search`;
  let after: readonly unknown[] | undefined;
  for (;;) {
    const body = {
      ...{ size: PAGE, version: true, _source: ['NamespaceId', 'RunId', 'ExecutionStatus'] },
      ...{ sort: [{ NamespaceId: 'asc' }, { RunId: 'asc' }] },
      ...(after === undefined ? {} : { search_after: after }),
    };
    const { hits } = await client.send('POST', { path, body }, Page);
    for (const { _id, _version, _source } of hits.hits) {
      const { NamespaceId, RunId, ExecutionStatus } = RunSource.parse(_source);
      const status = STATUSES.findIndex((name) => name === ExecutionStatus);
      yield { id: _id, namespaceId: NamespaceId, runId: RunId, status, version: BigInt(_version) };
    }
    const last = hits.hits.at(-1);
    if (last === undefined) return;
    after = last.sort;
  }
}

/** Id under which servers write a run (`GetDocID` in common/persistence/visibility/store/elasticsearch of the server). */
export function documentId({ workflowId, runId }: Pick<StoredRun, 'workflowId' | 'runId'>): string {
  const most = 512 - runId.length - 1;
  const bytes = Buffer.from(workflowId);
  if (bytes.length <= most) return `${workflowId}~${runId}`;
  // Cut before a character, not within one.
  let end = most;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return `${bytes.subarray(0, end).toString()}~${runId}`;
}

/**
 * Removes what the index shows of `runs`. The servers write anew what is still running, as they write a whole document each time; that
 * one was removed is forgotten at the next refresh (`index.gc_deletes` of a restored index is 0), and no older version refused.
 */
export async function removeRuns(client: SearchClient, runs: readonly (StoredRun | VisibleRun)[]): Promise<number> {
  await change(
    client,
    // Those that are shown were read by readVisibleRuns.
    runs.map((run) => ({ delete: { _id: 'workflowId' in run ? documentId(run) : (run as VisibleDocument).id } })),
  );
  return runs.length;
}
