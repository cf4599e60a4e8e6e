import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  log,
  setHandler,
} from '@temporalio/workflow';
import { decidedBy } from '../core/decision.js';
import type { RecordPlace, ReportRequest } from '../contract/activities.js';
import { ENVIRONMENTS, type Environment, type Hop } from '../core/plan.js';
import { findingText } from '../core/finding.js';
import { namespacesOf } from '../core/input/load-namespaces.js';
import type { RolloutResult } from '../core/rollout-result.js';
import { overrideLines } from '../core/status.js';
import { Conductor, type ConductorState } from './conductor.js';
import { now, tookSince } from './moments.js';
import type { HopContext } from './hop-context.js';
import { AbortRequested, RollBackRequested } from './interruptions.js';
import { letGoOf } from './let-go.js';
import { LoadKeeper, type LoadState } from './load-keeper.js';
import { makeReport, spansOf } from './make-report.js';
import { reportQuery } from './messages.js';
import { MeterKeeper, type MeterState } from './meter-keeper.js';
import { prepare, type Prepared } from './prepare.js';
import { control, near } from './proxies.js';
import { noWayBack } from './replace-servers.js';
import { runHop, takeBackHop } from './run-hop.js';
import { watchLive, watchLooks, type WatchProgress } from './watch-live.js';

/** What one run of the workflow hands to the next: everything decided so far, never to be decided anew. */
export interface CarriedState {
  readonly prepared: Prepared;
  readonly conductor: ConductorState;
  readonly load: LoadState;
  readonly meters: MeterState;
  readonly promoted: boolean;
  /** Times that the present hop was begun: more than one after a roll-back. */
  readonly attempt: number;
}

/**
 * The whole roll-out: staging under load hop by hop, then live hop by hop. The preparation and each hop are a run of their own
 * (continue-as-new), so that the history of one stays short.
 * @throws ApplicationFailure `InvalidRollout`, `UnsupportedPath`, `PreflightFailed`, `ClusterBusy` or
 *   `TargetIsControlPlane` before anything was changed; never later
 */
export async function rollout(raw: unknown, carried?: CarriedState): Promise<RolloutResult> {
  const conductor = new Conductor(wantedVersion(raw), carried?.conductor);
  const prepared = carried?.prepared ?? (await prepare(conductor, raw));
  conductor.know(prepared);
  const run = new Rollout(conductor, prepared, carried);
  try {
    if (carried === undefined) await run.meters.ensureFirst();
    else {
      const next = run.nextHop();
      if (next === undefined) {
        const result = await run.complete();
        if (result !== undefined) return result;
      } else {
        if (next.environment === 'live') await run.promote(next.hop);
        await run.meters.ensure(next.environment);
        await run.loads.ensure(next.environment);
        await run.hop(next.environment, next.hop);
      }
    }
    // A run that continues as new takes no notice of a cancellation that came with its last event.
    await conductor.passable();
  } catch (error) {
    if (error instanceof AbortRequested) return run.finish('aborted', error);
    if (isCancellation(error)) await CancellationScope.nonCancellable(() => run.letGo());
    throw error;
  }
  await condition(allHandlersFinished);
  return continueAsNew<typeof rollout>(prepared.input, run.carry());
}

/** One run of the workflow, after preparation. */
class Rollout {
  readonly loads: LoadKeeper;
  readonly meters: MeterKeeper;
  readonly #letGo = new Set<Environment>();
  #promoted: boolean;
  #attempt: number;

  constructor(
    private readonly conductor: Conductor,
    private readonly prepared: Prepared,
    carried: CarriedState | undefined,
  ) {
    setHandler(reportQuery, () => this.#reportRequest(), {
      description: 'What a report is made of: the result so far, and where the evidence is.',
    });
    this.loads = new LoadKeeper(conductor, prepared, carried?.load);
    this.meters = new MeterKeeper(conductor, prepared, carried?.meters);
    this.#promoted = carried?.promoted ?? false;
    this.#attempt = carried?.attempt ?? 1;
  }

  carry(): CarriedState {
    return {
      prepared: this.prepared,
      conductor: this.conductor.state,
      load: this.loads.state,
      meters: this.meters.state,
      promoted: this.#promoted,
      attempt: this.#attempt,
    };
  }

  /** The first hop of the plan that was not completed: staging's before live's. */
  nextHop(): { environment: Environment; hop: Hop } | undefined {
    const { plan } = this.prepared;
    for (const environment of ENVIRONMENTS) {
      const { hops } = plan[environment];
      const hop = hops[this.#completed(environment, hops)];
      if (hop !== undefined) return { environment, hop };
    }
    return undefined;
  }

  /** How many hops were completed, without the last of them where a person had it taken back. */
  #completed(environment: Environment, planned: readonly Hop[]): number {
    let count = 0;
    for (const { environment: where, outcome, to } of this.conductor.hops) {
      if (where !== environment) continue;
      if (outcome === 'completed') count += 1;
      else if (outcome === 'rolled-back' && planned[count - 1]?.to === to) count -= 1;
    }
    return count;
  }

  async hop(environment: Environment, hop: Hop): Promise<void> {
    const { conductor } = this;
    const context = this.#context(environment, hop);
    const { target, load, crossing } = context;
    if (load !== undefined) {
      await conductor.phase('load', async () => {
        const { started } = await target.act.startLongCanaries.executeWithOptions(
          { summary: 'canaries that cross the hop' },
          [{ ...load, hop: crossing }],
        );
        return { summary: `${started} long canaries started before ${environment}/${hop.to}`, value: started };
      });
    }
    const result = await runHop(context);
    conductor.hops.push(result);
    if (result.outcome === 'completed') {
      this.#attempt = 1;
      return;
    }
    this.#attempt += 1;
    const restored = result.outcome === 'restored';
    if (load !== undefined) {
      await conductor.phase('load', async () => {
        const { released } = await target.act.releaseLongCanaries.executeWithOptions(
          { summary: 'end the long canaries' },
          [{ ...load, hop: crossing }],
        );
        const back = restored ? 'restored' : 'rolled back';
        return { summary: `${released} long canaries of the hop that was ${back} ended`, value: released };
      });
    }
    await this.#holdUntilRetry(context, restored ? 'restored' : 'rolled-back');
  }

  #record(environment: Environment): RecordPlace {
    const { input, holder } = this.prepared;
    const { rolloutId } = this.conductor;
    return { target: input[environment], rolloutId, dataDir: input.dataDir, firstRunId: holder.firstRunId };
  }

  async #holdUntilRetry({ environment, hop }: HopContext, state: 'restored' | 'rolled-back'): Promise<void> {
    this.conductor.next = `the hop to ${hop.to} again, once a person says retry`;
    await this.conductor.holdUntilRetry(
      state,
      state === 'restored'
        ? `${environment} is back on ${hop.from} and on the backups of this hop; retry does the hop again`
        : `the servers of ${environment} are back on ${hop.from}; retry does the hop again`,
    );
  }

  #context(environment: Environment, hop: Hop): HopContext {
    const { conductor } = this;
    const { input, holder } = this.prepared;
    const simulated = input.policy.load[environment];
    return {
      conductor,
      environment,
      hop,
      place: {
        ...this.#record(environment),
        environment,
        from: hop.from,
        to: hop.to,
        attempt: this.#attempt,
        canaryNamespaces: simulated === undefined ? [] : namespacesOf(simulated),
      },
      policy: input.policy,
      holder,
      target: near(input[environment]),
      meter: this.meters.request(environment),
      load: this.loads.running(environment),
      crossing: `${environment}-${hop.to}-${this.#attempt}`,
    };
  }

  /** Between staging and live: nothing touches live before a person, or a clean staging, lets it. */
  async promote(first: Hop): Promise<void> {
    if (this.#promoted) return;
    const { conductor } = this;
    conductor.enter({});
    await this.loads.drain('staging');
    const { input, plan } = this.prepared;
    const staging = conductor.hops.filter(({ environment }) => environment === 'staging');
    const overrides = overrideLines([...staging.flatMap(({ phases }) => phases), ...conductor.steps]);
    const warnings = [...plan.findings, ...plan.live.findings].filter(({ severity }) => severity === 'warn');
    const rehearsed = overrides.length === 0 && !plan.findings.some(({ id }) => id === 'not-rehearsed');
    // What staging did not pass, or passed only because somebody let it, is never promoted by itself.
    if (input.policy.gates.live.includes('promote') || !rehearsed) {
      const started = Date.now();
      conductor.next = `live: ${plan.live.path.join(' → ')}`;
      const doubts = [...overrides, ...warnings.map(findingText)];
      const approved = await conductor.gates.approval({
        environment: 'live',
        version: first.to,
        phase: 'promote',
        evidence: [
          ...staging.map((hop) => `staging ${hop.from} → ${hop.to}: ${hop.outcome}, ${hop.incidents} incidents`),
          ...conductor.steps.map(({ phase, summary }) => `${phase}: ${summary}`),
          ...doubts,
        ],
        doubts,
      });
      conductor.note({
        phase: 'promote',
        ...tookSince(started),
        summary: `live approved by ${decidedBy(approved)}${approved.reason === undefined ? '' : `: ${approved.reason}`}`,
      });
    }
    this.#promoted = true;
  }

  /** Watches live and ends the roll-out. There is no result yet where live was put back meanwhile: its last hop is done again. */
  async complete(): Promise<RolloutResult | undefined> {
    const { conductor } = this;
    conductor.enter({});
    try {
      if (!this.#promoted) await this.loads.drain('staging');
      await this.#watch();
      await this.loads.drain('live');
      // What was decided during the last step, or at the very end of the last hop, has its effect too.
      await conductor.passable();
    } catch (error) {
      if (!(error instanceof RollBackRequested)) throw error;
      await this.#takeBackLastHop();
      return undefined;
    }
    return this.finish('completed');
  }

  /** What live showed only after the roll-out of its last hop: a person wants the servers of that hop back. */
  async #takeBackLastHop(): Promise<void> {
    const { conductor } = this;
    const hop = this.prepared.plan.live.hops.at(-1);
    if (hop === undefined) throw new TypeError('a roll-back was asked for without a hop');
    const results = () => conductor.hops.filter(({ environment, to }) => environment === 'live' && to === hop.to);
    // Every try of a hop has files of its own; this is one more, and so is the one after it.
    this.#attempt = results().length + 1;
    const context = this.#context('live', hop);
    conductor.hops.push(await takeBackHop(context));
    this.#attempt = results().length + 1;
    await this.#holdUntilRetry(context, 'rolled-back');
  }

  /** Ends the roll-out: load stopped, clusters let go, report written. */
  async finish(status: RolloutResult['status'], aborted?: AbortRequested): Promise<RolloutResult> {
    // All is decided: a cancellation that comes now must not keep the clusters held, nor the report unwritten.
    return CancellationScope.nonCancellable(() => this.#close(status, aborted));
  }

  /** Live stays in sight for the agreed time; a person may end that with a decision. */
  async #watch(): Promise<void> {
    const { conductor } = this;
    const { input, plan } = this.prepared;
    const first = conductor.hops.find(({ environment }) => environment === 'live');
    if (input.policy.watchLive === 0 || plan.live.hops.length === 0 || first === undefined) return;
    // Nothing more is done there; the next roll-out of staging need not wait until live has been watched.
    await this.#letGoOf('staging');
    conductor.next = 'close with a report';
    this.#mayTakeBack();
    const progress: WatchProgress = { looks: 0, unclear: [] };
    const watch = () =>
      watchLive(
        {
          conductor,
          target: near(input.live),
          place: this.#record('live'),
          policy: input.policy,
          meter: this.meters.request('live'),
          load: this.loads.running('live'),
        },
        { untouchedUntil: first.startedAt, progress },
      );
    // Who lets one look pass has not ended the watch.
    while (
      (await conductor.overridablePhase('watch', watch)) === undefined &&
      progress.looks < watchLooks(input.policy)
    ) {
      progress.looks += 1;
    }
  }

  /** From here on, until live has been watched, its last hop can be rolled back. */
  #mayTakeBack(): void {
    const hop = this.prepared.plan.live.hops.at(-1);
    if (hop === undefined) return;
    const { desk } = this.conductor;
    desk.reversibleHop = `live/${hop.to}`;
    desk.irreversible = noWayBack(hop);
  }

  async #close(status: RolloutResult['status'], aborted: AbortRequested | undefined): Promise<RolloutResult> {
    const { conductor } = this;
    conductor.desk.close();
    await this.letGo();
    if (status === 'aborted') await this.loads.readLedgers();
    conductor.end(status);
    const removedBackups = status === 'completed' ? await this.#removeOldBackups() : [];
    const result = {
      ...this.#result(),
      status,
      reason: aborted?.decision.reason,
      ...(removedBackups.length === 0 ? {} : { removedBackups }),
    };
    const reportDir = await this.#writeReport(result);
    await conductor.tellOfEnd(status, endLines({ ...result, reportDir }));
    await condition(allHandlersFinished);
    return { ...result, reportDir };
  }

  /** Stops the load and releases both clusters; what cannot be reached now is told in the log, and looked after later. */
  async letGo(): Promise<void> {
    for (const environment of ENVIRONMENTS) await this.#letGoOf(environment);
  }

  async #letGoOf(environment: Environment): Promise<void> {
    if (this.#letGo.has(environment)) return;
    const { input, holder } = this.prepared;
    if (this.loads.running(environment) !== undefined) await this.loads.stop(environment);
    await this.meters.stop(environment);
    await letGoOf(input[environment], holder);
    this.#letGo.add(environment);
  }

  /** What the input wants to be kept no longer. One that cannot be removed now is removed by the next roll-out. */
  async #removeOldBackups(): Promise<string[]> {
    const removed: string[] = [];
    for (const environment of ENVIRONMENTS) {
      const target = this.prepared.input[environment];
      if (target.backups?.keep === undefined) continue;
      try {
        const { folders } = await near(target).look.removeOldBackups.executeWithOptions(
          { summary: `old backups of ${target.name}` },
          [{ target }],
        );
        removed.push(...folders.map((folder) => `${target.name}: ${folder}`));
      } catch (error) {
        log.warn('old backups not removed', { target: target.name, error: String(error) });
      }
    }
    return removed;
  }

  async #writeReport(result: RolloutResult): Promise<string | undefined> {
    const { dataDir } = this.prepared.input;
    try {
      const report = await makeReport({ ...this.#reportRequest(), rollout: result });
      const { directory } = await control.writeReport.executeWithOptions({ summary: 'report' }, [{ dataDir, report }]);
      return directory;
    } catch (error) {
      // The result has all of it; a full disk must not make a finished roll-out fail.
      log.warn('report not written', { error: String(error) });
      return undefined;
    }
  }

  #reportRequest(): ReportRequest {
    const { conductor } = this;
    const { input } = this.prepared;
    const sources = ENVIRONMENTS.map((environment) => ({
      ...this.#record(environment),
      environment,
      meter: this.meters.request(environment),
      load: this.loads.ran(environment),
      spans: spansOf(conductor, environment),
    }));
    return {
      dataDir: input.dataDir,
      rollout: { ...this.#result(), status: conductor.currentState, phases: conductor.phases },
      sources,
    };
  }

  #result(): Omit<RolloutResult, 'status'> {
    const { conductor } = this;
    const { input, plan, differences } = this.prepared;
    const reached = (environment: Environment) => {
      const { path } = plan[environment];
      const from = path[0] ?? '';
      const last = conductor.hops.findLast((hop) => hop.environment === environment);
      return { name: input[environment].name, from, to: last?.servers ?? from, path };
    };
    return {
      rolloutId: conductor.rolloutId,
      startedAt: conductor.startedAt,
      endedAt: now(),
      staging: reached('staging'),
      live: reached('live'),
      hops: conductor.hops,
      steps: conductor.steps,
      ledgers: this.loads.ledgers,
      decisions: conductor.desk.records,
      incidents: conductor.incidentLog,
      findings: [...plan.findings, ...plan.staging.findings, ...plan.live.findings],
      settle: { atLeastMs: input.policy.settle.atLeast, reason: input.policy.settle.reason },
      policy: differences,
    };
  }
}

/** How it ended, for a notice. */
function endLines({ staging, live, reason, reportDir, hops, removedBackups = [] }: RolloutResult): string[] {
  const incidents = hops.reduce((sum, hop) => sum + hop.incidents, 0);
  return [
    ...[staging, live].map(({ name, from, to }) => `${name}: ${from} → ${to}`),
    `${hops.length} hops, ${incidents} incidents`,
    ...(reason === undefined ? [] : [`reason: ${reason}`]),
    ...(removedBackups.length === 0 ? [] : [`backups of ${removedBackups.length} old hops removed`]),
    ...(reportDir === undefined ? [] : [`report: ${reportDir}`]),
  ];
}

/** Shown until the input has been validated. */
function wantedVersion(raw: unknown): string {
  return typeof raw === 'object' && raw !== null && 'to' in raw && typeof raw.to === 'string' ? raw.to : '';
}
