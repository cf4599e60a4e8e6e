import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Catalogue } from '../core/catalogue/catalogue.js';
import { PreconditionError } from '../core/errors.js';
import type { StoreKind, StorePart } from '../core/plan.js';
import { compareSchemaVersions, minorOf } from '../core/version.js';
import { findSchemaVersion, schemaFolder } from '../core/schema/schema-version.js';
import { changeBetween, parseShapeFile, type ShapeFile } from '../core/schema/shape-file.js';
import { columnsOf, shapeOf } from '../adapters/elasticsearch/search-inspect.js';
import type { SchemaShape } from '../core/schema/schema-shape.js';
import { startCassandra } from '../lab/cassandra.js';
import { startMysql } from '../lab/mysql.js';
import { startPostgres } from '../lab/postgres.js';
import type { Release } from './get-release.js';
import {
  emptyCassandra,
  emptyMysql,
  emptyPostgres,
  makeShapes,
  withEmptyDatabase,
  withEmptyKeyspace,
  withEmptyMysql,
  type EmptyDatabase,
} from './make-shapes.js';
import { writeShapeFile } from './shape-json.js';
import { readTemplates } from './read-templates.js';
import { readVersionedScripts, versionedFolders, type VersionedScripts } from './versioned-scripts.js';

const BOTH: readonly StorePart[] = ['default', 'visibility'];

/** Makes the shapes of a store in an empty database of its kind. */
type Making = (use: (database: EmptyDatabase) => Promise<ShapeFile>) => Promise<ShapeFile>;

type Run = <T>(work: (making: Making) => Promise<T>) => Promise<T>;

const onPostgres: Run = async (work) => {
  const postgres = await startPostgres();
  try {
    return await work((use) => withEmptyDatabase(postgres, async (client) => use(await emptyPostgres(client))));
  } finally {
    await postgres.stop();
  }
};

const onMysql: Run = async (work) => {
  const mysql = await startMysql();
  try {
    return await work((use) => withEmptyMysql(mysql, async (client) => use(await emptyMysql(client))));
  } finally {
    await mysql.stop();
  }
};

const onCassandra: Run = async (work) => {
  const folder = await mkdtemp(join(tmpdir(), 'temporal-upgrade-shapes-'));
  const cassandra = await startCassandra(folder);
  try {
    return await work((use) => withEmptyKeyspace(cassandra, async (client) => use(await emptyCassandra(client))));
  } finally {
    await cassandra.stop();
    await rm(folder, { recursive: true, force: true });
  }
};

/** A database server of each kind whose shapes the catalogue has, for as long as `work` takes. */
const KINDS: readonly { readonly kind: StoreKind; readonly run: Run }[] = [
  { kind: 'postgres12', run: onPostgres },
  { kind: 'mysql8', run: onMysql },
  { kind: 'cassandra', run: onCassandra },
  { kind: 'postgres', run: onPostgres },
  { kind: 'mysql', run: onMysql },
];

interface KindPart {
  readonly kind: StoreKind;
  readonly part: StorePart;
  readonly run: Run;
}

const PARTS: readonly KindPart[] = KINDS.flatMap(({ kind, run }) => BOTH.map((part) => ({ kind, part, run })));

/** Whether no release of the newest minor has such a store any more, as those of the plugin `mysql` after 1.23. */
function hasEnded(catalogue: Catalogue, { kind, part }: Pick<KindPart, 'kind' | 'part'>): boolean {
  const newest = catalogue.minors.at(-1)?.patches.at(-1);
  return newest === undefined || findSchemaVersion(catalogue, newest, kind, part) === undefined;
}

/**
 * What a release makes the shapes of: one of the newest minor, of all stores that there still are; an older one, of those that have ended,
 * as far as it has all their scripts.
 */
function partsFor({ files, version }: Release, catalogue: Catalogue): readonly KindPart[] {
  const isNewest = catalogue.minors.at(-1)?.minor === minorOf(version);
  const ended = PARTS.filter((each) => hasEnded(catalogue, each));
  const made = ended.filter(({ kind, part }) => {
    const there = versionedFolders(files, schemaFolder(catalogue, kind, part));
    return [...expectedSchemas(catalogue, kind, part)].every((each) => there.includes(each));
  });
  return isNewest || made.length === 0 ? PARTS.filter((each) => !ended.includes(each)) : made;
}

/** Schema versions of a store that some server version of the catalogue expects. */
function expectedSchemas(catalogue: Catalogue, kind: StoreKind, part: StorePart): Set<string> {
  const patches = catalogue.minors.flatMap((facts) => facts.patches);
  return new Set(patches.flatMap((patch) => findSchemaVersion(catalogue, patch, kind, part) ?? []));
}

/** A file of the catalogue, and what it is to hold. */
export interface NewFile {
  readonly file: string;
  readonly text: string;
}

/** Whether every schema version that a release expects of a store that there still is has its shape in `directory`. */
export async function hasAllShapes(catalogue: Catalogue, directory: string): Promise<boolean> {
  const missing = await Promise.all(
    PARTS.filter((each) => !hasEnded(catalogue, each)).map(async ({ kind, part }) => {
      const text = await readFile(shapeFile(catalogue, kind, part, directory), 'utf8').catch(() => undefined);
      const known = text === undefined ? {} : parseShapeFile(JSON.parse(text)).shapes;
      return [...expectedSchemas(catalogue, kind, part)].some((version) => known[version] === undefined);
    }),
  );
  return !missing.includes(true);
}

/**
 * Makes `postgresql-v12-temporal.json`, `mysql-v8-visibility.json` and the like for `directory`, by the scripts of `release` on
 * real databases; those of stores that have ended by a release that still had them. Writes nothing.
 * @throws PreconditionError when a schema version is expected for which the release has no scripts: it is not the newest
 */
export async function makeShapeFiles(release: Release, catalogue: Catalogue, directory: string): Promise<NewFile[]> {
  const parts = partsFor(release, catalogue);
  const stores = parts.map(({ kind, part, run }) => {
    const wanted = expectedSchemas(catalogue, kind, part);
    const steps = stepsOf(release, schemaFolder(catalogue, kind, part), wanted);
    return { run, file: shapeFile(catalogue, kind, part, directory), first: lowest(wanted), steps };
  });
  const isOfEnded = parts.every((each) => hasEnded(catalogue, each));
  const files: NewFile[] = isOfEnded ? [] : [templateFile(release, catalogue, directory)];
  for (const [run, ofServer] of Map.groupBy(stores, (each) => each.run)) {
    await run(async (making) => {
      for (const { file, first, steps } of ofServer) {
        const shapes = await making((database) => makeShapes(database, steps, { first, scriptsOf: release.version }));
        files.push({ file, text: writeShapeFile(shapes) });
      }
    });
  }
  return files;
}

/** Templates of Elasticsearch tell their fields themselves: no search server is asked. */
function templateFile(release: Release, catalogue: Catalogue, directory: string): NewFile {
  const folder = schemaFolder(catalogue, 'elasticsearch', 'visibility');
  const shapes: ShapeFile['shapes'] = {};
  let before: SchemaShape = {};
  for (const { version, fields } of readTemplates(release.files, folder)) {
    const after = shapeOf(columnsOf(fields));
    shapes[version] = changeBetween(before, after);
    before = after;
  }
  const text = writeShapeFile({ store: folder, scriptsOf: release.version, reportedBy: 'the templates', shapes });
  return { file: shapeFile(catalogue, 'elasticsearch', 'visibility', directory), text };
}

function lowest(versions: ReadonlySet<string>): string {
  return [...versions].toSorted(compareSchemaVersions)[0] ?? '0.0';
}

function stepsOf({ files, version }: Release, store: string, wanted: ReadonlySet<string>): VersionedScripts[] {
  const steps = readVersionedScripts(files, store);
  const missing = [...wanted].filter((each) => !steps.some((step) => step.version === each));
  if (missing.length === 0) return steps;
  throw new PreconditionError(
    `${version} has no scripts for schema ${missing.join(', ')} of ${store}; take the newest release that the catalogue knows`,
  );
}

function shapeFile(catalogue: Catalogue, kind: StoreKind, part: StorePart, directory: string): string {
  return join(directory, `${schemaFolder(catalogue, kind, part).replaceAll('/', '-')}.json`);
}
