import type { DecisionRecord, Gate } from './decision.js';
import type { Finding } from './finding.js';
import type { JudgedWindow } from './measuring/observation.js';
import type { ApprovalPolicy } from './input/approval.js';
import type { Environment } from './plan.js';
import type { ShardPicture } from './shard-picture.js';

/** The phases of a hop, in order. Names are stable: operators script them. */
export const HOP_PHASES = [
  'preflight',
  'baseline',
  'backup',
  'schema',
  'observe-schema',
  'servers',
  'observe-roll',
  'settle',
  'observe-servers',
  'verify',
] as const;
export type HopPhase = (typeof HOP_PHASES)[number];

/** Phases by which a hop is taken back. In no order with the others: shown only where there was one. */
export const WAYS_BACK = ['roll-back', 'restore'] as const;

/** Steps of a roll-out outside its hops, and those of a hop that is taken back. */
export type RolloutStep =
  | 'prepare'
  | 'load'
  | 'drain'
  | 'promote'
  | 'watch'
  | 'close'
  | 'roll-back'
  | 'rolled-back'
  // Back to the backups of a hop: the gate and the work have one name.
  | 'restore'
  | 'restored';

export type RolloutState = 'running' | 'waiting' | 'incident' | 'paused' | 'completed' | 'aborted';

/** What the roll-out waits for. */
export type Waiting =
  | ({ readonly for: 'decision' } & Gate)
  | {
      readonly for: 'time';
      readonly what: string;
      readonly until: string;
      /** When the wait began; absent in those of earlier releases. */
      readonly since?: string | undefined;
    };

/** Something that was done, or skipped, with a number that shows it. */
export interface PhaseResult {
  readonly phase: HopPhase | RolloutStep;
  /** ISO 8601; absent in results of earlier releases. */
  readonly startedAt?: string | undefined;
  readonly seconds: number;
  /** One line for people: what was found or reached. */
  readonly summary: string;
  /** There was too little evidence to judge it, and nothing more to wait for; a person is told at the next gate. */
  readonly unproved?: true | undefined;
  /** Set when a person let it go on in spite of a failure. */
  readonly overridden?: { readonly by?: string | undefined; readonly reason: string } | undefined;
}

/** Seconds of all phases together, without what people took between them. */
export function workSeconds(phases: readonly Pick<PhaseResult, 'seconds'>[]): number {
  return phases.reduce((sum, { seconds }) => sum + seconds, 0);
}

/** What was let pass in spite of a failure, by whom and why, or without a proof; a line each. */
export function overrideLines(phases: readonly PhaseResult[]): string[] {
  return phases.flatMap(({ phase, summary, overridden, unproved }) => {
    if (unproved === true) return [`not proved: ${phase}: ${summary}`];
    if (overridden === undefined) return [];
    return [`overridden by ${overridden.by ?? 'somebody'}: ${phase}: ${summary} (${overridden.reason})`];
  });
}

/** A failure that a person had to decide on. */
export interface IncidentRecord {
  /** Name of its gate. */
  readonly name: string;
  readonly openedAt: string;
  /** What was wrong; cut where it is very long. */
  readonly problem: string;
  /** When it was decided, by what; absent while it is open. */
  readonly endedAt?: string | undefined;
  readonly decision?: DecisionRecord['kind'] | undefined;
  readonly by?: string | undefined;
}

export interface HopResult {
  readonly environment: Environment;
  readonly target: string;
  readonly from: string;
  readonly to: string;
  readonly outcome: 'completed' | 'rolled-back' | 'restored' | 'aborted';
  /** Server version that the target ran when the hop ended; two, with "and", when it was left half-way. */
  readonly servers: string;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly phases: readonly PhaseResult[];
  /** Seconds spent waiting for people at gates and incidents of this hop. */
  readonly waitedSeconds: number;
  /** Events of the run of the workflow that carried out this hop, when it ended. */
  readonly historyEvents: number;
  readonly backups: readonly {
    readonly store: string;
    readonly file: string;
    readonly bytes: number;
    /** Of the backup as its store wrote it, before it was encrypted. */
    readonly sha256: string;
    /** Whether it is encrypted, and where else it lies; absent in results of earlier releases. */
    readonly kept?: string | undefined;
  }[];
  readonly incidents: number;
  /** Schema versions by store before the hop and, as far as it came, after it; absent in results of earlier releases. */
  readonly schema?: Readonly<Record<string, { readonly before: string; readonly after: string }>> | undefined;
}

/** One target in the status. */
export interface TargetStatus {
  readonly name: string;
  readonly path: readonly string[];
  readonly findings: readonly Finding[];
}

/** Answer of the query `status`. */
export interface RolloutStatus {
  readonly rolloutId: string;
  readonly state: RolloutState;
  readonly startedAt: string;
  /** Who started it, as far as the event of its start tells; the surest name. */
  readonly starter?: string | undefined;
  readonly to: string;
  readonly staging?: TargetStatus | undefined;
  readonly live?: TargetStatus | undefined;
  readonly current?:
    | {
        readonly environment?: Environment | undefined;
        readonly from?: string | undefined;
        readonly to?: string | undefined;
        readonly phase: HopPhase | RolloutStep;
        readonly since: string;
      }
    | undefined;
  readonly waiting?: Waiting | undefined;
  /** What comes after the present phase, in words. */
  readonly next: string;
  readonly paused?: { readonly by?: string | undefined; readonly reason?: string | undefined } | undefined;
  /** Phases of the present hop that are behind it. */
  readonly phases: readonly PhaseResult[];
  readonly hops: readonly HopResult[];
  /** What was done between the hops. */
  readonly steps: readonly PhaseResult[];
  readonly decisions: readonly DecisionRecord[];
  /** Who may decide, by target; absent until the input is known. */
  readonly approval?: Readonly<Record<Environment, ApprovalPolicy>> | undefined;
  readonly settle?: { readonly atLeastMs: number; readonly reason?: string | undefined } | undefined;
  /** What was observed last in the present hop. */
  readonly judged?: JudgedWindow | undefined;
  /** Who owns the shards: while they settle as last seen, after that as it was proved. */
  readonly shards?: ShardPicture | undefined;
  /** Failure of the present incident. */
  readonly problem?: string | undefined;
}
