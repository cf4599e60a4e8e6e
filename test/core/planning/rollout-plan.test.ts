import { beforeAll, expect, test } from '@jest/globals';
import { loadCatalogue } from '../../../src/adapters/catalogue-file.js';
import type { Catalogue } from '../../../src/core/catalogue/catalogue.js';
import type { RolloutPlan } from '../../../src/core/plan.js';
import { planRollout } from '../../../src/core/planning/rollout-plan.js';

let catalogue: Catalogue;
beforeAll(async () => {
  catalogue = await loadCatalogue();
});

const stores = { default: 'postgres12', visibility: 'postgres12' } as const;
const plan = (staging: string, live: string, to = '1.31', pins: Record<string, string> = {}): RolloutPlan =>
  planRollout({ catalogue, to, pins, staging: { version: staging, stores }, live: { version: live, stores } });

test('equal targets have equal paths and nothing to remark', () => {
  const { staging, live, findings } = plan('1.29.4', '1.29.4', '1.31.2', { '1.30': '1.30.7' });
  expect(staging.path).toEqual(['1.29.4', '1.30.7', '1.31.2']);
  expect(live).toEqual(staging);
  expect(findings).toEqual([]);
});

test('staging that is behind rehearses all that live passes', () => {
  expect(plan('1.28.1', '1.29.1').findings).toEqual([]);
});

test.each([
  ['1.30.9', '1.29.4', '1.30.9'],
  ['1.31.5', '1.30.9', '1.31.5'],
  ['1.31.5', '1.29.4', '1.30.9, 1.31.5'],
])('staging at %s does not rehearse all for live at %s', (staging, live, versions) => {
  expect(plan(staging, live).findings).toEqual([
    expect.objectContaining({
      id: 'not-rehearsed',
      severity: 'warn',
      found: expect.stringContaining(`pass through ${versions}, which`),
    }),
  ]);
});

test('two targets that are there already have nothing to do', () => {
  expect(plan('1.31.5', '1.31.5').findings).toEqual([
    expect.objectContaining({
      id: 'nothing-to-do',
      severity: 'block',
      found: 'staging and live run 1.31.5 already; there is nothing to upgrade',
      action: 'Ask for a version above 1.31.5',
    }),
  ]);
});

test('staging that is there already leaves live to do', () => {
  expect(plan('1.31.5', '1.30.9').findings.map(({ severity }) => severity)).toEqual(['warn']);
});

test('a path of either that is refused refuses the roll-out', () => {
  expect(() => plan('1.31.5', '1.32.0', '1.31')).toThrow(/newer than 1\.31\.5/);
});
