import { expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { diagnose, diagnosisText } from '../../src/core/diagnoses.js';
import type { Finding } from '../../src/core/finding.js';
import { TROUBLES, type Trouble } from '../../src/core/troubles.js';

const finding = (id: string, found = `found of ${id}`, severity: 'block' | 'warn' = 'warn'): Finding => ({
  id,
  severity,
  found,
  expected: 'another',
  action: `Mend ${id}`,
  source: 'test',
});
const note = (id: string): Finding => ({ id, severity: 'note', found: `found of ${id}`, source: 'test' });
const causesOf = (trouble: Trouble, ...findings: readonly Finding[]) =>
  diagnose(findings)
    .find((diagnosis) => diagnosis.trouble === trouble)
    ?.causes.map(({ cause }) => cause);

test('tells of every trouble, and says so where nothing was found', () => {
  const diagnoses = diagnose([]);
  expect(diagnoses.map(({ trouble }) => trouble)).toEqual([
    'schema-migration-fails',
    'processes-do-not-start',
    'workflows-hang',
    'slower',
    'visibility-fails',
  ]);
  for (const diagnosis of diagnoses) {
    expect(diagnosis.causes).toEqual([]);
    expect(diagnosisText(diagnosis)).toMatch(/: nothing was found that would cause it$/);
  }
});

test.each<[Trouble, readonly Finding[], readonly string[]]>([
  [
    'schema-migration-fails',
    [finding('lock-in-the-way'), finding('rights-missing')],
    ['the user of the database may not change the tables', 'something holds locks on the tables'],
  ],
  ['processes-do-not-start', [finding('start-error-schema-behind')], ['the schema is behind the version']],
  [
    'processes-do-not-start',
    [finding('process-down'), finding('start-error-port-taken')],
    ['an older process still has the port', 'they are down, and their logs do not say why'],
  ],
  ['workflows-hang', [finding('shards-not-held')], ['shards are held by nobody']],
  ['workflows-hang', [finding('not-serving', 'history-1 (history) runs, but')], ['a history process does not serve']],
  ['workflows-hang', [finding('not-serving', 'frontend-1 (frontend) runs, but')], []],
  ['workflows-hang', [note('shards-moving')], ['shards still move: give it minutes']],
  ['slower', [finding('schema-index-invalid')], ['indexes are missing or were not built to the end']],
  [
    'visibility-fails',
    [finding('schema-behind', 'the schema of the visibility store is 1.8')],
    ['the visibility schema is behind the version'],
  ],
  ['visibility-fails', [finding('schema-behind', 'the schema of the default store is 1.18')], []],
  ['slower', [finding('ring-stranger')], []],
])('%s: %j', (trouble, findings, causes) => {
  expect(causesOf(trouble, ...findings)).toEqual(causes);
});

test('gives the evidence of a cause, its weight, and what to do', () => {
  const [, start] = diagnose([finding('schema-behind', 'A'), finding('start-error-schema-behind', 'B', 'block')]);
  expect(start?.causes).toEqual([
    {
      cause: 'the schema is behind the version',
      severity: 'block',
      evidence: ['A', 'B'],
      actions: ['Mend schema-behind', 'Mend start-error-schema-behind'],
    },
  ]);
  expect(start && diagnosisText(start)).toBe(
    'processes (pods) do not start, or start again and again: the schema is behind the version (A; B)',
  );
});

test('what was not seen is no clean bill', () => {
  const hang = diagnose([finding('rings-unseen', 'the rings are not known')]).find(
    ({ trouble }) => trouble === 'workflows-hang',
  );
  expect(hang?.unseen).toEqual(['the rings are not known']);
  expect(hang && diagnosisText(hang)).toMatch(
    /nothing was found .*, but not everything was seen: the rings are not known$/,
  );
});

test('every id that a trouble names is one that some check finds', () => {
  const folder = new URL('../../src/core/', import.meta.url);
  const files = ['planning/databases.ts', ...readdirSync(new URL('checks/', folder)).map((name) => `checks/${name}`)];
  const text = files.map((file) => readFileSync(new URL(file, folder), 'utf8')).join('\n');
  const shapes = readFileSync(new URL('schema/shape-difference.ts', folder), 'utf8');
  const causes = readFileSync(new URL('survey/start-errors.ts', folder), 'utf8');
  const isFound = (pattern: string): boolean => {
    const id = pattern.replace(/\*$/, '');
    if (text.includes(`'${id}`)) return true;
    // Ids that are put together of a kind and what it is about.
    if (id.startsWith('schema-')) return shapes.includes(`'${id.slice('schema-'.length)}`);
    if (id.startsWith('start-error-')) return causes.includes(`'${id.slice('start-error-'.length)}'`);
    const store = /^(persistence|visibility)-(errors|slow)$/.exec(id);
    return store?.[2] !== undefined && text.includes(`\${store}-${store[2]}`);
  };
  const named = TROUBLES.flatMap(({ causes: known, hiddenBy }) => [...known.flatMap(({ ids }) => ids), ...hiddenBy]);
  expect(named.filter((id) => !isFound(id))).toEqual([]);
});
