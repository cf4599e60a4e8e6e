import { describe, expect, test } from '@jest/globals';
import { storedShardCount } from '../../../src/core/checks/stored-shards.js';
import { difference } from '../../../src/core/schema/shape-difference.js';
import type { OpenTransaction, StoreRights, StoreSurvey } from '../../../src/core/survey/store-survey.js';
import {
  type Case,
  clusterRecord,
  findingsOf,
  healthyStore,
  saidOf,
  SCRIPTS,
  surveyOf,
} from '../../helpers/store-surveys.js';

const HOP = ['1.29.1', '1.30.7'] as const;
const UNSEEN = { unseen: 'nobody answered' };
const AHEAD = { scripts: { seen: SCRIPTS } };
const HEALTHY_HOP: Case = { hop: HOP, visibility: AHEAD };

test('a healthy cluster has no finding, and before a hop only the note of the rewrite', () => {
  expect(findingsOf({})).toEqual([]);
  const [note, ...others] = findingsOf(HEALTHY_HOP);
  expect(others).toEqual([]);
  expect(note).toMatchObject({ id: 'table-rewrite', severity: 'note' });
  expect(note?.found).toContain('about 35000000 rows, 2.0 GiB and 1.0 GiB of indexes');
});

/** Findings of a hop without the note of the rewrite. */
function inHop(about: Case): string[] {
  const visibility = { ...AHEAD, ...about.visibility };
  return saidOf({ hop: HOP, ...about, visibility }).filter((said) => said !== 'note table-rewrite');
}

const rights = (over: Partial<StoreRights>, part: 'default' | 'visibility' = 'visibility') => {
  const { rights: healthy } = healthyStore(part);
  return { rights: 'seen' in healthy ? { seen: { ...healthy.seen, ...over } } : healthy };
};
const tables = (over: Partial<StoreRights['tables'][number]>, part?: 'default' | 'visibility') => {
  const { rights: healthy } = healthyStore(part ?? 'visibility');
  return 'seen' in healthy ? rights({ tables: healthy.seen.tables.map((table) => ({ ...table, ...over })) }, part) : {};
};
test('rights that a search server tells no user are a warning: nobody could get past a block', () => {
  const about = rights({ tables: [], canCreateInSchema: false, notTold: 'OpenSearch tells nobody' });
  expect(inHop({ visibility: about })).toEqual(['warn rights-not-told']);
});

const connections = (over: object, part: 'default' | 'visibility' = 'visibility') => {
  const { connections: healthy } = healthyStore(part);
  return {
    connections: { seen: { ...(healthy !== undefined && 'seen' in healthy ? healthy.seen : undefined), ...over } },
  } as Partial<StoreSurvey>;
};
const transaction = (over: Partial<OpenTransaction>): Partial<StoreSurvey> => ({
  blockers: {
    seen: {
      hidden: 0,
      transactions: [
        {
          who: 'session 4711',
          user: 'reports',
          application: 'metabase',
          state: 'idle in transaction',
          ageMs: 60_000,
          queryStartedAt: '2026-11-21T17:59:00.000Z',
          query: 'select ?',
          locks: [],
          end: 'select pg_terminate_backend(4711);',
          ...over,
        },
      ],
    },
  },
});
const shape = (...args: Parameters<typeof difference>): Partial<StoreSurvey> => ({
  shape: { seen: [difference(...args)] },
});
const on = (table: string, mode = 'AccessShareLock') => ({ locks: [{ table, mode }] });
const cluster = (over: Partial<NonNullable<StoreSurvey['cluster']>>): Partial<StoreSurvey> => {
  const { cluster: healthy } = healthyStore('default');
  return healthy === undefined ? {} : { cluster: { ...healthy, ...over } };
};
const shards = (count: number, lowest: number, highest: number, gaps: number[] = []) =>
  cluster({ shards: { seen: { count, lowest, highest, gaps } } });
const TABLE = 'executions_visibility';

describe('what each fault is called', () => {
  // What is said when nothing is about to be done, and before the hop from 1.29.1 to 1.30.7.
  const cases: readonly [fault: string, about: Case, alone: readonly string[], beforeHop: readonly string[]][] = [
    [
      'schema behind',
      { visibility: { schemaVersion: { seen: '1.7' } } },
      ['block schema-behind'],
      ['block schema-behind'],
    ],
    [
      'schema of the hop',
      { visibility: { schemaVersion: { seen: '1.13' }, scripts: undefined } },
      ['warn schema-ahead'],
      [],
    ],
    [
      'schema half-way',
      { visibility: { schemaVersion: { seen: '1.11' } } },
      ['warn schema-ahead'],
      ['note schema-midway'],
    ],
    ['schema ahead', { default: { schemaVersion: { seen: '1.19' } } }, ['warn schema-ahead'], ['block schema-ahead']],
    [
      'compared by number',
      { default: { schemaVersion: { seen: '1.9' } } },
      ['block schema-behind'],
      ['block schema-behind'],
    ],
    [
      'other tables',
      { visibility: { tables: { seen: { default: true, visibility: false } } } },
      ['block store-mixed-up'],
      ['block store-mixed-up'],
    ],
    [
      'no tables',
      { visibility: { tables: { seen: { default: false, visibility: false } } } },
      ['block store-empty'],
      ['block store-empty'],
    ],
    [
      'index missing',
      { visibility: shape('index-missing', TABLE, { name: 'x', expected: 'btree (x)' }) },
      ['warn schema-index-missing'],
      ['warn schema-index-missing'],
    ],
    [
      'index half-built',
      { visibility: shape('index-invalid', TABLE, { name: 'x' }) },
      ['warn schema-index-invalid'],
      ['block schema-index-invalid'],
    ],
    [
      'table missing',
      { default: shape('table-missing', 'tasks') },
      ['block schema-table-missing'],
      ['block schema-table-missing'],
    ],
    [
      'harmless difference',
      { default: shape('table-extra', 'mine', { harmless: true }) },
      ['note schema-table-extra'],
      ['note schema-table-extra'],
    ],
    [
      'narrower column',
      { default: shape('column-type', 't', { name: 'c', expected: 'bigint', found: 'integer' }) },
      ['block schema-column-type'],
      ['block schema-column-type'],
    ],
    [
      'wider integer',
      { default: shape('column-type', 't', { name: 'c', expected: 'integer', found: 'bigint' }) },
      ['warn schema-column-type'],
      ['warn schema-column-type'],
    ],
    [
      'wider text',
      { default: shape('column-type', 't', { name: 'c', expected: 'character varying(64)', found: 'text' }) },
      ['warn schema-column-type'],
      ['warn schema-column-type'],
    ],
    [
      'longer text',
      {
        default: shape('column-type', 't', {
          name: 'c',
          expected: 'character varying(64)',
          found: 'character varying(255)',
        }),
      },
      ['warn schema-column-type'],
      ['warn schema-column-type'],
    ],
    [
      'shorter text',
      {
        default: shape('column-type', 't', {
          name: 'c',
          expected: 'character varying(255)',
          found: 'character varying(64)',
        }),
      },
      ['block schema-column-type'],
      ['block schema-column-type'],
    ],
    [
      'refuses nulls',
      { default: shape('column-nullability', 't', { name: 'c', expected: 'nullable', found: 'not null' }) },
      ['block schema-column-nullability'],
      ['block schema-column-nullability'],
    ],
    [
      'takes nulls',
      { default: shape('column-nullability', 't', { name: 'c', expected: 'not null', found: 'nullable' }) },
      ['warn schema-column-nullability'],
      ['warn schema-column-nullability'],
    ],
    [
      'database too old',
      { default: { database: { seen: { product: 'PostgreSQL', version: '11.22' } } } },
      ['warn database-not-accepted'],
      ['block database-not-accepted'],
    ],
    [
      'a product that nobody names, for the servers that run on it or for those to come',
      { default: { database: { seen: { product: 'MariaDB', version: '11.4.2' } } } },
      ['warn database-not-accepted'],
      ['warn database-not-accepted'],
    ],
    [
      'standby',
      { default: { mode: { seen: { inRecovery: true, readOnly: false } } } },
      ['block database-standby'],
      ['block database-standby'],
    ],
    [
      'read-only',
      { default: { mode: { seen: { inRecovery: false, readOnly: true } } } },
      ['block database-read-only'],
      ['block database-read-only'],
    ],
    ['not the owner', { visibility: tables({ canAlter: false }) }, ['warn rights-missing'], ['block rights-missing']],
    [
      'not the owner of a store that stays',
      { default: tables({ canAlter: false }, 'default') },
      ['warn rights-missing'],
      [],
    ],
    [
      'may not create',
      { visibility: rights({ canCreateInSchema: false }) },
      ['warn rights-missing'],
      ['block rights-missing'],
    ],
    [
      'version cannot be written',
      { visibility: tables({ canWrite: false }) },
      ['warn rights-missing'],
      ['block rights-missing'],
    ],
    [
      'may not read',
      { default: tables({ canRead: false }, 'default') },
      ['warn backup-rights-missing'],
      ['block backup-rights-missing'],
    ],
    [
      'new tables of another',
      { visibility: { ...rights({ user: 'admin' }), scripts: { seen: { ...SCRIPTS, creates: ['new'] } } } },
      [],
      ['warn rights-new-owner'],
    ],
    [
      'need missing',
      { visibility: { scripts: { seen: { ...SCRIPTS, missing: [{ what: 'function convert_ts' }] } } } },
      [],
      ['block script-need-missing'],
    ],
    [
      'no disk for the rewrite',
      { visibility: { disk: { seen: { path: '/data', freeBytes: 3 * 1024 ** 3 } } } },
      [],
      ['block rewrite-space-missing'],
    ],
    ['no disk, and no rewrite', { default: { disk: { seen: { path: '/data', freeBytes: 1 } } } }, [], []],
    ['locks on its table', { visibility: transaction(on(TABLE)) }, [], ['block lock-in-the-way']],
    ['locks on another table', { visibility: transaction(on('schema_version')) }, [], ['warn long-transaction']],
    [
      'old transaction',
      { visibility: transaction({ ageMs: 600_000 }) },
      ['warn long-transaction'],
      ['warn long-transaction'],
    ],
    ['transaction in a store that stays', { default: transaction(on('executions')) }, [], []],
    [
      'sessions that hide',
      { visibility: { blockers: { seen: { transactions: [], hidden: 2 } } } },
      ['warn blockers-unseen'],
      ['warn blockers-unseen'],
    ],
    [
      'other sort order',
      { default: { collation: { seen: { recorded: '2.31', actual: '2.36' } } } },
      ['note collation-changed'],
      ['note collation-changed'],
    ],
    ['no sort order', { default: { collation: { seen: {} } } }, [], []],
    ['shards gone', { default: shards(2, 1, 3, [2]) }, ['block shard-rows-missing'], ['block shard-rows-missing']],
    ['no shards', { default: shards(0, 0, 0) }, ['block shard-rows-missing'], ['block shard-rows-missing']],
    ['shards too many', { default: shards(5, 1, 5) }, ['warn shard-rows-extra'], ['warn shard-rows-extra']],
    [
      'dead letters',
      {
        default: cluster({ deadLetters: { seen: { namespaceReplication: 0, historyTasks: 1_000, countedTo: 1_000 } } }),
      },
      ['note dead-letters'],
      ['note dead-letters'],
    ],
    [
      'connections full',
      { default: connections({ max: 38 }, 'default'), visibility: connections({ max: 38 }) },
      ['warn connections-exhausted'],
      ['block connections-exhausted'],
    ],
    [
      'pools too large',
      { visibility: { maxConns: { seen: 50 } } },
      ['warn connections-headroom'],
      ['warn connections-headroom'],
    ],
    ['pools that just fit', { visibility: { maxConns: { seen: 49 } } }, [], []],
    [
      'user limited',
      { default: connections({ userLimit: 32 }, 'default') },
      ['warn connections-exhausted'],
      ['block connections-exhausted'],
    ],
    [
      'database limited',
      { visibility: connections({ databaseLimit: 12 }) },
      ['warn connections-exhausted'],
      ['block connections-exhausted'],
    ],
    [
      'backups too large',
      { default: { bytes: { seen: 46 * 1024 ** 3 } } },
      ['warn backup-space-missing'],
      ['block backup-space-missing'],
    ],
  ];
  test.each(cases)('%s', (_fault, about, alone, beforeHop) => {
    const scripts = about.visibility?.scripts;
    expect(
      saidOf(scripts === undefined ? about : { ...about, visibility: { ...about.visibility, scripts: undefined } }),
    ).toEqual(alone);
    expect(inHop(about)).toEqual(beforeHop);
  });
});

test('a cluster in the middle of a roll is held to the newest of its versions', () => {
  expect(saidOf({ running: ['1.29.1', '1.30.7'] })).toEqual(['block schema-behind']);
  const [finding] = findingsOf({ running: ['1.30.7', '1.29.1'] });
  expect(finding?.found).toBe('the schema of the visibility store (database "temporal_visibility" at db:5432) is 1.9');
});

test('a version that no catalogue knows, and no version at all', () => {
  const twice = ['warn schema-expectation-unseen', 'warn schema-expectation-unseen'];
  expect(saidOf({ running: ['1.99.0'] })).toEqual(twice);
  expect(saidOf({ running: [] })).toEqual(twice);
});

describe('what was not seen is never passed', () => {
  // Who was not seen in the store that the hop changes: alone, and before the hop.
  const cases: readonly [keyof StoreSurvey, readonly string[], readonly string[]][] = [
    ['schemaVersion', ['block schema-version-unseen'], ['block schema-version-unseen']],
    ['tables', ['block store-tables-unseen'], ['block store-tables-unseen']],
    ['shape', ['warn schema-shape-unseen'], ['warn schema-shape-unseen']],
    ['rights', ['warn rights-unseen'], ['block rights-unseen']],
    ['bytes', ['warn backup-size-unseen'], ['warn backup-size-unseen']],
    ['disk', [], ['warn rewrite-space-unseen']],
    ['connections', ['warn connections-unseen'], ['warn connections-unseen']],
    ['maxConns', [], ['warn connections-unseen']],
    ['blockers', ['warn blockers-unseen'], ['warn blockers-unseen']],
    ['mode', ['warn write-mode-unseen'], ['warn write-mode-unseen']],
    ['collation', ['note collation-unseen'], ['note collation-unseen']],
  ];
  test.each(cases)('%s', (field, alone, beforeHop) => {
    expect(saidOf({ visibility: { [field]: UNSEEN } })).toEqual(alone);
    expect(inHop({ visibility: { [field]: UNSEEN } })).toEqual(beforeHop);
  });

  test('scripts, the backup folder and its program, shards and their number', () => {
    expect(inHop({ visibility: { scripts: UNSEEN } })).toEqual(['warn scripts-unseen']);
    const { backup } = healthyStore('visibility');
    expect(inHop({ visibility: { backup: { ...backup, space: UNSEEN } } })).toEqual(['block backup-folder-unusable']);
    expect(inHop({ visibility: { backup: { ...backup, program: UNSEEN } } })).toEqual(['block backup-program-missing']);
    expect(saidOf({ default: cluster({ shards: UNSEEN }) })).toEqual(['warn shard-rows-unseen']);
    expect(saidOf({ default: cluster({ records: UNSEEN }) })).toEqual(['warn shard-rows-unseen']);
    expect(saidOf({ default: cluster({ records: { seen: [] } }) })).toEqual(['warn shard-rows-unseen']);
    expect(saidOf({ default: cluster({ deadLetters: UNSEEN }) })).toEqual(['note dead-letters-unseen']);
  });

  test('a whole store: told once', () => {
    const unreached = Object.fromEntries(
      Object.entries(healthyStore('default')).map(([field, value]) => [field, field === 'place' ? value : UNSEEN]),
    );
    expect(inHop({ default: unreached })).toEqual(['block store-unreachable']);
    const stores = { default: 'postgres12', visibility: 'postgres12', secondaryVisibility: 'elasticsearch' } as const;
    expect(saidOf({ stores })).toEqual(['warn store-unseen']);
  });

  test('indexes, where the shape is not known but they are', () => {
    const visibility = { shape: UNSEEN, invalidIndexes: { seen: ['by_status'] } };
    expect(inHop({ visibility })).toEqual(['warn schema-shape-unseen', 'block schema-index-invalid']);
  });
});

test('one database for both stores is told once, and nothing else of its schema', () => {
  const both = { seen: { default: true, visibility: true } };
  const location = { seen: { server: '7', database: 'temporal', schema: 'public' } };
  const store = { tables: both, location, schemaVersion: { seen: '1.9' }, shape: UNSEEN, maxConns: { seen: 20 } };
  expect(saidOf({ default: store, visibility: store })).toEqual(['block shared-database']);
  // Two databases that each hold both are two mistakes.
  const other = { ...store, location: { seen: { server: '7', database: 'other', schema: 'public' } } };
  expect(saidOf({ default: store, visibility: other })).toEqual(['block shared-database', 'block shared-database']);
});

test('statements of a finding can be run as they stand', () => {
  const [finding] = findingsOf({
    hop: HOP,
    visibility: {
      ...AHEAD,
      ...tables({ canAlter: false, owner: 'Temporal' }),
      ...rights({ canCreateInSchema: false }),
    },
  });
  expect(finding?.id).toBe('rights-missing');
  const quoted = findingsOf({ visibility: tables({ canAlter: false, owner: 'Temporal' }) })[0];
  expect(quoted?.action).toBe('Give the owner as the user of the input, or grant: GRANT "Temporal" TO temporal;');
});

test('the stored number of shards is that of the own cluster', () => {
  const records = { seen: [clusterRecord('remote', 'b'), { ...clusterRecord('own', 'a'), historyShardCount: 512 }] };
  expect(storedShardCount(surveyOf({ default: cluster({ records }) }))).toEqual({ seen: 512 });
  expect(storedShardCount(surveyOf({ running: [], default: cluster({ records }) }))).toEqual({
    unseen: 'it is not known which of the stored clusters is this one (remote, own)',
  });
});

test('every problem names its store, and says what is expected, what to do and why', () => {
  const findings = [
    ...findingsOf({ hop: HOP, visibility: { ...AHEAD, ...tables({ canAlter: false }), ...transaction(on(TABLE)) } }),
    ...findingsOf({ default: { ...shards(2, 1, 2), mode: { seen: { inRecovery: true, readOnly: false } } } }),
  ];
  for (const finding of findings) {
    expect(finding.found).toMatch(/the (default|visibility) store \(database "temporal(_visibility)?" at db:5432\)/);
    expect(finding.source).not.toBe('');
    if (finding.severity === 'note') continue;
    expect(`${finding.expected}${finding.action}`).not.toMatch(/undefined|\.$/);
  }
  expect(findings.length).toBeGreaterThan(4);
});
