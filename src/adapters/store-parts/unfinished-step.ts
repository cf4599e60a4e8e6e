import { changedAlready, leftOvers, type LeftOver } from '../../core/schema/half-done.js';
import type { SchemaDialect } from '../../core/schema/schema-dialect.js';
import type { SchemaShape } from '../../core/schema/schema-shape.js';
import type { LeftOverStep } from '../../core/survey/store-survey.js';
import { compareSchemaVersions } from '../../core/version.js';
import { loadShapes } from '../catalogue-file.js';
import type { SchemaPlace } from './survey-parts.js';

/** What a schema tool left of a step that it did not finish. */
export interface UnfinishedStep {
  readonly left: readonly LeftOver[];
  /** Columns that are as a later version has them; nothing has to be done about them. */
  readonly changed: readonly LeftOverStep[];
}

/** Holds `found` against each version of the way; nothing is left where the catalogue does not know both of its ends. */
export async function findUnfinishedStep(
  { folder, from, to }: SchemaPlace,
  found: SchemaShape,
  dialect: SchemaDialect,
): Promise<UnfinishedStep> {
  const shapes = await loadShapes(folder);
  const before = shapes.get(from);
  if (before === undefined || !shapes.has(to)) return { left: [], changed: [] };
  const steps = [...shapes]
    .filter(([version]) => compareSchemaVersions(version, from) > 0 && compareSchemaVersions(version, to) <= 0)
    .map(([, shape]) => shape)
    .toReversed();
  const half = { before, steps, found };
  const changed = changedAlready(half).map(({ table, column }) => ({
    what: `column ${column} of table ${table} is changed already`,
    about: { table, column },
  }));
  return { left: leftOvers(half, dialect), changed };
}

/** What a survey tells of something that is left. */
export function asLeftOverStep({ table, column, index, gone, what, takeBack }: LeftOver): LeftOverStep {
  return { what, takeBack, ...(gone === true ? { about: { table, column, index } } : {}) };
}
