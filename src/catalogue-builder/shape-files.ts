import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Catalogue } from '../core/catalogue/catalogue.js';
import { PreconditionError } from '../core/errors.js';
import type { StorePart } from '../core/plan.js';
import { schemaFolder, schemaVersion } from '../core/schema/schema-version.js';
import { parseShapeFile } from '../core/schema/shape-file.js';
import { startPostgres } from '../lab/postgres.js';
import type { Release } from './get-release.js';
import { makeShapes } from './make-shapes.js';
import { writeShapeFile } from './shape-json.js';
import { readVersionedScripts } from './versioned-scripts.js';

const KIND = 'postgres12';
const PARTS: readonly StorePart[] = ['default', 'visibility'];

/** Schema versions of a store that some server version of the catalogue expects: nobody rests at the others. */
function expectedSchemas(catalogue: Catalogue, part: StorePart): Set<string> {
  const patches = catalogue.minors
    .filter((facts) => typeof facts.schema['postgresql12']?.['temporal'] === 'string')
    .flatMap((facts) => facts.patches);
  return new Set(patches.map((patch) => schemaVersion(catalogue, patch, KIND, part)));
}

/** A file of the catalogue, and what it is to hold. */
export interface NewFile {
  readonly file: string;
  readonly text: string;
}

/** Whether every schema version that a release expects of PostgreSQL has its shape in `directory`. */
export async function hasAllShapes(catalogue: Catalogue, directory: string): Promise<boolean> {
  const missing = await Promise.all(
    PARTS.map(async (part) => {
      const text = await readFile(shapeFile(catalogue, part, directory), 'utf8').catch(() => undefined);
      const known = text === undefined ? {} : parseShapeFile(JSON.parse(text)).shapes;
      return [...expectedSchemas(catalogue, part)].some((version) => known[version] === undefined);
    }),
  );
  return !missing.includes(true);
}

/**
 * Makes `postgresql-v12-temporal.json` and `…-visibility.json` for `directory`, by the scripts of `release` on a real
 * PostgreSQL. Writes nothing.
 * @throws PreconditionError when a schema version is expected for which the release has no scripts: it is not the newest
 */
export async function makeShapeFiles(release: Release, catalogue: Catalogue, directory: string): Promise<NewFile[]> {
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
    return { file: shapeFile(catalogue, part, directory), wanted, steps };
  });
  const postgres = await startPostgres();
  try {
    const files: NewFile[] = [];
    for (const { file, wanted, steps } of stores) {
      const shapes = await makeShapes(postgres, steps, { wanted, scriptsOf: release.version });
      files.push({ file, text: writeShapeFile(shapes) });
    }
    return files;
  } finally {
    await postgres.stop();
  }
}

function shapeFile(catalogue: Catalogue, part: StorePart, directory: string): string {
  return join(directory, `${schemaFolder(catalogue, KIND, part).replaceAll('/', '-')}.json`);
}
