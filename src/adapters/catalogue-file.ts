import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Catalogue, parseCatalogue } from '../core/catalogue/catalogue.js';
import { codeOf, messageOf, PreconditionError } from '../core/errors.js';
import type { SchemaShape } from '../core/schema/schema-shape.js';
import { parseShapeFile, shapeAt } from '../core/schema/shape-file.js';

/** The same two levels up from src/adapters and from dist/adapters. */
const PACKAGED = fileURLToPath(new URL('../../catalogue/', import.meta.url));
const FILES = { releases: 'temporal-versions.json', rules: 'rules.json' } as const;

/** Names a folder whose files stand in for those of the package: newer facts, or a correction, without a new release. */
export const CATALOGUE_VARIABLE = 'TEMPORAL_UPGRADE_CATALOGUE';

/**
 * The catalogue of server releases. Each of its files is taken from `folder` (`TEMPORAL_UPGRADE_CATALOGUE` when left out)
 * where it is there, else from the package.
 * @throws PreconditionError naming the file when it cannot be read or is not a catalogue
 */
export async function loadCatalogue(folder = process.env[CATALOGUE_VARIABLE] || undefined): Promise<Catalogue> {
  const { releases, rules } = await catalogueFiles(folder);
  const [releasesText, rulesText] = await Promise.all([readJson(releases), readJson(rules)]);
  try {
    return parseCatalogue({ releases: releasesText, rules: rulesText });
  } catch (cause) {
    throw new PreconditionError(
      `the catalogue of ${releases} and ${rules} cannot be used:\n${messageOf(cause)}`,
      { releases, rules },
      { cause },
    );
  }
}

/** Which file each part of the catalogue comes from. @throws PreconditionError when `folder` holds none of them */
export async function catalogueFiles(
  folder: string | undefined,
): Promise<{ readonly releases: string; readonly rules: string }> {
  const choose = async (name: string) => {
    const own = folder === undefined ? undefined : join(folder, name);
    return own !== undefined && (await isFile(own)) ? own : join(PACKAGED, name);
  };
  const chosen = { releases: await choose(FILES.releases), rules: await choose(FILES.rules) };
  if (folder !== undefined && Object.values(chosen).every((file) => join(folder, basename(file)) !== file)) {
    throw new PreconditionError(
      `the catalogue folder ${folder} (${CATALOGUE_VARIABLE}) holds neither ${FILES.releases} nor ${FILES.rules}; ` +
        'correct the folder, or unset the variable to use the catalogue of the package',
      { folder },
    );
  }
  return chosen;
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new PreconditionError(`catalogue ${file} cannot be read: ${messageOf(cause)}`, { file }, { cause });
  }
}

/**
 * The tables that the scripts of a folder below `schema/`, such as `postgresql/v12/visibility`, make up to a schema version.
 * Read from `shapes/` of the operator's catalogue folder where that knows it, else from the package. Undefined when it is
 * not known: say so then, and never that the tables are as they should be.
 * @throws PreconditionError naming the file when it cannot be used
 */
export async function loadShape(
  schemaFolder: string,
  schemaVersion: string,
  folder = process.env[CATALOGUE_VARIABLE] || undefined,
): Promise<SchemaShape | undefined> {
  const name = join('shapes', `${schemaFolder.replaceAll('/', '-')}.json`);
  for (const file of [folder, PACKAGED].filter((each) => each !== undefined).map((each) => join(each, name))) {
    try {
      const shape = shapeAt(parseShapeFile(JSON.parse(await readFile(file, 'utf8'))), schemaVersion);
      if (shape !== undefined) return shape;
    } catch (cause) {
      if (codeOf(cause) === 'ENOENT') continue;
      throw new PreconditionError(`shapes ${file} cannot be used: ${messageOf(cause)}`, { file }, { cause });
    }
  }
  return undefined;
}
