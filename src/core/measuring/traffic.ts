import { addHistograms, quantile } from './histogram.js';
import { segmentsOf, type Segment } from './rises.js';
import type { Round } from './round.js';
import { slotsOf } from './process-window.js';

/** What the frontends measured in one stretch of time; null where no page was read. */
export interface TrafficPoint {
  /** Its beginning, milliseconds since 1970. */
  readonly at: number;
  readonly requestsPerSecond: number | null;
  readonly errorsPerSecond: number | null;
  /** Milliseconds that starting a workflow took at the server, as far as the bounds of its histogram tell. */
  readonly startP50: number | null;
  readonly startP99: number | null;
}

/** A stretch of time between two beats, with the rounds from the last beat before it on. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly beatMs: number;
  readonly rounds: readonly Round[];
}

/** What all frontends together measured in one stretch. What was counted between two samples counts where the second one lies. */
export function trafficOf({ from, to, beatMs, rounds }: Stretch): TrafficPoint {
  const beats = rounds.map(({ at }) => at);
  const nodes = new Set(
    rounds.flatMap(({ processes }) => processes.flatMap(({ node, role }) => (role === 'frontend' ? [node] : []))),
  );
  const segments = [...nodes]
    .flatMap((node) => segmentsOf(slotsOf(beats, rounds, node), beatMs))
    .filter((segment) => segment.to > from && segment.to <= to);
  const rate = (key: 'requests' | 'errors') => perSecond(segments, key, to - from);
  const latencies = segments.flatMap(({ histograms: { startLatency } }) => (startLatency ? [startLatency] : []));
  const starts = addHistograms(latencies);
  return {
    at: from,
    requestsPerSecond: rate('requests'),
    errorsPerSecond: rate('errors'),
    startP50: quantile(starts, 0.5),
    startP99: quantile(starts, 0.99),
  };
}

function perSecond(segments: readonly Segment[], key: 'requests' | 'errors', ms: number): number | null {
  const counted = segments.flatMap(({ values }) => values[key] ?? []);
  return counted.length === 0 ? null : counted.reduce((sum, value) => sum + value, 0) / (ms / 1_000);
}
