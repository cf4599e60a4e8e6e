import type { Histogram, Reading } from '../../src/core/measuring/series.js';
import { isRingsBeat, type Round } from '../../src/core/measuring/round.js';
import type { Role } from '../../src/core/input/input.js';

/** What one process did in one beat; what is left out is as on a quiet cluster. */
export interface Did {
  readonly requests?: number;
  readonly errors?: number;
  readonly persistenceErrors?: number;
  readonly slow?: number;
  readonly panics?: number;
  readonly serves?: boolean;
  readonly restarts?: boolean;
  /** No process runs. */
  readonly down?: boolean;
  /** Seconds; matching shows it from its first backlog on. */
  readonly backlogAge?: number;
}

type Counted = Required<Pick<Did, 'requests' | 'errors' | 'persistenceErrors' | 'slow' | 'panics'>>;

export interface Model {
  readonly beats: number;
  /** By beat and node. */
  readonly did: Readonly<Record<string, Did>>;
  /** Beats at which the default store did not answer. */
  readonly unreached: ReadonlySet<number>;
  readonly queryMs: readonly number[];
  /** Connections in use by beat, of 97; twenty where left out. */
  readonly connections?: readonly number[];
}

export const BEAT_MS = 10_000;
export const FROM = Date.parse('2026-11-21T10:00:00.000Z');
export const NODES: readonly (readonly [string, Role])[] = [
  ['frontend-1', 'frontend'],
  ['history-1', 'history'],
  ['matching-1', 'matching'],
];

export const quiet = (beats = 19): Model => ({ beats, did: {}, unreached: new Set(), queryMs: [] });
export const at = (beat: number, node: string): string => `${beat} ${node}`;

/** The rounds that a meter would have taken of it. */
export function roundsOf({ beats, did, unreached, queryMs, connections = [] }: Model): Round[] {
  const sums = new Map<string, Counted>();
  const runs = new Map<string, number>();
  return Array.from({ length: beats }, (_, beat): Round => {
    const time = FROM + beat * BEAT_MS;
    return {
      at: time,
      beatMs: BEAT_MS,
      processes: NODES.map(([node, role]) => {
        const {
          requests = 60,
          errors = 0,
          persistenceErrors = 0,
          slow = 0,
          panics = 0,
          serves = true,
          restarts,
          down,
          backlogAge,
        } = did[at(beat, node)] ?? {};
        if (restarts === true) runs.set(node, (runs.get(node) ?? 0) + 1);
        const zero = { requests: 0, errors: 0, persistenceErrors: 0, slow: 0, panics: 0 };
        const before = restarts === true ? zero : (sums.get(node) ?? zero);
        const now = {
          requests: before.requests + requests,
          errors: before.errors + errors,
          persistenceErrors: before.persistenceErrors + persistenceErrors,
          slow: before.slow + slow,
          panics: before.panics + panics,
        };
        sums.set(node, now);
        if (down === true) return { node, role, running: false, health: 'UNREACHABLE', problem: 'no answer' };
        const health = serves ? ('SERVING' as const) : ('NOT_SERVING' as const);
        return {
          node,
          role,
          running: true,
          instance: `${node}:${runs.get(node) ?? 0}`,
          health,
          reading: readingOf(now, backlogAge),
        };
      }),
      databases: (['default', 'visibility'] as const).map((store) =>
        store === 'default' && unreached.has(beat)
          ? { store, problem: 'no answer' }
          : {
              store,
              facts: {
                queryMs: queryMs[beat] ?? 1,
                bytes: 1_000_000,
                connections: { inUse: connections[beat] ?? 20, allowed: 97 },
              },
            },
      ),
      ...(isRingsBeat(time, BEAT_MS) ? { rings: { equal: true } } : {}),
    };
  });
}

function readingOf(now: Counted, backlogAge: number | undefined): Reading {
  const { requests, errors, persistenceErrors, panics, slow } = now;
  const latency: Histogram = [
    [1, 0],
    [5, requests],
    [1_000, requests],
    [2_000, requests + slow],
    [null, requests + slow],
  ];
  return {
    values: {
      requests: requests + errors,
      errors,
      persistenceRequests: 5 * requests + persistenceErrors,
      persistenceErrors,
      persistenceTimeouts: 0,
      visibilityRequests: requests,
      visibilityErrors: 0,
      workflowSuccess: requests,
      workflowFailed: 0,
      workflowTimeout: 0,
      workflowTerminated: 0,
      panics,
      dlqWrites: 0,
      terminalFailures: 0,
      corruptions: 0,
      checksumMismatches: 0,
      ...(backlogAge === undefined ? {} : { backlogAgeSeconds: backlogAge }),
    },
    histograms: { startLatency: latency, persistenceLatency: latency },
    spelling: { prefix: '', counters: '', timers: '' },
    version: '1.31.2',
  };
}
