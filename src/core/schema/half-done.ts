import type { SchemaDialect } from './schema-dialect.js';
import { isSame } from './shape-file.js';
import type { SchemaShape, TableShape } from './schema-shape.js';

/**
 * Something that a schema tool did in a step that it did not finish. The version is written when a step is done, so the next tool
 * begins the step anew, and fails where the database takes the same statement only once.
 */
export interface LeftOver {
  readonly table: string;
  /** A new column, or index, that is there; of neither, the table is new itself. */
  readonly column?: string | undefined;
  readonly index?: string | undefined;
  /** The table itself is gone before its time. */
  readonly tableGone?: true | undefined;
  /** For people: `column Score of table orders is there already`. */
  readonly what: string;
  /** Statement after which it is as before the step. */
  readonly takeBack: string;
  /** Values in it would be lost: it may only go when there are none. */
  readonly holdsValues: boolean;
  /** It is not what the step makes, so somebody else made it. */
  readonly isOther: boolean;
}

export interface HalfDone {
  /** Tables as the present schema version has them. */
  readonly before: SchemaShape;
  /** As the version has them that the tool was on its way to. */
  readonly after: SchemaShape;
  readonly found: SchemaShape;
}

/**
 * What is there of `after` before its time, and what is gone already; in the order in which it can be taken back: indexes, columns,
 * tables. Changes of columns are left aside: the same statement does them again.
 */
export function leftOvers({ before, after, found }: HalfDone, dialect: SchemaDialect): LeftOver[] {
  const indexes: LeftOver[] = [];
  const columns: LeftOver[] = [];
  const tables: LeftOver[] = [];
  for (const [table, present] of Object.entries(found)) {
    const [old, wanted] = [before[table], after[table]];
    if (old !== undefined) {
      indexes.push(...leftIndexes({ table, dialect }, { old, wanted, present }));
      columns.push(...leftColumns({ table, dialect }, { old, wanted, present }));
    } else if (wanted !== undefined) {
      tables.push({
        table,
        what: `table ${table} is there already`,
        takeBack: dialect.dropTable(table),
        holdsValues: true,
        // Its indexes, and columns of later steps, come after it.
        isOther: Object.entries(present.columns).some(([name, shape]) => !isSame(wanted.columns[name], shape)),
      });
    }
  }
  return [...indexes, ...columns, ...tables, ...goneTables({ before, after, found }, dialect)];
}

/**
 * Tables that the step drops, and that are gone: a database drops none twice. Made anew they are empty, which loses nothing: the step
 * drops them again. One that takes several statements to make is left to people.
 */
function goneTables({ before, after, found }: HalfDone, dialect: SchemaDialect): LeftOver[] {
  return Object.entries(before).flatMap(([table, shape]) => {
    if (after[table] !== undefined || found[table] !== undefined) return [];
    const [takeBack, ...more] = dialect.createTable(table, shape);
    if (takeBack === undefined || more.length > 0) return [];
    const what = `table ${table} is gone already`;
    return { table, tableGone: true, what, takeBack, holdsValues: false, isOther: false };
  });
}

interface Place {
  readonly table: string;
  readonly dialect: SchemaDialect;
}

interface Shapes {
  readonly old: TableShape;
  readonly wanted: TableShape | undefined;
  readonly present: TableShape;
}

function leftIndexes({ table, dialect }: Place, { old, wanted, present }: Shapes): LeftOver[] {
  const early = Object.entries(present.indexes).flatMap(([index, shape]) => {
    const coming = wanted?.indexes[index];
    if (coming === undefined || old.indexes[index] !== undefined) return [];
    return {
      ...{ table, index, what: `index ${index} of table ${table} is there already` },
      takeBack: dialect.dropIndex(table, index),
      ...{ holdsValues: false, isOther: !isSame(coming, shape) },
    };
  });
  const gone = Object.entries(old.indexes).flatMap(([index, shape]) => {
    const stays = isSame(wanted?.indexes[index], shape);
    if (stays || present.indexes[index] !== undefined) return [];
    return {
      ...{ table, index, what: `index ${index} of table ${table} is gone already` },
      takeBack: dialect.buildIndex(table, index, shape),
      ...{ holdsValues: false, isOther: false },
    };
  });
  return [...early, ...gone];
}

function leftColumns({ table, dialect }: Place, { old, wanted, present }: Shapes): LeftOver[] {
  const early = Object.entries(present.columns).flatMap(([column, shape]) => {
    const coming = wanted?.columns[column];
    if (coming === undefined || old.columns[column] !== undefined) return [];
    return {
      ...{ table, column, what: `column ${column} of table ${table} is there already` },
      takeBack: dialect.dropColumn(table, column),
      holdsValues: shape.generated === undefined,
      isOther: !isSame(coming, shape),
    };
  });
  const gone = Object.entries(old.columns).flatMap(([column, shape]) => {
    if (wanted?.columns[column] !== undefined || present.columns[column] !== undefined) return [];
    return {
      ...{ table, column, what: `column ${column} of table ${table} is gone already` },
      // What was in it was to go; the step drops it again.
      takeBack: dialect.addColumn(table, column, shape),
      ...{ holdsValues: false, isOther: false },
    };
  });
  return [...early, ...gone];
}
