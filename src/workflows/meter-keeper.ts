import type { MeterRequest } from '../contract/activities.js';
import { besideId, METER_WORKFLOW } from '../contract/names.js';
import { beatFor } from '../core/measuring/round.js';
import type { Environment } from '../core/plan.js';
import { markIn } from '../core/run-mark.js';
import { startBeside, stopBeside } from './background.js';
import type { Conductor } from './conductor.js';
import { stopMeterSignal } from './messages.js';
import type { meter } from './meter.js';
import type { Prepared } from './prepare.js';

/** What the keeper of the meters carries over from run to run. */
export type MeterState = Partial<Record<Environment, 'running' | 'stopped'>>;

/** Has each target sampled beside everything else that is done. */
export class MeterKeeper {
  readonly #meters: MeterState;

  constructor(
    private readonly conductor: Conductor,
    private readonly prepared: Prepared,
    carried: MeterState | undefined,
  ) {
    this.#meters = { ...carried };
  }

  get state(): MeterState {
    return this.#meters;
  }

  /** Live from the beginning, where its hours before the first hop will be compared with. */
  async ensureFirst(): Promise<void> {
    const { input, plan } = this.prepared;
    if (input.policy.watchLive > 0 && plan.live.hops.length > 0) await this.ensure('live');
  }

  /** Starts the meter of a target, once; it runs through all its hops. */
  async ensure(environment: Environment): Promise<void> {
    if (this.#meters[environment] !== undefined) return;
    const request = this.request(environment);
    await startBeside(METER_WORKFLOW, {
      workflowId: this.#workflowId(environment),
      request: { ...request, rollout: this.prepared.holder } satisfies Parameters<typeof meter>[0],
      summary: `samples of ${request.target.name} for ${this.conductor.rolloutId}`,
    });
    this.#meters[environment] = 'running';
  }

  async stop(environment: Environment): Promise<void> {
    if (this.#meters[environment] !== 'running') return;
    await stopBeside(this.#workflowId(environment), stopMeterSignal);
    this.#meters[environment] = 'stopped';
  }

  request(environment: Environment): MeterRequest {
    const { input, holder } = this.prepared;
    // The first run sets the samples of this roll-out apart from those of an earlier one with the same workflow id.
    const meterId = `${this.conductor.rolloutId}-${environment}-${markIn(this.prepared, holder.firstRunId)}`;
    const target = input[environment];
    const { window, beat = beatFor(window, target) } = input.policy.observation;
    return { target, dataDir: input.dataDir, meterId, beatMs: beat };
  }

  #workflowId(environment: Environment): string {
    const { holder } = this.prepared;
    return besideId(holder, `meter-${environment}`, markIn(this.prepared, holder.firstRunId));
  }
}
