import { PreconditionError } from '../core/errors.js';
import { readDynamicKeys } from './dynamic-keys.js';
import type { Release } from './get-release.js';
import {
  readElasticsearchVersions,
  readGoVersion,
  readRetractions,
  readSqlPlugins,
  type Retraction,
} from './go-source.js';
import { readSchemas, type SchemaTable } from './schema-constants.js';
import { hashScripts } from './script-hashes.js';
import { hasProcedure, removesOrRewrites } from './statement-effects.js';
import { readVersionedScripts } from './versioned-scripts.js';

/** One schema step that a release ships, of any age. */
export interface StepFacts {
  readonly store: string;
  readonly version: string;
  readonly description: string;
  readonly removesOrRewrites: readonly string[];
  readonly hash: string;
  readonly hasProcedure: boolean;
}

/** What is read from one release. */
export interface ReleaseFacts {
  readonly version: string;
  readonly from: Release['from'];
  readonly date: string | undefined;
  readonly schema: SchemaTable;
  /** Every step but the first of each store, which sets it up. */
  readonly steps: readonly StepFacts[];
  readonly sqlPlugins: readonly string[];
  readonly esVersions: readonly string[] | null;
  readonly goVersion: string;
  readonly retractions: readonly Retraction[];
  readonly dynamicKeys: readonly string[];
}

/** @throws PreconditionError naming the release and what in it cannot be read */
export function readRelease({ version, files, from, date }: Release): ReleaseFacts {
  try {
    const { table, upgradable } = readSchemas(files);
    const goMod = files.get('go.mod') ?? '';
    return {
      version,
      from,
      date,
      schema: table,
      steps: upgradable
        .flatMap((store) => readVersionedScripts(files, store).slice(1))
        .map((step) => ({
          store: step.store,
          version: step.version,
          description: step.description,
          removesOrRewrites: removesOrRewrites(step.scripts),
          hash: hashScripts(step),
          hasProcedure: hasProcedure(step.scripts),
        })),
      sqlPlugins: readSqlPlugins(files),
      esVersions: readElasticsearchVersions(files),
      goVersion: readGoVersion(goMod),
      retractions: readRetractions(goMod),
      dynamicKeys: readDynamicKeys(files),
    };
  } catch (error) {
    if (!(error instanceof PreconditionError)) throw error;
    throw new PreconditionError(`release ${version} cannot be read: ${error.message}`, error.facts, { cause: error });
  }
}
