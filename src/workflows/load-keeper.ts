import { isCancellation, log } from '@temporalio/workflow';
import type { LoadRequest } from '../contract/activities.js';
import { besideId, LOAD_WORKFLOW } from '../contract/names.js';
import { ledgerLine, ledgerProblems, type LedgerSummary } from '../core/ledger.js';
import { ENVIRONMENTS, type Environment } from '../core/plan.js';
import { markIn } from '../core/run-mark.js';
import { startBeside, stopBeside } from './background.js';
import type { Conductor } from './conductor.js';
import { NotGoodEnough } from './interruptions.js';
import type { load } from './load.js';
import { stopLoadSignal } from './messages.js';
import type { Prepared } from './prepare.js';
import { near } from './proxies.js';

/** What the keeper of the loads carries over from run to run. */
export interface LoadState {
  readonly loads: Partial<Record<Environment, 'running' | 'stopped'>>;
  readonly ledgers: Partial<Record<Environment, LedgerSummary>>;
}

/** Starts and stops the load of each environment, and keeps what became of its canaries. */
export class LoadKeeper {
  readonly #loads: Partial<Record<Environment, 'running' | 'stopped'>>;
  readonly #ledgers: Partial<Record<Environment, LedgerSummary>>;

  constructor(
    private readonly conductor: Conductor,
    private readonly prepared: Prepared,
    carried: LoadState | undefined,
  ) {
    this.#loads = { ...carried?.loads };
    this.#ledgers = { ...carried?.ledgers };
  }

  get state(): LoadState {
    return { loads: this.#loads, ledgers: this.#ledgers };
  }

  get ledgers(): LoadState['ledgers'] {
    return this.#ledgers;
  }

  /** The load that runs on an environment now; undefined when none does. */
  running(environment: Environment): LoadRequest | undefined {
    return this.#loads[environment] === 'running' ? this.request(environment) : undefined;
  }

  /** The load that runs on an environment, or ran there; undefined when there was none. */
  ran(environment: Environment): LoadRequest | undefined {
    return this.#loads[environment] === undefined ? undefined : this.request(environment);
  }

  /** Starts the load of an environment, once; it runs through all its hops. */
  async ensure(environment: Environment): Promise<void> {
    if (this.#loads[environment] !== undefined || this.prepared.input.policy.load[environment] === undefined) return;
    const request = { ...this.request(environment), rollout: this.prepared.holder };
    await this.conductor.phase('load', async () => {
      await startBeside(LOAD_WORKFLOW, {
        workflowId: this.#workflowId(environment),
        request: request satisfies Parameters<typeof load>[0],
        summary: `load on ${request.target.name} for ${this.conductor.rolloutId}`,
      });
      return { summary: `load on ${environment}: ${request.policy.startsPerSecond} canaries a second`, value: true };
    });
    this.#loads[environment] = 'running';
  }

  /** Ends the load of an environment and waits until every canary is accounted for. */
  async drain(environment: Environment): Promise<void> {
    if (this.#loads[environment] !== 'running') return;
    await this.stop(environment);
    const request = this.request(environment);
    const ledger = await this.conductor.overridablePhase('drain', async () => {
      const summary = await near(request.target).act.verifyLedger.executeWithOptions(
        { summary: 'every canary of the load' },
        [{ ...request, drain: true }],
      );
      this.#ledgers[environment] = summary;
      const line = `${environment}: ${ledgerLine(summary)}`;
      const problems = ledgerProblems(summary);
      if (summary.running > 0) problems.push(`${summary.running} canaries still run`);
      if (problems.length > 0) throw new NotGoodEnough([line, ...problems].join('\n'));
      return { summary: line, value: summary };
    });
    if (ledger !== undefined) this.#ledgers[environment] = ledger;
  }

  /** What is known of the canaries of a roll-out that was aborted; nobody waits for those that still run. */
  async readLedgers(): Promise<void> {
    for (const environment of ENVIRONMENTS) {
      if (this.#loads[environment] === undefined || this.#ledgers[environment] !== undefined) continue;
      const request = this.request(environment);
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

  async stop(environment: Environment): Promise<void> {
    await stopBeside(this.#workflowId(environment), stopLoadSignal);
    this.#loads[environment] = 'stopped';
  }

  #workflowId(environment: Environment): string {
    const { holder } = this.prepared;
    return besideId(holder, `load-${environment}`, markIn(this.prepared, holder.firstRunId));
  }

  request(environment: Environment): LoadRequest {
    const { input, holder } = this.prepared;
    const policy = input.policy.load[environment] ?? input.policy.load.staging;
    // The first run sets the canaries of this roll-out apart from those of an earlier one with the same workflow id.
    const loadId = `${this.conductor.rolloutId}-${environment}-${markIn(this.prepared, holder.firstRunId)}`;
    return { target: input[environment], environment, dataDir: input.dataDir, loadId, policy };
  }
}
