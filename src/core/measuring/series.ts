import type { MetricSample } from './metrics.js';

/**
 * What the meter keeps of a process's metrics page: a fixed list, so that a page of a megabyte becomes a few hundred bytes.
 * Names are those of the server's source (common/metrics/metric_defs.go); how a server spells them is found out page by
 * page ({@link reducePage}).
 */
interface SeriesDefinition {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  /** One after the other is looked for until one is there: newer names first. */
  readonly names: readonly string[];
  /** Labels that a line must carry; a regular expression for the whole value. */
  readonly labels?: Readonly<Record<string, RegExp>>;
  /** How several lines become one number; gauges of pools and queues are as bad as their worst. */
  readonly merge?: 'sum' | 'max';
  /** A server shows it from its first rise on: absent is 0, once a page was read at all. */
  readonly sparse?: boolean;
  /** Histograms of time are kept in milliseconds; those of counts as they are. */
  readonly unit?: 'ms' | 'count';
}

const operation = (name: string) => ({ operation: new RegExp(`^${name}$`) });
/** Time that a user's own lock or a long poll takes is no fault of the server: `_nouserlatency` leaves it out. */
const latencyOf = (name: string): SeriesDefinition => ({
  kind: 'histogram',
  names: ['service_latency_nouserlatency', 'service_latency'],
  labels: { ...operation(name), service_name: /^frontend$/ },
  unit: 'ms',
});
const sparse = (...names: readonly string[]): SeriesDefinition => ({ kind: 'counter', names, sparse: true });

export const SERIES = {
  // Without the health checks, which are the meter's own.
  requests: { kind: 'counter', names: ['service_requests'], labels: { operation: /^(?!Check$)/ } },
  errors: sparse('service_errors'),
  startLatency: latencyOf('StartWorkflowExecution'),
  signalLatency: latencyOf('SignalWorkflowExecution'),
  respondLatency: latencyOf('RespondWorkflowTaskCompleted'),
  persistenceRequests: { kind: 'counter', names: ['persistence_requests'] },
  persistenceErrors: sparse('persistence_errors'),
  // Time-outs are not among persistence_errors (persistence_metric_clients.go), and are what a slow database looks like.
  persistenceTimeouts: {
    kind: 'counter',
    names: ['persistence_error_with_type'],
    labels: { error_type: /timeout/i },
    sparse: true,
  },
  persistenceLatency: { kind: 'histogram', names: ['persistence_latency'], unit: 'ms' },
  visibilityRequests: { kind: 'counter', names: ['visibility_persistence_requests'] },
  visibilityErrors: sparse('visibility_persistence_errors'),
  workflowSuccess: sparse('workflow_success'),
  workflowFailed: sparse('workflow_failed'),
  workflowTimeout: sparse('workflow_timeout'),
  workflowTerminated: sparse('workflow_terminate'),
  immediateQueueLag: { kind: 'histogram', names: ['shardinfo_immediate_queue_lag'], unit: 'count' },
  scheduledQueueLag: { kind: 'histogram', names: ['shardinfo_scheduled_queue_lag'], unit: 'ms' },
  backlogAgeSeconds: { kind: 'gauge', names: ['approximate_backlog_age_seconds'], merge: 'max' },
  panics: sparse('service_panics'),
  dlqWrites: sparse('dlq_writes'),
  terminalFailures: sparse('task_terminal_failures'),
  corruptions: sparse('task_errors_corruption'),
  checksumMismatches: sparse('mutable_state_checksum_mismatch'),
} as const satisfies Readonly<Record<string, SeriesDefinition>>;

export type SeriesKey = keyof typeof SERIES;

/** Counters that rise only when something is broken, with the server's own name of each. */
export const NEVER_EXPECTED = ['panics', 'dlqWrites', 'terminalFailures', 'corruptions', 'checksumMismatches'] as const;

/** Upper bound and how many were at most that, only where the number changes; the last bound is Infinity, written null. */
export type Histogram = readonly (readonly [upTo: number | null, count: number])[];

/** How a page spells the server's names. An ending is absent where the page has nothing that would show it. */
export interface Spelling {
  readonly prefix: string;
  readonly counters?: string | undefined;
  readonly timers?: string | undefined;
}

/** One page, reduced. A key that the page does not have is absent, which is not 0. */
export interface Reading {
  readonly values: Readonly<Partial<Record<SeriesKey, number>>>;
  readonly histograms: Readonly<Partial<Record<SeriesKey, Histogram>>>;
  readonly spelling: Spelling;
  /** Age of the oldest task of each queue that has one waiting, in seconds, youngest first; absent in older samples. */
  readonly backlogAges?: readonly number[] | undefined;
  /** `build_version` of build_information. */
  readonly version?: string | undefined;
}

/** Every process of a server has shown these since 1.0: what stands before and after them is how it spells names. */
const ANCHORS = ['num_goroutines', 'memory_heap', 'build_information', 'restarts'];
const TIMER_SUFFIXES = ['', '_milliseconds', '_seconds', '_ms', '_s'];
const COUNTER_SUFFIXES = ['', '_total'];

const ENTRIES: readonly (readonly [string, SeriesDefinition])[] = Object.entries(SERIES);
/** Every name that is looked for, as the server's source has it. */
export const WANTED_NAMES: readonly string[] = [...new Set(ENTRIES.flatMap(([, { names }]) => names)), ...ANCHORS];

const KNOWN_NAMES = new RegExp(
  `(?:^|_)(?:${WANTED_NAMES.join('|')})(?:_milliseconds|_seconds|_ms|_s|_bytes|_ratio)?(?:_total|_bucket)?$`,
);

/** Whether a line of a page can be one that is kept; saves reading the megabyte of the others. */
export function isWantedName(name: string): boolean {
  return KNOWN_NAMES.test(name);
}

/** What is kept of a page. @throws Error when it is no page of a Temporal server */
export function reducePage(samples: readonly MetricSample[]): Reading {
  const byName = Map.groupBy(samples, ({ name }) => name);
  const prefix = prefixOf([...byName.keys()]);
  if (prefix === undefined)
    throw new Error(`the page has none of ${ANCHORS.join(', ')}: is it that of a Temporal server?`);
  const values: Partial<Record<string, number>> = {};
  const histograms: Partial<Record<string, Histogram>> = {};
  const endings: { counters?: string; timers?: string } = {};
  for (const [key, definition] of ENTRIES) {
    const found = find(byName, prefix, definition);
    if (found !== undefined && definition.kind === 'counter') endings.counters ??= found.suffix;
    if (found !== undefined && definition.unit === 'ms') endings.timers ??= found.suffix;
    const lines = (found?.lines ?? []).filter((line) => carries(line, definition));
    if (definition.kind === 'histogram') {
      if (lines.length > 0) histograms[key] = histogramOf(lines, definition.unit ?? 'count', found?.suffix ?? '');
    } else if (lines.length > 0 || definition.sparse === true) values[key] = merge(lines, definition.merge ?? 'sum');
  }
  const version = versionOf(samples);
  const ages = agesOf(find(byName, prefix, SERIES.backlogAgeSeconds)?.lines ?? []);
  return {
    values,
    histograms,
    spelling: { prefix, ...endings },
    ...(ages.length === 0 ? {} : { backlogAges: ages }),
    ...(version === undefined ? {} : { version }),
  };
}

/** The youngest ones: a queue that nobody polls any more has the oldest, and says nothing. */
const MOST_AGES = 200;

function agesOf(lines: readonly MetricSample[]): number[] {
  const ages = lines.map(({ value }) => Math.round(value)).filter((age) => age >= 1);
  return [...new Set(ages)].sort((a, b) => a - b).slice(0, MOST_AGES);
}

function prefixOf(names: readonly string[]): string | undefined {
  for (const anchor of ANCHORS) {
    const prefixes = names
      .map((name) => name.replace(/(_total|_bytes|_ratio)$/, ''))
      .filter((name) => name === anchor || name.endsWith(`_${anchor}`))
      .map((name) => name.slice(0, name.length - anchor.length));
    if (prefixes.length > 0) return prefixes.toSorted((a, b) => a.length - b.length)[0];
  }
  return undefined;
}

function find(
  byName: ReadonlyMap<string, readonly MetricSample[]>,
  prefix: string,
  { kind, names }: SeriesDefinition,
): { readonly lines: readonly MetricSample[]; readonly suffix: string } | undefined {
  const suffixes = kind === 'histogram' ? TIMER_SUFFIXES : kind === 'counter' ? COUNTER_SUFFIXES : [''];
  for (const name of names) {
    for (const suffix of suffixes) {
      const lines = byName.get(`${prefix}${name}${suffix}${kind === 'histogram' ? '_bucket' : ''}`);
      if (lines !== undefined) return { lines, suffix };
    }
  }
  return undefined;
}

function carries({ labels }: MetricSample, definition: SeriesDefinition): boolean {
  return Object.entries(definition.labels ?? {}).every(([label, value]) => value.test(labels[label] ?? ''));
}

function merge(lines: readonly MetricSample[], how: 'sum' | 'max'): number {
  const values = lines.map(({ value }) => value).filter(Number.isFinite);
  return how === 'max' ? Math.max(0, ...values) : values.reduce((sum, value) => sum + value, 0);
}

/** All lines of a name together, by bound. */
function histogramOf(lines: readonly MetricSample[], unit: 'ms' | 'count', suffix: string): Histogram {
  const byBound = new Map<number, number>();
  for (const { labels, value } of lines) {
    const bound = labels['le'] === '+Inf' ? Infinity : Number(labels['le']);
    if (!Number.isNaN(bound)) byBound.set(bound, (byBound.get(bound) ?? 0) + value);
  }
  const bounds = [...byBound.keys()].sort((a, b) => a - b);
  const factor = unit === 'ms' && inSeconds(bounds, suffix) ? 1_000 : 1;
  const cumulative = bounds.map((bound) => [bound * factor, byBound.get(bound) ?? 0] as const);
  return sparseHistogram(cumulative);
}

/** Without a unit in the name: a server's smallest bound is a millisecond, so below 1 it counts in seconds. */
function inSeconds(bounds: readonly number[], suffix: string): boolean {
  if (suffix !== '') return suffix === '_seconds' || suffix === '_s';
  return (bounds[0] ?? 1) < 1;
}

/** Leaves out bounds at which nothing is added, but keeps the one below each step: that is where the step begins. */
function sparseHistogram(cumulative: readonly (readonly [number, number])[]): Histogram {
  return cumulative
    .filter(([bound, count], index) => {
      const before = cumulative[index - 1]?.[1] ?? 0;
      const after = cumulative[index + 1]?.[1] ?? count;
      return count !== before || count !== after || bound === Infinity;
    })
    .map(([bound, count]) => [bound === Infinity ? null : Math.round(bound * 1_000) / 1_000, count]);
}

function versionOf(samples: readonly MetricSample[]): string | undefined {
  const label = samples.find(({ name }) => /(^|_)build_information(_total|_ratio)?$/.test(name))?.labels[
    'build_version'
  ];
  // The Prometheus reporter of the server replaces every dot: 1_31_2.
  const version = /(\d+)[._](\d+)[._](\d+)/.exec(label ?? '');
  return version === null ? undefined : version.slice(1, 4).join('.');
}
