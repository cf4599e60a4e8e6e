import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { loadCatalogue, loadShape } from '../../src/adapters/catalogue-file.js';
import { readShape } from '../../src/adapters/postgres/postgres-shape.js';
import { runCommand } from '../../src/adapters/run-command.js';
import { createToolResolver } from '../../src/adapters/tools/tool-resolver.js';
import { getModule } from '../../src/catalogue-builder/get-release.js';
import { runScripts, withEmptyDatabase } from '../../src/catalogue-builder/make-shapes.js';
import { readVersionedScripts } from '../../src/catalogue-builder/versioned-scripts.js';
import type { Catalogue } from '../../src/core/catalogue/catalogue.js';
import { compareShapes } from '../../src/core/schema/compare-shapes.js';
import type { SchemaShape } from '../../src/core/schema/schema-shape.js';
import type { StorePart } from '../../src/core/plan.js';
import { schemaFolder, schemaVersion } from '../../src/core/schema/schema-version.js';
import { compareSchemaVersions } from '../../src/core/version.js';
import { startPostgres, type LabPostgres } from '../../src/lab/postgres.js';

const PARTS: readonly StorePart[] = ['default', 'visibility'];
/** `make tools` brings these; the others are taken where they have been built before. */
const ALWAYS_THERE = ['1.29.1', '1.30.7', '1.31.2'];
const VERSIONS = ['1.20.5', '1.21.6', '1.22.4', '1.23.1', '1.24.2', '1.25.2', '1.26.2', '1.27.3', '1.28.1', '1.32.1'];

let catalogue: Catalogue;
let postgres: LabPostgres;
let other: LabPostgres;
let folder: string;

beforeAll(async () => {
  catalogue = await loadCatalogue();
  postgres = await startPostgres();
  other = await startPostgres({ otherMajor: true });
  folder = await mkdtemp(join(tmpdir(), 'temporal-upgrade-shape-'));
}, 300_000);

afterAll(async () => {
  await Promise.all([postgres, other].map((server) => server?.stop()));
  await rm(folder, { recursive: true, force: true });
});

async function shapeFor(part: StorePart, version: string): Promise<SchemaShape> {
  const schema = schemaVersion(catalogue, version, 'postgres12', part);
  const shape = await loadShape(schemaFolder(catalogue, 'postgres12', part), schema);
  if (shape === undefined) throw new Error(`the project has no shape of ${part} ${schema}`);
  return shape;
}

/** Scripts of a release for schema versions above `from`, up to that which the release expects. */
async function scriptsAbove(part: StorePart, version: string, from: string) {
  const { files } = await getModule(version);
  return readVersionedScripts(files, schemaFolder(catalogue, 'postgres12', part)).filter(
    (step) => compareSchemaVersions(step.version, from) > 0,
  );
}

/** Brings an empty database to `version` by the scripts of that version alone. */
async function makeFresh(client: pg.Client, part: StorePart, version: string): Promise<void> {
  for (const step of await scriptsAbove(part, version, '0.0'))
    await runScripts({ run: (statement) => client.query(statement) }, step);
}

/** The schema tool of `version`; undefined where it would have to be built first. */
async function findTool(version: string): Promise<string | undefined> {
  if (ALWAYS_THERE.includes(version)) return createToolResolver().serverTool('temporal-sql-tool', version);
  const place = await createToolResolver().lookForServerTool('temporal-sql-tool', version);
  return 'at' in place ? place.at : undefined;
}

async function unpackScripts(version: string): Promise<string> {
  const root = join(folder, version);
  for (const [path, text] of (await getModule(version)).files) {
    if (!path.startsWith('schema/postgresql/v12/')) continue;
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
}

describe('finds nothing wrong with a database that', () => {
  test('went hop by hop by the schema tool of each version', async () => {
    const found = await Promise.all(
      [...VERSIONS, ...ALWAYS_THERE]
        .toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))
        .map(async (version) => ({ version, tool: await findTool(version) })),
    );
    const built = found.flatMap(({ version, tool }) => (tool === undefined ? [] : [{ version, tool }]));
    expect(built.map(({ version }) => version)).toEqual(expect.arrayContaining(ALWAYS_THERE));
    for (const part of PARTS) {
      await withEmptyDatabase(postgres, async (client) => {
        const run = (tool: string, ...args: string[]) =>
          runCommand(tool, ['--plugin', 'postgres12', '--db', client.database ?? '', ...args], {
            env: {
              SQL_HOST: postgres.host,
              SQL_PORT: String(postgres.port),
              SQL_USER: postgres.user,
              SQL_PASSWORD: postgres.password,
            },
            timeoutMs: 60_000,
          });
        for (const [index, { version, tool }] of built.entries()) {
          if (index === 0) await run(tool, 'setup-schema', '--version', '0.0');
          const scripts = join(
            await unpackScripts(version),
            'schema',
            schemaFolder(catalogue, 'postgres12', part),
            'versioned',
          );
          await run(tool, 'update-schema', '--schema-dir', scripts);
          expect({
            version,
            differences: compareShapes(await shapeFor(part, version), await readShape(client)),
          }).toEqual({
            version,
            differences: [],
          });
        }
      });
    }
  }, 300_000);

  // 1.27.0 and 1.27.1 differ by a repaired column, 1.30.4 has the old scripts of 1.10 to 1.13, 1.31.2 those of 1.14.
  test.each([
    [
      'each minor',
      ['1.20.5', '1.21.6', '1.22.4', '1.23.1', '1.24.2', '1.25.2', '1.26.2', '1.27.3', '1.28.1', '1.29.1'],
    ],
    ['1.30 that rewrite four times', ['1.29.1', '1.30.4', '1.31.2', '1.32.1']],
    ['1.30 and 1.31 that rewrite once', ['1.29.1', '1.30.9', '1.31.5', '1.32.2']],
  ])(
    'ran the scripts of %s',
    async (_, versions) => {
      for (const part of PARTS) {
        await withEmptyDatabase(postgres, async (client) => {
          let reached = '0.0';
          for (const version of versions) {
            for (const step of await scriptsAbove(part, version, reached)) {
              await runScripts({ run: (statement) => client.query(statement) }, step);
              reached = step.version;
            }
            expect(compareShapes(await shapeFor(part, version), await readShape(client))).toEqual([]);
          }
        });
      }
    },
    300_000,
  );

  test('ran the scripts of 1.13 and 1.14 twice', async () => {
    await withEmptyDatabase(postgres, async (client) => {
      await makeFresh(client, 'visibility', '1.32.2');
      for (const step of await scriptsAbove('visibility', '1.32.2', '1.12'))
        await runScripts({ run: (statement) => client.query(statement) }, step);
      expect(compareShapes(await shapeFor('visibility', '1.32.2'), await readShape(client))).toEqual([]);
    });
  }, 60_000);

  test('runs another major version of PostgreSQL', async () => {
    const majors = await Promise.all([postgres, other].map(majorOf));
    expect(new Set(majors).size).toBe(2);
    for (const part of PARTS) {
      await withEmptyDatabase(other, async (client) => {
        await makeFresh(client, part, '1.32.2');
        expect(compareShapes(await shapeFor(part, '1.32.2'), await readShape(client))).toEqual([]);
      });
    }
  }, 60_000);

  test('prints in its own way, to a user without rights, from a schema that is not the first of the search path', async () => {
    await withEmptyDatabase(postgres, async (client) => {
      await client.query('create schema "My temporal"; create table public.schema_update_history (a int)');
      await client.query('set search_path = "My temporal", public');
      await makeFresh(client, 'visibility', '1.32.2');
      await client.query('create table schema_version (version_partition int)');
      await client.query(
        `create role looker login password 'looker'; create schema looker authorization looker;
         grant usage on schema "My temporal" to looker;
         alter role looker set search_path = looker, "My temporal";
         alter role looker set datestyle = 'German'; alter role looker set quote_all_identifiers = on`,
      );
      const { host, port } = postgres;
      const looker = new pg.Client({ host, port, user: 'looker', password: 'looker', database: client.database ?? '' });
      await looker.connect();
      try {
        expect(compareShapes(await shapeFor('visibility', '1.32.2'), await readShape(looker))).toEqual([]);
        const { rows } = await looker.query('show datestyle');
        expect(rows).toEqual([{ DateStyle: 'German, DMY' }]);
      } finally {
        await looker.end();
        await client.query('drop owned by looker; drop role looker');
      }
    });
  }, 60_000);
});

async function majorOf({ host, port, user, password }: LabPostgres): Promise<string> {
  const client = new pg.Client({ host, port, user, password, database: 'postgres' });
  await client.connect();
  try {
    const { rows } = await client.query<{ server_version: string }>('show server_version');
    return rows[0]?.server_version.split('.')[0] ?? '';
  } finally {
    await client.end();
  }
}

/** One thing done to a sound database, and what has to be said of it; `isMended`: its statements put all of it right. */
interface Fault {
  readonly what: string;
  readonly done: string;
  readonly part: StorePart;
  readonly said: readonly string[];
  readonly isMended: boolean;
}

const FAULTS: readonly Fault[] = [
  {
    what: 'a dropped index',
    done: 'drop index by_status',
    part: 'visibility',
    said: ['index-missing by_status'],
    isMended: true,
  },
  {
    what: 'a dropped column, whose index went with it',
    done: 'alter table executions_visibility drop column temporalexternalpayloadcount',
    part: 'visibility',
    said: ['column-missing temporalexternalpayloadcount', 'index-missing by_temporal_external_payload_count'],
    isMended: true,
  },
  {
    what: 'an index that was left half-built',
    done: `update pg_index set indisvalid = false where indexrelid = 'by_task_queue'::regclass`,
    part: 'visibility',
    said: ['index-invalid by_task_queue'],
    isMended: true,
  },
  {
    what: 'a generated column that became a plain one, as copying tools make it',
    done: 'alter table executions_visibility alter column keyword01 drop expression',
    part: 'visibility',
    said: ['column-generated keyword01'],
    isMended: false,
  },
  {
    what: 'a dropped table',
    done: 'drop table buffered_events',
    part: 'default',
    said: ['table-missing buffered_events'],
    isMended: true,
  },
  {
    what: 'a column of another type and without its default',
    done: `alter table executions alter column workflow_id type text;
           alter table executions alter column db_record_version drop default`,
    part: 'default',
    said: ['column-type workflow_id', 'column-default db_record_version'],
    isMended: false,
  },
  {
    what: 'a column that may be empty, and one that must not be',
    done: `alter table shards alter column data drop not null; alter table tasks add column mine int not null`,
    part: 'default',
    said: ['column-nullability data', 'column-extra mine'],
    isMended: false,
  },
  {
    what: 'a lost primary key',
    done: 'alter table history_node drop constraint history_node_pkey',
    part: 'default',
    said: ['primary-key history_node'],
    isMended: true,
  },
  {
    what: 'an index that is no longer unique',
    done: `alter table buffered_events drop constraint buffered_events_id_key;
           create index buffered_events_id_key on buffered_events (id)`,
    part: 'default',
    said: ['index-not-unique buffered_events_id_key'],
    isMended: true,
  },
];

describe('names', () => {
  test.each(FAULTS)(
    '$what',
    async ({ done, part, said, isMended }) => {
      await withEmptyDatabase(postgres, async (client) => {
        const expected = await shapeFor(part, '1.32.2');
        await makeFresh(client, part, '1.32.2');
        for (const statement of done.split(';')) await client.query(statement);
        const differences = compareShapes(expected, await readShape(client));
        expect(
          differences.filter(({ harmless }) => !harmless).map(({ kind, table, name }) => `${kind} ${name ?? table}`),
        ).toEqual(said);
        if (!isMended) return;
        // Each statement alone: an index cannot be built concurrently among others.
        for (const statement of differences.flatMap(({ mend }) => mend)) {
          await client.query(statement);
        }
        expect(compareShapes(expected, await readShape(client))).toEqual([]);
      });
    },
    60_000,
  );

  test('what is more than expected as harmless', async () => {
    await withEmptyDatabase(postgres, async (client) => {
      await makeFresh(client, 'visibility', '1.32.2');
      await client.query('create index mine on executions_visibility (memo); create table notes (a int)');
      await client.query('alter table executions_visibility add column mine int');
      const found = compareShapes(await shapeFor('visibility', '1.32.2'), await readShape(client));
      expect(found.map(({ kind, harmless }) => ({ kind, harmless }))).toEqual([
        { kind: 'column-extra', harmless: true },
        { kind: 'index-extra', harmless: true },
        { kind: 'table-extra', harmless: true },
      ]);
    });
  }, 60_000);
});
