import { basename } from 'node:path';
import { PreconditionError } from '../../core/errors.js';
import type { CassandraStore } from '../../core/input/input.js';
import { fillPlaceholders } from '../../core/input/placeholders.js';
import { shellLine } from '../../core/shell-line.js';
import type { StoreNode } from '../../core/survey/store-survey.js';
import { runCommand, type CommandOptions } from '../run-command.js';
import type { Work } from '../store.js';

/** A command that only asks. */
const ASK_TIMEOUT_MS = 60_000;

/**
 * Writes the files of a snapshot as a tar: folder of the keyspaces, keyspace, name of the snapshot. They are links to files that nobody
 * writes into any more; when Cassandra drops its own link meanwhile, tar says that the file changed, and ends with 1.
 */
const PACK =
  'cd "$1" && find "$2" -path "*/snapshots/$3/*" -type f -print0 | LC_ALL=C sort -z | { tar --null --no-recursion -T - -cf - || [ $? -eq 1 ]; }';

/** Commands on the node `address`, run as the input says. */
export function onNode({ snapshots: { run, nodetool } }: CassandraStore, address: string) {
  const wordsFor = (argv: readonly string[]): readonly string[] => {
    const before = run.map((word) => fillPlaceholders(word, { node: address }));
    // ssh hands its arguments to the shell over there, joined by blanks; others take them as they are.
    return basename(before[0] ?? '') === 'ssh' ? [...before, shellLine(argv)] : [...before, ...argv];
  };
  const call = (argv: readonly string[], options: CommandOptions) => {
    const [program = '', ...args] = wordsFor(argv);
    return runCommand(program, args, options);
  };
  return {
    nodetool: (args: readonly string[], options: CommandOptions = {}) => call([...nodetool, ...args], options),
    run: call,
  };
}

/**
 * Sees that nodetool answers on every node, and is that of it. For people: `nodetool on 3 nodes`.
 * @throws PreconditionError, CommandError
 */
export async function findNodetool(input: CassandraStore, nodes: readonly StoreNode[]): Promise<string> {
  await Promise.all(
    nodes.map(async ({ address }) => {
      const { stdout } = await onNode(input, address).nodetool(['info'], { timeoutMs: ASK_TIMEOUT_MS });
      if (!/Native Transport active\s*:\s*true/i.test(stdout)) {
        throw new PreconditionError(`nodetool on ${address} says that it does not serve clients`, { address });
      }
    }),
  );
  return `nodetool on ${nodes.length} ${nodes.length === 1 ? 'node' : 'nodes'}`;
}

interface Snapshot {
  readonly name: string;
  readonly nodes: readonly StoreNode[];
}

/** Takes a snapshot on all nodes at one time; what an earlier try left under the name is removed first. */
export async function takeSnapshot(input: CassandraStore, { name, nodes }: Snapshot, work: Work): Promise<void> {
  await removeSnapshot(input, { name, nodes }, work);
  await Promise.all(
    nodes.map(({ address }) =>
      onNode(input, address).nodetool(['snapshot', '-t', name, '--', input.keyspace], { signal: work.signal }),
    ),
  );
}

/** Removes a snapshot where there is one. */
export async function removeSnapshot(input: CassandraStore, { name, nodes }: Snapshot, work: Work): Promise<void> {
  await Promise.all(
    nodes.map(({ address }) =>
      onNode(input, address).nodetool(['clearsnapshot', '-t', name, '--', input.keyspace], { signal: work.signal }),
    ),
  );
}

/** Writes the files that a node has of a snapshot into `into`, as a tar. */
export async function packSnapshot(
  input: CassandraStore,
  { name, address, into }: { readonly name: string; readonly address: string; readonly into: string },
  work: Work,
): Promise<void> {
  await onNode(input, address).run(['sh', '-c', PACK, 'sh', input.snapshots.dataDir, input.keyspace, name], {
    outputFile: into,
    signal: work.signal,
  });
}
