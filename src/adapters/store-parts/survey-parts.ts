import { messageOf } from '../../core/errors.js';
import { compareShapes } from '../../core/schema/compare-shapes.js';
import type { SchemaDialect } from '../../core/schema/schema-dialect.js';
import { needsBetween, type SchemaNeeds } from '../../core/schema/schema-needs.js';
import type { SchemaShape } from '../../core/schema/schema-shape.js';
import type { ShapeDifference } from '../../core/schema/shape-difference.js';
import type { Seen } from '../../core/survey/seen.js';
import type { ScriptsAhead, StoreSurvey, TableKinds } from '../../core/survey/store-survey.js';
import { compareSchemaVersions } from '../../core/version.js';
import { loadShape } from '../catalogue-file.js';
import type { StoreRole, StoreSurveyRequest } from '../store.js';

/** Of what belongs to a database that was not reached. */
export const NOT_REACHED = { unseen: 'the database was not reached' };

/** Where a store is between the scripts that made it and those of the coming hop. */
export interface SchemaPlace {
  /** Folder of the scripts below the server's `schema/`. */
  readonly folder: string;
  readonly from: string;
  readonly to: string;
}

interface Compared {
  readonly role: StoreRole;
  readonly folder: string;
  readonly schemaVersion: Seen<string>;
  readonly tables: TableKinds;
  readonly dialect: SchemaDialect;
}

/** Where the tables are not as the scripts of the schema version that they say make them. */
export async function compareWithCatalogue(
  shape: Seen<SchemaShape>,
  { role, folder, schemaVersion, tables, dialect }: Compared,
): Promise<Seen<readonly ShapeDifference[]>> {
  if ('unseen' in shape) return shape;
  if ('unseen' in schemaVersion) return { unseen: 'its schema version is not known' };
  if (!tables[role]) return { unseen: `it does not hold the tables of a ${role} store` };
  const expected = await looked(loadShape(folder, schemaVersion.seen));
  if ('unseen' in expected) return expected;
  if (expected.seen !== undefined) return { seen: compareShapes(expected.seen, shape.seen, dialect) };
  return { unseen: `the catalogue does not know the tables of schema ${schemaVersion.seen} of ${folder}` };
}

/** What the coming scripts have before them, by `read`; undefined when none come. */
export async function lookAhead(
  { folder, schemaTo }: StoreSurveyRequest,
  { schemaVersion, shape }: { readonly schemaVersion: Seen<string>; readonly shape: Seen<SchemaShape> },
  read: (place: SchemaPlace, present: SchemaShape) => Promise<Seen<ScriptsAhead>>,
): Promise<Seen<ScriptsAhead> | undefined> {
  if (schemaTo === undefined) return undefined;
  if ('unseen' in schemaVersion) return { unseen: 'the schema version that they start from is not known' };
  if (compareSchemaVersions(schemaVersion.seen, schemaTo) >= 0) return undefined;
  if ('unseen' in shape) return shape;
  return read({ folder, from: schemaVersion.seen, to: schemaTo }, shape.seen);
}

/**
 * What scripts lie ahead and what they need. `present` stands in for the shape of `from` where the catalogue does not know that.
 * @throws Error when it does not know the shape of `to`
 */
export async function needsOf(
  { folder, from, to }: SchemaPlace,
  present: SchemaShape,
  dialect: SchemaDialect,
): Promise<SchemaNeeds> {
  const after = await loadShape(folder, to);
  if (after === undefined) throw new Error(`the catalogue does not know the tables of schema ${to} of ${folder}`);
  return needsBetween((await loadShape(folder, from)) ?? present, after, dialect);
}

/** Everything about a store that was not reached. */
export function unreached(role: StoreRole, reason: string): Omit<StoreSurvey, 'place' | 'backup'> {
  return {
    database: { unseen: reason },
    schemaVersion: NOT_REACHED,
    tables: NOT_REACHED,
    location: NOT_REACHED,
    shape: NOT_REACHED,
    invalidIndexes: NOT_REACHED,
    rights: NOT_REACHED,
    bytes: NOT_REACHED,
    disk: NOT_REACHED,
    connections: NOT_REACHED,
    blockers: NOT_REACHED,
    mode: NOT_REACHED,
    collation: NOT_REACHED,
    ...(role === 'default'
      ? { cluster: { records: NOT_REACHED, members: NOT_REACHED, shards: NOT_REACHED, deadLetters: NOT_REACHED } }
      : {}),
  };
}

/** What some work gives, or why it gives nothing. */
export async function looked<T>(work: Promise<T>): Promise<Seen<T>> {
  try {
    return { seen: await work };
  } catch (error) {
    return { unseen: messageOf(error) };
  }
}
