import {
  allHandlersFinished,
  ApplicationFailure,
  ActivityFailure,
  CancellationScope,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  isCancellation,
  log,
  ParentClosePolicy,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { Holder, LoadRequest } from '../contract/activities.js';
import { LOAD_WORKFLOW } from '../contract/names.js';
import type { RolloutInput } from '../core/input.js';
import type { LedgerSummary } from '../core/ledger.js';
import type { Environment, Hop, RolloutPlan } from '../core/plan.js';
import type { RolloutResult } from '../core/rollout-result.js';
import { Conductor, now, secondsSince, type ConductorState } from './conductor.js';
import { AbortRequested, NotGoodEnough } from './interruptions.js';
import { stopLoadSignal } from './messages.js';
import { control, near } from './proxies.js';
import { runHop } from './run-hop.js';
import type { load } from './load.js';
import { watchLive } from './watch-live.js';

/** What one run of the workflow hands to the next: everything decided so far, never to be decided anew. */
export interface CarriedState {
  readonly prepared: Prepared;
  readonly conductor: ConductorState;
  readonly loads: Partial<Record<Environment, 'running' | 'stopped'>>;
  readonly ledgers: Partial<Record<Environment, LedgerSummary>>;
  readonly promoted: boolean;
  /** Times that the present hop was begun: more than one after a roll-back. */
  readonly attempt: number;
}

interface Prepared {
  readonly input: RolloutInput;
  readonly plan: RolloutPlan;
  readonly holder: Holder;
  readonly searchAttributes: boolean;
}

/**
 * The whole roll-out: staging under load hop by hop, then live hop by hop. Each hop is a run of its own (continue-as-new).
 * @throws ApplicationFailure `InvalidRollout`, `UnsupportedPath`, `PreflightFailed`, `ClusterBusy` or
 *   `TargetIsControlPlane` before anything was changed; never later
 */
export async function rollout(raw: unknown, carried?: CarriedState): Promise<RolloutResult> {
  const conductor = new Conductor(wantedVersion(raw), carried?.conductor);
  const prepared = carried?.prepared ?? (await prepare(conductor, raw));
  conductor.know(prepared);
  const run = new Rollout(conductor, prepared, carried);
  try {
    const next = run.nextHop();
    if (next === undefined) return await run.finish('completed');
    if (next.environment === 'live') await run.promote(next.hop);
    await run.ensureLoad(next.environment);
    await run.hop(next.environment, next.hop);
  } catch (error) {
    if (error instanceof AbortRequested) return run.finish('aborted', error);
    if (isCancellation(error)) await CancellationScope.nonCancellable(() => run.letGo());
    throw error;
  }
  await condition(allHandlersFinished);
  return continueAsNew<typeof rollout>(prepared.input, run.carry());
}

/** Validates, looks at both clusters, plans, and takes hold of them; changes nothing else. */
async function prepare(conductor: Conductor, raw: unknown): Promise<Prepared> {
  conductor.next = 'preflight of staging and live, then the plan';
  conductor.show();
  const { workflowId, firstExecutionRunId } = workflowInfo();
  try {
    const { input, controlPlane, searchAttributes } = await control.validateInput.executeWithOptions(
      { summary: 'input' },
      [raw],
    );
    const inspect = (environment: Environment) =>
      near(input[environment]).glance.inspectTarget.executeWithOptions(
        { summary: `look at ${input[environment].name}` },
        [{ target: input[environment], controlPlaneClusterId: controlPlane.clusterId }],
      );
    const [staging, live] = await Promise.all([inspect('staging'), inspect('live')]);
    const plan = await control.makePlan.executeWithOptions({ summary: 'plan' }, [{ input, staging, live }]);
    const holder: Holder = {
      controlPlaneClusterId: controlPlane.clusterId,
      controlPlaneNamespace: controlPlane.namespace,
      workflowId,
      firstRunId: firstExecutionRunId,
    };
    await bringTools(input, plan);
    const claimed: Environment[] = [];
    try {
      for (const environment of ['staging', 'live'] as const) {
        const target = input[environment];
        await near(target).look.claimTarget.executeWithOptions({ summary: `take hold of ${target.name}` }, [
          { target, holder },
        ]);
        claimed.push(environment);
      }
    } catch (error) {
      for (const environment of claimed) {
        const target = input[environment];
        await near(target).look.releaseTarget({ target, holder });
      }
      throw error;
    }
    return { input, plan, holder, searchAttributes };
  } catch (error) {
    // A failed activity says what is wrong in its cause; the roll-out fails with just that, type and details included.
    if (error instanceof ActivityFailure && error.cause instanceof ApplicationFailure) {
      const { message, type, details, cause } = error.cause;
      throw ApplicationFailure.create({
        message,
        type: type ?? 'PreflightFailed',
        details: details ?? [],
        cause,
        nonRetryable: true,
      });
    }
    throw error;
  }
}

/** Each target's workers get the programs of all hops now: one that cannot be had must not show between two hops. */
async function bringTools(input: RolloutInput, plan: RolloutPlan): Promise<void> {
  for (const environment of ['staging', 'live'] as const) {
    const versions = plan[environment].hops.map(({ to }) => to);
    if (versions.length === 0) continue;
    const target = input[environment];
    await near(target).act.bringTools.executeWithOptions(
      { summary: `tools of ${versions.join(', ')} for ${target.name}` },
      [{ target, versions }],
    );
  }
}

/** One run of the workflow, after preparation. */
class Rollout {
  readonly #loads: Partial<Record<Environment, 'running' | 'stopped'>>;
  readonly #ledgers: Partial<Record<Environment, LedgerSummary>>;
  #promoted: boolean;
  #attempt: number;

  constructor(
    private readonly conductor: Conductor,
    private readonly prepared: Prepared,
    carried: CarriedState | undefined,
  ) {
    this.#loads = { ...carried?.loads };
    this.#ledgers = { ...carried?.ledgers };
    this.#promoted = carried?.promoted ?? false;
    this.#attempt = carried?.attempt ?? 1;
  }

  carry(): CarriedState {
    return {
      prepared: this.prepared,
      conductor: this.conductor.state,
      loads: this.#loads,
      ledgers: this.#ledgers,
      promoted: this.#promoted,
      attempt: this.#attempt,
    };
  }

  /** The first hop of the plan that was not completed: staging's before live's. */
  nextHop(): { environment: Environment; hop: Hop } | undefined {
    const { plan } = this.prepared;
    for (const environment of ['staging', 'live'] as const) {
      const done = this.conductor.hops.filter((hop) => hop.environment === environment && hop.outcome === 'completed');
      const hop = plan[environment].hops[done.length];
      if (hop !== undefined) return { environment, hop };
    }
    return undefined;
  }

  async hop(environment: Environment, hop: Hop): Promise<void> {
    const { conductor } = this;
    const { input, holder } = this.prepared;
    const target = near(input[environment]);
    const load = this.#loads[environment] === 'running' ? this.#loadRequest(environment) : undefined;
    const crossing = `${environment}-${hop.to}-${this.#attempt}`;
    if (load !== undefined) {
      await conductor.phase('load', async () => {
        const { started } = await target.act.startLongCanaries.executeWithOptions(
          { summary: 'canaries that cross the hop' },
          [{ ...load, hop: crossing }],
        );
        return { summary: `${started} long canaries started before ${environment}/${hop.to}`, value: started };
      });
    }
    const place = {
      target: input[environment],
      environment,
      rolloutId: conductor.rolloutId,
      dataDir: input.dataDir,
      from: hop.from,
      to: hop.to,
      attempt: this.#attempt,
      firstRunId: holder.firstRunId,
      canaryNamespace: input.policy.load[environment]?.namespace,
    };
    const result = await runHop({
      conductor,
      environment,
      hop,
      place,
      policy: input.policy,
      holder,
      target,
      load,
      crossing,
    });
    conductor.hops.push(result);
    if (result.outcome === 'completed') {
      this.#attempt = 1;
      return;
    }
    this.#attempt += 1;
    if (load !== undefined) await target.act.releaseLongCanaries({ ...load, hop: crossing });
    conductor.next = `the hop to ${hop.to} again, once a person says retry`;
    await conductor.holdUntilRetry(
      'rolled-back',
      `the servers of ${environment} are back on ${hop.from}; retry does the hop again`,
    );
  }

  /** Starts the load of an environment, once; it runs through all its hops. */
  async ensureLoad(environment: Environment): Promise<void> {
    if (this.#loads[environment] !== undefined || this.prepared.input.policy.load[environment] === undefined) return;
    const request = { ...this.#loadRequest(environment), rolloutId: this.conductor.rolloutId };
    await this.conductor.phase('load', async () => {
      await startChild<typeof load>(LOAD_WORKFLOW, {
        args: [request],
        workflowId: this.#loadWorkflowId(environment),
        // It outlives this run, which continues as new; it ends when told to, or when the roll-out is over.
        parentClosePolicy: ParentClosePolicy.ABANDON,
        staticSummary: `load on ${request.target.name} for ${this.conductor.rolloutId}`,
      }).catch((error: unknown) => {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      });
      return { summary: `load on ${environment}: ${request.policy.startsPerSecond} canaries a second`, value: true };
    });
    this.#loads[environment] = 'running';
  }

  /** Ends the load of an environment and waits until every canary is accounted for. */
  async drainLoad(environment: Environment): Promise<void> {
    if (this.#loads[environment] !== 'running') return;
    await this.#stopLoad(environment);
    const request = this.#loadRequest(environment);
    const ledger = await this.conductor.overridablePhase('drain', async () => {
      const summary = await near(request.target).act.verifyLedger.executeWithOptions(
        { summary: 'every canary of the load' },
        [{ ...request, drain: true }],
      );
      this.#ledgers[environment] = summary;
      const bad = summary.lost + summary.duplicated + summary.wrong + summary.failed + summary.running;
      const line =
        `${summary.completed} of ${summary.started} canaries of ${environment} completed, ${summary.lost} lost, ` +
        `${summary.duplicated} duplicated, ${summary.wrong} wrong, ${summary.failed} failed, ${summary.failedCalls} failed calls`;
      if (bad > 0)
        throw new NotGoodEnough(
          [line, ...summary.examples.map(({ workflowId, reason }) => `${workflowId}: ${reason}`)].join('\n'),
        );
      return { summary: line, value: summary };
    });
    if (ledger !== undefined) this.#ledgers[environment] = ledger;
  }

  /** Between staging and live: nothing touches live before a person, or a clean staging, lets it. */
  async promote(first: Hop): Promise<void> {
    if (this.#promoted) return;
    const { conductor } = this;
    conductor.enter({});
    await this.drainLoad('staging');
    const { input, plan } = this.prepared;
    const staging = conductor.hops.filter(({ environment }) => environment === 'staging');
    const overrides = [...staging.flatMap(({ phases }) => phases), ...conductor.steps].filter(
      ({ overridden }) => overridden !== undefined,
    );
    // A staging that passed only because somebody let it is never promoted by itself.
    if (input.policy.gates.live.includes('promote') || overrides.length > 0) {
      const started = Date.now();
      conductor.next = `live: ${plan.live.path.join(' → ')}`;
      const { by, reason } = await conductor.approval('live', first.to, 'promote', [
        ...staging.map((hop) => `staging ${hop.from} → ${hop.to}: ${hop.outcome}, ${hop.incidents} incidents`),
        ...conductor.steps.map(({ phase, summary }) => `${phase}: ${summary}`),
        ...overrides.map(
          ({ phase, summary, overridden }) =>
            `overridden by ${overridden?.by ?? 'somebody'}: ${phase}: ${summary} (${overridden?.reason})`,
        ),
        ...plan.live.findings.filter(({ severity }) => severity === 'warning').map(({ message }) => message),
      ]);
      conductor.note({
        phase: 'promote',
        seconds: secondsSince(started),
        summary: `live approved by ${by ?? 'somebody'}${reason === undefined ? '' : `: ${reason}`}`,
      });
    }
    this.#promoted = true;
  }

  /** Ends the roll-out: load stopped, live watched, clusters let go, report written. */
  async finish(status: RolloutResult['status'], aborted?: AbortRequested): Promise<RolloutResult> {
    const { conductor } = this;
    const { input, plan } = this.prepared;
    if (status === 'completed') {
      conductor.enter({});
      try {
        if (!this.#promoted) await this.drainLoad('staging');
        await watchLive(conductor, input, plan);
        await this.drainLoad('live');
      } catch (error) {
        if (!(error instanceof AbortRequested)) throw error;
        return this.finish('aborted', error);
      }
    }
    await this.letGo();
    if (status === 'aborted') await this.#readLedgers();
    conductor.end(status);
    const result = { ...this.#result(status), reason: aborted?.decision.reason };
    const reportDir = await this.#writeReport(result);
    await condition(allHandlersFinished);
    return { ...result, reportDir };
  }

  /** Stops the load and releases both clusters; what cannot be reached now is told in the log, and looked after later. */
  async letGo(): Promise<void> {
    const { input, holder } = this.prepared;
    for (const environment of ['staging', 'live'] as const) {
      const target = input[environment];
      if (this.#loads[environment] === 'running') await this.#stopLoad(environment);
      try {
        await near(target).look.releaseTarget.executeWithOptions({ summary: `let go of ${target.name}` }, [
          { target, holder },
        ]);
      } catch (error) {
        // A later roll-out sees that this one is over, and takes the cluster.
        log.warn('target not released', { target: target.name, error: String(error) });
      }
    }
  }

  /** What is known of the canaries of a roll-out that was aborted; nobody waits for those that still run. */
  async #readLedgers(): Promise<void> {
    for (const environment of ['staging', 'live'] as const) {
      if (this.#loads[environment] === undefined || this.#ledgers[environment] !== undefined) continue;
      const request = this.#loadRequest(environment);
      try {
        this.#ledgers[environment] = await near(request.target).look.verifyLedger.executeWithOptions(
          { summary: 'ledger against histories' },
          [{ ...request, drain: false }],
        );
      } catch (error) {
        if (isCancellation(error)) throw error;
        log.warn('ledger not read', { environment, error: String(error) });
      }
    }
  }

  async #stopLoad(environment: Environment): Promise<void> {
    try {
      await getExternalWorkflowHandle(this.#loadWorkflowId(environment)).signal(stopLoadSignal);
    } catch (error) {
      if (isCancellation(error)) throw error;
      log.warn('the load had ended already', { environment, error: String(error) });
    }
    this.#loads[environment] = 'stopped';
  }

  #loadWorkflowId(environment: Environment): string {
    return `${this.conductor.rolloutId}-load-${environment}`;
  }

  #loadRequest(environment: Environment): LoadRequest {
    const { input, holder } = this.prepared;
    const policy = input.policy.load[environment] ?? input.policy.load.staging;
    // The first run id sets the canaries of this roll-out apart from those of an earlier one with the same workflow id.
    const loadId = `${this.conductor.rolloutId}-${environment}-${holder.firstRunId.slice(0, 8)}`;
    return { target: input[environment], environment, dataDir: input.dataDir, loadId, policy };
  }

  async #writeReport(result: RolloutResult): Promise<string | undefined> {
    try {
      const { directory } = await control.writeReport.executeWithOptions({ summary: 'report' }, [
        { dataDir: this.prepared.input.dataDir, result },
      ]);
      return directory;
    } catch (error) {
      // The result has all of it; a full disk must not make a finished roll-out fail.
      log.warn('report not written', { error: String(error) });
      return undefined;
    }
  }

  #result(status: RolloutResult['status']): RolloutResult {
    const { conductor } = this;
    const { input, plan } = this.prepared;
    const reached = (environment: Environment) => {
      const { path } = plan[environment];
      const from = path[0] ?? '';
      const last = conductor.hops
        .filter((hop) => hop.environment === environment && hop.outcome === 'completed')
        .at(-1);
      return { name: input[environment].name, from, to: last?.to ?? from };
    };
    return {
      rolloutId: conductor.rolloutId,
      status,
      startedAt: conductor.startedAt,
      endedAt: now(),
      staging: reached('staging'),
      live: reached('live'),
      hops: conductor.hops,
      steps: conductor.steps,
      ledgers: this.#ledgers,
      decisions: conductor.desk.records,
      findings: [...plan.findings, ...plan.staging.findings, ...plan.live.findings],
      settle: { atLeastMs: input.policy.settle.atLeast, reason: input.policy.settle.reason },
    };
  }
}

/** Shown until the input has been validated. */
function wantedVersion(raw: unknown): string {
  return typeof raw === 'object' && raw !== null && 'to' in raw && typeof raw.to === 'string' ? raw.to : '';
}
