import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PreconditionError } from '../../core/errors.js';
import { placeOfStore, type CassandraStore } from '../../core/input/input.js';
import { compareVersions } from '../../core/version.js';
import { every } from '../backup-file.js';
import { checkManifest, readManifest, sha256Of, type BackupManifest } from '../backup-manifest.js';
import { backUpBefore, type RestoreOrder, type StoreRestore } from '../store-restore.js';
import type { StoreRole, Work } from '../store.js';
import { backUpCassandra, readList, readTar, type SnapshotList } from './cassandra-backup.js';
import { withCassandra, type CassandraClient } from './cassandra-connection.js';
import { readBytes, readNodes, readTables, readVersion, readVersionRow } from './cassandra-inspect.js';
import { loadFiles } from './load-files.js';
import { withStoredRuns } from './stored-runs.js';

/** Row of `schema_version` that tells which restore was done; servers and tools read that of their keyspace alone. */
const DONE = 'temporal-upgrade restored';
/** The driver of this program, which is no server. */
const OURS = /node\.?js/i;
const FIRST_WITH_CLIENTS = '4.0';

/** How a keyspace of a target goes back to its backup. Cassandra renames none, so that it is always the tables themselves. */
export function createCassandraRestore(input: CassandraStore, kind: StoreRole): StoreRestore {
  // Before anything is emptied: rows of such visibility cannot be brought in step with another default store.
  const refuse = kind === 'visibility' ? () => Promise.reject(notVisibility(input)) : undefined;
  return {
    findWay:
      refuse ??
      (async () => ({
        way: 'in-place',
        why: 'a keyspace of Cassandra cannot be renamed',
        bytes: await withCassandra(input, readBytes),
      })),
    checkBackup: (order, work: Work = {}) => checkBackup(input, order, work),
    listSessions: () => withCassandra(input, listSessions),
    bring: refuse ?? ((order, work: Work = {}) => bring(input, order, work)),
    withRuns: (_order, use) => withCassandra(input, (client) => withStoredRuns(client, use)),
    bringInStep: () => Promise.reject(notVisibility(input)),
    takePlace: refuse ?? ((order) => Promise.resolve(backupBefore(input, order))),
    countSince: () => Promise.reject(notVisibility(input)),
    readNamespaceNames: () => withCassandra(input, readNamespaceNames),
  };
}

/** Visibility in Cassandra is that of servers up to 1.23, without what a restore compares. */
function notVisibility({ keyspace }: CassandraStore): PreconditionError {
  return new PreconditionError(
    `keyspace "${keyspace}" cannot be restored as visibility: rows of Cassandra's visibility do not say which task wrote them. Restore it by hand from its snapshot, with all servers stopped`,
    { keyspace },
  );
}

async function checkBackup(input: CassandraStore, order: RestoreOrder, work: Work): Promise<BackupManifest> {
  const manifest = await checkManifest(placeOfStore(input), order);
  const list = await readList(order.file);
  const stop = every(() => Promise.resolve('reading the backup again'), work);
  try {
    for (const { file, bytes, sha256, entries } of list.nodes) {
      work.signal?.throwIfAborted();
      const size = await stat(file).then(
        (found) => found.size,
        () => undefined,
      );
      if (
        size !== bytes ||
        (await sha256Of(file, work.signal)) !== sha256 ||
        (await readTar(file)).entries !== entries
      ) {
        throw new PreconditionError(
          `${file}, which the backup ${order.file} lists, is missing or damaged; put the right file there`,
          {
            file,
          },
        );
      }
    }
    return manifest;
  } finally {
    stop();
  }
}

/** Who else is connected, by every node; before 4.0 Cassandra does not tell. */
async function listSessions(client: CassandraClient): Promise<string[]> {
  if (compareVersions(`${await readVersion(client)}`, FIRST_WITH_CLIENTS) < 0) return [];
  const rows = await client.askEveryHost<{
    address: unknown;
    port: number;
    driver_name: string | null;
    username: string;
  }>('select address, port, driver_name, username from system_views.clients');
  return rows
    .filter(({ driver_name }) => !OURS.test(driver_name ?? ''))
    .map(
      (row) =>
        `session of ${String(row.address)}:${row.port}, user ${row.username}, ${row.driver_name ?? 'unknown driver'}`,
    );
}

async function readNamespaceNames(client: CassandraClient): Promise<ReadonlyMap<string, string>> {
  const rows = await client.ask<{ id: unknown; name: string }>('select id, name from namespaces_by_id');
  return new Map(rows.map(({ id, name }) => [String(id), name]));
}

/**
 * Empties the tables, loads the files of the snapshot on every node, and drops tables that the backup does not know. Begun anew by
 * each try until it was done once: nothing but the servers, which are down, changes what it leads to.
 */
async function bring(input: CassandraStore, order: RestoreOrder, work: Work): Promise<BackupManifest> {
  const mark = `${order.stamp} ${order.sha256}`;
  if (await withCassandra(input, (client) => isDone(client, mark))) return readManifest(order.file);
  const manifest = await checkBackup(input, order, work);
  await backUpBefore(order, backupBefore(input, order), (file) => backUpCassandra(input, file, work));
  const list = await readList(order.file);
  await withCassandra(input, async (client) => {
    await checkNodes(client, list);
    await emptyTables(client, list);
    await loadFiles(input, { list, stamp: order.stamp, version: await readVersion(client) }, work);
    await checkRestored(client, input, order);
    // Nobody runs, and new servers would call each of these for up to half a minute before they join.
    await client.change('truncate cluster_membership');
    await client.act(
      `insert into schema_version (keyspace_name, creation_time, curr_version, min_compatible_version) values (?, toTimestamp(now()), ?, '')`,
      [DONE, mark],
    );
  });
  return manifest;
}

async function isDone(client: CassandraClient, mark: string): Promise<boolean> {
  if (!(await readTables(client)).has('schema_version')) return false;
  const [row] = await client.ask<{ curr_version: string }>(
    'select curr_version from schema_version where keyspace_name = ?',
    [DONE],
  );
  return row?.curr_version === mark;
}

/** Files of a node hold its part of the data: they can only go back to a cluster of the same nodes. */
async function checkNodes(client: CassandraClient, { nodes }: SnapshotList): Promise<void> {
  const present = (await readNodes(client)).filter(({ up }) => up).map(({ address }) => address);
  const missing = nodes.filter(({ address }) => !present.includes(address)).map(({ address }) => address);
  const added = present.filter((address) => !nodes.some((node) => node.address === address));
  if (missing.length === 0 && added.length === 0) return;
  const words = [
    ...(missing.length === 0 ? [] : [`${missing.join(', ')} are down or gone`]),
    ...(added.length === 0 ? [] : [`${added.join(', ')} were added since`]),
  ];
  throw new PreconditionError(
    `the backup is of ${nodes.length} nodes, and ${words.join(', and ')}; bring back the same nodes, or load the files by sstableloader by hand`,
    { missing, added },
  );
}

async function emptyTables(client: CassandraClient, { nodes }: SnapshotList): Promise<void> {
  const known = new Set(nodes.flatMap(({ tables }) => tables));
  for (const table of await readTables(client)) {
    await client.change(known.has(table) ? `truncate ${client.name(table)}` : `drop table ${client.name(table)}`);
  }
}

async function checkRestored(client: CassandraClient, input: CassandraStore, { schema }: RestoreOrder): Promise<void> {
  const version = await readVersionRow(client, input);
  if (version !== schema) {
    throw new PreconditionError(
      `what was restored into keyspace "${input.keyspace}" has schema ${version}, not ${schema}`,
    );
  }
}

/** The backup of what is there before it is replaced. */
function backupBefore({ keyspace }: CassandraStore, { file, stamp }: RestoreOrder): string {
  return join(dirname(file), `${keyspace}-before-restore-${stamp}.snapshot`);
}
