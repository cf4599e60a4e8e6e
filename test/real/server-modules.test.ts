import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadCatalogue, loadShape } from '../../src/adapters/catalogue-file.js';
import { build } from '../../src/catalogue-builder/build.js';
import { readCatalogueJson, type RawCatalogue } from '../../src/catalogue-builder/catalogue-json.js';
import { checkRelease } from '../../src/catalogue-builder/check-release.js';
import { getModule, type Release } from '../../src/catalogue-builder/get-release.js';
import { readRelease } from '../../src/catalogue-builder/read-release.js';
import { schemaVersion } from '../../src/core/schema/schema-version.js';
import { compareVersions, minorOf } from '../../src/core/version.js';
import { step, writeSource } from '../helpers/server-source.js';

/**
 * Modules of the server that the Go module proxy holds, some of each layout that the source had. They are downloaded (140 MB
 * where the cache is empty), and nothing is compiled.
 */
const VERSIONS = [
  ...['1.0.0', '1.1.0', '1.8.0', '1.10.5', '1.13.0', '1.14.0', '1.16.0', '1.20.5', '1.21.6', '1.22.4', '1.23.1'],
  ...['1.24.2', '1.25.2', '1.26.2', '1.27.3', '1.28.1', '1.29.1', '1.30.4', '1.30.7', '1.31.2', '1.31.5', '1.32.1'],
];
const FEWEST_MINORS = 10;

const CATALOGUE = fileURLToPath(new URL('../../catalogue', import.meta.url));
let catalogue: RawCatalogue;
let folder: string;

beforeAll(async () => {
  catalogue = readCatalogueJson(await readFile(join(CATALOGUE, 'temporal-versions.json'), 'utf8'));
  folder = await mkdtemp(join(tmpdir(), 'temporal-upgrade-modules-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('the catalogue says what the modules of the server say', async () => {
  const read = new Set<string>();
  const refused: string[] = [];
  for (const version of VERSIONS) {
    const release = await getModule(version).catch((error: unknown) => {
      // What a proxy and its checksum database hold is their own affair; that it is enough is asked below.
      if (!/not available|not found/i.test(String(error))) throw error;
      refused.push(version);
    });
    if (release === undefined) continue;
    expect(checkRelease(catalogue, readRelease(release))).toEqual([]);
    read.add(minorOf(version));
  }
  if (refused.length > 0) console.warn(`not held by the module proxy, so not compared: ${refused.join(', ')}`);
  expect(read.size).toBeGreaterThanOrEqual(FEWEST_MINORS);
}, 900_000);

describe('words of servers that docs/troubleshooting.md quotes', () => {
  /** What has another form in the source. */
  const IN_SOURCE: Readonly<Record<string, string>> = {
    'activity Heartbeat timeout': 'activity %v timeout',
    'activity StartToClose timeout': 'activity %v timeout',
  };
  /** Words of Go and of gRPC, settings, options and columns that the servers' advice names, and ids of findings. */
  const OF_OTHERS = /^(context deadline exceeded|Unavailable|--.*)$/;
  /** Servers since then say it. */
  const SINCE: Readonly<Record<string, string>> = {
    'Workflow is busy.': '1.23.1',
    'no usable database connection found': '1.25.2',
    'unknown plugin': '1.27.3',
  };

  test.each(['1.20.5', '1.32.1'])('are those of %s', async (version) => {
    const text = await readFile(fileURLToPath(new URL('../../docs/troubleshooting.md', import.meta.url)), 'utf8');
    const section = /## Failures of the servers[^\n]*\n(.*?)\n## /s.exec(text)?.[1] ?? '';
    const quoted = [...section.matchAll(/^\| (`.*?) +\|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`([^`]+)`/g)].map(([, words = '']) => words),
    );
    expect(quoted.length).toBeGreaterThan(10);
    const source = await getModule(
      version,
      (path) => path === 'go.mod' || (/\.go$/.test(path) && !/_test\.go$/.test(path)),
    );
    const all = [...source.files.values()].join('\n');
    const unsaid = quoted
      .filter((words) => !OF_OTHERS.test(words) && compareVersions(version, SINCE[words] ?? '1.0.0') >= 0)
      .flatMap((words) => (IN_SOURCE[words] ?? words).split('…').filter((piece) => !all.includes(piece.trim())));
    expect(unsaid).toEqual([]);
  });
});

/** A copy of a module with some files changed. */
async function changed(version: string, change: (files: Map<string, string>) => void): Promise<Release> {
  const release = await getModule(version);
  const files = new Map(release.files);
  change(files);
  return { ...release, files };
}

/** Puts another text in the place of one that must be there. */
function replace(files: Map<string, string>, path: string, from: string | RegExp, to: string): void {
  const before = files.get(path);
  const after = before?.replace(from, to);
  if (after === undefined || after === before) throw new Error(`${path} has no ${String(from)} to change`);
  files.set(path, after);
}

const VISIBILITY = 'schema/postgresql/v12/visibility/versioned';

describe('in a copy of a module, finds', () => {
  test('a changed constant, naming it and the folder that it contradicts', async () => {
    const release = await changed('1.31.2', (files) =>
      replace(files, 'schema/postgresql/v12/version.go', '"1.14"', '"1.15"'),
    );
    expect(() => readRelease(release)).toThrow(
      `release 1.31.2 cannot be read: schema/postgresql/v12/version.go expects 1.15 of postgresql/v12/visibility, but the highest folder of ${VISIBILITY} is v1.14`,
    );
  });

  test('a changed constant with a folder that goes with it', async () => {
    const release = await changed('1.31.2', (files) => {
      replace(files, 'schema/postgresql/v12/version.go', '"1.14"', '"1.15"');
      for (const [path, text] of Object.entries(step('postgresql/v12/visibility', '1.15'))) files.set(path, text);
    });
    expect(checkRelease(catalogue, readRelease(release))).toEqual([
      '1.31.2: postgresql12.visibility: the catalogue has 1.14, the release 1.15',
      '1.31.2: schema step postgresql/v12/visibility 1.15 of the release is not in the catalogue',
    ]);
  });

  test('a constant of the oldest layout, which one store has from another', async () => {
    const release = await changed('1.0.0', (files) => {
      replace(files, 'schema/mysql/version.go', 'Version = "1.0"', 'Version = "1.1"');
    });
    expect(() => readRelease(release)).toThrow(/schema\/mysql\/version\.go expects 1\.1 of mysql\/v57\/temporal/);
  });

  test.each([
    [
      'another script under the same number',
      (files: Map<string, string>) =>
        replace(files, `${VISIBILITY}/v1.7/add_pause_info_search_attribute.sql`, 'JSONB', 'TEXT'),
      /scripts of postgresql\/v12\/visibility 1\.7: the catalogue has hash \w+, the release \w+/,
    ],
    [
      'a plugin of another name',
      (files: Map<string, string>) =>
        replace(files, 'common/persistence/sql/sqlplugin/mysql/plugin.go', '"mysql8"', '"mysql9"'),
      /SQL plugins: the catalogue has mysql8, .*, the release mysql9/,
    ],
    [
      'another Go',
      (files: Map<string, string>) => replace(files, 'go.mod', /^go .*$/m, 'go 1.99.0'),
      /Go: the catalogue has 1\.26\.4, the release 1\.99\.0/,
    ],
    [
      'a retraction',
      (files: Map<string, string>) => replace(files, 'go.mod', 'v1.30.0', 'v1.30.1'),
      /it retracts 1\.30\.1, the catalogue does not/,
    ],
    [
      'a version of Elasticsearch',
      (files: Map<string, string>) =>
        replace(files, 'common/persistence/visibility/store/elasticsearch/client/client_factory.go', /"v8"/g, '"v9"'),
      /versions of Elasticsearch: the catalogue has v7, v8, the release v7, v9/,
    ],
    [
      'a template of Elasticsearch',
      (files: Map<string, string>) => void files.set('schema/elasticsearch/visibility/versioned/v15/upgrade.sh', ''),
      /elasticsearch\.visibilityTemplate: the catalogue has v14, the release v15/,
    ],
    [
      'a key of the dynamic configuration',
      (files: Map<string, string>) =>
        replace(files, 'common/dynamicconfig/constants.go', '"frontend.rps"', '"frontend.rps", "frontend.rpm"'),
      /dynamic configuration: the catalogue does not know frontend\.rpm/,
      '1.31.5',
    ],
    [
      'another description of a step that it brought',
      (files: Map<string, string>) => replace(files, `${VISIBILITY}/v1.14/manifest.json`, 'builtin', 'other'),
      /schema step postgresql\/v12\/visibility 1\.14: described as/,
      '1.31.0',
    ],
  ])('%s', async (_, change, message, version = '1.31.2') => {
    const differences = checkRelease(catalogue, readRelease(await changed(version, change)));
    expect(differences).toHaveLength(1);
    expect(differences[0]).toMatch(message);
  });
});

test('a new minor with a new schema gets its shape from a real PostgreSQL', async () => {
  const directory = join(folder, 'catalogue');
  const source = join(folder, 'server');
  await cp(CATALOGUE, directory, { recursive: true });
  const release = await changed('1.32.1', (files) => {
    for (const store of ['mysql/v8', 'postgresql/v12']) {
      replace(files, `schema/${store}/version.go`, '"1.19"', '"1.20"');
      const script =
        'CREATE TABLE made_up (id BIGINT NOT NULL, PRIMARY KEY (id));\nDROP TABLE current_chasm_executions;';
      for (const [path, text] of Object.entries(step(`${store}/temporal`, '1.20', script))) files.set(path, text);
    }
  });
  await writeSource(source, release.files);
  const said: string[] = [];
  await build({ version: '1.33.0', source, directory }, (line) => said.push(line));
  expect(said).toEqual(
    expect.arrayContaining([
      'added: schema step postgresql/v12/temporal 1.20: step 1.20',
      `wrote ${join(directory, 'shapes', 'postgresql-v12-temporal.json')}`,
      'look at: what postgresql/v12/temporal 1.20 takes away: DROP TABLE',
    ]),
  );
  const after = await loadCatalogue(directory);
  expect(schemaVersion(after, '1.33.0', 'postgres12', 'default')).toBe('1.20');
  const shape = await loadShape('postgresql/v12/temporal', '1.20', directory);
  expect(shape?.['made_up']?.primaryKey).toEqual(['id']);
  expect(shape).not.toHaveProperty('current_chasm_executions');
  expect(await loadShape('postgresql/v12/temporal', '1.19', directory)).toHaveProperty('current_chasm_executions');
  said.length = 0;
  await build({ version: '1.33.0', source, directory }, (line) => said.push(line));
  expect(said.filter((line) => !line.startsWith('look at:'))).toEqual(['1.33.0: nothing new']);
}, 120_000);

test('a module that is not there is refused with the way out', async () => {
  await expect(getModule('1.5.8')).rejects.toThrow(
    /^module go\.temporal\.io\/server@v1\.5\.8 cannot be had: .*Give SOURCE, a folder/,
  );
}, 120_000);
