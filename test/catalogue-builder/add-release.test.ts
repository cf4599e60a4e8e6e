import { beforeAll, describe, expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { addRelease } from '../../src/catalogue-builder/add-release.js';
import {
  readCatalogueJson,
  writeCatalogueJson,
  type RawCatalogue,
} from '../../src/catalogue-builder/catalogue-json.js';
import { deriveFields } from '../../src/catalogue-builder/derived-fields.js';
import { readRelease, type ReleaseFacts } from '../../src/catalogue-builder/read-release.js';
import { hashAt } from '../../src/catalogue-builder/script-hashes.js';
import { schemaAtPatch, schemaFields } from '../../src/catalogue-builder/schema-by-patch.js';
import { isWithin } from '../../src/core/catalogue/dynamic-keys.js';
import { MADE, madeSource } from '../helpers/server-source.js';

let text: string;
let catalogue: RawCatalogue;

beforeAll(async () => {
  text = await readFile(new URL('../../catalogue/temporal-versions.json', import.meta.url), 'utf8');
  catalogue = readCatalogueJson(text);
});

/** The newest release of the catalogue under another number, with what is changed in it. */
function like(version: string, change: Partial<ReleaseFacts> = {}): ReleaseFacts {
  const newest = catalogue.minors.at(-1);
  if (newest === undefined) throw new Error('the catalogue is empty');
  const stores = new Set(['cassandra/temporal', 'mysql/v8/temporal', 'mysql/v8/visibility']);
  const steps = catalogue.minors
    .flatMap(({ schemaSteps }) => schemaSteps)
    .filter(({ store }) => stores.has(store) || store.startsWith('postgresql/v12/'))
    .map(({ firstInPatch: _, ...step }) => ({
      ...step,
      hash: hashAt(catalogue.scriptHashes?.[step.store]?.[step.version], newest.latestPatch) ?? '',
      hasProcedure: false,
    }));
  return {
    version,
    from: 'module',
    date: '2026-12-01',
    schema: newest.schema,
    steps,
    sqlPlugins: newest.sqlPlugins,
    esVersions: newest.esVersionsSupported,
    goVersion: newest.goVersion,
    retractions: [{ from: '1.26.0', to: '1.26.1' }],
    dynamicKeys: Object.keys(catalogue.dynamicKeys?.spans ?? {}).filter((key) => keyIsOf(catalogue, key, newest.minor)),
    ...change,
  };
}

function keyIsOf({ dynamicKeys }: RawCatalogue, key: string, minor: string): boolean {
  return isWithin(dynamicKeys?.spans[key] ?? '', minor);
}

const minorOfResult = (result: RawCatalogue, minor: string) => result.minors.find((each) => each.minor === minor);

describe('the catalogue as it is', () => {
  test('is written as it stands in the project', () => {
    expect(`${writeCatalogueJson(catalogue)}\n`).toBe(text);
  });

  test('has no field that does not follow from the others', () => {
    expect(deriveFields(catalogue.minors)).toEqual(catalogue.minors);
    for (const minor of catalogue.minors) {
      const patches = minor.patches.map((patch) => ({ patch, schema: schemaAtPatch(minor, patch) }));
      const { schema, schemaChangedInPatch } = minor;
      expect(schemaFields(patches)).toEqual({ schema, schemaChangedInPatch });
    }
  });

  test('has a hash of the scripts of every step, from its first release on', () => {
    for (const { store, version, firstInPatch } of catalogue.minors.flatMap(({ schemaSteps }) => schemaSteps)) {
      expect(hashAt(catalogue.scriptHashes?.[store]?.[version], firstInPatch)).toMatch(/^[0-9a-f]{12}$/);
    }
  });
});

test('a new patch of a known minor', () => {
  const { catalogue: after, added, look } = addRelease(catalogue, like('1.32.3', { goVersion: '1.26.12' }));
  expect(added).toEqual(['release 1.32.3', '1.32.3 is held by the Go module proxy']);
  expect(look).toEqual([
    expect.stringContaining('release notes of 1.32.3'),
    'rules.json: where a range ends at 1.32.2, whether it goes on to 1.32.3',
  ]);
  const minor = minorOfResult(after, '1.32');
  expect(minor).toMatchObject({
    latestPatch: '1.32.3',
    goVersion: '1.26.12',
    goProxyLatest: '1.32.3',
    released: { latest: '2026-12-01', source: { latest: 'mod' } },
  });
  expect(minor?.patches).toContain('1.32.3');
  expect(minor?.patchDates['1.32.3']).toBe('2026-12-01');
  expect(after.minors.filter(({ minor: name }) => name !== '1.32')).toEqual(
    catalogue.minors.filter(({ minor: name }) => name !== '1.32'),
  );
});

test('a new minor, with its steps and what a person has to look at', () => {
  const step = {
    store: 'postgresql/v12/temporal',
    version: '1.20',
    description: 'drops a table',
    removesOrRewrites: ['DROP TABLE'],
    hash: 'abcdefabcdef',
    hasProcedure: true,
  };
  const base = like('1.33.0');
  const schema = { ...base.schema, postgresql12: { temporal: '1.20', visibility: '1.14' } };
  const facts = { ...base, schema, steps: [...base.steps, step], sqlPlugins: ['mysql8', 'postgres12', 'sqlite'] };
  const { catalogue: after, added, look } = addRelease(catalogue, facts);
  expect(added).toEqual([
    'minor 1.33',
    'release 1.33.0',
    '1.33.0 is held by the Go module proxy',
    'schema step postgresql/v12/temporal 1.20: drops a table',
  ]);
  expect(look.join('\n')).toMatch(
    /takes away: DROP TABLE[^]*procedural code[^]*1\.19 to 1\.20[^]*postgres12_pgx of 1\.32 is gone/,
  );
  const minor = minorOfResult(after, '1.33');
  expect(Object.keys(minor ?? {})).toEqual(Object.keys(catalogue.minors.at(-1) ?? {}));
  expect(minor).toMatchObject({
    patches: ['1.33.0'],
    enterAtPatch: '1.33.0',
    rollbackTargetMinPatch: null,
    schemaChangedFromPreviousMinor: [{ component: 'postgresql12.temporal', from: '1.19', to: '1.20' }],
    goInstallable: true,
    goProxyLatestSameSchema: true,
  });
  expect(minor?.schemaSteps).toEqual([
    {
      store: 'postgresql/v12/temporal',
      version: '1.20',
      firstInPatch: '1.33.0',
      description: 'drops a table',
      removesOrRewrites: ['DROP TABLE'],
    },
  ]);
});

test.each(['1.32.3', '1.33.0', '1.32.2', '1.31.6'])('adding %s twice changes nothing', (version) => {
  const facts = like(version);
  const once = addRelease(catalogue, facts);
  const twice = addRelease(once.catalogue, facts);
  expect(twice.added).toEqual([]);
  expect(writeCatalogueJson(twice.catalogue)).toBe(writeCatalogueJson(once.catalogue));
});

test('a schema that changes within a minor is noted by its patch', () => {
  const base = like('1.32.3');
  const schema = { ...base.schema, mysql8: { temporal: '1.20', visibility: '1.14' } };
  const { catalogue: after } = addRelease(catalogue, { ...base, schema });
  expect(minorOfResult(after, '1.32')?.schemaChangedInPatch).toEqual([
    { patch: '1.32.3', component: 'mysql8.temporal', from: '1.19', to: '1.20' },
  ]);
});

test('scripts that change under the same number are noted, once, and those after them keep theirs', () => {
  const base = like('1.31.6');
  const steps = base.steps.map((step) =>
    step.store === 'mysql/v8/temporal' && step.version === '1.19' ? { ...step, hash: '0123456789ab' } : step,
  );
  const { catalogue: after, added } = addRelease(catalogue, { ...base, steps });
  expect(added).toContain('scripts of mysql/v8/temporal 1.19 are others than in 1.31.5');
  expect(minorOfResult(after, '1.31')?.schemaScriptsChangedUnderSameNumber.at(-1)).toEqual({
    patch: '1.31.6',
    store: 'mysql/v8 temporal',
    version: '1.19',
    effect: 'statements differ from 1.31.5; effect not studied',
  });
  const history = after.scriptHashes?.['mysql/v8/temporal']?.['1.19'];
  const before = hashAt(catalogue.scriptHashes?.['mysql/v8/temporal']?.['1.19'], '1.32.0');
  expect([hashAt(history, '1.31.5'), hashAt(history, '1.31.6'), hashAt(history, '1.32.0')]).toEqual([
    before,
    '0123456789ab',
    before,
  ]);
});

test('a retraction reaches older releases, and nobody enters there', () => {
  const { catalogue: after, look } = addRelease(
    catalogue,
    like('1.32.3', { retractions: [{ from: '1.32.0', to: '1.32.1' }] }),
  );
  expect(minorOfResult(after, '1.32')).toMatchObject({
    retractedPatches: ['1.32.0', '1.32.1'],
    enterAtPatch: '1.32.2',
  });
  expect(look.join('\n')).toContain('entered at 1.32.0, which is retracted; now at 1.32.2');
});

test('refuses what contradicts a release that it knows', () => {
  const base = like('1.32.2');
  const schema = { ...base.schema, cassandra: { temporal: '1.14', visibility: null } };
  expect(() => addRelease(catalogue, { ...base, schema, goVersion: '1.20' })).toThrow(
    /says otherwise of 1\.32\.2[^]*cassandra\.temporal: the catalogue has 1\.13, the release 1\.14[^]*Go: the catalogue has 1\.26\.10, the release 1\.20/,
  );
});

test('refuses a release that lacks schema steps of those before it', () => {
  const base = like('1.33.0');
  const steps = base.steps.filter(({ store, version }) => store !== 'mysql/v8/temporal' || version !== '1.5');
  expect(() => addRelease(catalogue, { ...base, steps })).toThrow(
    'schema step mysql/v8/temporal 1.5 of the catalogue is not in the release',
  );
  const withoutMysql = base.steps.filter(({ store }) => !store.startsWith('mysql/'));
  expect(addRelease(catalogue, { ...base, steps: withoutMysql }).added).toContain('release 1.33.0');
});

test('refuses to leave out a minor', () => {
  expect(() => addRelease(catalogue, like('1.34.0'))).toThrow('add a release of 1.33 first');
});

test('a made-up source becomes a release, and says that a folder has no date', () => {
  const facts = readRelease({ version: '1.33.0', files: madeSource(MADE), from: 'folder', date: undefined });
  const { catalogue: after, look } = addRelease(catalogue, facts);
  expect(minorOfResult(after, '1.33')).toMatchObject({ released: { first: null }, goInstallable: 'unknown' });
  expect(look.join('\n')).toContain('the day of 1.33.0');
});
