import { chmod, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { list } from 'tar';
import { z } from 'zod';
import { PreconditionError } from '../../core/errors.js';
import { placeOfStore, type CassandraStore } from '../../core/input/input.js';
import { writeBackup, every } from '../backup-file.js';
import { sha256Of } from '../backup-manifest.js';
import { snapshotName } from '../store-parts/snapshot-record.js';
import type { Backup, Work } from '../store.js';
import { withCassandra } from './cassandra-connection.js';
import { placeText, readNodes, readTables, readVersion, readVersionRow } from './cassandra-inspect.js';
import { packSnapshot, removeSnapshot, takeSnapshot } from './snapshots.js';

/** After a failure, which should be told soon: a node that does not answer keeps its snapshot. */
const REMOVED_WITHIN_MS = 60_000;

/** What a backup of a keyspace is: its file lists the files of each node, which lie beside it. */
export const SnapshotList = z.object({
  keyspace: z.string(),
  schemaVersion: z.string(),
  nodes: z.array(
    z.object({
      address: z.string(),
      /** Beside this list. */
      file: z.string(),
      bytes: z.int().nonnegative(),
      sha256: z.string(),
      entries: z.int().nonnegative(),
      /** Folders of tables in it. */
      tables: z.array(z.string()),
    }),
  ),
});
export type SnapshotList = z.infer<typeof SnapshotList>;

/** What the file of a backup says; its files lie beside it, also where they were brought to another folder. @throws PreconditionError */
export async function readList(file: string): Promise<SnapshotList> {
  const text = await readFile(file, 'utf8');
  const parsed = SnapshotList.safeParse(JSON.parse(text));
  if (parsed.success) {
    const { nodes, ...list } = parsed.data;
    return { ...list, nodes: nodes.map((node) => ({ ...node, file: join(dirname(file), basename(node.file)) })) };
  }
  throw new PreconditionError(`${file} is no list of snapshot files`, { file });
}

/** Where the files of a node lie. */
export function fileOfNode(file: string, address: string): string {
  return `${file}.${address.replaceAll(/[^0-9a-zA-Z.-]/g, '_')}.tar`;
}

/**
 * Takes a snapshot on every node at one time, brings its files here, reads all of them back, and lists them in `file`. A whole
 * backup that is already there is kept.
 * @throws PreconditionError when a node is down, or a file belongs to another keyspace; CommandError
 */
export async function backUpCassandra(input: CassandraStore, file: string, work: Work): Promise<Backup> {
  return writeBackup(
    placeOfStore(input),
    file,
    async (partial) => {
      const about = await withCassandra(input, async (client) => ({
        serverVersion: await readVersion(client),
        schemaVersion: await readVersionRow(client, input),
        nodes: await readNodes(client),
        tables: await readTables(client),
      }));
      const down = about.nodes.filter(({ up }) => !up).map(({ address }) => address);
      if (down.length > 0) {
        throw new PreconditionError(
          `nodes ${down.join(', ')} of ${placeText(input)} are down, and a backup is of all nodes; bring them back, then try again`,
          { reason: 'nodes-down', nodes: down },
        );
      }
      const snapshot = { name: snapshotName(file), nodes: about.nodes };
      const nodes: SnapshotList['nodes'] = [];
      try {
        await takeSnapshot(input, snapshot, work);
        for (const { address } of about.nodes) {
          nodes.push(await bring(input, { name: snapshot.name, address, tables: about.tables, file }, work));
        }
      } catch (error) {
        // It would hold the disks of the nodes until somebody tries again; also of a try that was cancelled.
        const soon = AbortSignal.timeout(REMOVED_WITHIN_MS);
        await removeSnapshot(input, snapshot, { signal: soon }).catch(() => undefined);
        throw error;
      }
      await removeSnapshot(input, snapshot, work);
      const { serverVersion, schemaVersion } = about;
      const listing: SnapshotList = { keyspace: input.keyspace, schemaVersion, nodes };
      await writeFile(partial, `${JSON.stringify(listing, undefined, 2)}\n`);
      const sum = (field: 'entries' | 'bytes') => nodes.reduce((total, node) => total + node[field], 0);
      return { serverVersion, schemaVersion, entries: sum('entries'), bytesBeside: sum('bytes') };
    },
    work,
  );
}

interface Bringing {
  readonly name: string;
  readonly address: string;
  readonly tables: ReadonlySet<string>;
  readonly file: string;
}

async function bring(input: CassandraStore, { name, address, tables, file }: Bringing, work: Work) {
  const into = fileOfNode(file, address);
  const partial = `${into}.partial`;
  await rm(partial, { force: true });
  await (await open(partial, 'wx', 0o600)).close();
  const stop = every(async () => `${(await stat(partial)).size} bytes of ${address} brought`, work);
  try {
    await packSnapshot(input, { name, address, into: partial }, work);
    await chmod(partial, 0o600);
    const contents = await readTar(partial);
    const missing = [...tables].filter((table) => !contents.tables.includes(table));
    if (missing.length > 0) {
      throw new Error(`the snapshot of ${address} was read back and lacks tables ${missing.join(', ')}`);
    }
    const sha256 = await sha256Of(partial);
    const { size } = await stat(partial);
    await rename(partial, into);
    return { address, file: into, bytes: size, sha256, ...contents };
  } finally {
    stop();
    await rm(partial, { force: true });
  }
}

/** Reads every byte of a tar of snapshot files: `keyspace/table-id/snapshots/name/file`. @throws when it is not whole */
export async function readTar(file: string): Promise<{ readonly entries: number; readonly tables: string[] }> {
  const tables = new Set<string>();
  let entries = 0;
  await list({
    file,
    strict: true,
    onReadEntry: ({ path }) => {
      entries += 1;
      const [, folder = ''] = path.split('/');
      tables.add(folder.replace(/-[0-9a-f]{32}$/, ''));
    },
  });
  return { entries, tables: [...tables].sort() };
}
