import { z } from 'zod';
import { InvalidRolloutError } from '../errors.js';
import { problemsOf } from '../input/input-problems.js';
import type { SchemaShape, TableShape } from './schema-shape.js';
import { compareSchemaVersions } from '../version.js';

const Column = z.strictObject({
  type: z.string(),
  notNull: z.literal(true).optional(),
  default: z.string().optional(),
  generated: z.string().optional(),
});

const Index = z.strictObject({ on: z.string(), unique: z.literal(true).optional() });

/** What a schema version changes in a table against the version before; null takes away. */
const TableChange = z.strictObject({
  columns: z.record(z.string(), Column.nullable()).optional(),
  primaryKey: z.array(z.string()).optional(),
  indexes: z.record(z.string(), Index.nullable()).optional(),
});

const ShapeChange = z.record(z.string(), TableChange.nullable());

/** A file of shapes: that of the lowest schema version whole, of each later one what it changes, so that it can be read. */
const ShapeFile = z.strictObject({
  /** Folder of the scripts below `schema/`. */
  store: z.string(),
  /** Server version whose scripts made the shapes. */
  scriptsOf: z.string(),
  /** Database that reported them, such as `PostgreSQL 17.10`. */
  reportedBy: z.string(),
  shapes: z.record(z.string().regex(/^\d+\.\d+$|^v\d+$/), ShapeChange),
});

export type ShapeFile = z.infer<typeof ShapeFile>;
export type ShapeChange = z.infer<typeof ShapeChange>;

/** @throws InvalidRolloutError with every place that is not as it has to be */
export function parseShapeFile(raw: unknown): ShapeFile {
  const result = ShapeFile.safeParse(raw);
  if (result.success) return result.data;
  throw new InvalidRolloutError(problemsOf(result.error));
}

/** The whole shape at a schema version; undefined when the file does not know that version. */
export function shapeAt({ shapes }: ShapeFile, schemaVersion: string): SchemaShape | undefined {
  if (shapes[schemaVersion] === undefined) return undefined;
  return Object.keys(shapes)
    .filter((version) => compareSchemaVersions(version, schemaVersion) <= 0)
    .toSorted(compareSchemaVersions)
    .reduce<SchemaShape>((shape, version) => applyChange(shape, shapes[version] ?? {}), {});
}

/** The shape after a change. */
export function applyChange(shape: SchemaShape, change: ShapeChange): SchemaShape {
  return merge(shape, change, (table, changes) => ({
    columns: merge(table?.columns ?? {}, changes.columns ?? {}, (_, column) => column),
    primaryKey: changes.primaryKey ?? table?.primaryKey ?? [],
    indexes: merge(table?.indexes ?? {}, changes.indexes ?? {}, (_, index) => index),
  }));
}

/** What has to be changed to get from one shape to another. */
export function changeBetween(before: SchemaShape, after: SchemaShape): ShapeChange {
  return diff(before, after, (from: TableShape | undefined, to) => {
    const columns = diff(from?.columns ?? {}, to.columns, (_, column) => ({ ...column }));
    const indexes = diff(from?.indexes ?? {}, to.indexes, (_, { on, unique }) => ({
      on,
      ...(unique === true ? { unique } : {}),
    }));
    const hasOtherKey = from === undefined || !isSame(from.primaryKey, to.primaryKey);
    return {
      ...(Object.keys(columns).length > 0 ? { columns } : {}),
      ...(hasOtherKey ? { primaryKey: [...to.primaryKey] } : {}),
      ...(Object.keys(indexes).length > 0 ? { indexes } : {}),
    };
  });
}

/** Entries of `base` with those of `changes` put over them by `combine`; a null takes an entry away. */
function merge<T, C>(
  base: Readonly<Record<string, T>>,
  changes: Readonly<Record<string, C | null>>,
  combine: (before: T | undefined, change: C) => T,
): Record<string, T> {
  const merged = new Map(Object.entries(base));
  for (const [name, change] of Object.entries(changes)) {
    if (change === null) merged.delete(name);
    else merged.set(name, combine(merged.get(name), change));
  }
  return Object.fromEntries(merged);
}

/** Entries that differ, by `describe`; null for those that are gone. */
function diff<T, C>(
  before: Readonly<Record<string, T>>,
  after: Readonly<Record<string, T>>,
  describe: (before: T | undefined, after: T) => C,
): Record<string, C | null> {
  const changed = Object.entries(after)
    .filter(([name, value]) => !isSame(before[name], value))
    .map(([name, value]) => [name, describe(before[name], value)] as const);
  const gone = Object.keys(before)
    .filter((name) => after[name] === undefined)
    .map((name) => [name, null] as const);
  return Object.fromEntries([...changed, ...gone]);
}

/** Equal whatever the order of keys is. */
export function isSame(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b);
}

function canonical(value: unknown): string | undefined {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
