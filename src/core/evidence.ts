import type { ProbeWindow } from './ledger.js';
import type { Check, Verdict, WindowKind } from './measuring/observation.js';
import type { TrafficPoint } from './measuring/traffic.js';
import { ENVIRONMENTS, type Environment } from './plan.js';
import type { RolloutSoFar } from './rollout-result.js';
import type { ShardHistory } from './settling/shard-history.js';

/** What a report shows: the result so far, what was written down near each target, and earlier roll-outs of the same hops. */
export interface ReportData {
  readonly rollout: RolloutSoFar;
  readonly evidence: readonly TargetEvidence[];
  readonly earlier: readonly EarlierHop[];
}

/** What was done to one target and what it showed meanwhile. Of a bounded size; what is left out is told in `notes`. */
export interface TargetEvidence {
  readonly environment: Environment;
  readonly target: string;
  readonly commands: readonly CommandRecord[];
  readonly windows: readonly ObservedWindow[];
  readonly spans: readonly SpanEvidence[];
  /** One for each settle that was watched. */
  readonly shards: readonly ShardHistory[];
  /** What there is no evidence of, and why. */
  readonly notes: readonly string[];
}

/** A command that an activity ran. What it got by its environment or its input is not told: secrets go there. */
export interface CommandRecord {
  /** When it was run first, ISO 8601. */
  readonly at: string;
  readonly activity: string;
  /** As a POSIX shell would run it. */
  readonly line: string;
  /** How often the activity ran it, and milliseconds of all together. */
  readonly times: number;
  readonly ms: number;
  /** How the last one failed; absent when it did not. */
  readonly failed?: string | undefined;
  /** The worker ended before the command did, or before it could write down how it ended. */
  readonly unfinished?: true | undefined;
}

/** A window that was judged. */
export interface ObservedWindow extends Pick<Verdict, 'verdict' | 'summary'> {
  readonly what: string;
  readonly kind: WindowKind;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly endedAt: string;
  readonly checks: readonly Check[];
}

/** A stretch of time of which a report draws what clients and servers measured: a hop, or the watch. */
export interface Span {
  readonly what: string;
  /** ISO 8601. */
  readonly from: string;
  readonly to: string;
}

export interface SpanEvidence extends Span {
  readonly traffic: readonly TrafficPoint[];
  readonly probe: readonly ProbePoint[];
  /** What the probe saw in all of it; absent where none ran. */
  readonly clients?: ProbeWindow | undefined;
}

/** What the client probe measured in a piece of a span; null where there is no record of it. */
export interface ProbePoint {
  /** Its beginning, milliseconds since 1970. */
  readonly at: number;
  /** Raw calls a second. */
  readonly perSecond: number | null;
  readonly failedAttempts: number;
  readonly failedCalls: number;
  /** Milliseconds of raw calls that succeeded. */
  readonly p50: number | null;
  readonly p99: number | null;
  /** The longest time without a success of one kind of call that ended there, in milliseconds. */
  readonly longestGapMs: number | null;
}

/** A hop of the same versions in an earlier roll-out. */
export interface EarlierHop {
  readonly rolloutId: string;
  readonly environment: Environment;
  readonly target: string;
  readonly from: string;
  readonly to: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly outcome: string;
  readonly seconds: number;
  readonly waitedSeconds: number;
  readonly incidents: number;
  readonly phases: readonly { readonly phase: string; readonly seconds: number }[];
}

/** The numbers of the mission: what became of work and calls on one target while it was upgraded. */
export interface Losses {
  readonly environment: Environment;
  readonly canaries: number;
  readonly lost: number;
  /** Of canaries and probe, after the SDK's retries. */
  readonly failedCalls: number;
  /** Of the probe, which tries each of them once. */
  readonly attempts: number;
  readonly failedAttempts: number;
  readonly longestGapMs: number | null;
}

/** What ledger and probe of each target have seen; those of live first, none of a target without load. */
export function lossesOf({ rollout, evidence }: ReportData): Losses[] {
  return ENVIRONMENTS.toReversed().flatMap((environment): Losses[] => {
    const ledger = rollout.ledgers[environment];
    const spans = evidence.flatMap((one) => (one.environment === environment ? one.spans : []));
    const clients = spans.flatMap((span) => span.clients ?? []);
    if (ledger === undefined && clients.length === 0) return [];
    return [
      {
        environment,
        canaries: ledger?.started ?? 0,
        lost: ledger?.lost ?? 0,
        failedCalls: (ledger?.failedCalls ?? 0) + sumOf(clients, (one) => one.failedCalls),
        attempts: sumOf(clients, ({ attempts }) => attempts),
        failedAttempts: sumOf(clients, ({ failedAttempts }) => failedAttempts),
        longestGapMs: clients.length === 0 ? null : Math.max(...clients.map(({ longestGapMs }) => longestGapMs)),
      },
    ];
  });
}

function sumOf<T>(all: readonly T[], value: (one: T) => number): number {
  return all.reduce((total, one) => total + value(one), 0);
}
