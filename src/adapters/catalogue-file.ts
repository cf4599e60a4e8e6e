import { readFile } from 'node:fs/promises';
import { type Catalogue, parseCatalogue } from '../core/catalogue.js';
import { messageOf, PreconditionError } from '../core/errors.js';

/** The same two levels up from src/adapters and from dist/adapters. */
const PACKAGED = new URL('../../catalogue/temporal-versions.json', import.meta.url);

/**
 * The catalogue of server releases that comes with the package, or another one.
 * @throws PreconditionError naming the file when it cannot be read or is not a catalogue
 */
export async function loadCatalogue(path?: string): Promise<Catalogue> {
  const file = path ?? PACKAGED;
  const name = path ?? PACKAGED.pathname;
  try {
    return parseCatalogue(JSON.parse(await readFile(file, 'utf8')));
  } catch (cause) {
    throw new PreconditionError(`catalogue ${name} cannot be used: ${messageOf(cause)}`, { file: name }, { cause });
  }
}
