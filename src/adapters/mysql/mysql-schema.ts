import { PreconditionError } from '../../core/errors.js';
import type { MysqlStore } from '../../core/input/input.js';
import { isDoneBeforeOnMysql } from '../../core/schema/done-before.js';
import { CommandError, runCommand } from '../run-command.js';
import { readSecret } from '../secrets.js';
import { takeBackHalfStep } from './half-done.js';
import { reportTool } from '../sql/report-tool.js';
import { bringSchemaTool, scriptsFolder, sqlToolEnvironment, updateSchemaArguments } from '../sql/sql-tool.js';
import type { StoreRole, Work } from '../store.js';
import type { ToolResolver } from '../tools/tools.js';
import { isSchemaReached } from '../store-parts/schema-reached.js';
import { withMysql, type MysqlClient } from './mysql-connection.js';
import { checkKind, checkProduct, readVersionRow } from './mysql-inspect.js';
import { describeTool, lockSchema, waitForEarlierTool } from './schema-lock.js';

/** The tool sets the level of isolation by the name that MySQL 8 has for it, which MariaDB before 11 does not know. */
const MARIADB = { SQL_CONNECT_ATTRIBUTES: "tx_isolation='READ-COMMITTED'" };

export interface SchemaUpdate {
  readonly kind: StoreRole;
  readonly to: string;
  readonly serverVersion: string;
  readonly tools: ToolResolver;
}

/**
 * Brings the schema of a MySQL store to `to`, one caller at a time. MySQL commits each statement by itself, and the tool passes
 * over what exists already only where MySQL calls it so: tables, but not columns and indexes ("Duplicate column name"). So what
 * a tool left that was killed within a version is taken back first.
 * @returns what was taken back, a line each
 * @throws PreconditionError when the schema is newer than `to`, the database is not the one meant, or what an unfinished step left
 *   cannot be told from what others made
 */
export async function updateMysqlSchema(input: MysqlStore, update: SchemaUpdate, work: Work): Promise<string[]> {
  const { kind, to, serverVersion, tools } = update;
  if (await withMysql(input, (client) => isReached(client, input, { kind, to }))) return [];
  const tool = await bringSchemaTool(tools, { folder: scriptsFolder(input, kind), serverVersion }, work);
  const takenBack = await withMysql(input, async (client) => {
    await lockSchema(client, input.database, work);
    await waitForEarlierTool(client, work);
    if (await isReached(client, input, { kind, to })) return []; // by the one that held the lock
    const place = { folder: scriptsFolder(input, kind), from: await readVersionRow(client, input), to };
    const lines = await takeBackHalfStep(client, input, place, work);
    const { product } = await checkProduct(client, input, kind);
    const password = input.password === undefined ? undefined : await readSecret(input.password);
    const stopProgress = reportTool(() => describeTool(client), work);
    try {
      await runCommand(tool.program, updateSchemaArguments(tool, to), {
        env: { ...sqlToolEnvironment(input, password), ...(product === 'MariaDB' ? MARIADB : {}) },
        // The tool writes the password into an address, encoded.
        secrets: password === undefined ? [] : [password, encodeURIComponent(password)],
        signal: work.signal,
      });
    } catch (error) {
      throw isHalfDone(error) ? halfDone(error, input, { to, at: await readVersionRow(client, input) }) : error;
    } finally {
      stopProgress();
    }
    return lines;
  });
  const reached = await withMysql(input, (client) => readVersionRow(client, input));
  if (reached === to) return takenBack;
  throw new Error(
    `temporal-sql-tool ${serverVersion} ended well, but database "${input.database}" has schema ${reached}, not ${to}`,
  );
}

async function isReached(
  client: MysqlClient,
  input: MysqlStore,
  { kind, to }: Pick<SchemaUpdate, 'kind' | 'to'>,
): Promise<boolean> {
  await checkKind(client, input, kind);
  const where = `database "${input.database}" at ${input.host}:${input.port}`;
  return isSchemaReached(where, { present: await readVersionRow(client, input), to });
}

function isHalfDone(error: unknown): error is CommandError {
  return error instanceof CommandError && isDoneBeforeOnMysql(error.stderrTail);
}

function halfDone(error: CommandError, input: MysqlStore, versions: { at: string; to: string }): PreconditionError {
  return new PreconditionError(
    `a schema step after ${versions.at} in database "${input.database}" at ${input.host}:${input.port} was left half-done, and ` +
      'MySQL keeps what was done of it: take back what the message names (it is new in this step, so nothing uses ' +
      `it yet), or restore the backup of this hop; then try again. ${error.message}`,
    { reason: 'schema-half-done', database: input.database, ...versions },
    { cause: error },
  );
}
