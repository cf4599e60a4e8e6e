import { describe, expect, test } from '@jest/globals';
import { loadCatalogue } from '../../src/adapters/catalogue-file.js';
import type { RawCatalogue } from '../../src/catalogue-builder/catalogue-json.js';
import { checkDynamicKeys, noteDynamicKeys, readDynamicKeys } from '../../src/catalogue-builder/dynamic-keys.js';
import { dynamicKeysOf } from '../../src/core/catalogue/dynamic-keys.js';
import { madeSource } from '../helpers/server-source.js';

test('reads keys from the constants and from what components declare, but not from comments', () => {
  expect(readDynamicKeys(madeSource())).toEqual(['component.callbacks.request.timeout', 'frontend.rps']);
});

test('reads a map of names, as it was before 1.8, and a role with a hyphen', () => {
  const old =
    'var keys = map[Key]string{\n\tTest: "testKey",\n\tRPS: "frontend.rps",\n\tB: "internal-frontend.rps",\n}';
  expect(readDynamicKeys(new Map([['common/service/dynamicconfig/constants.go', old]]))).toEqual([
    'frontend.rps',
    'internal-frontend.rps',
  ]);
});

test('refuses a source without constants', () => {
  expect(() => readDynamicKeys(new Map([['go.mod', '']]))).toThrow('constants.go names no key');
});

describe('spans of minors', () => {
  /** A catalogue that read these releases, in this order. */
  function read(...releases: readonly (readonly [version: string, ...keys: string[]])[]) {
    const catalogue = { dynamicKeys: undefined } as unknown as RawCatalogue; // of which nothing else is looked at
    const added: string[] = [];
    for (const [version, ...dynamicKeys] of releases) noteDynamicKeys(catalogue, { version, dynamicKeys }, { added });
    return { catalogue, added };
  }

  test('are the same in whatever order releases are read', () => {
    const releases = [
      ['1.1.0', 'a.x', 'a.y'],
      ['1.2.0', 'a.X', 'a.z'],
      ['1.3.0', 'a.x', 'a.y'],
    ] as const;
    const expected = {
      readFrom: { '1.1': '1.1.0', '1.2': '1.2.0', '1.3': '1.3.0' },
      spans: { 'a.x': '1.1..1.3', 'a.y': '1.1, 1.3', 'a.z': '1.2' },
    };
    expect(read(...releases).catalogue.dynamicKeys).toEqual(expected);
    const [one, two, three] = releases;
    const backwards = read(three, one, two).catalogue.dynamicKeys;
    expect(backwards).toEqual(expected);
  });

  test('are those of the newest patch that was read', () => {
    const { catalogue, added } = read(
      ['1.1.4', 'a.x'],
      ['1.1.2', 'a.old'],
      ['1.1.5', 'a.x', 'a.y'],
      ['1.1.6', 'a.x', 'a.y'],
    );
    expect(catalogue.dynamicKeys).toEqual({ readFrom: { '1.1': '1.1.6' }, spans: { 'a.x': '1.1', 'a.y': '1.1' } });
    expect(added).toEqual([
      '1 keys of the dynamic configuration of 1.1',
      '2 keys of the dynamic configuration of 1.1: 1 more and 0 fewer than 1.1.4',
    ]);
  });

  test('are held against the release that they were read from, and against no other', () => {
    const { catalogue } = read(['1.1.4', 'a.x', 'a.y']);
    const check = (version: string, ...dynamicKeys: string[]) => checkDynamicKeys(catalogue, { version, dynamicKeys });
    expect(check('1.1.4', 'A.x', 'a.y')).toEqual([]);
    expect(check('1.1.4', 'a.x', 'a.new')).toEqual([
      'dynamic configuration: the catalogue does not know a.new',
      'dynamic configuration: a.y of the catalogue is not in the release',
    ]);
    expect(check('1.1.3')).toEqual([]);
  });
});

test('the catalogue has the keys of every minor', async () => {
  const { minors, dynamicKeys } = await loadCatalogue();
  for (const { minor } of minors) expect(dynamicKeysOf(dynamicKeys, minor)?.size).toBeGreaterThan(200);
  expect(dynamicKeysOf(dynamicKeys, '1.23.1')?.has('system.enablereadvisibilityfromes')).toBe(true);
  expect(dynamicKeysOf(dynamicKeys, '1.24.2')?.has('system.enablereadvisibilityfromes')).toBe(false);
  expect(dynamicKeysOf(dynamicKeys, '1.99.0')).toBeUndefined();
});
