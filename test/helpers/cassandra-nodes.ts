import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { shellLine } from '../../src/core/shell-line.js';
import { CassandraStore } from '../../src/core/input/input.js';
import type { LabCassandra } from '../../src/lab/cassandra.js';

/**
 * How a roll-out is told of a keyspace on several nodes, each of them a folder of this host: a script takes the place of the ssh that
 * would run a command on one of them.
 */
export async function inputOfNodes(nodes: readonly LabCassandra[], keyspace: string): Promise<CassandraStore> {
  const [first] = nodes;
  if (first === undefined) throw new TypeError('no node');
  const script = join(first.folder, 'on-node.sh');
  const cases = nodes.map(
    ({ host, folder, nodetool }) =>
      `${host}) cd ${shellLine([folder])}; [ "$1" = nodetool ] && { shift; exec ${shellLine(nodetool)} "$@"; } ;;`,
  );
  await writeFile(
    script,
    `#!/bin/sh\nnode=$1; shift\ncase "$node" in\n${cases.join('\n')}\n*) exit 9 ;;\nesac\nexec "$@"\n`,
  );
  await chmod(script, 0o755);
  return CassandraStore.parse({
    type: 'cassandra',
    hosts: nodes.map(({ host }) => host),
    port: first.port,
    keyspace,
    consistency: 'QUORUM',
    // Each node's own, from the folder that the script goes to.
    snapshots: { run: [script, '{node}'], nodetool: ['nodetool'], dataDir: 'data/data' },
  });
}
