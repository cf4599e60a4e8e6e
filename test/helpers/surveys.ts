import type { ClusterSurvey, ProcessSurvey } from '../../src/core/survey/cluster-survey.js';
import type { NodeState } from '../../src/core/cluster.js';
import type { Role } from '../../src/core/input/input.js';
import type { NamespaceSurvey } from '../../src/core/survey/namespace-survey.js';
import type { NodeConfiguration } from '../../src/core/survey/node-configuration.js';
import type { ProcessMetrics } from '../../src/core/survey/process-metrics.js';
import type { Survey } from '../../src/core/survey/survey.js';

export const TAKEN_AT = '2026-11-21T12:00:00.000Z';
const STARTED_AT = '2026-11-20T12:00:00.000Z';

/** Port of a process's gRPC; that of its ring is one above, that of its metrics two. */
export const PORTS = {
  'history-1': 7100,
  'history-2': 7110,
  'matching-1': 7200,
  'matching-2': 7210,
  'frontend-1': 7300,
  'frontend-2': 7310,
  'worker-1': 7400,
} as const;
export type ProcessName = keyof typeof PORTS;
export const PROCESSES = Object.keys(PORTS) as readonly ProcessName[];

export const addressOf = (name: ProcessName): string => `10.0.0.1:${PORTS[name]}`;
export const ringAddressOf = (name: ProcessName): string => `10.0.0.1:${PORTS[name] + 1}`;
const roleOf = (name: string): Role => name.slice(0, name.lastIndexOf('-')) as Role;

/** A cluster of two processes a role in which all is well, and then what a test changes of it. */
export function surveyOf(change: Partial<ClusterSurvey> = {}, rest: Partial<Survey> = {}): Survey {
  return { target: 'live', takenAt: TAKEN_AT, stores: {}, cluster: { ...HEALTHY, ...change }, ...rest };
}

export const METRICS: ProcessMetrics = {
  buildVersion: '1.31.2',
  restarts: 1,
  windowMs: 1_000,
  persistence: { requests: 10_000, errors: 0, recentErrors: 0, meanLatencyMs: 4 },
  visibility: { requests: 100, errors: 0, recentErrors: 0, meanLatencyMs: 6 },
  pool: { inUse: 1, most: 20 },
};

export function configurationOf(name: ProcessName): NodeConfiguration {
  return {
    files: [`/etc/temporal/${name}/production.yaml`],
    numHistoryShards: 8,
    stores: {
      default: { plugin: 'postgres12', database: 'temporal', maxConns: 20 },
      visibility: { plugin: 'postgres12', database: 'visibility', maxConns: 10 },
    },
    settings: [{ key: 'persistence', file: `/etc/temporal/${name}/production.yaml`, line: 1 }],
    dynamic: {
      seen: {
        file: '/etc/temporal/dynamic.yaml',
        keys: [{ key: 'frontend.rps', file: '/etc/temporal/dynamic.yaml', line: 1 }],
      },
    },
    ringAddress: ringAddressOf(name),
    broadcastAddress: '10.0.0.1',
    hasPublicClient: false,
    tls: { internode: false, frontend: false },
    archival: { history: false, visibility: false },
    clusters: ['active'],
  };
}

export function nodeStates(change: Partial<Record<ProcessName, Partial<NodeState>>> = {}): ClusterSurvey['nodes'] {
  const states = PROCESSES.map((name, index): NodeState => ({
    name,
    role: roleOf(name),
    rpcAddress: addressOf(name),
    metricsAddress: `10.0.0.1:${PORTS[name] + 2}`,
    ...(change[name]?.running === false
      ? {}
      : { version: '1.31.2', instance: `${index + 100}:1`, startedAt: STARTED_AT }),
    running: true,
    ...change[name],
  }));
  return { seen: states };
}

export function processSurveys(change: Partial<Record<ProcessName, Partial<ProcessSurvey>>> = {}): ProcessSurvey[] {
  return PROCESSES.map((name) => ({
    name,
    role: roleOf(name),
    rpcAddress: addressOf(name),
    health: { seen: 'SERVING' },
    metrics: { seen: roleOf(name) === 'history' ? { ...METRICS, shards: 4, shardsMoved: 0 } : METRICS },
    configuration: { seen: configurationOf(name) },
    supervisors: { seen: [] },
    startErrors: { seen: [] },
    ...change[name],
  }));
}

export const RINGS: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  ['frontend', 'history', 'matching', 'worker'].map((role) => [
    role,
    PROCESSES.filter((name) => roleOf(name) === role).map(addressOf),
  ]),
);

export const NAMESPACE: NamespaceSurvey = {
  name: 'orders',
  retentionSeconds: 86_400,
  isGlobal: false,
  clusters: ['active'],
  archival: { history: false, visibility: false },
  customSearchAttributes: { seen: {} },
  running: { seen: { count: 0, listed: 0, byType: {} } },
  taskQueues: { seen: [] },
  sdks: { seen: [] },
};

export function namespacesOf(...changes: readonly Partial<NamespaceSurvey>[]): ClusterSurvey['namespaces'] {
  return { seen: { count: changes.length, looked: changes.map((change) => ({ ...NAMESPACE, ...change })) } };
}

export function frontendInfo(change: object = {}): ClusterSurvey['frontends'][number]['info'] {
  return {
    seen: {
      clusterId: 'c0ffee',
      clusterName: 'active',
      version: '1.31.2',
      historyShardCount: 8,
      persistenceStore: 'postgres12',
      visibilityStore: 'postgres12',
      ...change,
    },
  };
}

export const FRONTENDS = [addressOf('frontend-1'), addressOf('frontend-2')] as const;

export const HEALTHY: ClusterSurvey = {
  input: {
    driver: 'process',
    stores: {
      default: { plugin: 'postgres12', database: 'temporal' },
      visibility: { plugin: 'postgres12', database: 'visibility' },
    },
  },
  frontends: FRONTENDS.map((address) => ({ address, info: frontendInfo() })),
  nodes: nodeStates(),
  processes: processSurveys(),
  rings: FRONTENDS.map((frontend) => ({ frontend, rings: { seen: RINGS } })),
  strangers: [],
  knownClusters: { seen: [{ name: 'active', clusterId: 'c0ffee', address: addressOf('frontend-1'), connected: true }] },
  namespaces: namespacesOf({}),
  tools: [],
};
