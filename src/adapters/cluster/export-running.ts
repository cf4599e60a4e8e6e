import { createWriteStream } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { RunningCounts } from '../../core/running-work/running-counts.js';
import type { Work } from '../store.js';
import { LOCK_NAMESPACE } from './cluster-lock.js';
import { listNamespaces, listPages, runIdOf, RUNNING_QUERY } from './target-cluster.js';
import type { TargetConnection } from './target-connection.js';

export interface RunningExport {
  /** JSON lines: namespace, workflowId, runId, type. */
  readonly file: string;
  readonly takenAt: string;
  readonly total: number;
  readonly counts: RunningCounts;
}

export interface ExportOptions {
  readonly file: string;
  /** Namespaces to leave out. */
  readonly exclude?: readonly string[];
  readonly pageSize?: number;
}

/**
 * Writes the ids of all running workflows into a file, page by page, so that memory does not grow with their number.
 * `temporal-system` is left out. The file is whole or not there.
 */
export async function exportRunning(
  target: TargetConnection,
  { file, exclude = [], pageSize }: ExportOptions,
  work: Work = {},
): Promise<RunningExport> {
  const takenAt = new Date().toISOString();
  const counts = new Map<string, Map<string, number>>();
  let total = 0;
  async function* lines(): AsyncGenerator<string> {
    for (const { name } of await listNamespaces(target)) {
      if (name === LOCK_NAMESPACE || exclude.includes(name)) continue;
      const types = new Map<string, number>();
      counts.set(name, types);
      for await (const listed of listPages(target, { namespace: name, query: RUNNING_QUERY, pageSize })) {
        work.signal?.throwIfAborted();
        const page = listed.flatMap(({ execution, type }) =>
          runIdOf(execution).map((run) => ({ ...run, type: type?.name ?? '' })),
        );
        for (const { type } of page) types.set(type, (types.get(type) ?? 0) + 1);
        total += page.length;
        work.onProgress?.(`${total} running workflows listed, now ${name}`);
        yield page.map((run) => `${JSON.stringify({ namespace: name, ...run })}\n`).join('');
      }
    }
  }
  await mkdir(dirname(file), { recursive: true });
  const partial = `${file}.${process.pid}.partial`;
  const written = createWriteStream(partial, { flush: true, mode: 0o600 });
  await pipeline(Readable.from(lines(), { highWaterMark: 2 }), written, { signal: work.signal });
  await rename(partial, file);
  return { file, takenAt, total, counts: Object.fromEntries([...counts].map(countOf)) };
}

function countOf([namespace, types]: [string, ReadonlyMap<string, number>]) {
  const running = [...types.values()].reduce((sum, count) => sum + count, 0);
  return [namespace, { running, types: Object.fromEntries(types) }] as const;
}
