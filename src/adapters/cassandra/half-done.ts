import { CASSANDRA_DIALECT } from '../../core/schema/cassandra-dialect.js';
import { leftOvers, type LeftOver } from '../../core/schema/half-done.js';
import type { SchemaShape } from '../../core/schema/schema-shape.js';
import type { LeftOverStep } from '../../core/survey/store-survey.js';
import { loadShape } from '../catalogue-file.js';
import type { SchemaPlace } from '../store-parts/survey-parts.js';

/**
 * What is left of a step that was not finished; none where the catalogue does not know the tables of one of both versions. Cassandra
 * keeps each statement by itself, and nothing is taken back here: the tool passes over what is there already.
 */
export async function findLeftOvers({ folder, from, to }: SchemaPlace, found: SchemaShape): Promise<LeftOverStep[]> {
  const [before, after] = [await loadShape(folder, from), await loadShape(folder, to)];
  if (before === undefined || after === undefined) return [];
  return leftOvers({ before, after, found }, CASSANDRA_DIALECT).map(asStep);
}

/**
 * "… already exists" and "Column … was not found" are passed over (tools/common/schema/updatetask.go of the server); of an index that is
 * gone Cassandra says that it "could not be found", which is not.
 */
export function asStep({ what, index, takeBack, isOther }: LeftOver): LeftOverStep {
  if (isOther) return { what, takeBack, doubt: 'it is not what the scripts make' };
  if (index !== undefined && what.endsWith('is gone already'))
    return { what, takeBack, doubt: 'Cassandra does not drop it twice' };
  return { what, takeBack, passedOver: true };
}
