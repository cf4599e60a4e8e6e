import { beforeAll, describe, expect, test } from '@jest/globals';
import { loadCatalogue } from '../../../src/adapters/catalogue-file.js';
import type { Catalogue } from '../../../src/core/catalogue/catalogue.js';
import { PreconditionError, UnsupportedPathError } from '../../../src/core/errors.js';
import { findingText } from '../../../src/core/finding.js';
import { planPath } from '../../../src/core/planning/path.js';
import type { Path } from '../../../src/core/plan.js';

let catalogue: Catalogue;
beforeAll(async () => {
  catalogue = await loadCatalogue();
});

const stores = { default: 'postgres12', visibility: 'postgres12' } as const;
const plan = (from: string, to: string, pins: Record<string, string> = {}): Path =>
  planPath({ catalogue, from, to, pins, stores });
const ids = (path: Path, hop: number): (string | undefined)[] =>
  (path.hops[hop]?.findings ?? []).map(({ id }) => id).filter((id) => id !== 'release-note');
const finding = (path: Path, hop: number, id: string) => path.hops[hop]?.findings.find((found) => found.id === id);
const text = (path: Path, hop: number, id: string): string => {
  const found = finding(path, hop, id);
  return found === undefined ? '' : findingText(found);
};

test('goes one minor at a time, each at its newest patch, with the schema of both stores', () => {
  const { path, hops } = plan('1.27.3', '1.31');
  expect(path).toEqual(['1.27.3', '1.28.4', '1.29.7', '1.30.9', '1.31.5']);
  const step = ({ from, to }: { from: string; to: string }) => ({ from, to });
  expect(hops.map(({ from, to, schema }) => [from, to, step(schema.default), step(schema.visibility)])).toEqual([
    ['1.27.3', '1.28.4', { from: '1.16', to: '1.17' }, { from: '1.9', to: '1.9' }],
    ['1.28.4', '1.29.7', { from: '1.17', to: '1.18' }, { from: '1.9', to: '1.9' }],
    ['1.29.7', '1.30.9', { from: '1.18', to: '1.18' }, { from: '1.9', to: '1.13' }],
    ['1.30.9', '1.31.5', { from: '1.18', to: '1.19' }, { from: '1.13', to: '1.14' }],
  ]);
});

test.each([
  ['1.29.4', '1.30.7', {}, ['1.29.4', '1.30.7']],
  ['1.29.1', '1.30.7', {}, ['1.29.1', '1.29.7', '1.30.7']], // a roll-back from 1.30 has to end at 1.29.4 or later
  ['1.29.1', '1.30.7', { '1.29': '1.29.1' }, ['1.29.1', '1.30.7']], // the pin keeps it there
  ['1.29.4', '1.31.2', { '1.30': '1.30.7' }, ['1.29.4', '1.30.7', '1.31.2']],
  ['1.29.4', '1.31', { '1.30': '1.30.7', '1.31': '1.31.2' }, ['1.29.4', '1.30.7', '1.31.2']],
  ['1.29.4', '1.31.2', { '1.31': '1.31.2' }, ['1.29.4', '1.30.9', '1.31.2']],
  ['1.31.2', '1.31', {}, ['1.31.2', '1.31.5']], // inside a minor: one hop
  ['1.31.0', '1.31.3', {}, ['1.31.0', '1.31.3']],
  ['1.29.1', '1.30', { '1.29': '1.29.7' }, ['1.29.1', '1.29.7', '1.30.9']], // asked for: patch first
  ['1.29.7', '1.30', { '1.29': '1.29.1' }, ['1.29.7', '1.30.9']],
  ['1.25.2', '1.27', {}, ['1.25.2', '1.26.3', '1.27.4']], // newest that is not retracted
])('from %s to %s with pins %j', (from, to, pins, path) => {
  expect(plan(from, to, pins as Record<string, string>).path).toEqual(path);
});

test('a minor without a release to use is passed over for the next one', () => {
  const thin = {
    ...catalogue,
    minors: catalogue.minors
      .filter(({ minor }) => minor !== '1.29')
      .map((facts) => (facts.minor === '1.30' ? { ...facts, retractedPatches: facts.patches } : facts)),
  };
  expect(planPath({ catalogue: thin, from: '1.28.4', to: '1.31', stores }).path).toEqual(['1.28.4', '1.31.5']);
});

test.each([
  ['1.31.5', '1.31'],
  ['1.29.1', '1.29.1'],
])('being there already (%s to %s) is a path of one, with a note', (from, to) => {
  const { path, hops, findings } = plan(from, to);
  expect([path, hops]).toEqual([[from], []]);
  expect(findings).toEqual([expect.objectContaining({ id: 'already-there', severity: 'note' })]);
});

describe('refuses', () => {
  test.each([
    ['0.29.0', '1.31', /older than 1\.0\.0.*community\.temporal\.io/],
    ['1.28.99', '1.31', /1\.28\.99 is not in the catalogue.*1\.28\.0, 1\.28\.1.*1\.28\.4/],
    ['1.99.0', '1.31', /1\.99\.0 is not in the catalogue.*nearest known ones are 1\.32\.2/],
    ['1.28', '1.31', /1\.28 is not in the catalogue.*1\.28\.4/],
    ['1.32.0-161.0', '1.32', /not in the catalogue/],
    ['main', '1.31', /not in the catalogue/],
    ['1.29.1', '1.33', /1\.33 is not in the catalogue/],
    ['1.29.1', '1.30.77', /1\.30\.77 is not in the catalogue.*1\.30\.9/],
    ['1.29.1', '0.30.0', /not in the catalogue/],
    ['1.29.1', 'latest', /not in the catalogue/],
    ['1.31.2', '1.29', /1\.29\.7 is a downgrade by more than one minor.*roll back to 1\.30 at most, or restore/],
    ['1.31.2', '1.0.1', /more than one minor/],
  ])('%s to %s', (from, to, message) => {
    expect(() => plan(from, to)).toThrow(UnsupportedPathError);
    expect(() => plan(from, to)).toThrow(message);
  });

  test.each<[string, Record<string, string>, RegExp]>([
    ['an unknown patch', { '1.30': '1.30.77' }, /1\.30 = 1\.30\.77 is no known patch.*1\.30\.9/],
    ['an unknown minor', { '1.77': '1.77.0' }, /knows no 1\.77/],
    ['a patch of another minor', { '1.30': '1.29.7' }, /no known patch of 1\.30/],
    ['a pin against the version asked for', { '1.31': '1.31.2' }, /contradicts.*1\.31\.5/],
  ])('%s', (_, pins, message) => {
    expect(() => plan('1.29.1', '1.31.5', pins)).toThrow(PreconditionError);
    expect(() => plan('1.29.1', '1.31.5', pins)).toThrow(message);
  });

  test.each([
    ['1.19.1', '1.21'],
    ['1.19.1', '1.19.1'],
  ])('a store that a version on the way does not have (%s to %s)', (from, to) => {
    expect(() => plan(from, to)).toThrow(PreconditionError);
    expect(() => plan(from, to)).toThrow(/server 1\.19\.1 has no default store of kind postgres12/);
  });
});

describe('findings', () => {
  test('a retracted patch blocks, pinned or asked for, and the one to take is named', () => {
    for (const path of [plan('1.29.7', '1.31', { '1.30': '1.30.0' }), plan('1.29.7', '1.30.0')]) {
      expect(finding(path, 0, 'patch-retracted')).toMatchObject({
        severity: 'block',
        action: 'Take 1.30.9 instead',
      });
      expect(path.hops[0]?.findings[0]?.id).toBe('patch-retracted');
    }
  });

  test('a pin off the path is a warning', () => {
    expect(plan('1.29.7', '1.30', { '1.28': '1.28.1' }).findings).toEqual([
      expect.objectContaining({ id: 'pin-not-used', severity: 'warn' }),
    ]);
    expect(plan('1.29.7', '1.31', { '1.30': '1.30.7' }).findings).toEqual([]);
  });

  test.each([
    ['1.29.7', '1.30.4', 'schema-script-costly', 'Take 1.30.5 or later'],
    ['1.30.9', '1.31.0', 'schema-script-costly', 'Take 1.31.3 or later'],
    ['1.30.9', '1.31.2', 'schema-script-costly', 'Take 1.31.3 or later'],
    ['1.29.7', '1.30.5', 'schema-script-cost', '17 indexes are built concurrently'],
    ['1.30.9', '1.31.5', 'schema-script-cost', '2 indexes are built concurrently'],
    ['1.26.3', '1.27.4', 'schema-script-cost', '3 of them with a stored column'],
  ])('the script of %s to %s: %s', (from, to, id, words) => {
    expect(text(plan(from, to), 0, id)).toContain(words);
    expect(finding(plan(from, to), 0, id)?.severity).toBe(id === 'schema-script-costly' ? 'warn' : 'note');
  });

  test('of the texts about one script, only that of the patch hopped to is told', () => {
    for (const to of ['1.30.4', '1.30.5', '1.30.9']) {
      const scripts = ids(plan('1.29.7', to), 0).filter((id) => id?.startsWith('schema-script'));
      expect([to, scripts]).toEqual([to, [to === '1.30.4' ? 'schema-script-costly' : 'schema-script-cost']]);
    }
  });

  test('a script that the hop does not run is not held against it', () => {
    // 1.31.0 ships the costly 1.10 to 1.13 too, but 1.30 has brought the schema to 1.13 already.
    const found = plan('1.30.9', '1.31.0').hops[0]?.findings ?? [];
    expect(found.filter((each) => each.found.startsWith('schema 1.10 to 1.13'))).toEqual([]);
    expect(ids(plan('1.31.0', '1.31.2'), 0).filter((id) => id?.startsWith('schema-script'))).toEqual([]);
  });

  test('a roll-back floor above the present patch is a warning that names the way out', () => {
    const path = plan('1.29.1', '1.30', { '1.29': '1.29.1' });
    expect(finding(path, 0, 'rollback-floor')).toMatchObject({
      severity: 'warn',
      expected: expect.stringContaining('1.29.4 or later, the lowest patch of 1.29'),
    });
    expect(path.hops[0]?.rollBack).toMatchObject({ by: 'backup' });
    const wayOut = plan('1.29.1', '1.30');
    expect(wayOut.hops[0]?.reasons.map(({ text }) => text)).toContainEqual(
      'a roll-back from 1.30 has to end at 1.29.4 or later: 1.29.1 is not known to bear what 1.30 writes',
    );
    expect([...ids(wayOut, 0), ...ids(wayOut, 1)]).not.toContain('rollback-floor');
    expect(ids(plan('1.29.4', '1.30'), 0)).not.toContain('rollback-floor');
    expect(ids(plan('1.29.1', '1.29.2'), 0)).not.toContain('rollback-floor'); // inside the minor nothing is known
  });

  test.each([
    ['1.24.3', '1.25.2', /schema 1\.13 of postgresql\/v12\/temporal .*DROP TABLE/],
    ['1.26.3', '1.27.4', /schema 1\.16 of postgresql\/v12\/temporal .*DROP COLUMN/],
    ['1.23.1', '1.24.3', /schema 1\.6 of postgresql\/v12\/visibility .*DROP COLUMN, DROP INDEX/],
    ['1.27.0', '1.28.4', /schema 1\.16 of postgresql\/v12\/temporal/], // a step of the minor that is left
  ])('what the schema of %s to %s removes is told, and makes going back cost data', (from, to, message) => {
    expect(text(plan(from, to), 0, 'schema-removes')).toMatch(message);
    expect(plan(from, to).hops[0]?.rollBack.by).toBe('backup');
  });

  test('nothing is said of what MySQL removes', () => {
    const all = plan('1.20.5', '1.32').hops.flatMap(({ findings }) => findings);
    expect(all.filter((each) => findingText(each).includes('mysql/v8'))).toEqual([]);
  });

  test('a patch with a known defect is a warning', () => {
    expect(text(plan('1.23.1', '1.24.0'), 0, 'patch-to-avoid')).toMatch(/schema 1\.5 is defective; expected 1\.24\.1/);
    expect(ids(plan('1.23.1', '1.24.1'), 0)).not.toContain('patch-to-avoid');
  });

  test('no schema change is a note, and the notes of the version are shown with their source', () => {
    expect(ids(plan('1.31.5', '1.32'), 0)).toEqual(['no-schema-change']);
    expect(finding(plan('1.30.9', '1.31'), 0, 'release-note')).toMatchObject({
      severity: 'note',
      source: 'service/worker/service.go at 1.30.6 and 1.31.0',
    });
  });

  test('a present patch that is not the newest of its minor is a note', () => {
    expect(text(plan('1.27.3', '1.28'), 0, 'patch-behind')).toContain('{"1.27": "1.27.4"}');
    expect(ids(plan('1.27.4', '1.28'), 0)).not.toContain('patch-behind');
  });

  test('a present version that was retracted is a note', () => {
    expect(plan('1.30.0', '1.30').findings.map(({ id }) => id)).toEqual(['present-retracted']);
  });

  test('every finding has its words and its source', () => {
    for (const each of plan('1.20.0', '1.32').hops.flatMap(({ findings }) => findings)) {
      expect([each.id, findingText(each) === '', each.source === '']).toEqual([each.id, false, false]);
    }
  });
});
