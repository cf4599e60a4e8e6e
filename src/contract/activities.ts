import type { ClusterFacts } from '../core/cluster.js';
import type { EarlierHop, ReportData, Span, TargetEvidence } from '../core/evidence.js';
import type { Finding } from '../core/finding.js';
import type { EventPlace, Identity } from '../core/identity.js';
import type { PolicyDifference } from '../core/input/policy-differences.js';
import type { NoticeChannel } from '../core/input/notices.js';
import type { Notice } from '../core/notice.js';
import type { Windows } from '../core/input/windows.js';
import type { LoadPolicy, RolloutInput, RollPolicy, Target } from '../core/input/input.js';
import type { LedgerSummary } from '../core/ledger.js';
import type { Bounds } from '../core/input/bounds.js';
import type { Expected, Observation, Verdict, WindowKind } from '../core/measuring/observation.js';
import type { Environment, Hop, RolloutPlan } from '../core/plan.js';
import type { RunningCounts, StuckRuns } from '../core/running-work/running-counts.js';
import type { RolloutSoFar } from '../core/rollout-result.js';
import type { SettleDemands } from '../core/settling/demands.js';
import type { ShardPicture } from '../core/shard-picture.js';
import type { PerStore, StorePart } from '../core/stores.js';

/**
 * What activities take and give. Every one can be run twice: it looks first, and finds nothing to do when it has been
 * done. Results are small; whatever is large stays in files, and the result says where.
 */
export interface Activities extends ControlActivities, TargetActivities {}

/** Run on the task queue of the roll-out itself. */
export interface ControlActivities {
  /** The input with its defaults, and what the control plane can do. @throws `InvalidRollout` with every problem */
  validateInput(raw: unknown): Promise<ValidatedInput>;
  /** @throws `UnsupportedPath` when no path leads there or a finding blocks it */
  makePlan(request: PlanRequest): Promise<RolloutPlan>;
  /**
   * Who sent a decision to the run of the workflow that asks, by the event in its history.
   * @throws when the history has no such event, or cannot be read
   */
  identifySender(request: SentDecision): Promise<SentBy>;
  /** When work may begin, from now on: ISO 8601, now itself within a window. @throws `Precondition` when never in a year */
  nextOpening(request: { readonly windows: Windows; readonly at: string }): Promise<{ readonly opensAt: string }>;
  /** Sends one notice by one channel. @throws when it was not taken */
  sendNotice(request: { readonly channel: NoticeChannel; readonly notice: Notice }): Promise<void>;
  /** Hops of the same versions in earlier roll-outs whose reports are in `dataDir`, the newest first, at most ten for each. */
  findEarlier(request: {
    readonly dataDir: string;
    readonly rollout: Pick<RolloutSoFar, 'rolloutId' | 'startedAt' | 'hops'>;
  }): Promise<readonly EarlierHop[]>;
  /** Writes report.html, report.md and report.json. */
  writeReport(request: {
    readonly dataDir: string;
    readonly report: ReportData;
  }): Promise<{ readonly directory: string }>;
}

export interface ValidatedInput {
  readonly input: RolloutInput;
  readonly controlPlane: { readonly clusterId: string; readonly namespace: string };
  /** Whether the search attributes of a roll-out can be set here; setting one that is not registered blocks a workflow. */
  readonly searchAttributes: boolean;
  /** Who started the roll-out. */
  readonly starter: Identity;
  /** Rules that are not the default ones, for the report; absent where a worker of an earlier release validated. */
  readonly differences?: readonly PolicyDifference[] | undefined;
}

/** One decision among the events of a run: the signal of this name that came as the `number`th (from 1), or an update. */
/** What the history says of who sent a decision, and where. */
export type SentBy = Omit<Identity, 'said'> & { readonly event?: EventPlace | undefined };
export type SentDecision = { readonly signal: string; readonly number: number } | { readonly updateId: string };

export interface PlanRequest {
  readonly input: RolloutInput;
  readonly starter: Identity;
  readonly staging: ClusterFacts;
  readonly live: ClusterFacts;
}

/** Which roll-out holds a cluster. */
export interface Holder {
  readonly controlPlaneClusterId: string;
  readonly controlPlaneNamespace: string;
  readonly workflowId: string;
  readonly firstRunId: string;
}

/** A roll-out by its workflow id and the first run of its chain: another one may have the same id later. */
export type RolloutRef = Pick<Holder, 'workflowId' | 'firstRunId'>;

/** Of which roll-out and target something is: names the folder of what is written down about it. */
export interface RecordPlace {
  readonly target: Target;
  readonly rolloutId: string;
  readonly dataDir: string;
  /** First run id of the roll-out: sets its files apart from those of an earlier one with the same workflow id. */
  readonly firstRunId: string;
}

/** As a request carries it; absent in requests of earlier releases, and where there is no roll-out. */
export type MaybeRecorded = Partial<Omit<RecordPlace, 'target'>>;

/** Where in a roll-out an activity works: names its files. */
export interface HopPlace extends RecordPlace {
  readonly environment: Environment;
  readonly from: string;
  readonly to: string;
  /** 1 for the first try of the hop; another after each roll-back. */
  readonly attempt: number;
  /** Set when the databases have gone back to their backups in this try: what was written down before does not hold any more. */
  readonly restored?: true | undefined;
  /** Namespaces of the load, where canaries run on this target. */
  readonly canaryNamespaces?: readonly string[] | undefined;
}

/** Run near the target, on its task queue. */
export interface TargetActivities {
  /** Everything that is known of a target without changing it. @throws `PreflightFailed` with what is wrong */
  inspectTarget(request: { readonly target: Target; readonly controlPlaneClusterId: string }): Promise<ClusterFacts>;
  /** Finds or fetches the programs of each version, so that none is missing half-way. @throws `ToolUnavailable` */
  bringTools(request: MaybeRecorded & { readonly target: Target; readonly versions: readonly string[] }): Promise<void>;
  /** @throws `ClusterBusy` naming the roll-out that holds it */
  claimTarget(request: { readonly target: Target; readonly holder: Holder }): Promise<void>;
  releaseTarget(request: { readonly target: Target; readonly holder: Holder }): Promise<void>;
  /**
   * Looks at all of a target before anything is begun: whether the hop could be done as it stands. Changes nothing.
   * @throws `PreflightFailed` with every finding that blocks
   */
  examineTarget(request: { readonly target: Target; readonly hop: Hop }): Promise<Examined>;
  /**
   * As `examineTarget`, directly before the hop; brings its tools, and sees that the target is still held by this roll-out.
   * @throws `PreflightFailed` with every finding that blocks
   */
  preflight(place: HopPlace & { readonly hop: Hop; readonly holder: Holder }): Promise<Examined>;
  /** Samples the target until it is cancelled, or until the roll-out that wanted it is over. */
  runMeter(request: MeterRequest & { readonly rollout: RolloutRef }): Promise<void>;
  /** Measures for `windowMs` and judges against `baseline`. */
  observe(request: ObserveRequest): Promise<{ readonly observation: Observation; readonly verdict: Verdict }>;
  /** Observes window after window for as long as each is good enough, and returns the first verdict that is a fail. */
  watchEvidence(request: ObserveRequest): Promise<{ readonly verdict: Verdict }>;
  backUpStore(request: HopPlace & { readonly store: StorePart }): Promise<BackupResult>;
  backUpConfiguration(place: HopPlace): Promise<BackupResult>;
  /** Removes backups that the target's input wants to be kept no longer. @returns the folders of their hops */
  removeOldBackups(request: { readonly target: Target }): Promise<{ readonly folders: readonly string[] }>;
  /** Records who owns which shard and, unless only shards are wanted, which workflows are running: that takes a frontend. */
  takeSnapshot(request: HopPlace & { readonly shardsOnly?: boolean }): Promise<SnapshotResult>;
  upgradeSchema(request: HopPlace & { readonly store: StorePart; readonly schema: string }): Promise<SchemaResult>;
  /** The nodes in the order in which they are replaced. */
  planRoll(request: { readonly target: Target; readonly direction: 'forward' | 'back' }): Promise<readonly RollStep[]>;
  /**
   * Gives the servers the settings with which they are replaced gently, and waits until they have read them. With style
   * `asConfigured` it only takes back what an earlier roll may have left.
   * @throws `Precondition` when a file cannot be read or changed, or a server says that it cannot read its file
   */
  applyRollSettings(
    request: HopPlace & { readonly direction: 'forward' | 'back'; readonly roll: RollPolicy },
  ): Promise<RollSettingsResult>;
  /** Makes the dynamic configuration what it was before `applyRollSettings`, and waits until the servers have read it. */
  takeBackRollSettings(place: HopPlace): Promise<RollSettingsResult>;
  /**
   * Replaces one node, and returns when it was proved to serve with `version`. One that does not come up is put back to
   * `previous` by itself. @throws `NodePutBack` when it was, never retried; `Precondition` for all else that is not as it has to be
   */
  replaceNode(request: ReplaceNodeRequest): Promise<NodeResult>;
  /**
   * Watches who owns which shard until a time, and from then on until every one is proved to be owned once, by the new
   * processes, and to stay there. What it saw is kept in a file, so that it may be killed and begun again.
   * @throws `Precondition`, not to be tried again, with the shards that are not
   */
  proveSettle(request: SettleRequest): Promise<SettleResult>;
  /** What became of the workflows that were running before the hop. */
  verifyRunning(place: HopPlace): Promise<RunningResult>;
  /** What going back to the backups would lose, and how it would be done, in lines for people. Changes nothing. */
  estimateRestore(
    request: RestoreRequest & { readonly load?: LoadRequest | undefined },
  ): Promise<{ readonly lines: readonly string[] }>;
  /**
   * All that can be found out before anything is stopped: each backup is read whole again, the programs of the old version are
   * there, the database lets its user do it. @throws `Precondition` with what is wrong
   */
  prepareRestore(request: RestoreRequest): Promise<{ readonly lines: readonly string[] }>;
  /** Stops every server, callers before what they call, and waits until nobody is connected to the databases any more. */
  stopServers(request: MaybeRecorded & { readonly target: Target }): Promise<{ readonly stoppedAt: string }>;
  /**
   * Puts both databases back to their backups, the visibility store in step with the default one. What is there by now is kept.
   * Killed on any line, it is run again and does the rest. @throws `Precondition`
   */
  restoreStores(request: RestoreRequest): Promise<RestoreResult>;
  /** Starts every server with `version`, what is called before what calls it. Whether they serve is proved by `replaceNode`. */
  startServers(request: MaybeRecorded & { readonly target: Target; readonly version: string }): Promise<void>;
  /** Has the servers write the visibility of the workflows whose row was not in step with the default store. */
  refreshVisibility(request: RestoreRequest): Promise<{ readonly refreshed: number; readonly gone: number }>;
  /** Takes what the restore has undone out of the ledger's account. Safe to run again. */
  undoInLedger(
    request: LoadRequest & {
      /** When the backup was taken and when the last server had stopped, ISO 8601. */
      readonly backupAt: string;
      readonly stoppedAt: string;
    },
  ): Promise<{ readonly undone: number }>;
  /** Runs the generator until it is cancelled, or until the roll-out that wanted it is over. */
  runLoad(request: LoadRequest & { readonly rollout: RolloutRef }): Promise<void>;
  startLongCanaries(request: LoadRequest & { readonly hop: string }): Promise<{ readonly started: number }>;
  releaseLongCanaries(request: LoadRequest & { readonly hop: string }): Promise<{ readonly released: number }>;
  /**
   * Compares the ledger with the target's histories. With `release`, the name of a hop, its long canaries are let end before
   * it: in one activity, as each has its price in the hop's history. With `drain`, waits until nothing is running any more.
   * What was found to be bad before `since` (milliseconds since 1970) is not counted; all is when it is left out.
   */
  verifyLedger(
    request: LoadRequest & {
      readonly release?: string | undefined;
      readonly drain: boolean;
      readonly since?: number | undefined;
    },
  ): Promise<LedgerSummary>;
  /** All that was written down about a target, for the report; what cannot be read is told in its notes. */
  gatherEvidence(request: EvidenceRequest): Promise<TargetEvidence>;
}

/** Of what a report is made, near one target. */
export interface EvidenceRequest extends RecordPlace {
  readonly environment: Environment;
  readonly meter: MeterRequest;
  readonly load?: LoadRequest | undefined;
  readonly spans: readonly Span[];
}

/** Which backups a target goes back to. */
export interface RestoreRequest extends HopPlace {
  readonly backups: PerStore<Pick<BackupResult, 'file' | 'sha256'>>;
  /** Schema versions that the backups have to have. */
  readonly schema: PerStore<string>;
  /** The same in every try of one restore: names what is kept, digits of the moment at which it began. */
  readonly stamp: string;
}

export interface RestoreResult {
  /** When the backup of the default store was taken, ISO 8601: the state that the target is in now. */
  readonly backupAt: string;
  /** Where what was there before is kept, by store: a database, or the file of a backup. */
  readonly kept: PerStore<string>;
  /** Rows of visibility that the default store does not know, and those that were set to what it says. */
  readonly removed: number;
  readonly corrected: number;
}

/** What a look at a target found that does not block. */
export interface Examined {
  /** What was seen, in lines for people. */
  readonly lines: readonly string[];
  /** What there is to look at; without notes. */
  readonly findings: readonly Finding[];
}

/** Names the file into which a meter writes its samples. */
export interface MeterRequest {
  readonly target: Target;
  readonly dataDir: string;
  readonly meterId: string;
  /** Time between two samples, in milliseconds. */
  readonly beatMs: number;
}

/** Answer of the query `report`: the result so far, and where the evidence of each target is. */
export interface ReportRequest {
  readonly dataDir: string;
  readonly rollout: RolloutSoFar;
  readonly sources: readonly EvidenceRequest[];
}

export interface ObserveRequest extends MaybeRecorded {
  readonly target: Target;
  /** For people: what this window shows. Absent, as the names of the roll-out, where it is not written down. */
  readonly what?: string | undefined;
  /** Length of the window that is observed from now on, or from `since`, in milliseconds. */
  readonly windowMs: number;
  /** ISO 8601. A window that began already; it ends now at the earliest. */
  readonly since?: string | undefined;
  /** A window that lies behind, ISO 8601, in place of the coming one. */
  readonly past?: { readonly from: string; readonly to: string } | undefined;
  /** Where the samples are. */
  readonly meter: MeterRequest;
  /** Which moment of a hop it is: judged tightly when all is calm, loosely while servers are replaced. */
  readonly kind: WindowKind;
  /** Bounds of the policy; the target may have its own. */
  readonly bounds: Bounds;
  readonly expected?: Expected | undefined;
  /** Absent for the baseline itself, whose errors are held against none at all. */
  readonly baseline?: Observation | undefined;
  /** Until when what was sampled at the same hours of the day is a baseline (ISO 8601), where there is enough of it. */
  readonly sameHoursUntil?: string | undefined;
  readonly load?: LoadRequest | undefined;
}

export interface BackupResult {
  readonly store: string;
  readonly file: string;
  readonly bytes: number;
  /** Of the files beside it, where there are several. */
  readonly bytesBeside?: number | undefined;
  readonly sha256: string;
  readonly entries: number;
}

export interface SnapshotResult {
  readonly shards: number;
  readonly running: Readonly<Record<string, number>>;
  readonly takenAt: string;
  /** The largest counts of running workflows, by type too; absent when only shards were wanted. */
  readonly byType?: RunningCounts | undefined;
  /** Before the first hop of live: the ids of all running workflows, as JSON lines. */
  readonly runningIds?: { readonly file: string; readonly total: number } | undefined;
}

export interface SchemaResult {
  readonly store: StorePart;
  readonly before: string;
  readonly after: string;
  readonly changed: boolean;
  /** What else had to be done, a line each. Absent in results of earlier releases. */
  readonly alsoDone?: readonly string[] | undefined;
}

export interface RollStep {
  readonly node: string;
  readonly role: string;
}

export interface ReplaceNodeRequest extends MaybeRecorded {
  readonly target: Target;
  readonly node: string;
  readonly version: string;
  /** What a node that does not come up is put back to. Absent, as the next field, in requests of earlier releases. */
  readonly previous?: string | undefined;
  /** How long the rings must not change before it counts as proved, in milliseconds; not at all when left out. */
  readonly quietMs?: number | undefined;
  /** Nodes that are replaced at the same time, and so may be away; absent: none. */
  readonly beside?: readonly string[] | undefined;
  /** Whether none is replaced after it: then every other one has to run too. */
  readonly isLast?: true | undefined;
  /** It may run the version already without having been proved: then the rings have to be quiet all the same. */
  readonly mayBeNew?: true | undefined;
}

export interface RollSettingsResult {
  /** Keys that were written, or taken out again. */
  readonly keys: readonly string[];
  /** By node: `seen` in its log, `waited` for two looks at its file, or `not running`, and so read when it starts. */
  readonly nodes: Readonly<Record<string, 'seen' | 'waited' | 'not running'>>;
  /** What was done, in lines for people. */
  readonly lines: readonly string[];
  /** What cannot be zero in this roll all the same. */
  readonly limits: readonly string[];
}

export interface NodeResult {
  readonly node: string;
  readonly before: string | null;
  readonly after: string;
  readonly changed: boolean;
  /** Since when the node serves and all around it is quiet, ISO 8601. */
  readonly servingAt: string;
  /** Frontends that still saw the old process when its successor was started, after they had been waited for; absent: none. */
  readonly stillSeenBy?: readonly string[] | undefined;
}

export interface SettleRequest extends HopPlace {
  /** Until when it only watches, ISO 8601: nothing is proved before. */
  readonly until: string;
  /** How long after that the proof may take. */
  readonly timeoutMs: number;
  readonly demands: SettleDemands;
  /** What the lag of the queues is held against; not looked at when left out. */
  readonly lag?: Pick<ObserveRequest, 'meter' | 'bounds' | 'baseline'> | undefined;
}

export interface SettleResult {
  readonly shards: number;
  /** Shards by owner. */
  readonly owners: Readonly<Record<string, number>>;
  readonly provedAt: string;
  /** In words: that the queues lag no more than in the baseline, or why that was not judged. */
  readonly queueLag: string;
  /** The last look. */
  readonly picture: ShardPicture;
}

export interface RunningResult {
  /** How many of those running before were looked at, and what became of them. */
  readonly examined: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly missing: readonly string[];
  /** The largest counts of those that run now. Absent, as the next field, in results of earlier releases. */
  readonly byType?: RunningCounts | undefined;
  /** Those of them that should have gone on and did not. */
  readonly stuck?: StuckRuns | undefined;
  /** Whether workflows are still found by each custom search attribute. Absent in results of earlier releases. */
  readonly searchAttributes?: SearchAttributesResult | undefined;
}

export interface SearchAttributesResult {
  /** For people: `3 search attributes in 2 namespaces`. */
  readonly compared: string;
  /** What is lost of them, a line each. */
  readonly lost: readonly string[];
}

export interface LoadRequest {
  readonly target: Target;
  readonly environment: Environment;
  readonly dataDir: string;
  readonly loadId: string;
  readonly policy: LoadPolicy;
}
