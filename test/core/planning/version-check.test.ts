import { beforeAll, expect, test } from '@jest/globals';
import { loadCatalogue } from '../../../src/adapters/catalogue-file.js';
import type { Catalogue } from '../../../src/core/catalogue/catalogue.js';
import { checkVersion, type ReportedVersions } from '../../../src/core/planning/version-check.js';
import type { StoreKind } from '../../../src/core/plan.js';

let catalogue: Catalogue;
beforeAll(async () => {
  catalogue = await loadCatalogue();
});

const check = (version: string, kind: StoreKind = 'postgres12', reported?: ReportedVersions) =>
  checkVersion({ catalogue, version, stores: { default: kind, visibility: kind }, reported }).map(
    ({ severity, id }) => `${severity} ${id}`,
  );

test.each<[string, StoreKind, string[]]>([
  ['1.32.2', 'postgres12', []],
  ['1.32.1', 'postgres12', ['note newer-patch']],
  ['1.31.5', 'postgres12', ['note newer-minor']],
  ['1.31.2', 'postgres12', ['warn version-advisory', 'note newer-patch', 'note newer-minor']],
  ['1.31.2', 'mysql8', ['note newer-patch', 'note newer-minor']],
  ['1.30.0', 'mysql8', ['warn version-retracted', 'note newer-patch', 'note newer-minor']],
  ['1.29.7', 'postgres12', ['warn version-unsupported', 'note newer-minor']],
  [
    '1.21.0',
    'mysql8',
    [
      'warn version-advisory',
      'warn version-advisory',
      'warn version-unsupported',
      'note newer-patch',
      'note newer-minor',
    ],
  ],
  ['1.77.0', 'postgres12', ['warn version-unknown']],
])('%s on %s', (version, kind, findings) => {
  expect(check(version, kind)).toEqual(findings);
});

test('what the cluster says of itself is passed on', () => {
  expect(check('1.32.2', 'postgres12', { recommended: '1.32.2', alerts: [] })).toEqual([]);
  expect(check('1.32.2', 'postgres12', { recommended: '1.33.0', alerts: ['a hole'] })).toEqual([
    'warn cluster-alert',
    'note cluster-recommends',
  ]);
});

test('which minors are maintained follows the catalogue, not the code', () => {
  const thin = { ...catalogue, minors: catalogue.minors.filter(({ minor }) => minor !== '1.32') };
  const stores = { default: 'mysql8', visibility: 'mysql8' } as const;
  expect(checkVersion({ catalogue: thin, version: '1.29.7', stores }).map(({ id }) => id)).toEqual(['newer-minor']);
});
