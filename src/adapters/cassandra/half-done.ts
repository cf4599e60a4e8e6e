import { CASSANDRA_DIALECT } from '../../core/schema/cassandra-dialect.js';
import { leftOvers, type LeftOver } from '../../core/schema/half-done.js';
import type { SchemaShape } from '../../core/schema/schema-shape.js';
import type { LeftOverStep } from '../../core/survey/store-survey.js';
import { loadShape } from '../catalogue-file.js';
import type { Work } from '../store.js';
import type { SchemaPlace } from '../store-parts/survey-parts.js';
import type { CassandraClient } from './cassandra-connection.js';
import { readShape } from './cassandra-shape.js';

/**
 * What is left of a step that was not finished; none where the catalogue does not know the tables of one of both versions. Cassandra
 * keeps each statement by itself, and the tool passes over what is there already.
 */
export async function findLeftOvers(place: SchemaPlace, found: SchemaShape): Promise<LeftOverStep[]> {
  return (await leftOf(place, found)).map(asStep);
}

async function leftOf({ folder, from, to }: SchemaPlace, found: SchemaShape): Promise<LeftOver[]> {
  const [before, after] = [await loadShape(folder, from), await loadShape(folder, to)];
  if (before === undefined || after === undefined) return [];
  return leftOvers({ before, after, found }, CASSANDRA_DIALECT);
}

/**
 * Makes tables anew that a tool dropped which was killed within the step: "Table … doesn't exist" is what no tool passes over. The
 * caller holds the lock of the schema. @returns what was made, a line each
 */
export async function makeDroppedAnew(client: CassandraClient, place: SchemaPlace, work: Work): Promise<string[]> {
  const lines: string[] = [];
  for (const { tableGone, what, takeBack } of await leftOf(place, await readShape(client))) {
    if (tableGone !== true) continue;
    work.signal?.throwIfAborted();
    work.onProgress?.(`making anew what an unfinished step dropped: ${takeBack}`);
    await client.change(takeBack);
    lines.push(`${what}, left by an unfinished step: made anew, so that the step can drop it`);
  }
  return lines;
}

/**
 * "… already exists" and "Column … was not found" are passed over (tools/common/schema/updatetask.go of the server); of an index that is
 * gone Cassandra says that it "could not be found", which is not.
 */
export function asStep({ table, what, index, tableGone, takeBack, isOther }: LeftOver): LeftOverStep {
  if (isOther) return { what, takeBack, doubt: 'it is not what the scripts make' };
  if (tableGone === true) return { what, takeBack, goneTable: table };
  if (index !== undefined && what.endsWith('is gone already'))
    return { what, takeBack, doubt: 'Cassandra does not drop it twice' };
  return { what, takeBack, passedOver: true };
}
