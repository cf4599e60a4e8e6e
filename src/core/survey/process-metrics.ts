import { diffCounters, sumCounters, type MetricSample } from '../measuring/metrics.js';

/** What the metrics of one process say. A number that its page does not have is absent, which is not 0. */
export interface ProcessMetrics {
  /** Label of `build_information`: what was built, whatever lies on the disk by now. */
  readonly buildVersion?: string | undefined;
  readonly restarts?: number | undefined;
  /** `numshards_gauge`: shards that a history process held when it last looked, at most a minute ago. */
  readonly shards?: number | undefined;
  /** Time between the two pages that rises are from, in milliseconds. */
  readonly windowMs: number;
  /** Shards taken or given up within the window. */
  readonly shardsMoved?: number | undefined;
  readonly persistence: CallCounts;
  readonly visibility: CallCounts;
  /** Connections of its fullest pool. */
  readonly pool?: { readonly inUse: number; readonly most: number } | undefined;
}

/** Calls to a store since the process began. */
export interface CallCounts {
  readonly requests: number;
  /** What the server does not expect, without what its callers did wrong. */
  readonly errors: number;
  /** Errors that came within the window. */
  readonly recentErrors: number;
  readonly meanLatencyMs?: number | undefined;
}

/** Reads two pages of one process, `windowMs` milliseconds apart. */
export function readProcessMetrics(
  before: readonly MetricSample[],
  after: readonly MetricSample[],
  windowMs: number,
): ProcessMetrics {
  const rise = diffCounters(before, after).samples;
  const moved = ['sharditem_created_count', 'sharditem_removed_count'].map((name) => sumCounters(rise, name));
  return {
    buildVersion: buildVersionOf(after),
    restarts: sumCounters(after, 'restarts'),
    shards: sumCounters(after, 'numshards_gauge'),
    windowMs,
    shardsMoved: moved.every((count) => count === undefined)
      ? undefined
      : moved.reduce<number>((sum, count) => sum + (count ?? 0), 0),
    persistence: callCounts('persistence', after, rise),
    visibility: callCounts('visibility_persistence', after, rise),
    pool: fullestPool(after),
  };
}

function buildVersionOf(samples: readonly MetricSample[]): string | undefined {
  const label = samples.find(({ name }) => /(^|_)build_information(_total)?$/.test(name))?.labels['build_version'];
  // Prometheus labels of the server carry 1_31_2: its reporter replaces every dot.
  const version = /(\d+)[._](\d+)[._](\d+)/.exec(label ?? '');
  return version === null ? undefined : version.slice(1, 4).join('.');
}

function callCounts(prefix: string, samples: readonly MetricSample[], rise: readonly MetricSample[]): CallCounts {
  const latency = meanLatency(samples, `${prefix}_latency`);
  return {
    requests: sumCounters(samples, `${prefix}_requests`) ?? 0,
    errors: sumCounters(samples, `${prefix}_errors`) ?? 0,
    recentErrors: sumCounters(rise, `${prefix}_errors`) ?? 0,
    ...(latency === undefined ? {} : { meanLatencyMs: latency }),
  };
}

/** Tally writes seconds; OpenTelemetry names its unit in the metric. */
const LATENCY_UNITS = [
  ['', 1_000],
  ['_seconds', 1_000],
  ['_milliseconds', 1],
] as const;

function meanLatency(samples: readonly MetricSample[], name: string): number | undefined {
  for (const [unit, factor] of LATENCY_UNITS) {
    const sum = sumCounters(samples, `${name}${unit}_sum`);
    const count = sumCounters(samples, `${name}${unit}_count`);
    if (sum !== undefined && count !== undefined && count > 0) return (sum / count) * factor;
  }
  return undefined;
}

/** Pools are told apart by their labels; one that is full is not helped by another that is empty. */
function fullestPool(samples: readonly MetricSample[]): ProcessMetrics['pool'] {
  const most = samples.filter(({ name }) => /(^|_)persistence_sql_max_open_conn$/.test(name));
  const pools = most.flatMap((max) => {
    const inUse = samples.find(
      ({ name, labels }) =>
        name === max.name.replace('max_open_conn', 'in_use') && JSON.stringify(labels) === JSON.stringify(max.labels),
    );
    return inUse === undefined || max.value <= 0 ? [] : [{ inUse: inUse.value, most: max.value }];
  });
  return pools.toSorted((a, b) => b.inUse / b.most - a.inUse / a.most)[0];
}
