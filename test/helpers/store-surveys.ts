import { loadCatalogue } from '../../src/adapters/catalogue-file.js';
import { storeChecks } from '../../src/core/checks/store-checks.js';
import type { ClusterSurvey } from '../../src/core/survey/cluster-survey.js';
import type { Finding } from '../../src/core/finding.js';
import { planPath } from '../../src/core/planning/path.js';
import type { Stores } from '../../src/core/plan.js';
import type { ScriptsAhead, StoreSurvey } from '../../src/core/survey/store-survey.js';
import type { CheckContext, Survey } from '../../src/core/survey/survey.js';
import { minorOf } from '../../src/core/version.js';

const catalogue = await loadCatalogue();
const STORES: Stores = { default: 'postgres12', visibility: 'postgres12' };
const GIB = 1024 ** 3;

/** Of the cluster nothing is asked here but the versions of its frontends. */
export const EMPTY_CLUSTER: ClusterSurvey = {
  input: {
    driver: 'process',
    stores: {
      default: { plugin: 'postgres12', database: '' },
      visibility: { plugin: 'postgres12', database: '' },
    },
  },
  frontends: [],
  nodes: { seen: [] },
  processes: [],
  rings: [],
  strangers: [],
  knownClusters: { seen: [] },
  namespaces: { unseen: 'not asked here' },
  tools: [],
};

export const SCRIPTS: ScriptsAhead = {
  from: '1.9',
  to: '1.13',
  changes: ['executions_visibility'],
  creates: [],
  rewrites: [{ table: 'executions_visibility', tableBytes: 2 * GIB, indexBytes: GIB, estimatedRows: 35_000_000 }],
  missing: [],
};

/** A store of a healthy cluster of 1.29.1 with four shards. */
export function healthyStore(part: 'default' | 'visibility', over: Partial<StoreSurvey> = {}): StoreSurvey {
  const database = part === 'default' ? 'temporal' : 'temporal_visibility';
  const tables = part === 'default' ? ['executions', 'shards'] : ['executions_visibility'];
  const own = { owner: 'temporal', canAlter: true, canRead: true, canWrite: true };
  return {
    place: `database "${database}" at db:5432`,
    database: { seen: { product: 'PostgreSQL', version: '15.18' } },
    schemaVersion: { seen: part === 'default' ? '1.18' : '1.9' },
    tables: { seen: { default: part === 'default', visibility: part === 'visibility' } },
    location: { seen: { server: '7', database, schema: 'public' } },
    shape: { seen: [] },
    invalidIndexes: { seen: [] },
    rights: {
      seen: {
        user: 'temporal',
        schema: 'public',
        canCreateInSchema: true,
        tables: [...tables, 'schema_version', 'schema_update_history'].map((table) => ({ table, ...own })),
        unreadableSequences: [],
      },
    },
    bytes: { seen: 5 * GIB },
    disk: { seen: { path: '/data', freeBytes: 100 * GIB } },
    connections: {
      seen: {
        user: 'temporal',
        database,
        max: 100,
        reserved: 3,
        inUse: [
          { user: 'temporal', database: 'temporal', application: '', count: 20 },
          { user: 'temporal', database: 'temporal_visibility', application: '', count: 10 },
          { user: 'reports', database: 'shop', application: 'metabase', count: 5 },
        ],
      },
    },
    maxConns: { seen: 40 },
    blockers: { seen: { transactions: [], hidden: 0 } },
    mode: { seen: { inRecovery: false, readOnly: false } },
    collation: { seen: { recorded: '2.36', actual: '2.36' } },
    backup: {
      directory: '/backups',
      space: { seen: { path: '/backups', freeBytes: 50 * GIB } },
      program: { seen: '/usr/bin/pg_dump 15' },
    },
    ...(part === 'default'
      ? {
          cluster: {
            records: { seen: [clusterRecord('active', 'a')] },
            members: { seen: { readAt: '2026-11-21T18:00:00.000Z', count: 0, rows: [] } },
            shards: { seen: { count: 4, lowest: 1, highest: 4, gaps: [] } },
            deadLetters: { seen: { namespaceReplication: 0, historyTasks: 0, countedTo: 1_000 } },
          },
        }
      : {}),
    ...over,
  };
}

export function clusterRecord(clusterName: string, clusterId: string) {
  return {
    clusterName,
    clusterId,
    historyShardCount: 4,
    address: '',
    isGlobalNamespaceEnabled: false,
    isConnectionEnabled: true,
    initialFailoverVersion: 1,
    failoverVersionIncrement: 10,
  };
}

export function frontendInfo(version: string, clusterId = 'a') {
  const info = { clusterId, clusterName: 'active', version, historyShardCount: 4 };
  return { seen: { ...info, persistenceStore: 'postgres12', visibilityStore: 'postgres12' } };
}

export interface Case {
  readonly default?: Partial<StoreSurvey>;
  readonly visibility?: Partial<StoreSurvey>;
  /** Versions of the frontends; 1.29.1 when left out. */
  readonly running?: readonly string[];
  /** The hop to do; none when left out. */
  readonly hop?: readonly [from: string, to: string];
  readonly stores?: Stores;
}

/** A healthy cluster but for what a case says. */
export function surveyOf({ running = ['1.29.1'], ...over }: Case): Survey {
  return {
    target: 'live',
    takenAt: '2026-11-21T18:00:00.000Z',
    cluster: {
      ...EMPTY_CLUSTER,
      frontends: running.map((version, index) => ({ address: `frontend-${index}:7233`, info: frontendInfo(version) })),
    },
    stores: {
      default: healthyStore('default', over.default),
      visibility: healthyStore('visibility', over.visibility),
    },
  };
}

export function contextOf({ hop, stores = STORES }: Case): CheckContext {
  if (hop === undefined) return { catalogue, stores };
  const [from, to] = hop;
  const { hops } = planPath({ catalogue, from, to, pins: { [minorOf(from)]: from }, stores });
  return { catalogue, stores, hop: hops[0] };
}

/** What all checks of stores find. */
export function findingsOf(about: Case): Finding[] {
  const [survey, context] = [surveyOf(about), contextOf(about)];
  return storeChecks.flatMap((check) => check(survey, context));
}

/** The same in short, such as `block schema-behind`. */
export function saidOf(about: Case): string[] {
  return findingsOf(about).map(({ id, severity }) => `${severity} ${id}`);
}
