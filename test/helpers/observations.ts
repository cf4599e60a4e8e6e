import { Bounds } from '../../src/core/input/bounds.js';
import type { LoadWindow, ProbeWindow } from '../../src/core/ledger.js';
import type { Observation, ProcessWindow, Streak } from '../../src/core/measuring/observation.js';

export const BOUNDS = Bounds.parse({});

const WELL = { beats: 0, bad: 0 };
export const good = (beats: number): Streak => ({ good: beats, worst: WELL, open: WELL });

/** A process that served at every one of twenty beats. */
export function processWindow(node: string, changes: Partial<ProcessWindow> = {}): ProcessWindow {
  return {
    node,
    role: node.replace(/-\d+$/, ''),
    metrics: { due: 20, seen: 20, ends: true },
    explained: 0,
    health: good(20),
    restarts: 0,
    versions: ['1.31.2'],
    cores: 0.2,
    residentBytes: 150 * 1_048_576,
    ...changes,
  };
}

export const PROBE: ProbeWindow = {
  attempts: 1_800,
  failedAttempts: 0,
  calls: 1_800,
  failedCalls: 0,
  latencyMs: { p50: 8, p99: 45, max: 80 },
  longestGapMs: 180,
  longestGapKind: 'history-read',
  byCode: {},
  byKind: {},
  missingMs: 0,
};

export const LOAD: LoadWindow = {
  started: 360,
  completed: 350,
  lost: 0,
  duplicated: 0,
  wrong: 0,
  failed: 0,
  failedCalls: 0,
  intended: 360,
  startLatencyMs: { p50: 12, p99: 60, max: 90 },
  examples: [],
  probe: PROBE,
};

const database = (store: 'default' | 'visibility') => ({
  store,
  beats: { due: 20, seen: 20, ends: true },
  reached: good(20),
  queryMs: 0.8,
  bytes: { first: 10_000_000, last: 10_400_000 },
  connections: { inUse: 60, allowed: 97 },
});

/** A calm window of three minutes. */
export function observed(changes: Partial<Observation> = {}): Observation {
  return {
    kind: 'settled',
    startedAt: '2026-11-21T10:00:00.000Z',
    endedAt: '2026-11-21T10:03:10.000Z',
    beatMs: 10_000,
    beats: { due: 20, seen: 20, ends: true },
    processes: ['frontend-1', 'history-1', 'history-2', 'matching-1', 'worker-1'].map((node) => processWindow(node)),
    databases: [database('default'), database('visibility')],
    rings: { due: 4, asked: 4, unequal: 0 },
    totals: {
      requests: 10_000,
      errors: 0,
      persistenceRequests: 40_000,
      persistenceErrors: 0,
      persistenceTimeouts: 0,
      visibilityRequests: 900,
      visibilityErrors: 0,
      workflowSuccess: 350,
      workflowFailed: 0,
      workflowTimeout: 0,
      workflowTerminated: 0,
      backlogAgeSeconds: 0,
      panics: 0,
      dlqWrites: 0,
      terminalFailures: 0,
      corruptions: 0,
      checksumMismatches: 0,
    },
    histograms: {
      startLatency: latencies(),
      signalLatency: latencies(),
      respondLatency: latencies(),
      persistenceLatency: latencies(),
    },
    worstMinute: { at: '2026-11-21T10:00:00.000Z', errors: 0, requests: 3_000, atMost: 0, atLeast: 3_000 },
    ...changes,
  };
}

/** A thousand calls, most below 10 ms, ten up to 50 ms, and some more beyond a second. */
export function latencies(slow = 0): Observation['histograms'][keyof Observation['histograms']] & object {
  return [
    [2, 0],
    [5, 600],
    [10, 990],
    [20, 990],
    [50, 1_000],
    [1_000, 1_000],
    [2_000, 1_000 + slow],
    [null, 1_000 + slow],
  ];
}

export function withTotals(changes: Observation['totals'], from = observed()): Observation {
  return { ...from, totals: { ...from.totals, ...changes } };
}

/** The same with one process changed. */
export function withProcess(changes: Partial<ProcessWindow>, node = 'history-1', from = observed()): Observation {
  return { ...from, processes: from.processes.map((one) => (one.node === node ? { ...one, ...changes } : one)) };
}
