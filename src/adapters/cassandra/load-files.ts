import { createReadStream } from 'node:fs';
import { list as listTar } from 'tar';
import type { CassandraStore } from '../../core/input/input.js';
import { compareVersions } from '../../core/version.js';
import type { Work } from '../store.js';
import type { SnapshotList } from './cassandra-backup.js';
import { onNode } from './snapshots.js';

/** First version whose nodetool takes files from any folder. */
const FIRST_WITH_IMPORT = '4.0';

/** Unpacks a tar into a folder of its own beside the keyspaces; what a killed try left is removed first. */
const UNPACK = 'rm -rf "$1" && mkdir -p "$1" && tar -C "$1" -xf - && chown -R "$(stat -c %u:%g "$2")" "$1"';
/** Before 4.0: the files go where the table's own are, and are then read by nodetool refresh. */
const PLACE = 'for table in "$2"/"$3"/"$4"-*; do cp -p "$1"/*.* "$table"/ || exit 1; done';

interface Loading {
  readonly list: SnapshotList;
  readonly stamp: string;
  readonly version: string;
}

/** Loads the files of a snapshot into the emptied tables, on all nodes. @throws CommandError */
export async function loadFiles(input: CassandraStore, loading: Loading, work: Work): Promise<void> {
  await Promise.all(loading.list.nodes.map((node) => loadNode(input, node, loading, work)));
}

async function loadNode(
  input: CassandraStore,
  { address, file }: SnapshotList['nodes'][number],
  { stamp, version }: Loading,
  work: Work,
): Promise<void> {
  const { dataDir } = input.snapshots;
  const node = onNode(input, address);
  const folder = `${dataDir.replace(/\/+$/, '')}-temporal-upgrade-${stamp}`;
  const signal = work.signal;
  work.onProgress?.(`files of ${address} go back to it`);
  await node.run(['sh', '-c', UNPACK, 'sh', folder, dataDir], { inputFile: file, signal });
  for (const { table, path } of await tablesIn(file)) {
    work.onProgress?.(`${address} loads ${table}`);
    if (compareVersions(version, FIRST_WITH_IMPORT) >= 0) {
      await node.nodetool(['import', '--', input.keyspace, table, `${folder}/${path}`], { signal });
    } else {
      await node.run(['sh', '-c', PLACE, 'sh', `${folder}/${path}`, dataDir, input.keyspace, table], { signal });
      await node.nodetool(['refresh', '--', input.keyspace, table], { signal });
    }
  }
  await node.run(['rm', '-rf', folder], { signal });
}

/** Tables with rows in a tar, each with the folder of its files; none where the rows of a small cluster all lie on other nodes. */
async function tablesIn(file: string): Promise<{ readonly table: string; readonly path: string }[]> {
  const found = new Map<string, string>();
  const parser = listTar({
    onReadEntry: ({ path }) => {
      if (!path.endsWith('-Data.db')) return;
      const folder = path.slice(0, path.lastIndexOf('/'));
      const [, ofTable = ''] = path.split('/');
      found.set(ofTable.replace(/-[0-9a-f]{32}$/, ''), folder);
    },
  });
  for await (const chunk of createReadStream(file)) parser.write(chunk as Buffer);
  parser.end();
  return [...found].map(([table, path]) => ({ table, path }));
}
