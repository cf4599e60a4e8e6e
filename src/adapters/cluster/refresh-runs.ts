import { createReadStream, existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { forEachAtOnce } from '../at-once.js';
import type { Work } from '../store.js';
import { hasCode, type TargetConnection } from './target-connection.js';

const BATCH = 500;
const AT_ONCE = 8;
const NOT_FOUND = 5;

const Entry = z.object({ namespaceId: z.string(), workflowId: z.string(), runId: z.string() });
type Entry = z.infer<typeof Entry>;

/**
 * Has the servers make all tasks anew of each run in `file`, a line of JSON each: among them the one that writes it to
 * visibility (`tdbg workflow refresh-tasks`). A run that has ended and was deleted meanwhile is counted as gone.
 * Does nothing when there is no such file. Safe to run again.
 */
export async function refreshRuns(
  target: TargetConnection,
  file: string,
  work: Work = {},
): Promise<{ readonly refreshed: number; readonly gone: number }> {
  const counts = { refreshed: 0, gone: 0 };
  if (!existsSync(file)) return counts;
  for await (const batch of batchesOf(file)) {
    await forEachAtOnce(batch, { atOnce: AT_ONCE, signal: work.signal }, async ({ namespaceId, workflowId, runId }) => {
      try {
        await target.ask(`refreshing the tasks of ${workflowId}`, () =>
          target.grpc.refreshWorkflowTasks(namespaceId, { workflowId, runId }),
        );
        counts.refreshed += 1;
      } catch (error) {
        if (!hasCode(error, NOT_FOUND)) throw error;
        counts.gone += 1;
      }
    });
    work.onProgress?.(`${counts.refreshed} workflows written to visibility anew`);
  }
  return counts;
}

/** Entries of the file, each once in its batch. Half a line, of a writer that was killed, was written again in whole. */
async function* batchesOf(file: string): AsyncGenerator<Entry[]> {
  let batch = new Map<string, Entry>();
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const entry = parse(line);
    if (entry !== undefined) batch.set(entry.runId, entry);
    if (batch.size < BATCH) continue;
    yield [...batch.values()];
    batch = new Map();
  }
  if (batch.size > 0) yield [...batch.values()];
}

function parse(line: string): Entry | undefined {
  try {
    return Entry.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}
