import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { loadCatalogue } from '../../../src/adapters/catalogue-file.js';
import {
  type Catalogue,
  goVersionOf,
  isKnown,
  isRetracted,
  minorFacts,
  nearestVersions,
  newestPatch,
  parseCatalogue,
} from '../../../src/core/catalogue/catalogue.js';
import { InvalidRolloutError, PreconditionError } from '../../../src/core/errors.js';
import { schemaFolder, schemaVersion, schemaVersions } from '../../../src/core/schema/schema-version.js';

let catalogue: Catalogue;
beforeAll(async () => {
  catalogue = await loadCatalogue();
});

test('the catalogue that comes with the package is read, minors and patches in order', () => {
  expect(catalogue.minors.map(({ minor }) => minor).slice(-4)).toEqual(['1.29', '1.30', '1.31', '1.32']);
  expect(minorFacts(catalogue, '1.30')?.patches.slice(-2)).toEqual(['1.30.8', '1.30.9']);
});

test('a broken catalogue is refused with every place that is wrong', async () => {
  const read = async (name: string): Promise<unknown> =>
    JSON.parse(await readFile(new URL(`../../../catalogue/${name}.json`, import.meta.url), 'utf8'));
  const raw = (await read('temporal-versions')) as { minors: Record<string, unknown>[] };
  const rules = (await read('rules')) as { moves: Record<string, unknown>[] };
  Object.assign(raw.minors[0] ?? {}, { patches: [] });
  Object.assign(raw.minors[3] ?? {}, { enterAtPatch: '1.3' });
  Object.assign(rules.moves[0] ?? {}, { at: { from: '1.20.0' } });
  expect(() => parseCatalogue({ releases: raw, rules })).toThrow(InvalidRolloutError);
  expect(() => parseCatalogue({ releases: raw, rules })).toThrow(
    /releases\.minors\.0\.patches.*\n.*releases\.minors\.3\.enterAtPatch.*\n.*rules\.moves\.0\.at\.before/s,
  );
  expect(() => parseCatalogue({ releases: 'text', rules })).toThrow(/^releases: /);
});

test('a folder of an operator stands in for the files that it holds', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'catalogue-'));
  try {
    await expect(loadCatalogue(folder)).rejects.toThrow(/holds neither temporal-versions\.json nor rules\.json/);
    const rules = { ...catalogue.rules, support: { minors: 5, source: 'us' } };
    await writeFile(join(folder, 'rules.json'), JSON.stringify(rules));
    expect(await loadCatalogue(folder)).toEqual({ ...catalogue, rules });
    await writeFile(join(folder, 'rules.json'), '{');
    await expect(loadCatalogue(folder)).rejects.toThrow(`catalogue ${join(folder, 'rules.json')} cannot be read`);
    await writeFile(join(folder, 'rules.json'), '{}');
    await expect(loadCatalogue(folder)).rejects.toThrow(/rules\.support/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('retracted patches are known, but never the newest', () => {
  expect(isKnown(catalogue, '1.26.1')).toBe(true);
  expect(isRetracted(catalogue, '1.26.1')).toBe(true);
  expect(isRetracted(catalogue, '1.26.2')).toBe(false);
  const facts = minorFacts(catalogue, '1.26.0');
  expect(facts && newestPatch(facts)).toBe('1.26.3');
  expect(facts && newestPatch({ ...facts, retractedPatches: ['1.26.3'] })).toBe('1.26.2');
  expect(facts && newestPatch({ ...facts, retractedPatches: facts.patches })).toBeUndefined();
});

test('names the Go version that builds a patch', () => {
  expect(goVersionOf(catalogue, '1.30.8')).toBe('1.25.14');
  expect(goVersionOf(catalogue, '1.30.9')).toBe('1.26.10');
  expect(goVersionOf(catalogue, '1.99.0')).toBeUndefined();
});

test.each([
  ['1.28.9', ['1.28.4', '1.29.0']],
  ['0.1.0', ['1.0.0']],
  ['9.9.9', ['1.32.2']],
])('names the known neighbours of %s', (version, neighbours) => {
  expect(nearestVersions(catalogue, version)).toEqual(neighbours);
});

describe('schema versions', () => {
  test.each([
    ['1.20.0', '1.9', '1.2'],
    ['1.24.0', '1.12', '1.5'],
    ['1.24.1', '1.12', '1.6'],
    ['1.26.1', '1.14', '1.6'],
    ['1.26.2', '1.14', '1.7'],
    ['1.27.0', '1.15', '1.9'],
    ['1.27.1', '1.16', '1.9'],
    ['1.28.4', '1.17', '1.9'],
    ['1.29.1', '1.18', '1.9'],
    ['1.30.7', '1.18', '1.13'],
    ['1.31.2', '1.19', '1.14'],
    ['1.32.2', '1.19', '1.14'],
  ])('server %s expects %s and %s of PostgreSQL, by its exact patch', (version, main, visibility) => {
    expect(schemaVersions(catalogue, version, 'postgres12')).toEqual({ default: main, visibility });
  });

  test('a version without the store names the versions that have it', () => {
    expect(() => schemaVersion(catalogue, '1.19.1', 'postgres12', 'visibility')).toThrow(PreconditionError);
    expect(() => schemaVersion(catalogue, '1.19.1', 'postgres12', 'visibility')).toThrow(/1\.20 to 1\.32/);
  });

  test('an unknown version is refused', () => {
    expect(() => schemaVersions(catalogue, '1.28.99', 'postgres12')).toThrow(/no server version 1\.28\.99/);
  });

  test('folders are those of the server', () => {
    expect(schemaFolder(catalogue, 'postgres12', 'default')).toBe('postgresql/v12/temporal');
    expect(schemaFolder(catalogue, 'postgres12', 'visibility')).toBe('postgresql/v12/visibility');
  });
});

test('the patches that the facts of a minor name are patches of it', () => {
  for (const {
    minor,
    patches,
    retractedPatches,
    enterAtPatch,
    rollbackTargetMinPatch,
    schemaChangedInPatch,
  } of catalogue.minors) {
    const named = [...retractedPatches, enterAtPatch, ...schemaChangedInPatch.map(({ patch }) => patch)];
    if (rollbackTargetMinPatch !== null) named.push(rollbackTargetMinPatch);
    expect({ minor, strangers: named.filter((patch) => !patches.includes(patch)) }).toEqual({ minor, strangers: [] });
  }
});

test('every fact about a schema script names versions of one minor that exist', () => {
  for (const { serverVersions, betterFrom } of catalogue.rules.schemaScripts) {
    for (const version of [serverVersions.from, serverVersions.to, betterFrom ?? serverVersions.to]) {
      expect([version, isKnown(catalogue, version)]).toEqual([version, true]);
    }
  }
});
