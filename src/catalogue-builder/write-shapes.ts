import { join } from 'node:path';
import type { Catalogue } from '../core/catalogue.js';
import { PreconditionError } from '../core/errors.js';
import type { StorePart } from '../core/plan.js';
import { schemaFolder, schemaVersion } from '../core/schema-version.js';
import { startPostgres } from '../lab/postgres.js';
import type { Release } from './get-release.js';
import { makeShapes } from './make-shapes.js';
import { writeShapeFile } from './shape-json.js';
import { readVersionedScripts } from './versioned-scripts.js';
import { writeAtomically } from './write-atomically.js';

const KIND = 'postgres12';
const PARTS: readonly StorePart[] = ['default', 'visibility'];

/** Schema versions of a store that some server version of the catalogue expects: nobody rests at the others. */
function expectedSchemas(catalogue: Catalogue, part: StorePart): Set<string> {
  const patches = catalogue.minors
    .filter((facts) => typeof facts.schema['postgresql12']?.['temporal'] === 'string')
    .flatMap((facts) => facts.patches);
  return new Set(patches.map((patch) => schemaVersion(catalogue, patch, KIND, part)));
}

/**
 * Writes `postgresql-v12-temporal.json` and `…-visibility.json` into `directory`, by the scripts of `release` on a real
 * PostgreSQL. Returns the files that changed.
 * @throws PreconditionError when a schema version is expected for which the release has no scripts: it is not the newest
 */
export async function writeShapes(release: Release, catalogue: Catalogue, directory: string): Promise<string[]> {
  const stores = PARTS.map((part) => {
    const store = schemaFolder(catalogue, KIND, part);
    const wanted = expectedSchemas(catalogue, part);
    const steps = readVersionedScripts(release.files, store);
    const missing = [...wanted].filter((version) => !steps.some((step) => step.version === version));
    if (missing.length > 0) {
      throw new PreconditionError(
        `${release.version} has no scripts for schema ${missing.join(', ')} of ${store}; take the newest release that the catalogue knows`,
      );
    }
    return { store, wanted, steps };
  });
  const postgres = await startPostgres();
  try {
    const changed: string[] = [];
    for (const { store, wanted, steps } of stores) {
      const file = join(directory, `${store.replaceAll('/', '-')}.json`);
      const shapes = await makeShapes(postgres, steps, { wanted, scriptsOf: release.version });
      if (await writeAtomically(file, writeShapeFile(shapes))) changed.push(file);
    }
    return changed;
  } finally {
    await postgres.stop();
  }
}
