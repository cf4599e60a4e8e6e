import { setTimeout as sleep } from 'node:timers/promises';
import type { Target } from '../../core/input/input.js';
import { nextBeat, type Round } from '../../core/measuring/round.js';
import { withTarget } from '../open-target.js';
import type { ToolResolver } from '../tools/tools.js';
import { sampleRound } from './sample-round.js';

/** A round that waits for a time-out is still under way when the next beat falls due. More at once would be load. */
const MOST_AT_ONCE = 8;

export interface MeterOptions {
  readonly target: Target;
  readonly tools: ToolResolver;
  readonly beatMs: number;
  /** First beat, milliseconds since 1970; the next one when left out. */
  readonly from?: number | undefined;
  /** Last beat; on and on when left out. */
  readonly to?: number | undefined;
  /** Keeps a round. What it throws, such as a full disk, ends the meter. */
  readonly onRound: (round: Round) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Samples a target at every beat until `to`, or until it is stopped. A beat that is overslept, or that falls due while too
 * many rounds are under way, is not made up for: it was not sampled. Returns when every round has been handed over.
 */
export async function runMeter({ target, tools, beatMs, from, to, onRound, signal }: MeterOptions): Promise<void> {
  const under = new Set<Promise<void>>();
  const failures: unknown[] = [];
  await withTarget(target, tools, async (opened) => {
    try {
      for (let at = nextBeat(from ?? Date.now(), beatMs); to === undefined || at <= to;) {
        // The clock was set back: beats go on by the clock as it is now.
        if (at - Date.now() > 2 * beatMs) at = nextBeat(Date.now(), beatMs);
        await sleep(Math.max(0, at - Date.now()), undefined, { signal }).catch(() => undefined); // stopped
        if (failures.length > 0 || signal?.aborted === true) break;
        if (under.size < MOST_AT_ONCE) {
          const round: Promise<void> = sampleRound(target, opened, { at, beatMs })
            .then(onRound)
            .catch((error: unknown) => void failures.push(error))
            .finally(() => under.delete(round));
          under.add(round);
        }
        at = Math.max(at + beatMs, nextBeat(Date.now() - beatMs + 1, beatMs));
      }
    } finally {
      await Promise.all(under);
    }
  });
  if (failures.length > 0) throw failures[0];
}
