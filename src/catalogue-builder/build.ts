import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { catalogueFiles } from '../adapters/catalogue-file.js';
import { parseCatalogue } from '../core/catalogue/catalogue.js';
import { PreconditionError } from '../core/errors.js';
import { isServerVersion } from '../core/version.js';
import { addRelease } from './add-release.js';
import { readCatalogueJson, writeCatalogueJson } from './catalogue-json.js';
import { checkRelease } from './check-release.js';
import { getModule, readFolder, type Release } from './get-release.js';
import { readRelease } from './read-release.js';
import { hasAllShapes, makeShapeFiles, type NewFile } from './shape-files.js';
import { writeAtomically } from './write-atomically.js';

/** A release to read, and the folder of the catalogue that it goes into. */
export interface Task {
  readonly version: string;
  /** Folder with the server's source; the Go module proxy when left out. */
  readonly source: string | undefined;
  /** Holds `temporal-versions.json`, `rules.json` and `shapes/`. */
  readonly directory: string;
}

export type Say = (line: string) => void;

/** Adds a release to the catalogue, and the shapes of its schemas where there are none. Writes all of it, or nothing. */
export async function build(task: Task, say: Say): Promise<void> {
  const release = await getRelease(task);
  const facts = readRelease(release);
  const before = await readFile(releasesFile(task), 'utf8');
  const { catalogue, added, look } = addRelease(readCatalogueJson(before), facts);
  const releases = { file: releasesFile(task), text: `${writeCatalogueJson(catalogue)}\n` };
  const checked = parseCatalogue({ releases: JSON.parse(releases.text), rules: await readRules(task) });
  const shapes = join(task.directory, 'shapes');
  const isComplete = await hasAllShapes(checked, shapes);
  // The shapes first: a catalogue that knows a release of which the shape is missing would be the worse half.
  const files = [...(isComplete ? [] : await makeShapeFiles(release, checked, shapes)), releases];
  const changed = await writeAll(files);
  for (const line of added) say(`added: ${line}`);
  for (const file of changed) say(`wrote ${file}`);
  if (changed.length === 0) say(`${task.version}: nothing new`);
  for (const line of look) say(`look at: ${line}`);
}

/** Says where a release and the catalogue disagree, and changes nothing. Returns whether they agree. */
export async function check(task: Task, say: Say): Promise<boolean> {
  const facts = readRelease(await getRelease(task));
  const differences = checkRelease(readCatalogueJson(await readFile(releasesFile(task), 'utf8')), facts);
  for (const difference of differences) say(difference);
  if (differences.length === 0) say(`${task.version}: the catalogue says what the release says`);
  return differences.length === 0;
}

/** Makes the shapes of PostgreSQL's schemas anew, by the scripts of a release: the newest that the catalogue knows. */
export async function buildShapes(task: Task, say: Say): Promise<void> {
  const release = await getRelease(task);
  const releases: unknown = JSON.parse(await readFile(releasesFile(task), 'utf8'));
  const catalogue = parseCatalogue({ releases, rules: await readRules(task) });
  const changed = await writeAll(await makeShapeFiles(release, catalogue, join(task.directory, 'shapes')));
  for (const file of changed) say(`wrote ${file}`);
  if (changed.length === 0) say('the shapes are as they were');
}

async function getRelease({ version, source }: Task): Promise<Release> {
  if (!isServerVersion(version)) {
    throw new PreconditionError(`VERSION is "${version}"; expected a release in full, such as VERSION=1.33.0`);
  }
  return source === undefined ? getModule(version) : readFolder(source, version);
}

function releasesFile({ directory }: Task): string {
  return join(directory, 'temporal-versions.json');
}

/** Rules may be those of the package where an operator's folder has none. */
async function readRules({ directory }: Task): Promise<unknown> {
  return JSON.parse(await readFile((await catalogueFiles(directory)).rules, 'utf8'));
}

async function writeAll(files: readonly NewFile[]): Promise<string[]> {
  const changed: string[] = [];
  for (const { file, text } of files) if (await writeAtomically(file, text)) changed.push(file);
  return changed;
}
