import { expect, test } from '@jest/globals';
import { loadShape } from '../../../src/adapters/catalogue-file.js';
import { asStep, findLeftOvers } from '../../../src/adapters/cassandra/half-done.js';
import type { SchemaShape } from '../../../src/core/schema/schema-shape.js';

const place = { folder: 'cassandra/temporal', from: '1.12', to: '1.13' };
/** The step from 1.12 to 1.13 makes one table. */
const NEW = 'tasks_v2';

async function shapesOf(): Promise<{ before: SchemaShape; after: SchemaShape }> {
  const [before, after] = [await loadShape(place.folder, place.from), await loadShape(place.folder, place.to)];
  if (before === undefined || after === undefined) throw new Error('the catalogue does not know them');
  return { before, after };
}

test('nothing is left of a step that was not begun', async () => {
  const { before } = await shapesOf();
  expect(await findLeftOvers(place, before)).toEqual([]);
});

test('what the step makes is passed over by the tool; what is called the same and is another is a doubt', async () => {
  const { before, after } = await shapesOf();
  const made = after[NEW];
  if (made === undefined) throw new Error(`the step makes no ${NEW}`);
  expect(await findLeftOvers(place, { ...before, [NEW]: made })).toEqual([
    { what: 'table tasks_v2 is there already', takeBack: 'DROP TABLE tasks_v2;', passedOver: true },
  ]);
  const other = { ...made, columns: { ...made.columns, note: { type: 'text' } } };
  expect(await findLeftOvers(place, { ...before, [NEW]: other })).toMatchObject([
    { what: 'table tasks_v2 is there already', doubt: 'it is not what the scripts make' },
  ]);
});

test('a column that is gone is passed over, an index that is gone is not', () => {
  // Made up: no step of Temporal's drops an index.
  const column = { table: 'queue', column: 'owner', what: 'column owner of table queue is gone already' };
  const index = { table: 'queue', index: 'by_owner', what: 'index by_owner of table queue is gone already' };
  const rest = { gone: true, takeBack: 'ALTER …', holdsValues: false, isOther: false } as const;
  expect(asStep({ ...column, ...rest })).toMatchObject({ passedOver: true });
  expect(asStep({ ...index, ...rest })).toMatchObject({ doubt: 'Cassandra does not drop it twice' });
});
