import {
  CancellationScope,
  CancelledFailure,
  condition,
  isCancellation,
  log,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import {
  decidedBy,
  noWayBackByServers,
  rejectedLine,
  type DecisionKind,
  type DecisionRecord,
  type Gate,
} from '../core/decision.js';
import { nameOf, type Identity } from '../core/identity.js';
import type { RolloutInput } from '../core/input/input.js';
import type { JudgedWindow } from '../core/measuring/observation.js';
import type { Environment, RolloutPlan } from '../core/plan.js';
import { markIn, type MarkedBy } from '../core/run-mark.js';
import { overrideLines } from '../core/status.js';
import type { ShardPicture } from '../core/shard-picture.js';
import type {
  HopPhase,
  HopResult,
  IncidentRecord,
  PhaseResult,
  RolloutState,
  RolloutStatus,
  RolloutStep,
  Waiting,
} from '../core/status.js';
import { DecisionDesk, type DeskState } from './decision-desk.js';
import { describeFailure } from './describe-failure.js';
import { Display } from './display.js';
import { Gates } from './gates.js';
import { AbortRequested, NotGoodEnough, RestoreApproved, RollBackRequested } from './interruptions.js';
import { statusQuery } from './messages.js';
import { now, tookSince } from './moments.js';
import { Notifier, type NoticePlace } from './notifier.js';
import { waitFor, type GateWait } from './wait-for.js';

/** What a phase did, in one line, and its value for the phases after it. */
export interface Done<T> {
  readonly summary: string;
  readonly value: T;
  /** See PhaseResult. */
  readonly unproved?: true;
}

/** What the conductor carries over from run to run of the workflow. */
export interface ConductorState {
  readonly startedAt: string;
  readonly hops: readonly HopResult[];
  readonly steps: readonly PhaseResult[];
  readonly desk: DeskState;
  /** Incidents of the whole roll-out: numbers them, so that an old click never fits a new one. */
  readonly incidents: number;
  readonly incidentLog?: readonly IncidentRecord[] | undefined;
  /** Absent in runs of builds that did not know it. */
  readonly accepted?: Accepted | undefined;
}

/**
 * Until when what a target showed was told to a person who then let it pass, in milliseconds since 1970: it is not held against
 * the hops after it.
 */
type Accepted = Readonly<Partial<Record<Environment, number>>>;

interface Place {
  readonly environment?: Environment | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** Incidents that are kept, and characters of the problem of each: the state of a run has to fit in one message. */
const [MAX_INCIDENTS, MAX_PROBLEM] = [100, 2_000];

/**
 * Leads through phases and gates: shows where the roll-out is, lets people decide, and turns a failed phase into an
 * incident that waits for a decision.
 */
export class Conductor {
  readonly desk: DecisionDesk;
  readonly notifier = new Notifier();
  readonly gates: Gates;
  readonly rolloutId = workflowInfo().workflowId;
  readonly startedAt: string;
  readonly hops: HopResult[];
  readonly steps: PhaseResult[];
  incidentLog: readonly IncidentRecord[];
  input: RolloutInput | undefined;
  plan: RolloutPlan | undefined;
  next = '';
  /** What was observed last in the present hop. */
  judged: JudgedWindow | undefined;
  /** Who owns the shards of the target, as it was proved last in the present hop. */
  shards: ShardPicture | undefined;
  /**
   * Says what going back to the backups of the present hop would lose, a line each. Present while that can be asked for: from
   * the moment at which they were made until the hop is over.
   */
  estimateRestore: (() => Promise<readonly string[]>) | undefined;
  /** When the present hop began. */
  enteredAt = now();
  readonly #display = new Display();
  #place: Place = {};
  #phase: HopPhase | RolloutStep = 'prepare';
  #since = now();
  #phases: PhaseResult[] = [];
  #waitingForTime: Waiting | undefined;
  #problem: string | undefined;
  #starter: string | undefined;
  #waitedMs = 0;
  #incidents: number;
  #incidentsBefore: number;
  #accepted: Accepted;
  #ended: 'completed' | 'aborted' | undefined;

  /** Sets all handlers; make it before the first await of the workflow. */
  constructor(to: string, carried: ConductorState | undefined) {
    this.startedAt = carried?.startedAt ?? now();
    this.hops = [...(carried?.hops ?? [])];
    this.steps = [...(carried?.steps ?? [])];
    this.incidentLog = carried?.incidentLog ?? [];
    this.#incidents = carried?.incidents ?? 0;
    this.#incidentsBefore = this.#incidents;
    this.#accepted = carried?.accepted ?? {};
    this.desk = new DecisionDesk(carried?.desk);
    this.gates = new Gates({
      desk: this.desk,
      rulesOf: (environment) => this.input?.policy.approval[environment],
      standsAt: (phase) => this.#standsAt(phase),
      passable: () => this.passable(),
      waitVisibly: (what, ms) => this.waitVisibly(what, ms),
      ask: (gate, wait) => this.#ask(gate, wait),
      incident: (problem, gateName, choices) => this.#incident(problem, gateName, choices),
      lastOverride: () => overrideLines(this.#phases.slice(-1))[0],
    });
    setHandler(statusQuery, () => this.status(to), {
      description: 'Where the roll-out is, why it waits, and what comes next.',
    });
    this.desk.listen(() => this.show());
  }

  get state(): ConductorState {
    const { startedAt, hops, steps, incidentLog } = this;
    const [desk, incidents, accepted] = [this.desk.state, this.#incidents, this.#accepted];
    return { startedAt, hops, steps, incidentLog, desk, incidents, accepted };
  }

  /** See {@link Accepted}. */
  acceptedUntil(environment: Environment): number | undefined {
    return this.#accepted[environment];
  }

  get phases(): readonly PhaseResult[] {
    return this.#phases;
  }

  get waitedSeconds(): number {
    return Math.round(this.#waitedMs / 1_000);
  }

  /** Incidents of the present hop. */
  get incidents(): number {
    return this.#incidents - this.#incidentsBefore;
  }

  know(
    facts: MarkedBy & {
      input: RolloutInput;
      plan: RolloutPlan;
      searchAttributes: boolean;
      starter?: Identity | undefined;
    },
  ): void {
    const { input, plan, starter = {} } = facts;
    this.input = input;
    this.plan = plan;
    this.#starter = nameOf(starter, 'proved')?.name;
    this.notifier.know(input.policy.notices, markIn(facts, workflowInfo().runId));
    this.desk.rules = { approval: input.policy.approval, starter };
    this.#display.searchAttributes = facts.searchAttributes;
  }

  /** Begins a hop: what is shown and counted from here on belongs to it. */
  enter(place: Place): void {
    this.#place = place;
    this.desk.environment = place.environment;
    this.enteredAt = now();
    this.#phases = [];
    this.shards = undefined;
    this.judged = undefined;
    this.#waitedMs = 0;
    this.#incidentsBefore = this.#incidents;
  }

  end(state: 'completed' | 'aborted'): void {
    this.#ended = state;
    this.#phase = 'close';
    this.next = '';
    this.show();
  }

  /** Carries out `work`; when it fails, waits for a person who says retry, rollBack or abort. */
  async phase<T>(name: HopPhase | RolloutStep, work: () => Promise<Done<T>>): Promise<T> {
    for (;;) {
      const { value } = await this.#attempt(name, work, ['retry', 'abort']);
      if (value !== undefined) return value.value;
    }
  }

  /** As `phase`, for what a person may let pass in spite of a failure, with a reason; then there is no value. */
  async overridablePhase<T>(name: HopPhase | RolloutStep, work: () => Promise<Done<T>>): Promise<T | undefined> {
    for (;;) {
      const { value, overridden } = await this.#attempt(name, work, ['approve', 'retry', 'abort']);
      if (value !== undefined) return value.value;
      if (overridden) return undefined;
    }
  }

  /** Opens an incident that a person ends with `retry`; abort ends the roll-out. */
  async holdUntilRetry(phase: HopPhase | RolloutStep, problem: string): Promise<void> {
    this.#standsAt(phase);
    await this.#incident(problem, this.#gateName(phase), ['retry', 'abort']);
  }

  /**
   * Waits `ms` milliseconds in sight of everybody; a decision to abort or roll back ends it at once. Tells whether it was
   * paused then.
   */
  async waitVisibly(what: string, ms: number): Promise<{ readonly paused: boolean }> {
    if (ms > 0) {
      this.#waitingForTime = { for: 'time', what, until: new Date(Date.now() + ms).toISOString(), since: now() };
      this.show();
      try {
        await condition(() => this.desk.interrupted, ms, { summary: what });
      } finally {
        this.#waitingForTime = undefined;
      }
    }
    const paused = this.desk.paused !== undefined;
    await this.passable();
    return { paused };
  }

  /** Does `work`, which takes about `ms` milliseconds, in sight of everybody. */
  async visibly<T>(what: string, ms: number, work: () => Promise<T>): Promise<T> {
    this.#waitingForTime = { for: 'time', what, until: new Date(Date.now() + ms).toISOString(), since: now() };
    this.show();
    try {
      return await work();
    } finally {
      this.#waitingForTime = undefined;
    }
  }

  /** Runs a long look at the target that may be cut short by a decision to abort or roll back. */
  async interruptible<T>(work: () => Promise<T>): Promise<T> {
    const scope = new CancellationScope();
    const running = scope.run(work);
    // When the work ends first, the scope around the condition is cancelled with it.
    const watch = new CancellationScope();
    const watching = watch
      .run(() => condition(() => this.desk.interrupted))
      .then(() => scope.cancel())
      .catch(() => undefined);
    try {
      return await running;
    } catch (error) {
      if (isCancellation(error)) await this.passable();
      throw error;
    } finally {
      watch.cancel();
      await watching;
    }
  }

  /** Where a phase may begin: not cancelled, not paused, not aborted, not to be rolled back. */
  async passable(): Promise<void> {
    const { desk } = this;
    // What may not be cut short is shielded from cancellation, so it has to be asked for between two such steps.
    if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('the roll-out was cancelled');
    await desk.allJudged();
    while (desk.paused !== undefined && !desk.interrupted) {
      this.show();
      await waitFor(() => desk.paused === undefined || desk.interrupted, 'paused: waits for resume');
      this.show();
    }
    if (desk.abort !== undefined) throw new AbortRequested(desk.abort);
    if (desk.rollBack !== undefined) throw new RollBackRequested(desk.rollBack);
  }

  /** Notes what was done outside the work of a phase, such as an approved gate. */
  note(result: PhaseResult): void {
    this.#finish(result);
  }

  async #attempt<T>(
    name: HopPhase | RolloutStep,
    work: () => Promise<Done<T>>,
    choices: readonly DecisionKind[],
  ): Promise<{ value?: Done<T>; overridden?: boolean }> {
    await this.passable();
    this.#standsAt(name);
    this.show();
    const started = Date.now();
    try {
      const value = await work();
      const { summary, unproved } = value;
      this.#finish({ phase: name, ...tookSince(started), summary, unproved });
      return { value };
    } catch (error) {
      if (isInterruption(error) || isCancellation(error)) throw error;
      let problem = describeFailure(error);
      const failedAt = Date.now();
      if (this.#rollsBackByItself(error)) {
        const gate = this.#gateName(name);
        const { irreversible } = this.desk;
        if (irreversible.length === 0) {
          throw new RollBackRequested(this.desk.decideByPolicy('rollBack', gate, problem, 'policy.onFail'));
        }
        problem = `${problem}\nnot rolled back by itself (policy.onFail): ${noWayBackByServers(irreversible)}`;
      }
      const decision = await this.#incident(problem, this.#gateName(name), choices);
      if (decision.kind !== 'approve') return {};
      const { environment } = this.#place;
      if (error instanceof NotGoodEnough && environment !== undefined)
        this.#accepted = { ...this.#accepted, [environment]: failedAt };
      this.#finish({
        phase: name,
        ...tookSince(started),
        summary: `went on in spite of: ${firstLine(problem)}`,
        overridden: { by: decidedBy(decision), reason: decision.reason ?? '' },
      });
      return { overridden: true };
    }
  }

  /**
   * Only what was judged to have failed in a hop, after servers were touched: anything else a person has to look at first,
   * also what live shows a day after its last hop.
   */
  #rollsBackByItself(error: unknown): boolean {
    const judgedBad = error instanceof NotGoodEnough && error.verdict === 'fail';
    return (
      judgedBad && this.#place.to !== undefined && this.desk.reversible && this.input?.policy.onFail === 'rollBack'
    );
  }

  async #incident(problem: string, gateName: string, choices: readonly DecisionKind[]): Promise<DecisionRecord> {
    for (let evidence = problem.split('\n'); ;) {
      this.#incidents += 1;
      log.error('incident', { gate: gateName, problem });
      this.#problem = problem;
      const answer = await this.#askAtIncident({
        name: `${gateName}/incident/${this.#incidents}`,
        kind: 'incident',
        allowed: [...choices, ...this.#waysBack()],
        evidence,
        openedAt: now(),
      });
      if (answer === undefined) throw new TypeError('an incident ended without a decision');
      if (answer.kind !== 'restore') {
        this.#problem = undefined;
        if (answer.kind === 'rollBack') throw new RollBackRequested(answer);
        return answer;
      }
      // Nothing was changed: the same question again, under a new number.
      evidence = [...problem.split('\n'), await this.#askForRestore()];
    }
  }

  /** The decision at an incident, and a record of both. @throws AbortRequested */
  async #askAtIncident(gate: Gate): Promise<DecisionRecord | undefined> {
    const record = {
      name: gate.name,
      openedAt: gate.openedAt,
      problem: gate.evidence.join('\n').slice(0, MAX_PROBLEM),
    };
    const log = (ended: Partial<IncidentRecord>) => {
      const others = this.incidentLog.filter(({ name }) => name !== gate.name);
      this.incidentLog = [...others, { ...record, ...ended }].slice(-MAX_INCIDENTS);
    };
    log({});
    try {
      const answer = await this.#ask(gate);
      log({ endedAt: now(), decision: answer?.kind, by: answer && decidedBy(answer) });
      return answer;
    } catch (error) {
      if (error instanceof AbortRequested) log({ endedAt: now(), decision: 'abort', by: decidedBy(error.decision) });
      throw error;
    }
  }

  #waysBack(): DecisionKind[] {
    const byServers = this.desk.reversible && this.desk.irreversible.length === 0;
    return [...(byServers ? ['rollBack' as const] : []), ...(this.estimateRestore ? ['restore' as const] : [])];
  }

  /**
   * Opens the gate of a restore, which no policy passes. @returns why nothing comes of it
   * @throws RestoreApproved
   */
  async #askForRestore(): Promise<string> {
    const { environment, to } = this.#place;
    const name = `${environment}/${to}/restore`;
    const asked = this.desk.records.filter((one) => one.kind === 'restore' && one.counted).length;
    const phase = this.#phase;
    try {
      const evidence = await this.estimateRestore?.();
      this.#phase = 'restore';
      await this.passable();
      const answer = await this.#ask({
        // An old click must not fit the gate of a later hop, try or incident.
        name: asked <= 1 ? name : `${name}/again/${asked}`,
        kind: 'approval',
        allowed: ['approve', 'reject', 'abort'],
        evidence: evidence ?? [],
        openedAt: now(),
      });
      if (answer === undefined) throw new TypeError('a gate ended without a decision');
      if (answer.kind === 'rollBack') throw new RollBackRequested(answer);
      if (answer.kind === 'approve') throw new RestoreApproved(answer);
      return `${rejectedLine(answer, name)}; nothing was changed`;
    } catch (error) {
      if (isInterruption(error) || isCancellation(error)) throw error;
      return `restore: what it would lose could not be found out, and nothing was changed: ${describeFailure(error)}`;
    } finally {
      this.#phase = phase;
    }
  }

  /** The decision; undefined when the gate was withdrawn. @throws AbortRequested */
  async #ask(gate: Gate): Promise<DecisionRecord | undefined>;
  async #ask(gate: Gate, wait: GateWait): Promise<DecisionRecord | 'expired' | undefined>;
  async #ask(gate: Gate, wait: GateWait = {}): Promise<DecisionRecord | 'expired' | undefined> {
    const { expiresMs } = wait;
    const askedAt = Date.now();
    const expiresAt = expiresMs === undefined ? undefined : new Date(askedAt + expiresMs).toISOString();
    const asked = { ...gate, expiresAt, needs: this.desk.needsAt(gate) };
    const answer = await this.notifier.whileOpen(asked, this.#noticePlace(), () =>
      this.desk.ask(asked, () => this.show(), wait),
    );
    this.#waitedMs += Date.now() - askedAt;
    if (this.desk.abort !== undefined) throw new AbortRequested(this.desk.abort);
    return answer;
  }

  #noticePlace(): NoticePlace {
    const { environment = 'live', from, to } = this.#place;
    const { rolloutId, input } = this;
    return { rolloutId, cluster: input?.[environment].name ?? '', from, to: to ?? input?.to ?? '' };
  }

  /** Tells people that the roll-out is over. */
  async tellOfEnd(state: 'completed' | 'aborted', lines: readonly string[]): Promise<void> {
    await this.notifier.tell(state, this.#noticePlace(), { evidence: lines });
  }

  #standsAt(phase: HopPhase | RolloutStep): void {
    this.#phase = phase;
    this.#since = now();
  }

  #finish(result: PhaseResult): void {
    if (this.#place.environment === undefined || this.#place.to === undefined) this.steps.push(result);
    else this.#phases.push(result);
    this.show();
  }

  #gateName(phase: string): string {
    const { environment, to } = this.#place;
    return [environment, to, phase].filter((part) => part !== undefined).join('/');
  }

  status(to: string): RolloutStatus {
    const { input, plan, desk } = this;
    const target = (environment: Environment) =>
      input === undefined || plan === undefined
        ? undefined
        : { name: input[environment].name, path: plan[environment].path, findings: plan[environment].findings };
    const { gate } = desk;
    return {
      rolloutId: this.rolloutId,
      state: this.currentState,
      startedAt: this.startedAt,
      starter: this.#starter,
      to,
      staging: target('staging'),
      live: target('live'),
      current: this.#ended === undefined ? { ...this.#place, phase: this.#phase, since: this.#since } : undefined,
      waiting: gate === undefined ? this.#waitingForTime : { for: 'decision', ...gate },
      next: this.next,
      paused: desk.paused === undefined ? undefined : { by: decidedBy(desk.paused), reason: desk.paused.reason },
      phases: this.#phases,
      hops: this.hops,
      steps: this.steps,
      decisions: desk.records,
      approval: input?.policy.approval,
      settle:
        input === undefined
          ? undefined
          : { atLeastMs: input.policy.settle.atLeast, reason: input.policy.settle.reason },
      judged: this.judged,
      shards: this.shards,
      problem: this.#problem,
    };
  }

  get currentState(): RolloutState {
    if (this.#ended !== undefined) return this.#ended;
    if (this.desk.gate?.kind === 'incident') return 'incident';
    if (this.desk.paused !== undefined) return 'paused';
    return this.desk.gate === undefined ? 'running' : 'waiting';
  }

  /** Brings the Web UI's view up to date. */
  show(): void {
    this.#display.show(this.status(this.input?.to ?? ''), this.#gateName(this.#phase));
  }
}

function isInterruption(error: unknown): boolean {
  return error instanceof AbortRequested || error instanceof RollBackRequested || error instanceof RestoreApproved;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
