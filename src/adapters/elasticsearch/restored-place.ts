import { z } from 'zod';
import type { ElasticsearchStore } from '../../core/input/input.js';
import type { RestoreOrder } from '../store-restore.js';
import type { Work } from '../store.js';
import { isInPlace } from './restore-mark.js';
import { withSearch, type SearchClient } from './search-connection.js';
import { untilMade } from './until-made.js';

const Done = z.object({ acknowledged: z.literal(true) });
const Count = z.object({ count: z.number() });

/**
 * An index cannot be renamed: it is cloned, which links its files, and removed. Killed in between, it finds the clone, and goes on.
 * The old index is removed only when its clone has all of it.
 */
export async function takePlace(
  input: ElasticsearchStore,
  restoring: ElasticsearchStore,
  order: RestoreOrder,
  work: Work,
): Promise<string> {
  const kept = `${input.index}_before_restore_${order.stamp}`;
  await waitForEarlierClone(input, restoring, work);
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
    await block(client, input.index, false);
    await block(client, kept, false);
    const left = `/${encodeURIComponent(restoring.index)}`;
    if (await client.has(left)) await client.send('DELETE', { path: left }, Done);
  });
  return `index ${kept}`;
}

const Identity = z.record(
  z.string(),
  z.object({
    settings: z.object({ 'index.uuid': z.string(), 'index.resize.source.uuid': z.string().optional() }),
  }),
);

/**
 * A try that was killed may have begun the last clone and no more. Until it has all of `restoring`, whose files it links, it has not even
 * the mark in its mapping, and nothing may happen to either.
 */
async function waitForEarlierClone(
  input: ElasticsearchStore,
  restoring: ElasticsearchStore,
  work: Work,
): Promise<void> {
  await withSearch(input, async (client) => {
    const [source, copy] = await Promise.all([restoring.index, input.index].map((index) => identify(client, index)));
    if (source === undefined || copy?.['index.resize.source.uuid'] !== source['index.uuid']) return;
    await untilMade(client, { index: input.index, what: cloningText(restoring.index, input.index) }, work);
  });
}

async function identify(client: SearchClient, index: string) {
  const path = `/${encodeURIComponent(index)}`;
  if (!(await client.has(path))) return undefined;
  return Object.values(await client.get(`${path}/_settings`, Identity, { flat_settings: true }))[0]?.settings;
}

function cloningText(from: string, to: string): string {
  return `index ${from} is being cloned as ${to}`;
}

/** Also where it was begun before. @throws Error when the clone has not all of it */
async function clone(client: SearchClient, { from, to }: { readonly from: string; readonly to: string }, work: Work) {
  const name = encodeURIComponent(to);
  await block(client, from, true);
  if (!(await client.has(`/${name}`))) {
    await client.send('PUT', { path: `/${encodeURIComponent(from)}/_clone/${name}`, body: {} }, Done);
  }
  await untilMade(client, { index: to, what: cloningText(from, to) }, work);
  const [there, here] = await Promise.all(
    [to, from].map(async (index) => (await client.get(`/${encodeURIComponent(index)}/_count`, Count)).count),
  );
  if (there !== here) throw new Error(`index ${to} has ${there ?? 0} documents, not the ${here ?? 0} of ${from}`);
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
