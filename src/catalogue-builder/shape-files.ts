import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Catalogue } from '../core/catalogue/catalogue.js';
import { PreconditionError } from '../core/errors.js';
import type { StoreKind, StorePart } from '../core/plan.js';
import { compareSchemaVersions } from '../core/version.js';
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
import { readVersionedScripts, type VersionedScripts } from './versioned-scripts.js';

const BOTH: readonly StorePart[] = ['default', 'visibility'];

/** Makes the shapes of a store in an empty database of its kind. */
type Making = (use: (database: EmptyDatabase) => Promise<ShapeFile>) => Promise<ShapeFile>;

/** A database server of each kind whose shapes the catalogue has, for as long as `work` takes. */
const KINDS: readonly {
  readonly kind: StoreKind;
  readonly parts: readonly StorePart[];
  readonly run: <T>(work: (making: Making) => Promise<T>) => Promise<T>;
}[] = [
  {
    kind: 'postgres12',
    parts: BOTH,
    run: async (work) => {
      const postgres = await startPostgres();
      try {
        return await work((use) => withEmptyDatabase(postgres, async (client) => use(await emptyPostgres(client))));
      } finally {
        await postgres.stop();
      }
    },
  },
  {
    kind: 'mysql8',
    parts: BOTH,
    run: async (work) => {
      const mysql = await startMysql();
      try {
        return await work((use) => withEmptyMysql(mysql, async (client) => use(await emptyMysql(client))));
      } finally {
        await mysql.stop();
      }
    },
  },
  {
    kind: 'cassandra',
    // The newest release has no scripts of its visibility, which ended with 1.23.
    parts: ['default'],
    run: async (work) => {
      const folder = await mkdtemp(join(tmpdir(), 'temporal-upgrade-shapes-'));
      const cassandra = await startCassandra(folder);
      try {
        return await work((use) => withEmptyKeyspace(cassandra, async (client) => use(await emptyCassandra(client))));
      } finally {
        await cassandra.stop();
        await rm(folder, { recursive: true, force: true });
      }
    },
  },
];

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

/** Whether every schema version that a release expects of a SQL store has its shape in `directory`. */
export async function hasAllShapes(catalogue: Catalogue, directory: string): Promise<boolean> {
  const missing = await Promise.all(
    KINDS.flatMap(({ kind, parts }) =>
      parts.map(async (part) => {
        const text = await readFile(shapeFile(catalogue, kind, part, directory), 'utf8').catch(() => undefined);
        const known = text === undefined ? {} : parseShapeFile(JSON.parse(text)).shapes;
        return [...expectedSchemas(catalogue, kind, part)].some((version) => known[version] === undefined);
      }),
    ),
  );
  return !missing.includes(true);
}

/**
 * Makes `postgresql-v12-temporal.json`, `mysql-v8-visibility.json` and the like for `directory`, by the scripts of `release` on
 * real databases. Writes nothing.
 * @throws PreconditionError when a schema version is expected for which the release has no scripts: it is not the newest
 */
export async function makeShapeFiles(release: Release, catalogue: Catalogue, directory: string): Promise<NewFile[]> {
  const stores = KINDS.map(({ kind, parts, run }) => ({
    run,
    parts: parts.map((part) => {
      const wanted = expectedSchemas(catalogue, kind, part);
      const steps = stepsOf(release, schemaFolder(catalogue, kind, part), wanted);
      return { file: shapeFile(catalogue, kind, part, directory), first: lowest(wanted), steps };
    }),
  }));
  const files: NewFile[] = [templateFile(release, catalogue, directory)];
  for (const { run, parts } of stores) {
    await run(async (making) => {
      for (const { file, first, steps } of parts) {
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
