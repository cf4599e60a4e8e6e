import { PreconditionError } from '../../core/errors.js';
import type { CassandraStore } from '../../core/input/input.js';
import { isDoneBeforeOnCassandra } from '../../core/schema/done-before.js';
import { CommandError, runCommand } from '../run-command.js';
import { readSecret } from '../secrets.js';
import type { StoreRole, Work } from '../store.js';
import type { ToolResolver } from '../tools/tools.js';
import { isSchemaReached } from '../store-parts/schema-reached.js';
import { withCassandra, type CassandraClient } from './cassandra-connection.js';
import { checkKind, placeText, readNodes, readVersionRow } from './cassandra-inspect.js';
import { bringCassandraTool, cassandraScripts, cassandraToolEnvironment } from './cassandra-tool.js';
import { makeDroppedAnew } from './half-done.js';
import { waitForStillSchema, withSchemaLock } from './schema-lock.js';

const PROGRESS_MS = 2_000;

export interface SchemaUpdate {
  readonly kind: StoreRole;
  readonly to: string;
  readonly serverVersion: string;
  readonly tools: ToolResolver;
}

/**
 * Brings the schema of a keyspace to `to`, one caller at a time, with every node up: a node that misses a change of tables is a
 * node that refuses the rows of the new server. The tool passes over what an unfinished step left, as far as Cassandra says that
 * it exists already; what that step dropped is made anew, for the tool to drop it.
 * @returns what was made anew, a line each
 * @throws PreconditionError when the schema is newer than `to`, the keyspace is not the one meant, a node is down, or a step is
 *   half-done
 */
export async function updateCassandraSchema(
  input: CassandraStore,
  { kind, to, serverVersion, tools }: SchemaUpdate,
  work: Work,
): Promise<string[]> {
  const tool = await bringCassandraTool(tools, { kind, serverVersion }, work);
  const madeAnew = await withCassandra(input, async (client) => {
    if (await isReached(client, input, { kind, to })) return [];
    await checkNodes(client, input);
    return withSchemaLock(client, work, async () => {
      await waitForStillSchema(client, work);
      if (await isReached(client, input, { kind, to })) return []; // by the one that held the lock
      await checkNodes(client, input); // one that went down meanwhile agrees with nobody
      const from = await readVersionRow(client, input);
      const lines = await makeDroppedAnew(client, { folder: cassandraScripts(kind), from, to }, work);
      const password = input.password === undefined ? undefined : await readSecret(input.password);
      const stop = setInterval(
        () => work.onProgress?.(`the schema tool is at work: keyspace ${client.keyspace} → ${to}`),
        PROGRESS_MS,
      );
      try {
        await runCommand(tool.program, ['update-schema', ...tool.scripts, '--version', to], {
          env: cassandraToolEnvironment(input, password),
          secrets: password === undefined ? [] : [password],
          signal: work.signal,
        });
      } catch (error) {
        throw isHalfDone(error) ? halfDone(error, input, { to, at: await readVersionRow(client, input) }) : error;
      } finally {
        clearInterval(stop);
      }
      await waitForStillSchema(client, work);
      return lines;
    });
  });
  const reached = await withCassandra(input, (client) => readVersionRow(client, input));
  if (reached === to) return madeAnew;
  throw new Error(
    `temporal-cassandra-tool ${serverVersion} ended well, but ${placeText(input)} has schema ${reached}, not ${to}`,
  );
}

async function isReached(
  client: CassandraClient,
  input: CassandraStore,
  { kind, to }: Pick<SchemaUpdate, 'kind' | 'to'>,
): Promise<boolean> {
  await checkKind(client, input, kind);
  return isSchemaReached(placeText(input), { present: await readVersionRow(client, input), to });
}

async function checkNodes(client: CassandraClient, input: CassandraStore): Promise<void> {
  const down = (await readNodes(client)).filter(({ up }) => !up).map(({ address }) => address);
  if (down.length === 0) return;
  throw new PreconditionError(
    `nodes ${down.join(', ')} of ${placeText(input)} are down, and a change of tables takes all of them; bring them back, or take them ` +
      'out of the cluster (nodetool removenode), then try again',
    { reason: 'nodes-down', nodes: down },
  );
}

function isHalfDone(error: unknown): error is CommandError {
  return error instanceof CommandError && isDoneBeforeOnCassandra(error.stderrTail);
}

function halfDone(error: CommandError, input: CassandraStore, versions: { at: string; to: string }): PreconditionError {
  return new PreconditionError(
    `a schema step after ${versions.at} in ${placeText(input)} was left half-done, and Cassandra keeps what was done of it: take back ` +
      'what the message names (it is new in this step, so nothing uses it yet), or restore the backup of this hop; then try again. ' +
      error.message,
    { reason: 'schema-half-done', keyspace: input.keyspace, ...versions },
    { cause: error },
  );
}
