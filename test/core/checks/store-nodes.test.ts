import { expect, test } from '@jest/globals';
import { difference } from '../../../src/core/schema/shape-difference.js';
import type { LeftOverStep, StoreNode, StoreSurvey } from '../../../src/core/survey/store-survey.js';
import { findingsOf, saidOf, SCRIPTS } from '../../helpers/store-surveys.js';

/** What store checks say of several nodes: of Cassandra, of search servers, and of a step that a killed tool left. */

const HOP = ['1.29.1', '1.30.7'] as const;
const node = (address: string, over: Partial<StoreNode> = {}): StoreNode => ({
  ...{ address, datacenter: 'dc1', version: '4.1.7', schema: 'one', up: true, ...over },
});
const nodes = (...seen: StoreNode[]): Partial<StoreSurvey> => ({ nodes: { seen } });

test.each<[string, StoreNode[], string[]]>([
  ['all up and of one mind', [node('10.0.0.1'), node('10.0.0.2')], []],
  ['one is down', [node('10.0.0.1'), node('10.0.0.2', { up: false })], ['store-node-down']],
  ['two minds', [node('10.0.0.1'), node('10.0.0.2', { schema: 'other' })], ['store-schema-disagreement']],
  // What a node that is down knew is told by that it is down.
  [
    'another mind of one that is down',
    [node('10.0.0.1'), node('10.0.0.2', { schema: 'other', up: false })],
    ['store-node-down'],
  ],
])('nodes: %s', (_what, seen, ids) => {
  expect(saidOf({ default: nodes(...seen) })).toEqual(ids.map((id) => `warn ${id}`));
  expect(saidOf({ hop: HOP, default: nodes(...seen) })).toEqual(ids.map((id) => `block ${id}`));
});

test('the node that is down is named, and what each group of nodes knows', () => {
  const [down] = findingsOf({ default: nodes(node('10.0.0.1'), node('10.0.0.2', { up: false })) });
  expect(down?.found).toContain('1 of 2 nodes of the default store');
  expect(down?.found).toMatch(/are down: 10\.0\.0\.2$/);
  const [apart] = findingsOf({ default: nodes(node('10.0.0.1'), node('10.0.0.2', { schema: 'other' })) });
  expect(apart?.found).toMatch(/one on 10\.0\.0\.1; other on 10\.0\.0\.2$/);
});

test('nodes of two versions are a warning, also in a hop; nodes that were not seen stop it', () => {
  const mixed = nodes(node('10.0.0.1'), node('10.0.0.2', { version: '5.0.2' }));
  expect(saidOf({ hop: HOP, default: mixed })).toEqual(['warn store-nodes-mixed']);
  expect(saidOf({ hop: HOP, default: { nodes: { unseen: 'no answer' } } })).toEqual(['block store-nodes-unseen']);
});

const health = (status: 'green' | 'yellow' | 'red', dataNodes: number): Partial<StoreSurvey> => ({
  search: { seen: { status, dataNodes, unassignedShards: status === 'green' ? 0 : 1 } },
});

test.each<['green' | 'yellow' | 'red', number, string[], string[]]>([
  ['green', 1, [], []],
  ['green', 3, [], []],
  // As good as it gets: there is no second node for copies.
  ['yellow', 1, [], []],
  ['yellow', 2, ['warn search-yellow'], ['warn search-yellow']],
  ['red', 1, ['warn search-red'], ['block search-red']],
  ['red', 3, ['warn search-red'], ['block search-red']],
])('an index that is %s on %d nodes', (status, dataNodes, before, inHop) => {
  expect(saidOf({ visibility: health(status, dataNodes) })).toEqual(before);
  expect(saidOf({ hop: HOP, visibility: health(status, dataNodes) })).toEqual(inHop);
});

test('a health that was not seen stops a hop', () => {
  expect(saidOf({ hop: HOP, visibility: { search: { unseen: 'no answer' } } })).toEqual(['block search-health-unseen']);
});

const TEMPLATE = {
  ...{ name: 'temporal_visibility_v1_template', present: true, lacks: [], otherwise: [], ownSettings: [] },
} as const;

test.each<[string, NonNullable<StoreSurvey['searchTemplate']>, string[]]>([
  ['as it should be', { seen: TEMPLATE }, []],
  ['not there', { seen: { ...TEMPLATE, present: false } }, ['note search-template-absent']],
  ['without a field', { seen: { ...TEMPLATE, lacks: ['BuildIds (keyword)'] } }, ['warn search-template-fields']],
  [
    'with a field of another type',
    { seen: { ...TEMPLATE, otherwise: ['BuildIds is text, expected keyword'] } },
    ['warn search-template-fields'],
  ],
  [
    'with settings of its owner',
    { seen: { ...TEMPLATE, ownSettings: ['index.number_of_replicas is "2", and "0" in that of the servers'] } },
    ['note search-template-settings'],
  ],
  ['not seen', { unseen: 'no right' }, ['note search-template-unseen']],
])('the template of new indexes is %s: told, and stops nothing', (_what, searchTemplate, said) => {
  expect(saidOf({ visibility: { searchTemplate } })).toEqual(said);
  expect(saidOf({ hop: HOP, visibility: { searchTemplate } })).toEqual(said);
});

test('a template that differs is named with what differs, and sent again by the step of a hop', () => {
  const searchTemplate = { seen: { ...TEMPLATE, lacks: ['BuildIds (keyword)'] } };
  const [before] = findingsOf({ visibility: { searchTemplate } });
  expect(before?.found).toMatch(/template temporal_visibility_v1_template of new indexes lacks BuildIds \(keyword\)$/);
  expect(before).toMatchObject({ action: expect.stringMatching(/^Send the template of \S+ again/) });
  const [inHop] = findingsOf({ hop: HOP, visibility: { searchTemplate } });
  expect(inHop).toMatchObject({ action: 'Nothing: the schema step of the hop sends the template again' });
});

test('what is left of a step: taken back, passed over, or a doubt that stops the hop and offers the restore', () => {
  const one = { what: 'table tasks_v2 is there already', takeBack: 'DROP TABLE tasks_v2;' };
  const left = [one, { ...one, passedOver: true }, { ...one, doubt: 'it is not what the scripts make' }];
  const scripts = { seen: { ...SCRIPTS, rewrites: [], leftOvers: left } };
  const findings = findingsOf({ hop: HOP, visibility: { scripts } });
  expect(findings.map(({ id, severity }) => `${severity} ${id}`)).toEqual([
    'warn schema-step-unfinished',
    'warn schema-step-unfinished',
    'block schema-step-foreign',
  ]);
  expect(findings.map((finding) => ('action' in finding ? finding.action : ''))).toEqual([
    expect.stringContaining('it is taken back before the scripts run, by DROP TABLE tasks_v2;'),
    expect.stringContaining('the schema tool passes over it. One from before 1.22 does not'),
    expect.stringContaining('restore the backup of the hop that was begun'),
  ]);
});

test('what a killed tool dropped, or changed already, is told as left of its step alone', () => {
  const table = 'executions_visibility';
  const seen = [
    difference('column-missing', table, { name: 'root_run_id' }),
    difference('index-missing', table, { name: 'by_root_run_id' }),
    difference('column-nullability', table, { name: 'root_workflow_id', expected: 'nullable', found: 'not null' }),
    difference('table-missing', 'nexus_incoming_services'),
  ];
  const leftOvers = [
    { what: 'column gone', takeBack: 'ALTER …', about: { table, column: 'root_run_id' } },
    { what: 'index gone', takeBack: 'CREATE INDEX …', about: { table, index: 'by_root_run_id' } },
    { what: 'column changed', about: { table, column: 'root_workflow_id' } },
    { what: 'table gone', takeBack: 'CREATE TABLE …', about: { table: 'nexus_incoming_services' } },
  ];
  const step = (left: readonly LeftOverStep[]) => ({
    shape: { seen },
    scripts: { seen: { ...SCRIPTS, rewrites: [], leftOvers: left } },
  });
  const findings = findingsOf({ hop: HOP, visibility: step(leftOvers) });
  expect(findings.map(({ id, severity }) => `${severity} ${id}`)).toEqual(
    leftOvers.map(() => 'warn schema-step-unfinished'),
  );
  expect(findings[2]).toMatchObject({ action: 'Nothing: the scripts change it again' });
  // Of another table, or doubtful, it explains nothing.
  const others = leftOvers.map((one) => ({ ...one, about: { ...one.about, table: 'other' }, doubt: 'whose?' }));
  const told = saidOf({ hop: HOP, visibility: step(others) });
  expect(told).toEqual(expect.arrayContaining(seen.map(({ kind }) => expect.stringContaining(`schema-${kind}`))));
});
