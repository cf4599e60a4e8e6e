import type { LoadPolicy } from '../core/input/input.js';
import type { LoadWindow } from '../core/ledger.js';
import { LedgerFile } from './ledger-file.js';
import { readWindow } from './ledger-window.js';
import { ProbeStore } from './probe/probe-store.js';

/**
 * What canaries and probe of a load did from `from` until before `to` (milliseconds since 1970), by the ledger's file alone.
 * A load that has no probe says nothing of one.
 */
export function readLoadWindow(request: {
  readonly file: string;
  readonly loadId: string;
  readonly policy: Pick<LoadPolicy, 'probesPerSecond'>;
  readonly from: number;
  readonly to: number;
}): LoadWindow {
  const { file, loadId, policy, from, to } = request;
  using entries = new LedgerFile(file, loadId);
  const window = readWindow(entries, { from, to });
  if (policy.probesPerSecond === 0) return window;
  using probes = new ProbeStore(file);
  return { ...window, probe: probes.window({ from, to }) };
}
