import { beforeAll, expect, test } from '@jest/globals';
import { loadCatalogue } from '../../src/adapters/catalogue-file.js';
import type { Catalogue } from '../../src/core/catalogue/catalogue.js';
import { findingText } from '../../src/core/finding.js';
import { RollPolicy } from '../../src/core/input/input.js';
import { planPath } from '../../src/core/planning/path.js';
import { withRollSettings } from '../../src/core/planning/roll-settings.js';
import type { Hop, Path, Stores } from '../../src/core/plan.js';
import { planJson, planTable } from '../../src/report/plan.js';

let catalogue: Catalogue;
beforeAll(async () => {
  catalogue = await loadCatalogue();
});

const POSTGRES = { default: 'postgres12', visibility: 'postgres12' } as const;
const plan = (from: string, to: string, pins: Record<string, string> = {}, stores: Stores = POSTGRES): Path =>
  planPath({ catalogue, from, to, pins, stores });

const words = (text: string): string => text.split(/\s+/).join(' ');

test('JSON has the agreed shape and nothing else', () => {
  const json = JSON.parse(
    JSON.stringify(planJson(plan('1.29.4', '1.31.2', { '1.30': '1.30.7', '1.28': '1.28.1' }))),
  ) as Path;
  expect(json).toMatchObject({ direction: 'forward', path: ['1.29.4', '1.30.7', '1.31.2'] });
  expect(Object.keys(json)).toEqual(['direction', 'path', 'hops', 'findings']);
  expect(json.findings.map(({ id }) => id)).toEqual(['pin-not-used']);
  const keys = ['from', 'to', 'reasons', 'moves', 'schema', 'rollBack', 'findings'] satisfies (keyof Hop)[];
  expect(json.hops.map((hop) => Object.keys(hop))).toEqual([keys, keys]);
  const { scripts, ...step } = json.hops[1]?.schema.visibility ?? { scripts: [] };
  expect(step).toEqual({ from: '1.13', to: '1.14', store: 'postgres12', folder: 'postgresql/v12/visibility' });
  expect(scripts.map((script) => Object.keys(script))).toEqual([['version', 'description', 'removesOrRewrites']]);
  for (const finding of json.hops.flatMap((hop) => hop.findings)) {
    const given = Object.keys(finding);
    expect(['id', 'severity', 'found', 'expected', 'action', 'source'].filter((key) => given.includes(key))).toEqual(
      given,
    );
  }
});

test('the table shows hops, schema steps, the way back and findings in at most 80 columns', () => {
  const text = planTable(plan('1.20.0', '1.32', { '1.30': '1.30.4', '1.19': '1.19.1' }));
  expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
  expect(text).toMatch(
    /^hop +server +default schema +visibility schema +back by\n1 +1\.20\.0 → 1\.20\.5 +1\.9 \(same\) +1\.2 \(same\) +servers\n2 +1\.20\.5 → 1\.21\.6 +1\.9 → 1\.10 +1\.2 → 1\.3 +servers\n/,
  );
  expect(text).toMatch(/12 +1\.30\.4 → 1\.31\.5/);
  expect(words(text)).toContain('Once the servers run 1.22.7, 1.20.0 can only be had back from backups');
  expect(text).toMatch(/the whole path\n {2}! warn pin-not-used:/);
  expect(text).toMatch(/\n11\. 1\.29\.7 → 1\.30\.4\n {2}→ 1\.30\.4 is pinned\n {2}! warn /);
  expect(text).toMatch(/\n\n\d+ notes, the rules and their sources: add --explain$/);
});

test('how long it takes at least is by the settle of the roll-out, ten minutes where there is none', () => {
  const path = plan('1.29.7', '1.31');
  expect(words(planTable(path))).toContain('Each hop takes at least 10m of settle: 20m in all, on each cluster.');
  const shortened = words(planTable(path, { explain: false, settleMs: 20_000 }));
  expect(shortened).toContain('Each hop takes at least 20s of settle: 40s in all, on each cluster.');
});

test('what has to be moved before a hop stands there with its steps', () => {
  const text = words(planTable(plan('1.20.5', '1.24', {}, { default: 'cassandra', visibility: 'cassandra' })));
  expect(text).toContain(
    '2. 1.21.6 → 1.22.7 » while on 1.21.6: the visibility store from cassandra to elasticsearch, schema 1.0 → v5',
  );
  expect(text).toMatch(/1\. set up the new visibility store .* 5\. make it visibilityStore/);
});

test('explained, every rule, script, finding and source is in it', () => {
  const path = plan('1.23.1', '1.31.2', {}, { default: 'mysql', visibility: 'mysql' });
  const text = words(planTable(path, { explain: true }));
  const hops = path.hops.flatMap(({ reasons, rollBack }) => [...reasons, ...rollBack.reasons]);
  for (const { text: rule, source } of hops)
    expect([text.includes(words(rule)), text.includes(words(`(${source})`))]).toEqual([true, true]);
  for (const { version, description } of path.hops.flatMap(({ schema }) => schema.default.scripts)) {
    expect(text).toContain(words(`${version}: ${description}`));
  }
  const moved = path.hops.flatMap(({ moves }) => moves.map(({ id }) => id));
  expect(moved).toEqual(['mysql-plugin', 'mysql-plugin']);
  for (const finding of path.hops.flatMap(({ findings }) => findings).filter(({ id }) => !moved.includes(id))) {
    expect(text).toContain(words(findingText(finding)));
    expect(text).toContain(words(`(${finding.source})`));
  }
});

test('a path without hops says so', () => {
  expect(planTable(plan('1.31.5', '1.31'), { explain: true })).toMatch(
    /^1\.31\.5: nothing to do\n\nthe whole path\n {2}· already-there: /,
  );
});

test('what is set while servers are replaced, and what cannot be had, where the nodes are known', () => {
  const nodes = (['frontend', 'history', 'history', 'matching', 'matching'] as const).map((role) => ({ role }));
  const policy = RollPolicy.parse({});
  const target = { nodes, policy, stopTimeoutMs: 120_000, keysSet: ['matching.alignMembershipChange'] };
  const path = withRollSettings(plan('1.30.7', '1.31.2'), catalogue, target);

  const short = words(planTable(path));
  expect(short).toContain('~ one process after the other: matching (2), history (2), frontend (1); the first of each');
  expect(short).toContain('~ 2 settings while servers are replaced, taken back after it (careful)');
  expect(short).toContain('~ matching.alignMembershipChange is set already and stays; 10s would be written');
  expect(short).toContain('≈ while servers are replaced: frontend has one process: ');
  expect(short).not.toContain('history.startupMembershipJoinDelay');

  const long = words(planTable(path, { explain: true }));
  const { settings = [], limits = [] } = path.hops[0]?.roll ?? {};
  for (const { key, value, why, source } of settings) expect(long).toContain(`~ ${key} ${value}: ${why} (${source})`);
  for (const { text, source } of limits) expect(long).toContain(`${text} (${source})`);
  for (const line of planTable(path, { explain: true }).split('\n')) expect(line.length).toBeLessThanOrEqual(80);

  const [hop] = planJson(path).hops;
  expect(hop?.roll).toEqual(path.hops[0]?.roll);
});
