import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { runCommand } from '../adapters/run-command.js';
import type { LedgerSummary } from '../core/ledger.js';
import { planCanary } from '../load/canary-plan.js';
import { canaryIdOf } from '../load/canary-target.js';
import { Ledger } from '../load/ledger.js';
import { LOAD_NODE_FLAGS } from '../load/run-load.js';
import { canaryCommand } from '../load/start-command.js';

/** What it took to verify a large ledger. */
export interface MeasuredLedger {
  readonly ids: number;
  /** Of the process that verifies. */
  readonly peakBytes: number;
  readonly verifySeconds: number;
  readonly completed: number;
}

const IDS = 1_000_000;
const BATCH = 10_000;
const LOAD_ID = 'million';

/** Writes a ledger of a million canaries, and has a process of its own verify each by its id and history. */
export async function measureLedger(onProgress: (line: string) => void): Promise<MeasuredLedger> {
  const directory = await mkdtemp(join(tmpdir(), 'bench-ledger-'));
  const histories = spawn(process.execPath, [fileOf('history-server.js')], { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    const [port] = (await once(createInterface({ input: histories.stdout }), 'line')) as [string];
    const file = join(directory, 'ledger.sqlite');
    onProgress(`writing a ledger of ${IDS} canaries`);
    writeLedger(file);
    const began = performance.now();
    const { stdout } = await runCommand(process.execPath, [
      ...LOAD_NODE_FLAGS,
      fileOf('verify-in-process.js'),
      ...[file, LOAD_ID, `127.0.0.1:${port}`],
    ]);
    const { summary, peakBytes } = JSON.parse(stdout) as {
      readonly summary: LedgerSummary;
      readonly peakBytes: number;
    };
    const verifySeconds = (performance.now() - began) / 1_000;
    // A figure of a ledger that was not verified would be one of nothing.
    if (summary.completed !== IDS) throw new Error(`of ${IDS} canaries ${summary.completed} were found completed`);
    return { ids: IDS, peakBytes, verifySeconds, completed: summary.completed };
  } finally {
    histories.kill();
    await rm(directory, { recursive: true, force: true });
  }
}

/** As a load leaves it whose canaries have all been started, and sent all their calls. */
function writeLedger(file: string): void {
  using ledger = new Ledger(file, LOAD_ID);
  const command = canaryCommand('canaries', LOAD_ID);
  const at = Date.now() - 3_600_000;
  for (let first = 0; first < IDS; first += BATCH) {
    ledger.inTransaction(() => {
      for (let number = first; number < Math.min(first + BATCH, IDS); number += 1) {
        const workflowId = canaryIdOf(LOAD_ID, number);
        ledger.intend({ workflowId, number, kind: 'steps', command, hop: null, intendedAt: at, dueAt: null });
        const row = number + 1;
        ledger.confirmStart(row, { runId: 'run-1', at, dueAt: null });
        ledger.confirmCall(row, { callsDone: planCanary(number, 'steps', workflowId).calls.length, at, dueAt: null });
      }
    });
  }
}

function fileOf(name: string): string {
  return fileURLToPath(new URL(`./load/${name}`, import.meta.url));
}
