import { CASSANDRA_DIALECT } from '../../core/schema/cassandra-dialect.js';
import type { LeftOver } from '../../core/schema/half-done.js';
import type { SchemaShape } from '../../core/schema/schema-shape.js';
import type { LeftOverStep } from '../../core/survey/store-survey.js';
import type { Work } from '../store.js';
import type { SchemaPlace } from '../store-parts/survey-parts.js';
import { asLeftOverStep, findUnfinishedStep } from '../store-parts/unfinished-step.js';
import type { CassandraClient } from './cassandra-connection.js';
import { readShape } from './cassandra-shape.js';

/**
 * What is left of a step that was not finished; none where the catalogue does not know the tables of one of both versions. Cassandra
 * keeps each statement by itself, and the tool passes over what is there already.
 */
export async function findLeftOvers(place: SchemaPlace, found: SchemaShape): Promise<LeftOverStep[]> {
  const { left, changed } = await findUnfinishedStep(place, found, CASSANDRA_DIALECT);
  return [...left.map(asStep), ...changed];
}

/**
 * Makes tables anew that a tool dropped which was killed within the step: "Table … doesn't exist" is what no tool passes over. The
 * caller holds the lock of the schema. @returns what was made, a line each
 */
export async function makeDroppedAnew(client: CassandraClient, place: SchemaPlace, work: Work): Promise<string[]> {
  const lines: string[] = [];
  const { left } = await findUnfinishedStep(place, await readShape(client), CASSANDRA_DIALECT);
  for (const { what, takeBack } of left.filter(isGoneTable)) {
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
export function asStep(one: LeftOver): LeftOverStep {
  const step = asLeftOverStep(one);
  if (one.isOther) return { ...step, doubt: 'it is not what the scripts make' };
  if (isGoneTable(one)) return step;
  if (one.index !== undefined && one.gone === true) return { ...step, doubt: 'Cassandra does not drop it twice' };
  return { ...step, passedOver: true };
}

function isGoneTable({ gone, column, index }: LeftOver): boolean {
  return gone === true && column === undefined && index === undefined;
}
