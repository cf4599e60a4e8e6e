import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Catalogue, parseCatalogue } from '../core/catalogue/catalogue.js';
import { codeOf, messageOf, PreconditionError } from '../core/errors.js';
import type { SchemaShape } from '../core/schema/schema-shape.js';
import { parseShapeFile, shapeAt, type ShapeFile } from '../core/schema/shape-file.js';
import { compareSchemaVersions } from '../core/version.js';

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
  for (const file of await shapeFiles(schemaFolder, folder)) {
    const shape = shapeAt(file, schemaVersion);
    if (shape !== undefined) return shape;
  }
  return undefined;
}

/** The tables at every schema version of a folder that is known, the newest first. @throws PreconditionError as {@link loadShape} */
export async function loadShapes(
  schemaFolder: string,
  folder = process.env[CATALOGUE_VARIABLE] || undefined,
): Promise<ReadonlyMap<string, SchemaShape>> {
  const files = await shapeFiles(schemaFolder, folder);
  const versions = new Set(files.flatMap(({ shapes }) => Object.keys(shapes)));
  const newestFirst = [...versions].toSorted((a, b) => compareSchemaVersions(b, a));
  const shapeOf = (version: string): SchemaShape =>
    files.map((file) => shapeAt(file, version)).find((shape) => shape !== undefined) ?? {};
  return new Map(newestFirst.map((version) => [version, shapeOf(version)]));
}

/** The operator's file first, where there is one. */
async function shapeFiles(schemaFolder: string, folder: string | undefined): Promise<ShapeFile[]> {
  const name = join('shapes', `${schemaFolder.replaceAll('/', '-')}.json`);
  const found: ShapeFile[] = [];
  for (const file of [folder, PACKAGED].filter((each) => each !== undefined).map((each) => join(each, name))) {
    try {
      found.push(parseShapeFile(JSON.parse(await readFile(file, 'utf8'))));
    } catch (cause) {
      if (codeOf(cause) === 'ENOENT') continue;
      throw new PreconditionError(`shapes ${file} cannot be used: ${messageOf(cause)}`, { file }, { cause });
    }
  }
  return found;
}
