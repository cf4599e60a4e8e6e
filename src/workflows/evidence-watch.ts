import { CancellationScope, isCancellation } from '@temporalio/workflow';
import type { ObserveRequest } from '../contract/activities.js';
import { openLines } from '../core/measuring/observation.js';
import { describeFailure } from './describe-failure.js';
import type { near } from './proxies.js';

/**
 * Keeps looking at what an approval rests on, for as long as its gate is open: an approval counts only if that still holds.
 */
export interface EvidenceWatch {
  /** Returns what has broken, a line each; lasts for as long as nothing has. The Web UI's timeline shows it as `gate`. */
  untilBroken(gate: string): Promise<readonly string[]>;
  /** Looks at the time just passed: whether the evidence still holds, or there is too little to say so, with a line each. */
  recheck(): Promise<{ readonly holds: boolean | 'unknown'; readonly lines: readonly string[] }>;
  /** Observes anew. Returns what there is to say of it, or nothing when a person let a bad one pass. */
  renew(): Promise<string | undefined>;
}

/** A watch that judges each window of `request` as the evidence itself was judged. */
export function evidenceWatch(
  target: ReturnType<typeof near>,
  request: ObserveRequest,
  renew: EvidenceWatch['renew'],
): EvidenceWatch {
  return {
    untilBroken: async (gate) => {
      const { verdict } = await target.keepRunning.watchEvidence.executeWithOptions(
        { summary: `gate ${gate}: does its evidence hold` },
        [request],
      );
      return openLines(verdict).slice(0, SHOWN);
    },
    recheck: async () => {
      const to = Date.now();
      const past = { from: new Date(to - request.windowMs).toISOString(), to: new Date(to).toISOString() };
      try {
        const { verdict } = await target.look.observe.executeWithOptions({ summary: 'does the evidence still hold' }, [
          { ...request, past },
        ]);
        if (verdict.verdict === 'pass') return { holds: true, lines: [] };
        // The meter may have been away for a while: too little was seen to say that it broke.
        const holds = verdict.verdict === 'fail' ? false : 'unknown';
        return { holds, lines: openLines(verdict).slice(0, SHOWN) };
      } catch (error) {
        if (isCancellation(error)) throw error;
        return { holds: 'unknown', lines: [`it could not be looked at: ${describeFailure(error)}`] };
      }
    },
    renew,
  };
}

/** Lines of a verdict that are shown at a gate. */
const SHOWN = 6;

/** Runs `ask`, the wait at `gate`, while `watch` looks on; when the evidence breaks, `onBroken` is told with what has broken. */
export async function whileWatched<T>(
  watch: EvidenceWatch | undefined,
  gate: string,
  ask: () => Promise<T>,
  onBroken: (lines: readonly string[]) => void,
): Promise<T> {
  if (watch === undefined) return ask();
  const scope = new CancellationScope();
  const watching = scope
    .run(async () => onBroken(await watch.untilBroken(gate)))
    .catch((error: unknown) => {
      if (!isCancellation(error)) onBroken([`the evidence cannot be watched: ${String(error)}`]);
    });
  try {
    return await ask();
  } finally {
    scope.cancel();
    await watching;
  }
}
