import type { SchemaDialect } from './schema-dialect.js';
import { isSame } from './shape-file.js';
import type { ColumnShape, IndexShape, SchemaShape, TableShape } from './schema-shape.js';

/**
 * Something that a schema tool did in a step that it did not finish. The version is written when a step is done, so the next tool
 * begins the step anew, and fails where the database takes the same statement only once.
 */
export interface LeftOver {
  readonly table: string;
  /** The column, or index, that is there already or gone; of neither, it is the table itself. */
  readonly column?: string | undefined;
  readonly index?: string | undefined;
  /** It is gone before its time, and not there before it. */
  readonly gone?: true | undefined;
  /** For people: `column Score of table orders is there already`. */
  readonly what: string;
  /** Statement after which it is as before the step. */
  readonly takeBack: string;
  /** Values in it would be lost: it may only go when there are none. */
  readonly holdsValues: boolean;
  /** Rows that were there before it have its default. */
  readonly hasDefault?: true | undefined;
  /** It is not what the step makes, so somebody else made it. */
  readonly isOther: boolean;
}

export interface HalfDone {
  /** Tables as the present schema version has them. */
  readonly before: SchemaShape;
  /** As each later version has them, up to that which the tool was on its way to, oldest first. It was killed within the first. */
  readonly steps: readonly SchemaShape[];
  readonly found: SchemaShape;
}

/**
 * What is there of `steps` before its time, and what is gone already; in the order in which it can be taken back: new indexes, columns
 * and tables, then tables, columns and indexes that are gone. Changes of columns are left aside: the same statement does them again.
 */
export function leftOvers(half: HalfDone, dialect: SchemaDialect): LeftOver[] {
  const { before, steps, found } = half;
  const tables = Object.entries(found).flatMap(([table, present]): Place[] => {
    const old = before[table];
    if (old === undefined) return [];
    return [{ table, dialect, old, present, later: steps.map((step) => step[table]) }];
  });
  return [
    ...tables.flatMap(earlyIndexes),
    ...tables.flatMap(earlyColumns),
    ...earlyTables(half, dialect),
    ...goneTables(half, dialect),
    ...tables.flatMap(goneColumns),
    ...tables.flatMap(goneIndexes),
  ];
}

/** Columns that are not as before the step, but as a later version has them. */
export function changedAlready({
  before,
  steps,
  found,
}: HalfDone): { readonly table: string; readonly column: string }[] {
  return Object.entries(found).flatMap(([table, { columns }]) =>
    Object.entries(columns).flatMap(([column, shape]) => {
      const old = before[table]?.columns[column];
      if (old === undefined || isSame(old, shape)) return [];
      return steps.some((step) => isSame(step[table]?.columns[column], shape)) ? { table, column } : [];
    }),
  );
}

/** A table that was there before the step, and is. */
interface Place {
  readonly table: string;
  readonly dialect: SchemaDialect;
  readonly old: TableShape;
  readonly present: TableShape;
  /** As the later versions have it; undefined in those that have it no more. */
  readonly later: readonly (TableShape | undefined)[];
}

function earlyTables({ before, steps, found }: HalfDone, dialect: SchemaDialect): LeftOver[] {
  return Object.entries(found).flatMap(([table, present]) => {
    const coming = steps.flatMap((step) => step[table] ?? []);
    if (before[table] !== undefined || coming.length === 0) return [];
    // Its indexes, and columns of later steps, come after it.
    const isPartOf = (wanted: TableShape) =>
      Object.entries(present.columns).every(([name, shape]) => isSame(wanted.columns[name], shape));
    return {
      ...{ table, what: `table ${table} is there already`, takeBack: dialect.dropTable(table) },
      ...{ holdsValues: true, isOther: !coming.some(isPartOf) },
    };
  });
}

/**
 * Tables that the step drops, and that are gone: a database drops none twice. Made anew they are empty, which loses nothing: the step
 * drops them again. One that takes several statements to make is left to people.
 */
function goneTables({ before, steps, found }: HalfDone, dialect: SchemaDialect): LeftOver[] {
  return Object.entries(before).flatMap(([table, shape]) => {
    if (found[table] !== undefined || steps.every((step) => step[table] !== undefined)) return [];
    const [takeBack, ...more] = dialect.createTable(table, shape);
    if (takeBack === undefined || more.length > 0) return [];
    const what = `table ${table} is gone already`;
    return { table, gone: true, what, takeBack, holdsValues: false, isOther: false };
  });
}

function earlyIndexes({ table, dialect, old, present, later }: Place): LeftOver[] {
  return Object.entries(present.indexes).flatMap(([index, { on, unique }]) => {
    const coming = later.flatMap((step) => step?.indexes[index] ?? []);
    if (coming.length === 0 || old.indexes[index] !== undefined) return [];
    return {
      ...{ table, index, what: `index ${index} of table ${table} is there already` },
      takeBack: dialect.dropIndex(table, index),
      ...{ holdsValues: false, isOther: !coming.some((wanted) => isSame(wanted, { on, unique })) },
    };
  });
}

function goneIndexes({ table, dialect, old, present, later }: Place): LeftOver[] {
  const changed = Object.keys(old.columns).filter((column) => isChanged(column, { old, later }));
  return Object.entries(old.indexes).flatMap(([index, shape]) => {
    const stays = later.every((step) => step === undefined || isSame(step.indexes[index], shape));
    if (present.indexes[index] !== undefined || (stays && !changed.some((column) => isOn(shape, column)))) return [];
    return {
      ...{ table, index, gone: true, what: `index ${index} of table ${table} is gone already` },
      takeBack: dialect.buildIndex(table, index, shape),
      ...{ holdsValues: false, isOther: false },
    };
  });
}

function earlyColumns({ table, dialect, old, present, later }: Place): LeftOver[] {
  return Object.entries(present.columns).flatMap(([column, shape]) => {
    const coming = later.flatMap((step) => step?.columns[column] ?? []);
    if (coming.length === 0 || old.columns[column] !== undefined) return [];
    return {
      ...{ table, column, what: `column ${column} of table ${table} is there already` },
      takeBack: dialect.dropColumn(table, column),
      holdsValues: shape.generated === undefined,
      ...(shape.default === undefined ? {} : { hasDefault: true }),
      isOther: !coming.some((wanted) => isSame(wanted, shape)),
    };
  });
}

/** What was in it was to go; the step drops it again, also where it then adds another of that name. */
function goneColumns({ table, dialect, old, present, later }: Place): LeftOver[] {
  return Object.entries(old.columns).flatMap(([column, shape]) => {
    if (present.columns[column] !== undefined || !isChanged(column, { old, later })) return [];
    return {
      ...{ table, column, gone: true, what: `column ${column} of table ${table} is gone already` },
      takeBack: dialect.addColumn(table, column, mayBeEmpty(shape)),
      ...{ holdsValues: false, isOther: false },
    };
  });
}

/** Whether a later version has the column no more, or another of its name. */
function isChanged(column: string, { old, later }: Pick<Place, 'old' | 'later'>): boolean {
  return later.some((step) => step !== undefined && !isSame(step.columns[column], old.columns[column]));
}

/** Rows that are there have nothing for a column that comes back. */
function mayBeEmpty({ notNull, ...column }: ColumnShape): ColumnShape {
  return notNull === true && column.default !== undefined ? { ...column, notNull } : column;
}

/** Whether the keys or the condition of an index name the column. */
function isOn({ on }: IndexShape, column: string): boolean {
  return on.split(/\W+/).includes(column);
}
