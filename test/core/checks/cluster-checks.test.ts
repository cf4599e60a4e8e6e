import { beforeAll, describe, expect, test } from '@jest/globals';
import { loadCatalogue } from '../../../src/adapters/catalogue-file.js';
import type { Catalogue } from '../../../src/core/catalogue/catalogue.js';
import { clusterChecks } from '../../../src/core/checks/cluster-checks.js';
import type { MemberRow } from '../../../src/core/survey/store-survey.js';
import type { ClusterSurvey, ProcessSurvey } from '../../../src/core/survey/cluster-survey.js';
import { type Finding, findingText } from '../../../src/core/finding.js';
import type { NodeConfiguration } from '../../../src/core/survey/node-configuration.js';
import type { Hop, Stores } from '../../../src/core/plan.js';
import type { ProcessMetrics } from '../../../src/core/survey/process-metrics.js';
import type { CheckContext, Survey } from '../../../src/core/survey/survey.js';
import { pathOf } from '../../helpers/plans.js';
import {
  addressOf,
  configurationOf,
  frontendInfo,
  FRONTENDS,
  HEALTHY,
  METRICS,
  namespacesOf,
  nodeStates,
  PORTS,
  type ProcessName,
  processSurveys,
  ringAddressOf,
  RINGS,
  surveyOf,
} from '../../helpers/surveys.js';

const STORES: Stores = { default: 'postgres12', visibility: 'postgres12' };
const unseen = { unseen: 'the dog ate it' };
let catalogue: Catalogue;
beforeAll(async () => {
  catalogue = await loadCatalogue();
});

function hopTo(to: string, change: Partial<Hop> = {}): Hop {
  const [hop] = pathOf('1.31.2', to).hops;
  if (hop === undefined) throw new Error('no hop');
  return { ...hop, ...change };
}
const TO = '1.32.1';
const hop = () => hopTo(TO);
/** Tools of a hop that are there: without them nothing else would be told from. */
const TOOLS: ClusterSurvey['tools'] = ['temporal-server', 'temporal-sql-tool'].map((tool) => ({
  tool,
  version: TO,
  place: { seen: { at: `/tools/${tool}` } },
}));

function findings(survey: Survey, given: Partial<Omit<CheckContext, 'catalogue'>> = {}): Finding[] {
  const context = { catalogue, stores: STORES, ...given };
  return clusterChecks.flatMap((check) => check(survey, context));
}
/** Severity and id of each, but for what the catalogue says of versions as time goes by. */
function ids(found: readonly Finding[]): string[] {
  return found
    .filter(({ id }) => !['newer-patch', 'newer-minor', 'version-advisory'].includes(id))
    .map(({ severity, id }) => `${severity} ${id}`);
}

test('says nothing of a cluster in which all is well', () => {
  expect(ids(findings(surveyOf()))).toEqual([]);
  // With one worker process: that role takes no calls.
  expect(ids(findings(surveyOf({ tools: TOOLS }), { hop: hop() }))).toEqual([]);
});

const one = (name: ProcessName, change: Partial<ProcessSurvey>) => ({ processes: processSurveys({ [name]: change }) });
const metrics = (name: ProcessName, change: Partial<ProcessMetrics>) =>
  one(name, { metrics: { seen: { ...METRICS, ...change } } });
const configured = (name: ProcessName, change: Partial<NodeConfiguration>) =>
  one(name, { configuration: { seen: { ...configurationOf(name), ...change } } });
const down = (name: ProcessName): Partial<ClusterSurvey> => ({
  nodes: nodeStates({ [name]: { running: false } }),
  processes: processSurveys({
    [name]: { health: { seen: 'UNREACHABLE' }, metrics: { unseen: `${name} does not run` }, startErrors: { seen: [] } },
  }),
});
const without = (role: string, name: ProcessName) => ({
  ...RINGS,
  [role]: (RINGS[role] ?? []).filter((address) => address !== addressOf(name)),
});
const views = (...seen: readonly ClusterSurvey['rings'][number]['rings'][]) =>
  FRONTENDS.map((frontend, index) => ({ frontend, rings: seen[index] ?? { seen: RINGS } }));
const key = (name: string) => [{ key: name, file: '/etc/temporal/dynamic.yaml', line: 7 }];

interface Case {
  readonly name: string;
  readonly survey: Partial<ClusterSurvey>;
  readonly hop?: Partial<Hop>;
  readonly finds: readonly string[];
  readonly says?: readonly (string | RegExp)[];
}

const cases: readonly Case[] = [
  // Frontends
  {
    name: 'a frontend that does not answer',
    survey: { frontends: [HEALTHY.frontends[0], { address: FRONTENDS[1], info: unseen }].flatMap((one) => one ?? []) },
    finds: ['warn frontend-unseen'],
    says: [`frontend ${FRONTENDS[1]} could not be asked: the dog ate it`],
  },
  {
    name: 'a frontend that does not answer before a hop',
    survey: {
      tools: TOOLS,
      frontends: [
        { address: FRONTENDS[0], info: frontendInfo() },
        { address: FRONTENDS[1], info: unseen },
      ],
    },
    hop: {},
    finds: ['block frontend-unseen'],
  },
  {
    name: 'frontends of two clusters',
    survey: {
      frontends: [
        { address: FRONTENDS[0], info: frontendInfo() },
        { address: FRONTENDS[1], info: frontendInfo({ clusterId: 'other' }) },
      ],
    },
    finds: ['block frontends-of-different-clusters'],
    says: [`${FRONTENDS[0]} of c0ffee and ${FRONTENDS[1]} of other`],
  },
  // Versions and builds
  {
    name: 'a hop left half-done',
    survey: {
      nodes: nodeStates({ 'worker-1': { version: '1.30.7' } }),
      ...metrics('worker-1', { buildVersion: '1.30.7' }),
    },
    finds: ['warn hop-half-done'],
    says: ['from 1.30.7 to 1.31.2 is half-done: worker-1 1.30.7 and history-1'],
  },
  {
    name: 'versions that no hop leads between',
    survey: {
      nodes: nodeStates({ 'worker-1': { version: '1.29.1' } }),
      ...metrics('worker-1', { buildVersion: '1.29.1' }),
    },
    finds: ['block versions-mixed', 'warn version-unsupported'],
  },
  {
    name: 'a version that the hop does not go from',
    survey: {
      tools: TOOLS,
      nodes: nodeStates({ 'worker-1': { version: '1.30.7' } }),
      ...metrics('worker-1', { buildVersion: '1.30.7' }),
    },
    hop: {},
    finds: ['block version-not-of-hop'],
    says: ['worker-1 1.30.7 runs'],
  },
  {
    name: 'the hop itself, begun before',
    survey: {
      tools: TOOLS,
      nodes: nodeStates({ 'worker-1': { version: TO } }),
      ...metrics('worker-1', { buildVersion: TO }),
    },
    hop: {},
    finds: ['note hop-half-done'],
  },
  {
    name: 'an alert that the server heard',
    survey: {
      frontends: FRONTENDS.map((address) => ({
        address,
        info: frontendInfo({ versionInfo: { alerts: ['upgrade now'] } }),
      })),
    },
    finds: ['warn cluster-alert'],
    says: ['the cluster warns: upgrade now'],
  },
  {
    name: 'a program on the disk that is not what runs',
    survey: metrics('matching-1', { buildVersion: '1.30.7' }),
    finds: ['warn build-differs'],
    says: ['the program of matching-1 is 1.31.2, but its build_information says 1.30.7'],
  },
  {
    name: 'a frontend whose address is that of another',
    survey: {
      frontends: [
        { address: FRONTENDS[0], info: frontendInfo({ version: '1.30.7' }) },
        { address: FRONTENDS[1], info: frontendInfo() },
      ],
    },
    finds: ['warn build-differs'],
    says: ['the program of frontend-1 is 1.31.2, but its frontend says 1.30.7'],
  },
  {
    name: 'metrics that are not there',
    survey: one('matching-2', { metrics: unseen }),
    finds: ['warn metrics-unseen'],
    says: ['no metrics of matching-2: the dog ate it'],
  },
  // Processes
  { name: 'processes that are not known', survey: { nodes: unseen }, finds: ['warn processes-unseen'] },
  {
    name: 'processes that are not known before a hop',
    survey: { nodes: unseen, tools: TOOLS },
    hop: {},
    finds: ['block processes-unseen'],
  },
  {
    name: 'a process that is down, and why',
    survey: {
      ...down('matching-2'),
      rings: views({ seen: without('matching', 'matching-2') }, { seen: without('matching', 'matching-2') }),
      processes: processSurveys({
        'matching-2': {
          health: { seen: 'UNREACHABLE' },
          metrics: unseen,
          startErrors: {
            seen: [{ cause: 'schema-behind', text: 'Expected version: 1.19 cannot be greater' }],
          },
        },
      }),
    },
    finds: ['block process-down', 'warn start-error-schema-behind'],
    says: ['matching-2 (matching) does not run', 'Expected version: 1.19'],
  },
  {
    name: 'a unit that is down',
    survey: {
      ...down('matching-2'),
      input: { ...HEALTHY.input, driver: 'systemd' },
      rings: views({ seen: without('matching', 'matching-2') }, { seen: without('matching', 'matching-2') }),
    },
    finds: ['block process-down'],
    says: ['matching-2 (matching) does not run: its unit has no main process'],
  },
  {
    name: 'a process that does not serve',
    survey: one('history-1', { health: { seen: 'NOT_SERVING' }, metrics: { seen: { ...METRICS, shards: 4 } } }),
    finds: ['block not-serving'],
    says: [`history-1 (history) runs, but its health at ${addressOf('history-1')} is NOT_SERVING`],
  },
  { name: 'a worker without a health service', survey: one('worker-1', { health: { seen: 'NO_SERVICE' } }), finds: [] },
  {
    name: 'a health that could not be asked',
    survey: one('worker-1', { health: unseen }),
    finds: ['warn health-unseen'],
  },
  // Rings
  {
    name: 'rings that are not known',
    survey: { rings: views(unseen, unseen) },
    finds: ['warn rings-unseen'],
    says: [`${FRONTENDS[0]} and ${FRONTENDS[1]}`],
  },
  {
    name: 'rings that are not known before a hop',
    survey: { tools: TOOLS, rings: views(unseen) },
    hop: {},
    finds: ['block rings-unseen'],
  },
  {
    name: 'a dead process in the ring',
    survey: down('history-2'),
    // Nobody has its shards until the ring has let go of it.
    finds: ['block process-down', 'block ring-zombie', 'warn shards-not-held'],
    says: [
      `the ring of history has ${addressOf('history-2')}, history-2, which does not run; seen by frontend ${FRONTENDS[0]} and`,
    ],
  },
  {
    name: 'a dead process that one frontend still sees',
    survey: { ...down('matching-2'), rings: views({ seen: RINGS }, { seen: without('matching', 'matching-2') }) },
    finds: ['block process-down', 'block ring-zombie'],
    says: [new RegExp(`seen by frontend ${FRONTENDS[0]};`)],
  },
  {
    name: 'an address in the ring at which nothing answers',
    survey: {
      rings: views({ seen: { ...RINGS, worker: [...(RINGS['worker'] ?? []), '10.0.0.9:7400'] } }),
      strangers: [{ role: 'worker', address: '10.0.0.9:7400', health: { seen: 'UNREACHABLE' } }],
    },
    finds: ['block ring-zombie'],
    says: ['10.0.0.9:7400, which the input does not name and where nothing answers'],
  },
  {
    name: 'a process that the input does not name',
    survey: {
      rings: views(
        { seen: { ...RINGS, worker: [...(RINGS['worker'] ?? []), '10.0.0.9:7400'] } },
        { seen: { ...RINGS, worker: [...(RINGS['worker'] ?? []), '10.0.0.9:7400'] } },
      ),
      strangers: [{ role: 'worker', address: '10.0.0.9:7400', health: { seen: 'SERVING' } }],
    },
    finds: ['block ring-stranger'],
    says: ['the ring of worker has 10.0.0.9:7400 (SERVING), which the input does not name'],
  },
  {
    name: 'a process that no ring has',
    survey: { rings: views({ seen: without('matching', 'matching-1') }, { seen: without('matching', 'matching-1') }) },
    finds: ['block ring-missing'],
    says: [`matching-1 (${addressOf('matching-1')}) is in the ring of matching of no frontend`],
  },
  {
    name: 'a role that sees nobody',
    survey: { rings: views({ seen: { ...RINGS, worker: [] } }, { seen: { ...RINGS, worker: [] } }) },
    finds: ['block ring-missing'],
    says: ['its members are none'],
  },
  {
    name: 'a split ring',
    survey: { rings: views({ seen: RINGS }, { seen: without('history', 'history-2') }) },
    finds: ['block rings-differ'],
    says: [`frontend ${FRONTENDS[0]} sees history-1, history-2; frontend ${FRONTENDS[1]} sees history-1`],
  },
  // Shards
  {
    name: 'another number of shards in a configuration',
    survey: configured('matching-1', { numHistoryShards: 16 }),
    finds: ['warn shard-count-configured'],
    says: ['numHistoryShards is 16 in the configuration of matching-1, and the cluster has 8'],
  },
  {
    name: 'shards that nobody holds',
    survey: metrics('history-1', { shards: 3, shardsMoved: 0 }),
    finds: ['warn shards-not-held'],
    says: ['hold 7 of 8 shards: history-1 3 and history-2 4'],
  },
  {
    name: 'a history process to which the ring gives no shard',
    survey: {
      processes: processSurveys({
        'history-1': { metrics: { seen: { ...METRICS, shards: 8, shardsMoved: 0 } } },
        'history-2': { metrics: { seen: { ...METRICS, shards: 0, shardsMoved: 0 } } },
      }),
    },
    finds: ['warn history-without-shard'],
    says: ['history-2 holds no shard'],
  },
  { name: 'shards held twice', survey: metrics('history-1', { shards: 5 }), finds: ['warn shards-held-twice'] },
  {
    name: 'shards on the move',
    survey: metrics('history-1', { shards: 3, shardsMoved: 2 }),
    finds: ['note shards-settling', 'note shards-moving'],
  },
  {
    name: 'a history process that has just begun',
    survey: { nodes: nodeStates({ 'history-2': { startedAt: '2026-11-21T11:57:00.000Z' } }) },
    finds: ['note history-young'],
    says: ['history-2 began 3 min ago'],
  },
  {
    name: 'shards of which nothing is known',
    survey: one('history-1', { metrics: unseen }),
    finds: ['warn metrics-unseen', 'warn shards-unseen'],
  },
  // Stores
  {
    name: 'a wrong plugin in the input',
    survey: {
      input: {
        ...HEALTHY.input,
        stores: { ...HEALTHY.input.stores, default: { plugin: 'postgres12_pgx', database: 'temporal' } },
      },
    },
    finds: ['block store-plugin-differs'],
    says: ['the default store of live is postgres12, but the input says postgres12_pgx'],
  },
  {
    name: 'another plugin in the configuration of one process',
    survey: configured('worker-1', {
      stores: { ...configurationOf('worker-1').stores, visibility: { plugin: 'mysql8', database: 'visibility' } },
    }),
    finds: ['block store-plugin-configured'],
    says: ['the configuration of worker-1 names the plugin mysql8 for the visibility store'],
  },
  {
    name: 'another database in the configuration',
    survey: configured('worker-1', {
      stores: { ...configurationOf('worker-1').stores, default: { plugin: 'postgres12', database: 'other' } },
    }),
    finds: ['block store-database-differs'],
    says: ['worker-1 has the default store in database "other", but the input says "temporal"'],
  },
  {
    name: 'a second visibility store',
    survey: {
      frontends: FRONTENDS.map((address) => ({
        address,
        info: frontendInfo({ visibilityStore: 'postgres12,elasticsearch' }),
      })),
    },
    finds: ['warn secondary-visibility-unnamed'],
    says: ['(elasticsearch)'],
  },
  // Settings
  {
    name: 'a configuration that cannot be read',
    survey: one('worker-1', { configuration: unseen }),
    finds: ['warn configuration-unseen'],
  },
  {
    name: 'a dynamic configuration that cannot be read',
    survey: configured('worker-1', { dynamic: unseen }),
    finds: ['warn dynamic-configuration-unseen'],
  },
  {
    name: 'a setting that the running version does not know',
    survey: configured('worker-1', {
      dynamic: { seen: { file: 'd', keys: key('system.enableReadVisibilityFromES') } },
    }),
    finds: ['note setting-unknown-set'],
    says: ['/etc/temporal/dynamic.yaml, line 7 (worker-1)'],
  },
  // Load of the stores
  {
    name: 'stores that fail',
    survey: metrics('frontend-1', { persistence: { ...METRICS.persistence, errors: 900, recentErrors: 3 } }),
    finds: ['warn persistence-errors'],
  },
  {
    name: 'a hiccup of a store',
    survey: metrics('frontend-1', { persistence: { ...METRICS.persistence, errors: 1, recentErrors: 1 } }),
    finds: ['note persistence-errors'],
  },
  {
    name: 'visibility that fails',
    survey: metrics('frontend-1', { visibility: { ...METRICS.visibility, errors: 40 } }),
    finds: ['warn visibility-errors'],
  },
  {
    name: 'a slow store',
    survey: metrics('frontend-1', { persistence: { ...METRICS.persistence, meanLatencyMs: 240 } }),
    finds: ['warn persistence-slow'],
    says: ['240 ms on average'],
  },
  {
    name: 'a full pool',
    survey: metrics('frontend-1', { pool: { inUse: 20, most: 20 } }),
    finds: ['warn pool-exhausted'],
  },
  // Replication
  {
    name: 'another cluster',
    survey: {
      knownClusters: {
        seen: [
          { name: 'active', clusterId: 'c0ffee', address: 'a:1', connected: true },
          { name: 'standby', clusterId: 'beef', address: 'b:1', connected: true },
        ],
      },
    },
    finds: ['note replication-present'],
    says: ['standby at b:1'],
  },
  {
    name: 'a replicated namespace before a hop',
    survey: { tools: TOOLS, namespaces: namespacesOf({ isGlobal: true, clusters: ['active', 'standby'] }) },
    hop: {},
    finds: ['warn replication-present'],
    says: ['replicated namespaces: orders', 'Upgrade passive clusters first'],
  },
  { name: 'clusters that are not known', survey: { knownClusters: unseen }, finds: ['note replication-unseen'] },
  // Namespaces
  { name: 'namespaces that are not known', survey: { namespaces: unseen }, finds: ['warn namespaces-unseen'] },
  {
    name: 'more namespaces than are looked at',
    survey: { namespaces: { seen: { count: 2, looked: [] } } },
    finds: ['note namespaces-cut'],
    says: ['0 of 2 namespaces'],
  },
  {
    name: 'visibility that does not answer',
    survey: { namespaces: namespacesOf({ running: unseen, taskQueues: unseen }) },
    finds: ['warn visibility-query-failed'],
    says: ['the running workflows of orders can be neither counted nor listed'],
  },
  {
    name: 'task queues that could not be asked',
    survey: { namespaces: namespacesOf({ taskQueues: unseen }) },
    finds: ['warn task-queues-unseen'],
  },
  {
    name: 'a task queue that nobody polls',
    survey: {
      namespaces: namespacesOf({
        taskQueues: {
          seen: [
            { name: 'polled', kind: 'workflow', pollers: 2, backlog: 9 },
            { name: 'empty', kind: 'workflow', pollers: 0, backlog: 0 },
            { name: 'forgotten', kind: 'activity', pollers: 0, backlog: 3 },
          ],
        },
      }),
    },
    finds: ['warn task-queue-without-poller'],
    says: ['3 activity tasks wait in task queue forgotten of orders'],
  },
  {
    name: 'archival and SDKs',
    survey: {
      namespaces: namespacesOf({
        archival: { history: true, visibility: false },
        sdks: { seen: [{ name: 'temporal-go', version: '1.35.0', seenIn: 'workers' }] },
      }),
    },
    finds: ['note archival-on', 'note sdk-versions'],
    says: ['orders (history)', 'temporal-go 1.35.0 (workers)'],
  },
  {
    name: 'running workflows before a hop',
    survey: {
      tools: TOOLS,
      namespaces: namespacesOf({ running: { seen: { count: 12, listed: 3, byType: { Ship: 1, Order: 2 } } } }),
    },
    hop: {},
    finds: ['note running-workflows', 'note sdks-unseen'],
    says: ['12 workflows of orders run: 2 Order and 1 Ship (of the 3 that were listed)'],
  },
  {
    name: 'search attributes before visibility moves',
    survey: { tools: TOOLS, namespaces: namespacesOf({ customSearchAttributes: { seen: { CustomerId: 'Keyword' } } }) },
    hop: {
      moves: [
        {
          id: 'm',
          part: 'visibility',
          fromKind: 'mysql',
          toKind: 'mysql8',
          at: '1.23.1',
          before: '1.24.0',
          steps: ['move'],
          schema: { from: '1.1', to: '1.4' },
          source: 'guide',
        },
      ],
    },
    finds: ['note custom-search-attributes'],
    says: ['from mysql to mysql8', 'orders (CustomerId)'],
  },
  // What a roll-out needs
  {
    name: 'one process of a role before a hop',
    survey: {
      tools: TOOLS,
      processes: processSurveys().filter(({ name }) => name !== 'matching-2'),
      rings: views({ seen: without('matching', 'matching-2') }, { seen: without('matching', 'matching-2') }),
    },
    hop: {},
    finds: ['warn single-process'],
    says: ['one process alone of matching'],
  },
  {
    name: 'a supervisor before a hop',
    survey: {
      tools: TOOLS,
      ...one('worker-1', {
        supervisors: {
          seen: [
            {
              kind: 'systemd unit',
              name: 'temporal.service',
              evidence: '/proc/7/cgroup: /system.slice/temporal.service',
            },
          ],
        },
      }),
    },
    hop: {},
    finds: ['block supervisor-found'],
    says: ['worker-1 belongs to a supervisor: systemd unit temporal.service (/proc/7/cgroup'],
  },
  {
    name: 'supervision that is not known',
    survey: one('worker-1', { supervisors: unseen }),
    finds: ['warn supervisor-unseen'],
  },
  {
    name: 'a program that is not at hand before a hop',
    survey: {
      tools: [
        ...TOOLS.slice(1),
        { tool: 'temporal-server', version: TO, place: { seen: { from: ['the archive'], why: 'cache: not there' } } },
      ],
    },
    hop: {},
    finds: ['block tool-missing'],
    says: ['temporal-server 1.32.1 is not at hand: cache: not there', 'it would come from the archive'],
  },
  { name: 'programs that nobody looked for', survey: {}, hop: {}, finds: ['block tools-unseen'] },
];

describe('names exactly', () => {
  test.each(cases)('$name', ({ survey, hop: change, finds, says = [] }) => {
    const found = findings(surveyOf(survey), change === undefined ? {} : { hop: { ...hop(), ...change } });
    expect(ids(found)).toEqual(finds);
    const text = found.map((finding) => `${findingText(finding)};`).join('\n');
    for (const words of says) expect(text).toMatch(words);
  });
});

describe('settings of a hop', () => {
  const set = (where: 'static' | 'dynamic', name: string) =>
    surveyOf({
      tools: TOOLS,
      processes: processSurveys(
        Object.fromEntries(
          (Object.keys(PORTS) as ProcessName[]).map((process) => {
            const configuration = configurationOf(process);
            const keys = key(name);
            const changed = where === 'static' ? { settings: keys } : { dynamic: { seen: { file: 'd', keys } } };
            return [process, { configuration: { seen: { ...configuration, ...changed } } }] as const;
          }),
        ),
      ),
    });
  const told = (survey: Survey, from: string, to: string) =>
    findings(survey, { hop: hopTo(to, { from, to }) }).filter(({ id }) => id.startsWith('setting-'));

  test('a key that the hop removes is named once for all that share the file', () => {
    const [finding, ...more] = told(set('dynamic', 'system.EnableReadVisibilityFromES'), '1.23.1', '1.24.2');
    expect(more).toEqual([]);
    expect(finding).toMatchObject({ id: 'setting-removed-set', severity: 'warn' });
    expect(finding?.found).toMatch(
      /removed in 1\.24\.0.*\/etc\/temporal\/dynamic\.yaml, line 7 \(history-1, .* and worker-1\)/,
    );
    expect(finding?.action).toMatch(/^Take it out/);
  });

  test('a renamed key is told from where its new name is taken', () => {
    const survey = set('static', 'persistence.advancedVisibilityStore');
    expect(told(survey, '1.19.1', '1.20.5')).toEqual([]);
    expect(told(survey, '1.20.5', '1.21.6')).toMatchObject([
      { id: 'setting-renamed-set', expected: 'persistence.visibilityStore in its place' },
    ]);
    expect(told(survey, '1.24.2', '1.25.2')).toMatchObject([{ id: 'setting-renamed-set' }]);
    expect(told(survey, '1.25.2', '1.26.3')).toMatchObject([{ id: 'setting-unknown-set', severity: 'note' }]);
  });

  test('a key that the source of the next minor no longer has', () => {
    expect(told(set('dynamic', 'system.enableNEXUS'), '1.30.7', '1.31.2')).toMatchObject([
      {
        id: 'setting-removed-set',
        severity: 'warn',
        found: expect.stringContaining('servers of 1.31 do not read it any more'),
        source: expect.stringMatching(/source of 1\.30\.\d+ and 1\.31\.\d+/),
      },
    ]);
    expect(told(set('dynamic', 'system.enableNexus'), '1.29.1', '1.30.7')).toEqual([]);
  });

  test('a key that takes effect with the hop, and one that nobody reads', () => {
    expect(told(set('dynamic', 'activity.dispatch'), '1.30.7', '1.31.2')).toMatchObject([
      { id: 'setting-begins-set', severity: 'note' },
    ]);
    expect(told(set('dynamic', 'frontend.prs'), '1.30.7', '1.31.2')).toMatchObject([
      { id: 'setting-unknown-set', found: expect.stringContaining('no server of 1.30 and 1.31 reads') },
    ]);
  });

  test('a key that only looks alike is not taken for it', () => {
    expect(told(set('static', 'persistence.datastores.advancedVisibilityStore'), '1.24.2', '1.25.2')).toEqual([]);
  });
});

describe('the table of members', () => {
  const row = (address: string, change: Partial<MemberRow> = {}): MemberRow => ({
    role: 'history',
    address,
    hostId: address,
    sessionStart: '2026-11-21T10:00:00.000Z',
    lastHeartbeat: '2026-11-21T11:59:55.000Z',
    recordExpiry: '2026-11-23T11:59:55.000Z',
    ...change,
  });
  const OLD = { lastHeartbeat: '2026-11-21T03:00:00.000Z' };
  const EXPIRED = { ...OLD, recordExpiry: '2026-11-21T11:00:00.000Z' };
  const withRows = (rows: readonly MemberRow[] | typeof unseen, cluster: Partial<ClusterSurvey> = {}): Survey => {
    const members = Array.isArray(rows)
      ? { seen: { readAt: '2026-11-21T12:00:00.000Z', count: rows.length, rows } }
      : rows;
    const store = { place: 'p', database: unseen, schemaVersion: unseen, cluster: { members } };
    return surveyOf(cluster, {
      stores: { default: store as unknown as Survey['stores']['default'] },
    });
  };
  const gone: Partial<ClusterSurvey> = {
    ...down('history-2'),
    rings: views({ seen: without('history', 'history-2') }, { seen: without('history', 'history-2') }),
  };

  test.each<[string, readonly MemberRow[], Partial<ClusterSurvey>, readonly string[]]>([
    ['a row of each process', [row(ringAddressOf('history-1')), row(ringAddressOf('worker-1'))], {}, []],
    ['an older row of a process that was started anew', [row(ringAddressOf('history-1'), OLD)], {}, []],
    ['a row that nobody of the input writes', [row('10.0.0.9:6934')], {}, ['warn membership-zombie']],
    ['an old row of an address where nothing runs', [row('10.0.0.9:6934', OLD)], {}, ['note membership-stale']],
    ['a row past its time', [row('10.0.0.9:6934', EXPIRED)], {}, ['note membership-expired']],
    [
      'a row of a process that has just died',
      [row(ringAddressOf('history-2'))],
      gone,
      ['block process-down', 'note membership-stale'],
    ],
  ])('%s', (_, rows, cluster, finds) => {
    // The shards of a dead process are another story.
    const found = findings(withRows(rows, cluster)).filter(({ id }) => !id.startsWith('shards-'));
    expect(ids(found)).toEqual(finds);
  });

  test('says nothing of a process that the rings told of already', () => {
    const strange: Partial<ClusterSurvey> = {
      rings: views({ seen: { ...RINGS, history: [...(RINGS['history'] ?? []), '10.0.0.9:7100'] } }),
      strangers: [{ role: 'history', address: '10.0.0.9:7100', health: { seen: 'SERVING' } }],
    };
    expect(ids(findings(withRows([row('10.0.0.9:7101')], strange)))).toEqual(['block ring-stranger']);
  });

  test('is compared by host where a configuration is not known', () => {
    const blind = { processes: processSurveys().map((process) => ({ ...process, configuration: unseen })) };
    expect(ids(findings(withRows([row('10.0.0.1:9'), row('10.0.0.9:9')], blind)))).toEqual([
      'warn membership-zombie',
      'warn configuration-unseen',
    ]);
  });

  test('says when it could not be read', () => {
    expect(ids(findings(withRows(unseen)))).toEqual(['warn membership-unseen']);
  });
});

test('tasks of canaries wait for workers of their own, which another check tells of', () => {
  const waiting = { seen: [{ name: 'canary-steps', kind: 'workflow' as const, pollers: 0, backlog: 11 }] };
  const survey = surveyOf({ namespaces: namespacesOf({ taskQueues: waiting }) });
  expect(ids(findings(survey))).toEqual(['warn task-queue-without-poller']);
  expect(ids(findings(survey, { canaryNamespaces: ['orders'] }))).toEqual([]);
});

test('a finding with a block or a warning says what to do, and each names its source', () => {
  for (const { survey, hop: change } of cases) {
    for (const finding of findings(surveyOf(survey), change === undefined ? {} : { hop: { ...hop(), ...change } })) {
      expect(finding.source).not.toBe('');
      expect(finding.found).not.toMatch(/\.$/);
      if (finding.severity === 'note') continue;
      expect(finding.expected).not.toBe('');
      expect(finding.action).toMatch(/^[A-Z].*[^.]$/);
    }
  }
});
