import { PreconditionError } from '../../core/errors.js';
import type { MysqlStore } from '../../core/input/input.js';
import type { LeftOver } from '../../core/schema/half-done.js';
import { MYSQL_DIALECT } from '../../core/schema/schema-dialect.js';
import type { SchemaPlace } from '../store-parts/survey-parts.js';
import { findUnfinishedStep } from '../store-parts/unfinished-step.js';
import type { Work } from '../store.js';
import type { MysqlClient } from './mysql-connection.js';
import { readShape } from './mysql-shape.js';

/** What is left of a step that was not finished, with why it is not taken back by itself where it is not. */
export interface Examined extends LeftOver {
  readonly doubt?: string | undefined;
}

/**
 * Refuses to be in the way of readers and writers, which MySQL cannot promise for an index on an expression. The scripts make such ones
 * without it, so that MySQL locks as little as it can; their statements are to be done here and now.
 */
const ONLY_BESIDE_OTHERS = /, LOCK=NONE;$/;

/** Left-overs of a step after the present version, each examined. */
export async function examine(client: MysqlClient, left: readonly LeftOver[]): Promise<Examined[]> {
  const examined: Examined[] = [];
  for (const one of left) examined.push({ ...one, doubt: await doubtOf(client, one) });
  return examined;
}

async function doubtOf(client: MysqlClient, one: LeftOver): Promise<string | undefined> {
  const { table, column, holdsValues, hasDefault, isOther } = one;
  if (isOther) return 'it is not what the scripts make';
  if (!holdsValues) return undefined;
  const name = column === undefined ? undefined : client.name(column);
  const set = hasDefault === true ? `not (${name} <=> default(${name}))` : `${name} is not null`;
  const rows = await client.ask(
    `select 1 from ${client.name(table)}${name === undefined ? '' : ` where ${set}`} limit 1`,
  );
  return rows.length === 0 ? undefined : 'there are values in it';
}

/**
 * Takes back what a tool that was killed within a step did of it, so that the step can be done: MySQL commits each statement by
 * itself, and refuses to add the same column or index twice. The caller holds the lock of the schema, and no tool is at work.
 * Killed in between, it goes on with what is left.
 * @returns what was taken back, a line each
 * @throws PreconditionError when something of it is not the tool's, or holds values; nothing was changed then
 */
export async function takeBackHalfStep(
  client: MysqlClient,
  input: Pick<MysqlStore, 'database' | 'host' | 'port'>,
  place: SchemaPlace,
  work: Work,
): Promise<string[]> {
  const left = await examine(client, (await findUnfinishedStep(place, await readShape(client), MYSQL_DIALECT)).left);
  const doubtful = left.filter(({ doubt }) => doubt !== undefined);
  if (doubtful.length > 0) {
    const lines = doubtful.map(({ what, doubt, takeBack }) => `${what}, and ${doubt}: ${takeBack}`);
    throw new PreconditionError(
      `the scripts after schema ${place.from} cannot be run in database "${input.database}" at ${input.host}:${input.port}, as MySQL ` +
        `takes their statements only once:\n${lines.join('\n')}\nFind out who made it, take it back, then try again; or restore the backup of this hop`,
      { reason: 'schema-half-done', database: input.database, at: place.from, to: place.to, left: doubtful.length },
    );
  }
  const lines: string[] = [];
  for (const { what, takeBack } of left) {
    work.signal?.throwIfAborted();
    work.onProgress?.(`taking back what an unfinished step left: ${takeBack}`);
    await client.act(takeBack.replace(ONLY_BESIDE_OTHERS, ';'));
    lines.push(`${what}, left by an unfinished step: taken back`);
  }
  return lines;
}
