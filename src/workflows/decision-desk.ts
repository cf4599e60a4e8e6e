import { ApplicationFailure, log, setHandler } from '@temporalio/workflow';
import {
  readDecision,
  refusalOf,
  type DecisionKind,
  type DecisionRecord,
  type Gate,
  type Situation,
} from '../core/decision.js';
import { DECISION_DESCRIPTIONS, decisionMessages } from './messages.js';
import { waitFor } from './wait-for.js';

/** Records kept in the state of the workflow; older ones are in its history. */
const MAX_RECORDS = 200;
/** As much as a person may give. */
const MAX_REASON = 2_000;

/** What the desk carries over from run to run: a decision that came at the very end of one counts in the next. */
export interface DeskState {
  readonly decisions: readonly DecisionRecord[];
  readonly paused?: DecisionRecord | undefined;
  readonly abort?: DecisionRecord | undefined;
}

/** Receives what people decide, by signal or update, and knows which gate is open. */
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
    for (const { kind, signal, update } of decisionMessages) {
      const description = DECISION_DESCRIPTIONS[kind];
      setHandler(
        signal,
        (payload?: unknown) => {
          this.#receive(kind, payload, 'signal');
          onChange();
        },
        { description },
      );
      setHandler(
        update,
        (payload?: unknown) => {
          const record = this.#receive(kind, payload, 'update');
          onChange();
          return record.counted ? `${kind} taken` : `${kind} not taken: ${record.refused}`;
        },
        {
          description,
          validator: (payload?: unknown) => {
            const { decision, problem } = readDecision(kind, payload);
            const refusal = problem ?? refusalOf(decision, this.#situation());
            if (refusal !== undefined) throw ApplicationFailure.nonRetryable(refusal, 'DecisionRefused');
          },
        },
      );
    }
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

  /** From here on nothing that is decided would have an effect, so nothing counts. */
  close(): void {
    this.#over = true;
  }

  /** Takes the open gate away: what it rests on no longer holds. */
  withdraw(): void {
    this.#withdrawn = true;
  }

  /** Takes down what the policy of the roll-out decided, as if a person had. */
  decideByPolicy(kind: DecisionKind, gate: string, reason: string): DecisionRecord {
    const record: DecisionRecord = {
      kind,
      gate,
      by: 'policy.onFail',
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
   * Opens `gate` and waits, however long, for a decision that fits it. An abort, or a gate that is withdrawn, ends the wait
   * with `undefined`.
   */
  async ask(gate: Gate, onChange: () => void): Promise<DecisionRecord | undefined> {
    this.#gate = gate;
    this.#answer = undefined;
    this.#withdrawn = false;
    onChange();
    await waitFor(() => this.#answer !== undefined || this.interrupted || this.#withdrawn, `gate ${gate.name}`);
    const answer = this.#answer ?? this.#rollBack;
    this.#gate = undefined;
    onChange();
    return answer;
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

  #receive(kind: DecisionKind, payload: unknown, via: 'signal' | 'update'): DecisionRecord {
    const { decision, problem } = readDecision(kind, payload);
    const refused = problem ?? refusalOf(decision, this.#situation());
    const record: DecisionRecord = {
      ...decision,
      at: new Date().toISOString(),
      via,
      counted: refused === undefined,
      refused,
    };
    this.#records = [...this.#records, record].slice(-MAX_RECORDS);
    if (refused === undefined) this.#apply(record);
    else log.warn('decision not counted', { kind, gate: decision.gate, refused });
    return record;
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
