import { CancellationScope, isCancellation } from '@temporalio/workflow';
import type { ObserveRequest } from '../contract/activities.js';
import type { near } from './proxies.js';

/**
 * Keeps looking at what an approval rests on, for as long as its gate is open: an approval counts only if that still holds.
 */
export interface EvidenceWatch {
  /** Returns what has broken, a line each; lasts for as long as nothing has. */
  untilBroken(): Promise<readonly string[]>;
  /** Looks at the time just passed: what has broken in it, a line each; empty when nothing has. */
  recheck(): Promise<readonly string[]>;
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
    untilBroken: async () => {
      const { verdict } = await target.keepRunning.watchEvidence.executeWithOptions(
        { summary: 'what the open gate rests on' },
        [request],
      );
      return verdict.lines.slice(0, SHOWN);
    },
    recheck: async () => {
      const to = Date.now();
      const past = { from: new Date(to - request.windowMs).toISOString(), to: new Date(to).toISOString() };
      const { verdict } = await target.look.observe.executeWithOptions({ summary: 'does the evidence still hold' }, [
        { ...request, past },
      ]);
      // Too little was seen to say that it broke: the meter may have been away for a while. The next phase looks itself.
      return verdict.verdict === 'fail' ? verdict.lines.slice(0, SHOWN) : [];
    },
    renew,
  };
}

/** Lines of a verdict that are shown at a gate: those that did not pass come first. */
const SHOWN = 6;

/** Runs `ask` while `watch` looks on; when the evidence breaks, `onBroken` is told with what has broken. */
export async function whileWatched<T>(
  watch: EvidenceWatch | undefined,
  ask: () => Promise<T>,
  onBroken: (lines: readonly string[]) => void,
): Promise<T> {
  if (watch === undefined) return ask();
  const scope = new CancellationScope();
  const watching = scope
    .run(async () => onBroken(await watch.untilBroken()))
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
