import type { LoadWindow } from '../core/ledger.js';
import { LedgerFile } from './ledger-file.js';
import { readWindow } from './ledger-window.js';
import { ProbeStore } from './probe/probe-store.js';

/** What canaries and probe of a load did from `from` until before `to` (milliseconds since 1970), by the ledger's file alone. */
export function readLoadWindow(request: {
  readonly file: string;
  readonly loadId: string;
  readonly from: number;
  readonly to: number;
}): LoadWindow {
  const { file, loadId, from, to } = request;
  using entries = new LedgerFile(file, loadId);
  using probes = new ProbeStore(file);
  return { ...readWindow(entries, from, to), probe: probes.window({ from, to }) };
}
