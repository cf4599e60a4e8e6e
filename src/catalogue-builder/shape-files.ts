import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Catalogue } from '../core/catalogue/catalogue.js';
import { PreconditionError } from '../core/errors.js';
import type { StoreKind, StorePart } from '../core/plan.js';
import { compareSchemaVersions } from '../core/version.js';
import { findSchemaVersion, schemaFolder } from '../core/schema/schema-version.js';
import { parseShapeFile, type ShapeFile } from '../core/schema/shape-file.js';
import { startMysql } from '../lab/mysql.js';
import { startPostgres } from '../lab/postgres.js';
import type { Release } from './get-release.js';
import {
  emptyMysql,
  emptyPostgres,
  makeShapes,
  withEmptyDatabase,
  withEmptyMysql,
  type EmptyDatabase,
} from './make-shapes.js';
import { writeShapeFile } from './shape-json.js';
import { readVersionedScripts, type VersionedScripts } from './versioned-scripts.js';

const PARTS: readonly StorePart[] = ['default', 'visibility'];

/** Makes the shapes of a store in an empty database of its kind. */
type Making = (use: (database: EmptyDatabase) => Promise<ShapeFile>) => Promise<ShapeFile>;

/** A database server of each kind whose shapes the catalogue has, for as long as `work` takes. */
const KINDS: readonly {
  readonly kind: StoreKind;
  readonly run: <T>(work: (making: Making) => Promise<T>) => Promise<T>;
}[] = [
  {
    kind: 'postgres12',
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
    run: async (work) => {
      const mysql = await startMysql();
      try {
        return await work((use) => withEmptyMysql(mysql, async (client) => use(await emptyMysql(client))));
      } finally {
        await mysql.stop();
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
    KINDS.flatMap(({ kind }) =>
      PARTS.map(async (part) => {
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
  const stores = KINDS.map(({ kind, run }) => ({
    run,
    parts: PARTS.map((part) => {
      const wanted = expectedSchemas(catalogue, kind, part);
      const steps = stepsOf(release, schemaFolder(catalogue, kind, part), wanted);
      return { file: shapeFile(catalogue, kind, part, directory), first: lowest(wanted), steps };
    }),
  }));
  const files: NewFile[] = [];
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
