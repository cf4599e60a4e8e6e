import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { PreconditionError } from '../../core/errors.js';
import { readSnapshotRecord, snapshotName } from '../store-parts/snapshot-record.js';
import type { Work } from '../store.js';
import { isMissing, type SearchClient } from './search-connection.js';
import { resolveIndex } from './search-inspect.js';
import { untilMade } from './until-made.js';

/**
 * Backups in a snapshot repository of the search server, where the input names one: only what changed since the last is copied, and
 * by the nodes themselves. The file of such a backup says which snapshot it is.
 */

const POLL_MS = 500;

const SnapshotRecord = z.object({
  repository: z.string(),
  snapshot: z.string(),
  /** Another one of the same name has another. */
  uuid: z.string(),
  index: z.string(),
});
export type SnapshotRecord = z.infer<typeof SnapshotRecord>;

const Snapshots = z.object({
  snapshots: z.array(
    z.object({
      snapshot: z.string(),
      uuid: z.string(),
      state: z.string(),
      indices: z.array(z.string()),
      shards: z.object({ total: z.number(), failed: z.number(), successful: z.number() }).optional(),
    }),
  ),
});
type Snapshot = z.infer<typeof Snapshots>['snapshots'][number];

/** Takes a snapshot of the index alone, and waits until it is whole; one that a killed try left is taken anew. @throws PreconditionError */
export async function takeSnapshot(
  client: SearchClient,
  { repository, file }: { readonly repository: string; readonly file: string },
  work: Work,
): Promise<SnapshotRecord> {
  const name = snapshotName(file);
  const path = pathOf(repository, name);
  if ((await find(client, repository, name)) !== undefined) await client.send('DELETE', { path }, z.unknown());
  const index = await resolveIndex(client); // a snapshot knows no aliases
  const body = { indices: index, include_global_state: false };
  await client.send('PUT', { path, query: { wait_for_completion: false }, body }, z.unknown());
  for (;;) {
    const found = await find(client, repository, name);
    if (found !== undefined && found.state !== 'IN_PROGRESS') {
      refuseUnlessWhole(found, { repository, index });
      return { repository, snapshot: name, uuid: found.uuid, index };
    }
    work.onProgress?.(`snapshot ${name} in repository "${repository}" is being taken`);
    await sleep(POLL_MS, undefined, { signal: work.signal });
  }
}

/** The record in the file of a backup; undefined where the file holds documents. @throws PreconditionError when it is neither */
export async function findSnapshotRecord(file: string): Promise<SnapshotRecord | undefined> {
  const handle = await open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(1), 0, 1, 0);
    if (bytesRead === 0 || String.fromCharCode(buffer[0] ?? 0) !== '{') return undefined;
  } finally {
    await handle.close();
  }
  return readSnapshotRecord(file, SnapshotRecord);
}

/** @throws PreconditionError when the repository has it no more, or not whole */
export async function checkSnapshot(client: SearchClient, record: SnapshotRecord): Promise<void> {
  const { repository, snapshot, uuid } = record;
  const found = await find(client, repository, snapshot);
  if (found?.uuid !== uuid) {
    throw new PreconditionError(
      `repository "${repository}" has no snapshot "${snapshot}" any more, which is this backup (${uuid}); bring the repository back as it was`,
      { repository, snapshot, uuid },
    );
  }
  refuseUnlessWhole(found, record);
}

/** Restores the index of a snapshot as `client.index`, which must not be there. Waits until all of it is there. */
export async function restoreSnapshot(client: SearchClient, record: SnapshotRecord, work: Work): Promise<void> {
  const { repository, snapshot, index } = record;
  await client.send(
    'POST',
    {
      path: `${pathOf(repository, snapshot)}/_restore`,
      body: {
        indices: index,
        include_global_state: false,
        include_aliases: false,
        rename_pattern: '.+',
        rename_replacement: client.index,
        // A version that was removed is forgotten at once, so that the servers can write what they now have.
        index_settings: { 'index.gc_deletes': '0s' },
      },
    },
    z.unknown(),
  );
  await untilMade(
    client,
    { index: client.index, what: `snapshot ${snapshot} is being restored as ${client.index}` },
    work,
  );
}

async function find(client: SearchClient, repository: string, name: string): Promise<Snapshot | undefined> {
  const path = `/_snapshot/${encodeURIComponent(repository)}`;
  if (!(await client.has(path))) {
    throw new PreconditionError(
      `there is no snapshot repository "${repository}"; make it, or correct "snapshotRepository" of the store`,
      { repository },
    );
  }
  try {
    return (await client.get(pathOf(repository, name), Snapshots)).snapshots[0];
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function refuseUnlessWhole(
  { snapshot, state, shards, indices }: Snapshot,
  { repository, index }: Pick<SnapshotRecord, 'repository' | 'index'>,
): void {
  const isWhole = state === 'SUCCESS' && indices.includes(index) && (shards?.failed ?? 0) === 0;
  if (isWhole) return;
  throw new PreconditionError(
    `snapshot "${snapshot}" in repository "${repository}" is ${state}, with ${shards?.failed ?? 0} shards that failed; see GET ${pathOf(repository, snapshot)}`,
    { repository, snapshot, state },
  );
}

function pathOf(repository: string, name: string): string {
  return `/_snapshot/${encodeURIComponent(repository)}/${encodeURIComponent(name)}`;
}
