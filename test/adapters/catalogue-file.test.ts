import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadCatalogue, loadShape } from '../../src/adapters/catalogue-file.js';
import { compareShapes } from '../../src/core/schema/compare-shapes.js';
import { schemaFolder, schemaVersion } from '../../src/core/schema/schema-version.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'temporal-upgrade-shapes-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('has the shape of every schema version that a server version expects of PostgreSQL 12', async () => {
  const catalogue = await loadCatalogue();
  const patches = catalogue.minors
    .filter((facts) => typeof facts.schema['postgresql12']?.['temporal'] === 'string')
    .flatMap((facts) => facts.patches);
  expect(patches.length).toBeGreaterThan(60);
  for (const part of ['default', 'visibility'] as const) {
    for (const version of new Set(patches.map((patch) => schemaVersion(catalogue, patch, 'postgres12', part)))) {
      const shape = await loadShape(schemaFolder(catalogue, 'postgres12', part), version);
      expect(Object.keys(shape ?? {}).length).toBeGreaterThanOrEqual(part === 'default' ? 28 : 1);
    }
  }
});

test('each schema version adds something to the one before', async () => {
  const before = await loadShape('postgresql/v12/visibility', '1.13');
  const after = await loadShape('postgresql/v12/visibility', '1.14');
  const kinds = compareShapes(after ?? {}, before ?? {}).map(({ kind, name }) => `${kind} ${name}`);
  expect(kinds).toEqual([
    'column-missing temporalexternalpayloadsizebytes',
    'column-missing temporalexternalpayloadcount',
    'index-missing by_temporal_external_payload_count',
    'index-missing by_temporal_external_payload_size_bytes',
  ]);
});

test('does not know what it has not been told', async () => {
  expect(await loadShape('postgresql/v12/visibility', '9.9')).toBeUndefined();
  expect(await loadShape('sqlite/v3/temporal', '0.9')).toBeUndefined();
});

test('the shapes of an operator stand in for those of the package, and a file that cannot be used is named', async () => {
  await mkdir(join(folder, 'shapes'));
  expect(await loadShape('postgresql/v12/visibility', '1.13', folder)).toBeDefined();
  // An older file of an operator does not hide what the package knows of later versions.
  const own = {
    store: 'postgresql/v12/visibility',
    scriptsOf: '1.29.1',
    reportedBy: 'PostgreSQL 17.10',
    shapes: { '1.9': {} },
  };
  await writeFile(join(folder, 'shapes', 'postgresql-v12-visibility.json'), JSON.stringify(own));
  expect(await loadShape('postgresql/v12/visibility', '1.9', folder)).toEqual({});
  expect(await loadShape('postgresql/v12/visibility', '1.13', folder)).toHaveProperty('executions_visibility');
  await writeFile(join(folder, 'shapes', 'mysql-v8-temporal.json'), '{ "store": 1 }');
  await expect(loadShape('mysql/v8/temporal', '1.9', folder)).rejects.toThrow(/mysql-v8-temporal\.json cannot be used/);
});
