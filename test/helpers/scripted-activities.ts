import { activityInfo, ApplicationFailure, cancellationSignal, heartbeat } from '@temporalio/activity';
import { createControlActivities } from '../../src/activities/control-activities.js';
import { createEvidenceActivities } from '../../src/activities/evidence.js';
import { guard } from '../../src/activities/guard.js';
import { loadCatalogue } from '../../src/adapters/catalogue-file.js';
import type { Activities, RollSettingsResult, RollStep } from '../../src/contract/activities.js';
import type { ClusterFacts } from '../../src/core/cluster.js';
import type { Observation, Verdict } from '../../src/core/measuring/observation.js';
import type { RolloutPlan } from '../../src/core/plan.js';
import type { ShardPicture } from '../../src/core/shard-picture.js';
import { LEDGER } from './statuses.js';

/**
 * A fake of the activities near a target, for tests of the workflow alone. It is a fake because here every failure has to
 * happen on purpose, at one exact step, within milliseconds. The real activities run against real clusters in test/real.
 */

export type ActivityName = keyof Activities;
export type RequestOf<N extends ActivityName> = Parameters<Activities[N]>[0];

export interface Call {
  readonly name: ActivityName;
  readonly request: unknown;
}

/** Every look at live while it is watched lasts until the roll-out ends it. */
export function watchingFor(plan: RolloutPlan): Script {
  const fine = judged('pass', 'pass: 9 checks');
  return new Script(plan).always('observe', (request) =>
    request.kind === 'watch' ? heldBy(new Promise<never>(() => undefined)) : fine(request),
  );
}

/** A call that lasts until the test lets it go, or until it is cancelled. */
export interface HeldCall {
  /** Fulfilled when the call has begun. */
  readonly begun: Promise<void>;
  release(): void;
}

/** What the activities of one roll-out do: they succeed, unless the test says otherwise. */
export class Script {
  readonly calls: Call[] = [];
  readonly #once = new Map<ActivityName, unknown[]>();
  readonly #always = new Map<ActivityName, unknown>();

  constructor(private readonly plan: RolloutPlan) {}

  /** What the next call of an activity does; said twice, the one after it too. */
  once<N extends ActivityName>(name: N, work: Activities[N]): this {
    this.#once.set(name, [...(this.#once.get(name) ?? []), work]);
    return this;
  }

  always<N extends ActivityName>(name: N, work: Activities[N]): this {
    this.#always.set(name, work);
    return this;
  }

  /** Lets the next call fail for good, as an activity does whose retries are used up. */
  fails(name: ActivityName, message: string, type = 'Precondition', details: unknown[] = []): this {
    const failing = () => Promise.reject(ApplicationFailure.create({ message, type, details, nonRetryable: true }));
    return this.once(name, failing);
  }

  /** Lets the next call of an activity last until the test releases it; then it does as it always does. */
  holds<N extends ActivityName>(name: N): HeldCall {
    const begun = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    const work = async (request: RequestOf<N>) => {
      begun.resolve();
      await heldBy(released.promise);
      return this.#usual(name)(request as never);
    };
    this.once(name, work as Activities[N]);
    return { begun: begun.promise, release: () => released.resolve() };
  }

  perform(name: ActivityName, request: unknown): Promise<unknown> {
    this.calls.push({ name, request });
    const work = this.#once.get(name)?.shift() as ((request: unknown) => Promise<unknown>) | undefined;
    return (work ?? this.#usual(name))(request as never);
  }

  /** Every request that an activity got, in order. */
  requests<N extends ActivityName>(name: N): RequestOf<N>[] {
    return this.calls.filter((call) => call.name === name).map(({ request }) => request as RequestOf<N>);
  }

  count(name: ActivityName): number {
    return this.requests(name).length;
  }

  #usual(name: ActivityName): (request: never) => Promise<unknown> {
    if (name === 'makePlan') return () => Promise.resolve(this.plan);
    const work = this.#always.get(name) as ((request: never) => Promise<unknown>) | undefined;
    return work ?? ((request) => USUAL[name](request));
  }
}

/** The activities of a worker that serves many roll-outs at once, each by the script of its workflow id. */
export function scriptedActivities(scriptOf: (rolloutId: string) => Script): Activities {
  const perform = (name: ActivityName) => (request: unknown) => {
    // Who decided is looked up in the history; it is none of what a roll-out does.
    if (name === 'identifySender') return real.identifySender(request as RequestOf<'identifySender'>);
    const rolloutId = activityInfo().workflowExecution?.workflowId.replace(/-(load|meter|notice|report)-.*$/, '') ?? '';
    return scriptOf(rolloutId).perform(name, request);
  };
  const names = Object.keys(USUAL) as ActivityName[];
  return guard(Object.fromEntries(names.map((name) => [name, perform(name)]))) as unknown as Activities;
}

async function heldBy<T>(released: Promise<T>): Promise<T> {
  const signal = cancellationSignal();
  // Cancellation is told in the answer to a heartbeat.
  const beat = setInterval(() => heartbeat(), 20);
  try {
    return await Promise.race([
      released,
      new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(new Error('cancelled')))),
    ]);
  } finally {
    clearInterval(beat);
  }
}

export const OBSERVATION: Observation = {
  kind: 'settled',
  startedAt: '2026-01-01T00:00:00.000Z',
  endedAt: '2026-01-01T00:00:05.000Z',
  beatMs: 1_000,
  beats: { due: 6, seen: 6, ends: true },
  processes: [],
  databases: [],
  rings: { due: 1, asked: 1, unequal: 0 },
  totals: { requests: 1_000, errors: 0 },
  histograms: {},
};

/** Whether it is the look at what an approval rests on, at the moment at which that takes effect. */
export function isRecheck({ kind, past }: RequestOf<'observe'>): boolean {
  return kind === 'schema' && past !== undefined;
}

/** An observation with the verdict that the test wants. */
export function judged(verdict: Verdict['verdict'], why: string): Activities['observe'] {
  return () =>
    Promise.resolve({
      observation: OBSERVATION,
      verdict: { verdict, checks: [], summary: why, lines: [`${verdict}: error-ratio: ${why}`] },
    });
}

const FACTS: ClusterFacts = {
  clusterId: 'a-target',
  clusterName: 'active',
  historyShardCount: 64,
  persistenceStore: 'postgres12',
  visibilityStore: 'postgres12',
  frontends: [],
  namespaces: [],
  nodes: [],
  stores: {
    default: { product: 'PostgreSQL 15', database: 'temporal', schemaVersion: '1.18', bytes: 1 },
    visibility: { product: 'PostgreSQL 15', database: 'temporal_visibility', schemaVersion: '1.9', bytes: 1 },
  },
};

/** All shards of one history node, proved. */
export function pictureOf(version: string): ShardPicture {
  const owners = [{ address: 'history-1', version, shards: 64 }];
  return { at: '2026-01-01T00:00:00.000Z', wanted: version, shards: 64, owners, unproved: 0, waitsFor: [] };
}

const ROLL = ['matching-1', 'history-1', 'frontend-1', 'worker-1'];

/** An order of nodes whose names begin with their roles. */
export function rollOf(nodes: readonly string[]): RollStep[] {
  return nodes.map((node) => ({ node, role: node.replace(/-\d+$/, '') }));
}

/** What the control plane itself does is real: the input is parsed, the report is written, of what was written down. */
const real = { ...createControlActivities({ catalogue: await loadCatalogue() }), ...createEvidenceActivities() };

const backup = (store: string) => ({ store, file: `/backups/${store}`, bytes: 100, sha256: 'f00d', entries: 10 });

const NO_ROLL_SETTINGS: RollSettingsResult = { keys: [], nodes: {}, lines: ['no settings for the roll'], limits: [] };

const USUAL: Activities = {
  validateInput: (raw) => real.validateInput(raw),
  makePlan: () => Promise.reject(new Error('a script brings its own plan')),
  findEarlier: (request) => real.findEarlier(request),
  writeReport: (request) => real.writeReport(request),
  sendNotice: (request) => real.sendNotice(request),
  nextOpening: (request) => real.nextOpening(request),
  identifySender: (request) => real.identifySender(request),
  inspectTarget: () => Promise.resolve(FACTS),
  bringTools: () => Promise.resolve(),
  claimTarget: () => Promise.resolve(),
  releaseTarget: () => Promise.resolve(),
  examineTarget: () => Promise.resolve({ lines: ['4 nodes SERVING'], findings: [] }),
  preflight: () => Promise.resolve({ lines: ['4 nodes SERVING', '64 shards'], findings: [] }),
  observe: judged('pass', 'pass: 9 checks'),
  backUpStore: ({ store }) => Promise.resolve(backup(store)),
  backUpConfiguration: () => Promise.resolve(backup('configuration')),
  removeOldBackups: () => Promise.resolve({ folders: [] }),
  takeSnapshot: () => Promise.resolve({ shards: 64, running: {}, takenAt: '2026-01-01T00:00:00.000Z' }),
  upgradeSchema: ({ store, schema }) => Promise.resolve({ store, before: '1.0', after: schema, changed: true }),
  applyRollSettings: () => Promise.resolve(NO_ROLL_SETTINGS),
  takeBackRollSettings: () => Promise.resolve(NO_ROLL_SETTINGS),
  planRoll: ({ direction }) => Promise.resolve(rollOf(direction === 'forward' ? ROLL : ROLL.toReversed())),
  replaceNode: ({ node, version }) =>
    Promise.resolve({ node, before: null, after: version, changed: true, servingAt: '2026-01-01T00:00:00.000Z' }),
  proveSettle: ({ to }) =>
    Promise.resolve({
      shards: 64,
      owners: { 'history-1': 64 },
      provedAt: '2026-01-01T00:00:00.000Z',
      queueLag: 'queues lag no more than before',
      picture: pictureOf(to),
    }),
  verifyRunning: () => Promise.resolve({ examined: 20, outcomes: { running: 20 }, missing: [] }),
  estimateRestore: () => Promise.resolve({ lines: ['namespace shop: 3 started since', 'everything since is undone'] }),
  prepareRestore: () => Promise.resolve({ lines: ['backup of default: read again'] }),
  stopServers: () => Promise.resolve({ stoppedAt: '2026-01-01T00:10:00.000Z' }),
  restoreStores: ({ stamp }) =>
    Promise.resolve({
      backupAt: '2026-01-01T00:00:00.000Z',
      kept: { default: `database temporal_before_restore_${stamp}`, visibility: 'database visibility_before' },
      removed: 2,
      corrected: 1,
    }),
  startServers: () => Promise.resolve(),
  refreshVisibility: () => Promise.resolve({ refreshed: 1, gone: 0 }),
  undoInLedger: () => Promise.resolve({ undone: 4 }),
  runMeter: () => heldBy(new Promise(() => undefined)),
  watchEvidence: () => heldBy(new Promise<never>(() => undefined)),
  runLoad: () => heldBy(new Promise(() => undefined)),
  startLongCanaries: () => Promise.resolve({ started: 20 }),
  releaseLongCanaries: () => Promise.resolve({ released: 20 }),
  verifyLedger: () => Promise.resolve(LEDGER),
  gatherEvidence: (request) => real.gatherEvidence(request),
};
