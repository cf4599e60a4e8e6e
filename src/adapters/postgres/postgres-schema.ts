import type pg from 'pg';
import { PreconditionError } from '../../core/errors.js';
import type { PostgresStore } from '../../core/input/input.js';
import { isDoneBeforeOnPostgres } from '../../core/schema/done-before.js';
import { compareVersions } from '../../core/version.js';
import { withPostgres } from './postgres-connection.js';
import { checkIndexes, checkKind, readVersionRow } from './postgres-inspect.js';
import { bringBackDropped } from './half-done.js';
import { CommandError, runCommand } from '../run-command.js';
import { describeTool, lockSchema, waitForEarlierTool } from './schema-lock.js';
import { readSecret } from '../secrets.js';
import { reportTool } from '../sql/report-tool.js';
import { bringSchemaTool, scriptsFolder, sqlToolEnvironment, updateSchemaArguments } from '../sql/sql-tool.js';
import type { StoreRole, Work } from '../store.js';
import type { ToolResolver } from '../tools/tools.js';
import { isSchemaReached } from '../store-parts/schema-reached.js';

/** First version whose tool passes over what is there already (tools/common/schema/updatetask.go at 1.21.6 and 1.22.4). */
const FIRST_TO_PASS_OVER = '1.22.0';

export interface SchemaUpdate {
  readonly kind: StoreRole;
  readonly to: string;
  readonly serverVersion: string;
  readonly tools: ToolResolver;
}

/**
 * Brings the schema of a PostgreSQL store to `to`, one caller at a time. The tool writes the version after the statements of each
 * version. Begun anew after a kill, it passes over what is already there; tools before 1.22 do not, and that is then a person's work.
 * What it had dropped no tool passes over: that is made anew first.
 * @returns what was made anew, a line each
 * @throws PreconditionError when the schema is newer than `to`, the database is not the one meant, or such a step is half-done
 */
export async function updatePostgresSchema(input: PostgresStore, update: SchemaUpdate, work: Work): Promise<string[]> {
  const { kind, to, serverVersion, tools } = update;
  if (await withPostgres(input, (client) => isReached(client, input, { kind, to }))) return [];
  const tool = await bringSchemaTool(tools, { folder: scriptsFolder(input, kind), serverVersion }, work);
  const madeAnew = await withPostgres(input, async (client) => {
    await lockSchema(client, work);
    await waitForEarlierTool(client, work);
    if (await isReached(client, input, { kind, to })) return []; // by the one that held the lock
    const from = await readVersionRow(client, input);
    const lines = await bringBackDropped(client, input, { folder: scriptsFolder(input, kind), from, to }, work);
    const password = input.password === undefined ? undefined : await readSecret(input.password);
    const stopProgress = reportTool(() => describeTool(client), work);
    try {
      await runCommand(tool.program, updateSchemaArguments(tool, to), {
        env: sqlToolEnvironment(input, password),
        // The tool writes the password into an address, encoded.
        secrets: password === undefined ? [] : [password, encodeURIComponent(password)],
        signal: work.signal,
      });
    } catch (error) {
      throw isHalfDone(error, serverVersion) ? halfDone(error, input, serverVersion) : error;
    } finally {
      stopProgress();
    }
    return lines;
  });
  const reached = await withPostgres(input, async (client) => {
    await checkIndexes(client, input);
    return readVersionRow(client, input);
  });
  if (reached === to) return madeAnew;
  throw new Error(
    `temporal-sql-tool ${serverVersion} ended well, but database "${input.database}" has schema ${reached}, not ${to}`,
  );
}

async function isReached(
  client: pg.Client,
  input: PostgresStore,
  { kind, to }: Pick<SchemaUpdate, 'kind' | 'to'>,
): Promise<boolean> {
  await checkKind(client, input, kind);
  const where = `database "${input.database}" at ${input.host}:${input.port}`;
  const reached = isSchemaReached(where, { present: await readVersionRow(client, input), to });
  if (!reached) return false; // a half-built index is then repaired by the scripts themselves
  await checkIndexes(client, input);
  return true;
}

function isHalfDone(error: unknown, serverVersion: string): error is CommandError {
  return error instanceof CommandError && isDoneBeforeOnPostgres(error.stderrTail, passesOver(serverVersion));
}

function passesOver(serverVersion: string): boolean {
  return compareVersions(serverVersion, FIRST_TO_PASS_OVER) >= 0;
}

function halfDone(error: CommandError, input: PostgresStore, serverVersion: string): PreconditionError {
  return new PreconditionError(
    `a schema step in database "${input.database}" at ${input.host}:${input.port} was left half-done, and the tool of ` +
      `${serverVersion} cannot go on with it: remove what "already exists" (it is new in this step, so it is empty), make anew what ` +
      `"does not exist" (the step drops it again), and try again; or restore the backup of this hop. ${error.message}`,
    { reason: 'schema-half-done', database: input.database, serverVersion },
    { cause: error },
  );
}
