import { beforeAll, expect, test } from '@jest/globals';
import { loadCatalogue } from '../../src/adapters/catalogue-file.js';
import type { Catalogue } from '../../src/core/catalogue.js';
import { planPath } from '../../src/core/path.js';
import type { Path } from '../../src/core/plan.js';
import { planJson, planTable } from '../../src/report/plan.js';

let catalogue: Catalogue;
beforeAll(async () => {
  catalogue = await loadCatalogue();
});

const stores = { default: 'postgres12', visibility: 'postgres12' } as const;
const plan = (from: string, to: string, pins: Record<string, string> = {}): Path =>
  planPath({ catalogue, from, to, pins, stores });

test('JSON has the agreed shape and nothing else', () => {
  const json = JSON.parse(
    JSON.stringify(planJson(plan('1.29.1', '1.31.2', { '1.30': '1.30.7', '1.28': '1.28.1' }))),
  ) as {
    hops: Record<string, unknown>[];
    findings: { id: string }[];
  };
  expect(json).toMatchObject({ path: ['1.29.1', '1.30.7', '1.31.2'] });
  expect(Object.keys(json)).toEqual(['path', 'hops', 'findings']);
  expect(json.findings.map(({ id }) => id)).toEqual(['pin-not-used']);
  expect(json.hops.map((hop) => Object.keys(hop))).toEqual([
    ['from', 'to', 'schema', 'findings'],
    ['from', 'to', 'schema', 'findings'],
  ]);
  expect(json.hops[1]?.['schema']).toEqual({
    default: { from: '1.18', to: '1.19' },
    visibility: { from: '1.13', to: '1.14' },
  });
  for (const finding of json.hops.flatMap((hop) => hop['findings'] as object[])) {
    expect(Object.keys(finding)).toEqual(['id', 'severity', 'message', 'source']);
  }
});

test('the table shows hops, schema steps and findings in at most 80 columns', () => {
  const text = planTable(plan('1.20.0', '1.32', { '1.30': '1.30.4', '1.19': '1.19.1' }));
  expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
  expect(text).toMatch(
    /^hop +server +default schema +visibility schema\n1 +1\.20\.0 → 1\.21\.6 +1\.9 → 1\.10 +1\.2 → 1\.3\n/,
  );
  expect(text).toContain('11   1.30.4 → 1.31.5');
  expect(text).toMatch(/the whole path\n {2}! warning pin-not-used:/);
  expect(text).toMatch(/\n1\.29\.7 → 1\.30\.4\n {2}! warning schema-script-costly: /);
});

test('every word of a finding is in the table', () => {
  const path = plan('1.29.1', '1.30.4');
  const words = planTable(path).split(/\s+/).join(' ');
  for (const { message, source } of path.hops.flatMap(({ findings }) => findings)) {
    expect(words).toContain(message.split(/\s+/).join(' '));
    expect(words).toContain(`(${source})`);
  }
});

test('a path without hops says so', () => {
  expect(planTable(plan('1.31.5', '1.31'))).toMatch(
    /^1\.31\.5: nothing to do\n\nthe whole path\n {2}· already-there: /,
  );
});
