import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cancellationSignal } from '@temporalio/activity';
import { expandHome } from '../adapters/data-dir.js';
import type { LoadRequest, TargetActivities } from '../contract/activities.js';
import { PreconditionError } from '../core/errors.js';
import type { LedgerSummary } from '../core/ledger.js';
import { releaseLongCanaries, startLongCanaries } from '../load/long-canaries.js';
import { drainLoad, runLoad } from '../load/run-load.js';
import { undoInLedger } from '../load/undo.js';
import { verifyLedger } from '../load/verify-ledger.js';
import { currentWork, reportProgress } from './guard.js';
import { untilOver } from './until-over.js';

type LoadActivities = Pick<
  TargetActivities,
  'runLoad' | 'startLongCanaries' | 'releaseLongCanaries' | 'verifyLedger' | 'undoInLedger'
>;

const DRAIN_AGAIN_MS = 2_000;
/** A canary lasts seconds; what still runs after this has lost something that it waits for. */
const DRAIN_TIMEOUT_MS = 5 * 60_000;

/** Activities of the simulated work on a target. */
export const createLoadActivities = (): LoadActivities => ({
  async runLoad({ rollout, ...request }) {
    await mkdir(dirname(ledgerFileOf(request)), { recursive: true });
    await untilOver(rollout, cancellationSignal(), (signal) =>
      runLoad({ ...loadOptions(request), signal, onProgress: reportProgress }),
    );
  },

  async startLongCanaries({ hop, ...request }) {
    await mkdir(dirname(ledgerFileOf(request)), { recursive: true });
    return startLongCanaries({ ...loadOptions(request), hop, signal: currentWork().signal });
  },

  async releaseLongCanaries({ hop, ...request }) {
    return releaseLongCanaries({ ...loadOptions(request), hop, signal: currentWork().signal });
  },

  async undoInLedger({ backupAt, stoppedAt, ...request }) {
    const { connection, ledgerFile, loadId } = loadOptions(request);
    const span = { backupAt: Date.parse(backupAt), stoppedAt: Date.parse(stoppedAt) };
    return undoInLedger({ connection, ledgerFile, loadId }, span, currentWork().signal);
  },

  async verifyLedger({ release, drain, since, ...request }) {
    const signal = cancellationSignal();
    if (release !== undefined) await releaseLongCanaries({ ...loadOptions(request), hop: release, signal });
    // Workflows of the operator's own have the time that the profile gives them.
    const ownMs = Math.max(0, ...(request.policy.own ?? []).map(({ endsWithin }) => endsWithin));
    const deadline = Date.now() + DRAIN_TIMEOUT_MS + ownMs;
    for (;;) {
      const ledger = await readLedger(request, since);
      if (!drain || ledger.running === 0) return ledger;
      reportProgress({ stillRunning: ledger.running });
      if (Date.now() > deadline)
        throw new PreconditionError(`${ledger.running} canaries are still running long after the load was stopped`);
      // The load ends its own canaries, unless it was killed: then nobody works on them any more.
      await drainLoad({
        ...loadOptions(request),
        signal,
        onProgress: reportProgress,
      });
      await sleep(DRAIN_AGAIN_MS, undefined, { signal });
    }
  },
});

/** The ledger, brought up to date from the target's histories; for `since`, see {@link verifyLedger}. */
export async function readLedger(request: LoadRequest, since?: number): Promise<LedgerSummary> {
  const { signal } = currentWork();
  return verifyLedger({
    ...loadOptions(request),
    since,
    signal,
    onProgress: (examined) => reportProgress({ examined }),
  });
}

function loadOptions(request: LoadRequest) {
  const { target, policy, loadId } = request;
  return { connection: target.connection, policy, loadId, ledgerFile: ledgerFileOf(request) };
}

export function ledgerFileOf({ dataDir, loadId }: LoadRequest): string {
  return join(expandHome(dataDir), 'ledgers', `${loadId}.sqlite`);
}
