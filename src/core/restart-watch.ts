import { formatDuration } from './duration.js';
import { lacksOf, membershipOf, type RestartLook, type WantedRestart } from './restart-proof.js';

/** A process that a supervisor starts anew is away for a moment. */
const GONE_FOR_MS = 3_000;
/** One look may meet a busy machine: only what lasts puts a process back. */
const UNWELL_FOR_MS = 10_000;

export interface RestartPatience {
  /** How long the process may take to come up, in milliseconds. */
  readonly startMs: number;
  /** How long nobody may come or go in the rings. */
  readonly quietMs: number;
}

export type RestartVerdict =
  /** `calmMs`: nothing is lacking any more, and it has to stay so for that many milliseconds. */
  | { readonly is: 'waiting'; readonly for: string; readonly calmMs?: number }
  /** All there and quiet, and since when: what is left is to call it. */
  | { readonly is: 'quiet'; readonly since: number }
  /** It does not come up: it has to be put back. */
  | { readonly is: 'down'; readonly why: string }
  /** It serves, and what is around it is not as it has to be: nothing that putting it back would mend. */
  | { readonly is: 'unsettled'; readonly why: string };

/** Follows a restarted process from look to look, and says when it is proved, or not worth more patience. Times are in milliseconds. */
export class RestartWatch {
  #goneSince: number | undefined;
  #unwellSince: number | undefined;
  #quietSince: number | undefined;
  #membership: string | undefined;

  constructor(
    private readonly beganAt: number,
    private readonly wanted: WantedRestart,
    private readonly patience: RestartPatience,
  ) {}

  see(at: number, look: RestartLook): RestartVerdict {
    const { ofNode, ofCluster } = lacksOf(look, this.wanted);
    const runs = look.nodes.some(({ name, running }) => name === look.name && running);
    this.#goneSince = runs ? undefined : (this.#goneSince ?? at);
    this.#unwellSince = ofNode.length === 0 ? undefined : (this.#unwellSince ?? at);
    if (ofNode.length > 0 || ofCluster.length > 0) this.#quietSince = undefined;
    if (ofNode.length > 0) return this.#seeUnwell(at, ofNode);
    if (ofCluster.length > 0) return this.unsettled(at, ofCluster.join('; '));
    return this.#seeWhole(at, membershipOf(look));
  }

  /** For what lies around the process: waits for it, up to the end of all patience. */
  unsettled(at: number, why: string): RestartVerdict {
    const { startMs, quietMs } = this.patience;
    return at > this.beganAt + startMs + quietMs ? { is: 'unsettled', why } : { is: 'waiting', for: why };
  }

  #seeUnwell(at: number, lacks: readonly string[]): RestartVerdict {
    const why = lacks.join('; ');
    if (this.#goneSince !== undefined && at - this.#goneSince >= GONE_FOR_MS) {
      return { is: 'down', why: 'it ended after it was started' };
    }
    const isLate = at > this.beganAt + this.patience.startMs;
    if (!isLate || at - (this.#unwellSince ?? at) < UNWELL_FOR_MS) return { is: 'waiting', for: why };
    return { is: 'down', why: `it is not ready after ${formatDuration(this.patience.startMs)}: ${why}` };
  }

  #seeWhole(at: number, membership: string): RestartVerdict {
    const changed = this.#quietSince !== undefined && membership !== this.#membership;
    if (this.#quietSince === undefined || changed) this.#quietSince = at;
    this.#membership = membership;
    const { quietMs } = this.patience;
    if (at - this.#quietSince >= quietMs) return { is: 'quiet', since: this.#quietSince };
    const until = `the rings to be quiet for ${formatDuration(quietMs)}`;
    return changed ? this.unsettled(at, until) : { is: 'waiting', for: until, calmMs: this.#quietSince + quietMs - at };
  }
}
