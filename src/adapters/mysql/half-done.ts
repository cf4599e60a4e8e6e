import { PreconditionError } from '../../core/errors.js';
import type { MysqlStore } from '../../core/input/input.js';
import { leftOvers, type LeftOver } from '../../core/schema/half-done.js';
import { MYSQL_DIALECT } from '../../core/schema/schema-dialect.js';
import type { SchemaShape } from '../../core/schema/schema-shape.js';
import { loadShape } from '../catalogue-file.js';
import type { SchemaPlace } from '../store-parts/survey-parts.js';
import type { Work } from '../store.js';
import type { MysqlClient } from './mysql-connection.js';
import { readShape } from './mysql-shape.js';

/** What is left of a step that was not finished, with why it is not taken back by itself where it is not. */
export interface Examined extends LeftOver {
  readonly doubt?: string | undefined;
}

/** Left-overs of a step after `from`; none where the catalogue does not know the tables of one of both versions. */
export async function findLeftOvers(
  client: MysqlClient,
  { folder, from, to }: SchemaPlace,
  found?: SchemaShape,
): Promise<Examined[]> {
  const [before, after] = [await loadShape(folder, from), await loadShape(folder, to)];
  if (before === undefined || after === undefined) return [];
  const left = leftOvers({ before, after, found: found ?? (await readShape(client)) }, MYSQL_DIALECT);
  const examined: Examined[] = [];
  for (const one of left) examined.push({ ...one, doubt: await doubtOf(client, one) });
  return examined;
}

async function doubtOf(
  client: MysqlClient,
  { table, column, holdsValues, isOther }: LeftOver,
): Promise<string | undefined> {
  if (isOther) return 'it is not what the scripts make';
  if (!holdsValues) return undefined;
  const where = column === undefined ? '' : ` where ${client.name(column)} is not null`;
  const rows = await client.ask(`select 1 from ${client.name(table)}${where} limit 1`);
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
  const left = await findLeftOvers(client, place);
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
    await client.act(takeBack);
    lines.push(`${what}, left by an unfinished step: taken back`);
  }
  return lines;
}
