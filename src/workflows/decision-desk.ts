import {
  ApplicationFailure,
  CancellationScope,
  condition,
  currentUpdateInfo,
  log,
  setDefaultSignalHandler,
  setHandler,
} from '@temporalio/workflow';
import type { SentDecision } from '../contract/activities.js';
import { DECISION_REFUSED } from '../contract/names.js';
import { judgeDecision, type ApprovalCase, type Judged } from '../core/approval.js';
import {
  decidedBy,
  DECISION_KINDS,
  kindNamed,
  readDecision,
  refusalOf,
  type DecisionKind,
  type DecisionPayload,
  type DecisionRecord,
  type Gate,
  type GateNeeds,
  type Situation,
} from '../core/decision.js';
import type { EventPlace, Identity } from '../core/identity.js';
import type { ApprovalPolicy } from '../core/input/input.js';
import { environmentOf, type Environment } from '../core/plan.js';
import { describeFailure } from './describe-failure.js';
import { DECISION_DESCRIPTIONS, decisionMessages } from './messages.js';
import { identify } from './proxies.js';
import { waitFor, waitForAtMost, type GateWait } from './wait-for.js';

/** Records kept in the state of the workflow; older ones are in its history. */
const MAX_RECORDS = 200;
/** Of the evidence of a decision: lines, and characters of each. */
const [MAX_EVIDENCE, MAX_EVIDENCE_LINE] = [20, 200];
/** As much as a person may give. */
const MAX_REASON = 2_000;

/** What the desk carries over from run to run: a decision that came at the very end of one counts in the next. */
export interface DeskState {
  readonly decisions: readonly DecisionRecord[];
  readonly paused?: DecisionRecord | undefined;
  readonly abort?: DecisionRecord | undefined;
}

/** Who may decide what, once the input is known. */
export interface DeskRules {
  readonly approval: Readonly<Record<Environment, ApprovalPolicy>>;
  readonly starter: Identity;
}

/** A decision with what is known of who sent it. */
interface Sent {
  readonly identity: Omit<Identity, 'said'>;
  readonly identityProblem: string | undefined;
  readonly arrived: Pick<DecisionRecord, 'at' | 'via' | 'sentAs'>;
}

/** What became of a decision: why it does not count, or which of several approvals it is. */
interface Outcome {
  readonly refused: string | undefined;
  readonly inPart?: string | undefined;
}

/** What becomes of an open gate: decided, or nobody came in time; undefined when it was taken away. */
type Answer = DecisionRecord | 'expired' | undefined;

/**
 * Receives what people decide, by signal or update, and knows which gate is open. Each decision is judged after the one before
 * it, in the order in which they came: who sent it is looked up in the history, which takes a moment.
 */
export class DecisionDesk {
  #records: DecisionRecord[];
  #gate: Gate | undefined;
  #answer: DecisionRecord | undefined;
  #paused: DecisionRecord | undefined;
  #abort: DecisionRecord | undefined;
  #over = false;
  #rollBack: DecisionRecord | undefined;
  #withdrawn = false;
  #reversibleHop: string | undefined;
  #irreversible: readonly string[] = [];
  #rules: DeskRules | undefined;
  /** Whose rules hold where a decision names no gate. */
  #environment: Environment = 'live';
  /** Approvals of the open gate that are not enough by themselves. */
  #approvals: DecisionRecord[] = [];
  readonly #signals = new Map<string, number>();
  #turn: Promise<unknown> = Promise.resolve();
  #unjudged = 0;

  constructor({ decisions, paused, abort }: DeskState = { decisions: [] }) {
    this.#records = [...decisions];
    this.#paused = paused;
    this.#abort = abort;
  }

  get state(): DeskState {
    return { decisions: this.#records, paused: this.#paused, abort: this.#abort };
  }

  /** Sets the handlers of all decisions; call before the first await of the workflow. */
  listen(onChange: () => void): void {
    this.#listenToOthers(onChange);
    for (const { kind, signal, update } of decisionMessages) {
      const description = DECISION_DESCRIPTIONS[kind];
      setHandler(
        signal,
        async (payload?: unknown) => {
          await this.#receive(kind, payload, 'signal', this.#nextSignal(kind));
          onChange();
        },
        { description },
      );
      setHandler(
        update,
        async (payload?: unknown) => {
          const updateId = currentUpdateInfo()?.id ?? '';
          const { refused, inPart } = await this.#receive(kind, payload, 'update', { updateId });
          onChange();
          if (refused !== undefined) throw ApplicationFailure.nonRetryable(refused, DECISION_REFUSED);
          return inPart === undefined ? `${kind} taken` : `${kind} taken: ${inPart}`;
        },
        {
          description,
          validator: (payload?: unknown) => {
            const { decision, problem } = readDecision(kind, payload);
            // Who sends it is not known yet; by the event it may be.
            const refusal = problem ?? refusalOf(decision, { ...this.#situation(), isKnown: true });
            if (refusal !== undefined) throw ApplicationFailure.nonRetryable(refusal, DECISION_REFUSED);
          },
        },
      );
    }
  }

  /** What comes under another name than that of a decision: one that is only spelled otherwise counts, the rest is told. */
  #listenToOthers(onChange: () => void): void {
    setDefaultSignalHandler(async (name, payload?: unknown) => {
      const kind = kindNamed(name);
      await this.#receive(kind ?? 'unknown', payload, 'signal', this.#nextSignal(name), name);
      onChange();
    });
  }

  #nextSignal(signal: string): SentDecision {
    const number = (this.#signals.get(signal) ?? 0) + 1;
    this.#signals.set(signal, number);
    return { signal, number };
  }

  /** From when on decisions are held against the policy. */
  set rules(rules: DeskRules) {
    this.#rules = rules;
  }

  set environment(environment: Environment | undefined) {
    this.#environment = environment ?? 'live';
  }

  get records(): readonly DecisionRecord[] {
    return this.#records;
  }

  get gate(): Gate | undefined {
    return this.#gate;
  }

  get paused(): DecisionRecord | undefined {
    return this.#paused;
  }

  get abort(): DecisionRecord | undefined {
    return this.#abort;
  }

  /** A person wants the servers of the present hop back; asked for while no gate was open. */
  get rollBack(): DecisionRecord | undefined {
    return this.#rollBack;
  }

  /** Whether a wait should end now, because a person decided something else. */
  get interrupted(): boolean {
    return this.#abort !== undefined || this.#rollBack !== undefined;
  }

  /** Whether servers of the present hop have been touched, and can be put back. */
  get reversible(): boolean {
    return this.#reversibleHop !== undefined;
  }

  /** Why the servers alone cannot go back in the present hop; empty where they can. */
  get irreversible(): readonly string[] {
    return this.#irreversible;
  }

  /** From when on servers of the new version may have written what those of the old one cannot do without a backup. */
  set irreversible(reasons: readonly string[]) {
    this.#irreversible = reasons;
  }

  /** From when on, and until when, the servers of the hop `<environment>/<version>` can be rolled back. */
  set reversibleHop(hop: string | undefined) {
    this.#reversibleHop = hop;
    this.#irreversible = [];
    this.#rollBack = undefined;
  }

  /** Until all that has come so far has been judged: what is begun after that was not forbidden before. */
  async allJudged(): Promise<void> {
    while (this.#unjudged > 0) await this.#turn;
  }

  /** From here on nothing that is decided would have an effect, so nothing counts. */
  close(): void {
    this.#over = true;
  }

  /** Takes the open gate away: what it rests on no longer holds. */
  withdraw(): void {
    this.#withdrawn = true;
  }

  /** Takes down what the policy of the roll-out decided, as if a person had; `by` is its place in the input. */
  decideByPolicy(kind: DecisionKind, gate: string, reason: string, by: string): DecisionRecord {
    const record: DecisionRecord = {
      kind,
      gate,
      by,
      reason: reason.slice(0, MAX_REASON),
      at: new Date().toISOString(),
      via: 'policy',
      counted: true,
    };
    this.#records = [...this.#records, record].slice(-MAX_RECORDS);
    return record;
  }

  /** A decision that was taken does not count after all; the record keeps it, with the reason. */
  annul(record: DecisionRecord, why: string): void {
    this.#records = this.#records.map((each) => (each === record ? { ...each, counted: false, refused: why } : each));
  }

  /**
   * Opens `gate` and waits, however long, for a decision that fits it, or until it expires. An abort, or a gate that is
   * withdrawn, ends the wait with `undefined`.
   */
  async ask(gate: Gate, onChange: () => void, { expiresMs, inSight = false }: GateWait = {}): Promise<Answer> {
    this.#gate = { ...gate, needs: this.needsAt(gate) };
    this.#answer = undefined;
    this.#approvals = [];
    this.#withdrawn = false;
    onChange();
    const over = () => this.#answer !== undefined || this.interrupted || this.#withdrawn;
    const summary = `gate ${gate.name}`;
    if (expiresMs === undefined) await (inSight ? condition(over) : waitFor(over, summary));
    const expired = expiresMs !== undefined && !(await waitForAtMost(over, expiresMs, summary));
    const answer = this.#answer ?? this.#rollBack;
    this.#gate = undefined;
    onChange();
    return expired ? 'expired' : answer;
  }

  /** What the policy asks of who decides at a gate that is about to be opened; undefined where anybody may. */
  needsAt({ name }: Pick<Gate, 'name'>): GateNeeds | undefined {
    const rules = this.#rulesAt(name);
    if (rules === undefined) return undefined;
    const { identity, approvers, reasonRequired, starterMayApprove, count } = rules.policy;
    const isPlain = identity === 'said' && approvers === undefined && !reasonRequired && starterMayApprove;
    return isPlain && count === 1
      ? undefined
      : { identity, approvers, reasonRequired, starterMayApprove, count, given: [] };
  }

  /** The rules for what names `gate`; none before the input is known: nothing has been changed by then. */
  #rulesAt(gate: string | undefined): ApprovalCase | undefined {
    if (this.#rules === undefined) return undefined;
    const { approval, starter } = this.#rules;
    // A gate that is not there is no way to the rules of another target: an abort counts whatever it names.
    const isThere = gate === this.#gate?.name || gate === this.#reversibleHop;
    const environment = (isThere ? environmentOf(gate) : undefined) ?? this.#environment;
    return {
      at: `policy.approval.${environment}`,
      policy: approval[environment],
      starter,
      given: this.#approvals.map(({ who }) => who?.name ?? ''),
    };
  }

  #situation(): Situation {
    return {
      gate: this.#answer === undefined ? this.#gate : undefined,
      paused: this.#paused !== undefined,
      aborting: this.#abort !== undefined,
      over: this.#over,
      reversibleHop: this.#rollBack === undefined ? this.#reversibleHop : undefined,
      irreversible: this.#irreversible,
    };
  }

  /** Judges one decision after the other. */
  #receive(
    kind: DecisionKind | 'unknown',
    payload: unknown,
    via: 'signal' | 'update',
    sent: SentDecision,
    sentAs?: string,
  ): Promise<Outcome> {
    const at = new Date().toISOString();
    this.#unjudged += 1;
    const judged = this.#turn
      .then(() => this.#judge(kind, payload, { at, via, sentAs }, sent))
      .finally(() => (this.#unjudged -= 1));
    // Whoever waits for one is told of its failure; those after it are judged all the same.
    this.#turn = judged.catch(() => undefined);
    return judged;
  }

  async #judge(
    kind: DecisionKind | 'unknown',
    payload: unknown,
    arrived: Pick<DecisionRecord, 'at' | 'via' | 'sentAs'>,
    sent: SentDecision,
  ): Promise<Outcome> {
    const { identity, event, problem: identityProblem } = await senderOf(sent);
    const { who, refused, takesEffect, decision } = this.#weigh(kind, payload, { identity, identityProblem, arrived });
    const record: DecisionRecord = {
      ...decision,
      kind,
      ...arrived,
      identity,
      event,
      who,
      evidence: refused === undefined ? this.#evidenceAt(decision.gate) : undefined,
      counted: refused === undefined,
      refused,
    };
    this.#records = [...this.#records, record].slice(-MAX_RECORDS);
    if (refused !== undefined) log.warn('decision not counted', { kind, gate: decision.gate, refused });
    else if (takesEffect) this.#apply(record);
    else return { refused, inPart: this.#approveInPart(record) };
    return { refused };
  }

  #weigh(
    kind: DecisionKind | 'unknown',
    payload: unknown,
    { identity, identityProblem, arrived }: Sent,
  ): Judged & { readonly decision: DecisionPayload } {
    const { decision, problem } = readDecision(kind === 'unknown' ? 'pause' : kind, payload);
    const all: Identity = decision.by === undefined ? identity : { ...identity, said: decision.by };
    const rules = this.#rulesAt(decision.gate);
    const judged = judgeDecision({ decision, identity: all, identityProblem }, this.#situation(), rules);
    const unknown =
      kind === 'unknown'
        ? `no decision is called ${arrived.sentAs}; there are ${DECISION_KINDS.join(', ')}`
        : undefined;
    return { ...judged, decision, refused: unknown ?? problem ?? judged.refused };
  }

  /** What is shown at the open gate, short enough to be carried along to the end of the roll-out. */
  #evidenceAt(gate: string | undefined): readonly string[] | undefined {
    if (gate === undefined || this.#gate?.name !== gate) return undefined;
    return this.#gate.evidence.slice(0, MAX_EVIDENCE).map((line) => line.slice(0, MAX_EVIDENCE_LINE));
  }

  /** One of several approvals that the open gate needs; tells which of how many. */
  #approveInPart(record: DecisionRecord): string {
    this.#approvals = [...this.#approvals, record];
    const given = this.#approvals.map(decidedBy);
    if (this.#gate?.needs !== undefined) this.#gate = { ...this.#gate, needs: { ...this.#gate.needs, given } };
    return `${given.length} of ${this.#gate?.needs?.count ?? given.length}`;
  }

  #apply(record: DecisionRecord): void {
    switch (record.kind) {
      case 'pause':
        this.#paused = record;
        break;
      case 'resume':
        this.#paused = undefined;
        break;
      case 'abort':
        this.#abort = record;
        break;
      case 'rollBack':
        if (this.#gate?.name === record.gate) this.#answer = record;
        else this.#rollBack = record;
        break;
      default:
        this.#answer = record;
    }
  }
}

/** Who sent it, as the history has it. A decision is not lost for want of that: it is then judged by what it says. */
async function senderOf(
  sent: SentDecision,
): Promise<{ identity: Omit<Identity, 'said'>; event?: EventPlace | undefined; problem?: string }> {
  try {
    // Also while the roll-out is cancelled: what is left to be decided is taken down.
    const { event, ...identity } = await CancellationScope.nonCancellable(() =>
      identify.identifySender.executeWithOptions({ summary: 'who decided' }, [sent]),
    );
    return { identity, event };
  } catch (error) {
    return { identity: {}, problem: `who sent it could not be looked up: ${describeFailure(error)}` };
  }
}
