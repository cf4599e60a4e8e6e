import { isCancellation } from '@temporalio/workflow';
import { formatDuration } from '../core/duration.js';
import { rejectedLine, type DecisionKind, type DecisionRecord, type Gate } from '../core/decision.js';
import type { RolloutInput } from '../core/input/input.js';
import type { Windows } from '../core/input/windows.js';
import type { Environment } from '../core/plan.js';
import type { DecisionDesk } from './decision-desk.js';
import { describeFailure } from './describe-failure.js';
import { whileWatched, type EvidenceWatch } from './evidence-watch.js';
import { now } from './moments.js';
import { control } from './proxies.js';
import type { GateWait } from './wait-for.js';

/** What is asked at a gate, and what the answer rests on. */
export interface GateRequest {
  readonly environment: Environment;
  readonly version: string;
  readonly phase: 'schema' | 'servers' | 'promote';
  readonly evidence: readonly string[];
  /** What a person has to look at before this gate; where there is nothing, the policy may let it pass by itself. */
  readonly doubts: readonly string[];
  readonly watch?: EvidenceWatch | undefined;
}

/** What came of a gate: a decision, no decision in time, or what broke before one could count. */
interface Asked {
  readonly answer?: DecisionRecord | 'expired' | undefined;
  readonly broken: readonly string[];
}

/** Who leads the roll-out, as far as gates need to know. */
export interface GateHost {
  readonly desk: DecisionDesk;
  rulesOf(environment: Environment): RolloutInput['policy']['approval'][Environment] | undefined;
  /** Shows that the roll-out stands before this phase. */
  standsAt(phase: GateRequest['phase']): void;
  /** See Conductor. */
  passable(): Promise<void>;
  waitVisibly(what: string, ms: number): Promise<unknown>;
  /** The decision; `expired` when none came in time, undefined when the gate was withdrawn. @throws AbortRequested */
  ask(gate: Gate, wait: GateWait): Promise<Asked['answer']>;
  incident(problem: string, gateName: string, choices: readonly DecisionKind[]): Promise<DecisionRecord>;
  /** What a person let pass in the phase that was over last, a line. */
  lastOverride(): string | undefined;
}

/** A gate whose evidence keeps breaking is no gate: then a person is asked what is to become of it. */
const MOST_RENEWALS = 3;
/** What is told of evidence that broke, at the gate that is asked again. */
const SHOWN_RENEWALS = 4;

/** Where a roll-out waits for people, or for the calendar, before it goes on. */
export class Gates {
  constructor(private readonly host: GateHost) {}

  /**
   * Waits until `<environment>/<version>/<phase>` is approved. Evidence that breaks while the gate is open closes it; an
   * approval given on it is void. It is then observed anew, and the gate asked again as `…/again/<number>`, so that an old click
   * never fits.
   */
  async approval(request: GateRequest): Promise<DecisionRecord> {
    const { environment, version, phase, evidence, watch } = request;
    const { host } = this;
    const rules = host.rulesOf(environment);
    const name = `${environment}/${version}/${phase}`;
    let watched = watch;
    let again: readonly string[] = [];
    let automatic = rules?.automatic === true && request.doubts.length === 0;
    for (let asked = 1; ;) {
      await host.passable();
      host.standsAt(phase);
      const gate: Gate = {
        name: asked === 1 ? name : `${name}/again/${asked}`,
        kind: 'approval',
        allowed: ['approve', 'reject', 'abort'],
        evidence: [...evidence, ...again],
        openedAt: now(),
      };
      const { answer, broken } = automatic
        ? await this.#passByItself(gate, environment, watched)
        : await this.#askWatched(gate, watched, rules?.expires);
      if (broken.length > 0) {
        const at = now();
        if (answer === 'expired' || asked % MOST_RENEWALS === 0) {
          const often = `what ${name} rests on has broken ${asked} times; retry observes anew`;
          const problem = answer === 'expired' ? broken : [often, ...broken];
          await host.incident(problem.join('\n'), name, ['retry', 'abort']);
        }
        const renewed = await watched?.renew();
        // What a person let pass is not held against the next approval; nor does it pass by itself.
        if (renewed === undefined) {
          watched = undefined;
          automatic = false;
        }
        const line = renewed ?? host.lastOverride();
        const what = answer === 'expired' ? `closed at ${at}` : `evidence broke at ${at}`;
        again = [...again, `${what}: ${broken.join('; ')}`, ...(line === undefined ? [] : [line])];
        again = again.slice(-SHOWN_RENEWALS);
        asked += 1;
      } else if (answer === 'expired' || answer === undefined) continue;
      else if (answer.kind === 'approve') return answer;
      // A refused gate stays shut until somebody says what is to become of the roll-out.
      else await host.incident(rejectedLine(answer, name), name, ['retry', 'abort']);
    }
  }

  /**
   * Waits until, by the calendar of the policy, work on `environment` may begin. What it rests on is looked at once more if that
   * took a while.
   */
  async window({ environment, version, phase, watch }: Omit<GateRequest, 'evidence' | 'doubts'>): Promise<void> {
    const { host } = this;
    const windows = host.rulesOf(environment)?.windows;
    if (windows === undefined) return;
    const name = `${environment}/${version}/${phase}`;
    for (let waited = false; ;) {
      await host.passable();
      host.standsAt(phase);
      const problem = await this.#waitUntilOpen(windows, phase, async (ms, what) => {
        await host.waitVisibly(what, ms);
        waited = true;
      });
      if (problem !== undefined) {
        await host.incident(problem, name, ['retry', 'abort']);
        continue;
      }
      const broken = waited && watch !== undefined ? await this.#brokenSince(watch) : [];
      if (broken.length === 0) return;
      const first = `what ${name} rests on has broken while its window was waited for; retry observes anew`;
      await host.incident([first, ...broken].join('\n'), name, ['retry', 'abort']);
      await watch?.renew();
      waited = false;
    }
  }

  /** Waits until `windows` are open; gives why that cannot be known, where it cannot. */
  async #waitUntilOpen(
    windows: Windows,
    phase: string,
    wait: (ms: number, what: string) => Promise<void>,
  ): Promise<string | undefined> {
    for (;;) {
      let opensAt: string;
      try {
        ({ opensAt } = await control.nextOpening.executeWithOptions({ summary: 'calendar' }, [{ windows, at: now() }]));
      } catch (error) {
        if (isCancellation(error)) throw error;
        return describeFailure(error);
      }
      const ms = Date.parse(opensAt) - Date.now();
      if (ms <= 0) return undefined;
      await wait(ms, `the window of ${phase}, which opens at ${opensAt}`);
    }
  }

  /** Nothing speaks against it, and the policy leaves it to the evidence: that is looked at once more. */
  async #passByItself(gate: Gate, environment: Environment, watch: EvidenceWatch | undefined): Promise<Asked> {
    const broken = watch === undefined ? [] : await this.#brokenSince(watch);
    if (broken.length > 0) return { broken };
    const by = `policy.approval.${environment}.automatic`;
    return {
      answer: this.host.desk.decideByPolicy('approve', gate.name, 'all that comes before it passed', by),
      broken,
    };
  }

  /** The decision at a gate, or what has broken before it could count. */
  async #askWatched(gate: Gate, watch: EvidenceWatch | undefined, expiresMs: number | undefined): Promise<Asked> {
    let broken: readonly string[] = [];
    const answer = await whileWatched(
      watch,
      gate.name,
      () => this.host.ask(gate, { expiresMs, inSight: watch !== undefined }),
      (lines) => {
        broken = lines;
        this.host.desk.withdraw();
      },
    );
    if (answer === 'expired') {
      return { answer, broken: [`nobody passed ${gate.name} within ${formatDuration(expiresMs ?? 0)}`] };
    }
    if (answer?.kind === 'approve' && broken.length === 0 && watch !== undefined)
      broken = await this.#brokenSince(watch);
    if (answer?.kind === 'approve' && broken.length > 0) {
      this.host.desk.annul(answer, `void: the evidence had broken: ${broken.join('; ')}`);
    }
    return { answer, broken: answer?.kind === 'approve' || answer === undefined ? broken : [] };
  }

  /** What of the evidence has broken by the moment at which an approval takes effect: after a pause it is looked at again. */
  async #brokenSince(watch: EvidenceWatch): Promise<readonly string[]> {
    for (;;) {
      const { holds, lines } = await watch.recheck();
      if (holds === false) return lines;
      // Observed anew, and good, or let pass by a person: the approval rests on that.
      if (holds === 'unknown') await watch.renew();
      if (this.host.desk.paused === undefined) return [];
      await this.host.passable();
    }
  }
}
