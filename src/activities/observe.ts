import { runMeter } from '../adapters/meter/run-meter.js';
import type { ToolResolver } from '../adapters/tools/tools.js';
import type { LoadRequest, TargetActivities } from '../contract/activities.js';
import { boundsOf } from '../core/bounds.js';
import { judge } from '../core/judge.js';
import type { LedgerSummary, LoadWindow } from '../core/ledger.js';
import { beatFor, nextBeat, type Round } from '../core/measure-round.js';
import { cutWindow } from '../core/measure-window.js';
import { currentWork, reportProgress } from './guard.js';
import { readLedger } from './load.js';

/** Activities that measure. */
export const createObserveActivities = ({
  tools,
}: {
  readonly tools: ToolResolver;
}): Pick<TargetActivities, 'observe'> => ({
  async observe(request) {
    const { target, windowMs, kind = 'settled', bounds, expected, baseline, load } = request;
    const { signal } = currentWork();
    const beatMs = request.beatMs ?? beatFor(windowMs);
    const before = load === undefined ? undefined : await readLedger(load);
    const from = nextBeat(Date.now(), beatMs);
    const to = nextBeat(from + windowMs, beatMs);
    const rounds: Round[] = [];
    const onRound = (round: Round) => {
      rounds.push(round);
      reportProgress({ samples: rounds.length, of: (to - from) / beatMs + 1 });
    };
    await runMeter({ target, tools, beatMs, from, to, onRound, signal });
    const counted = load === undefined || before === undefined ? undefined : await loadOfWindow(load, before);
    const observation = cutWindow(rounds, { kind, from, to, beatMs, load: counted });
    return { observation, verdict: judge({ observation, baseline, bounds: boundsOf(bounds, target), expected }) };
  },
});

/** What the load did since `before`, as far as the ledger's summary tells. */
async function loadOfWindow(load: LoadRequest, before: LedgerSummary): Promise<LoadWindow> {
  const { started, completed, lost, duplicated, wrong, failed, failedCalls, examples } = await readLedger(load);
  const inWindow = started - before.started;
  return {
    ...{ completed, lost, duplicated, wrong, failed, examples },
    started: inWindow,
    failedCalls: failedCalls - before.failedCalls,
    // The summary does not say how many fell due: only that some were started is judged.
    intended: inWindow,
    startLatencyMs: null,
  };
}
