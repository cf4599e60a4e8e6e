import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Connection } from '@temporalio/client';
import { LoadPolicy } from '../../src/core/input/input.js';
import { ledgerLine, ledgerProblems } from '../../src/core/ledger.js';
import { CanaryTarget } from '../../src/load/canary-target.js';
import { Ledger, type CanaryRow, type EntryKind } from '../../src/load/ledger.js';
import { countUndone, undoInLedger } from '../../src/load/undo.js';
import { verifyLedger } from '../../src/load/verify-ledger.js';
import { OneServer } from '../helpers/one-server.js';

/** The ledger of a load whose target, a real server, has what a backup had: some of what the ledger knows is not there. */
const LOAD = 'undone';
const BACKUP_AT = Date.now() - 60_000;
const STOPPED_AT = Date.now() - 10_000;
let folder: string;
let server: OneServer;
let ledgerFile: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'undo-'));
  ledgerFile = join(folder, 'ledger.sqlite');
  server = await OneServer.start(folder);
}, 120_000);

afterAll(async () => {
  await server.kill();
  await rm(folder, { recursive: true, force: true });
});

interface Entry {
  readonly kind: EntryKind;
  readonly startedAt: number;
  readonly callsDone?: number;
  /** Was found by then to have ended as it should. */
  readonly endedAt?: number;
  /** Whether the target has it. */
  readonly there: boolean;
}

const ENTRIES: Record<string, Entry> = {
  ended: { kind: 'simple', startedAt: BACKUP_AT - 30_000, endedAt: BACKUP_AT - 20_000, there: false },
  underWay: { kind: 'steps', startedAt: BACKUP_AT - 9_000, callsDone: 1, there: true },
  endedSince: { kind: 'queries', startedAt: BACKUP_AT - 8_000, callsDone: 3, endedAt: BACKUP_AT + 1_000, there: true },
  simple: { kind: 'simple', startedAt: BACKUP_AT - 7_000, there: true },
  released: { kind: 'long', startedAt: BACKUP_AT - 6_000, callsDone: 1, there: true },
  since: { kind: 'steps', startedAt: BACKUP_AT + 2_000, callsDone: 1, there: false },
  sinceAndEnded: { kind: 'simple', startedAt: BACKUP_AT + 3_000, endedAt: BACKUP_AT + 4_000, there: false },
  atTheBackup: { kind: 'steps', startedAt: BACKUP_AT + 1, callsDone: 1, there: true },
  afterwards: { kind: 'steps', startedAt: STOPPED_AT + 5_000, there: true },
};
const NAMES = Object.keys(ENTRIES);

async function fill(): Promise<void> {
  const connection = await Connection.connect({ address: server.address });
  using ledger = new Ledger(ledgerFile, LOAD);
  const target = new CanaryTarget(connection, LOAD);
  const command = { namespace: 'default', taskQueue: 'nobody' };
  for (const [number, [workflowId, entry]] of Object.entries(ENTRIES).entries()) {
    const { kind, startedAt, callsDone = 0, endedAt, there } = entry;
    ledger.intend({ workflowId, number, kind, command, hop: null, intendedAt: startedAt, dueAt: null });
    const row = number + 1;
    const runId = there ? await target.start({ workflowId, number, kind, command }) : 'gone';
    ledger.confirmStart(row, { runId, at: startedAt, dueAt: null, ready: kind === 'simple' });
    if (callsDone > 0) ledger.confirmCall(row, { callsDone, at: startedAt + 100, dueAt: null });
    if (endedAt !== undefined) ledger.recordOutcome(row, { outcome: 'completed', reason: null, final: true }, endedAt);
  }
  await connection.close();
}

function rowsNow(): Record<
  string,
  Pick<CanaryRow, 'callsDone' | 'readyAt' | 'dueAt'> & { outcome: string | null; final: number }
> {
  using ledger = new Ledger(ledgerFile, LOAD);
  const rows = ledger.entries.all('SELECT workflowId, callsDone, readyAt, dueAt, outcome, final FROM canary');
  return Object.fromEntries(rows.map(({ workflowId, ...row }) => [String(workflowId), row as never]));
}

test('the ledger expects what a restored target has, and tells what is undone', async () => {
  await fill();
  expect(countUndone({ ledgerFile, loadId: LOAD }, BACKUP_AT)).toEqual({ started: 4, unfinished: 4 });
  const of = { ledgerFile, loadId: LOAD, connection: { address: server.address } };
  const span = { backupAt: BACKUP_AT, stoppedAt: STOPPED_AT };
  expect(await undoInLedger(of, span)).toEqual({ undone: 2 });
  const rows = rowsNow();
  const again = { outcome: null, final: 0, readyAt: null, dueAt: expect.any(Number) };
  expect(rows).toMatchObject({
    since: { outcome: 'undone', final: 1, dueAt: null },
    sinceAndEnded: { outcome: 'undone', final: 1 },
    // Signals are sent again, from the first one on.
    underWay: { ...again, callsDone: 0 },
    atTheBackup: { ...again, callsDone: 0 },
    // Not the query before the signal, which may be in the backup already.
    endedSince: { ...again, callsDone: 1 },
    simple: { outcome: null, final: 0, dueAt: null, readyAt: expect.any(Number) },
    released: { outcome: null, final: 0, dueAt: null, readyAt: null, callsDone: 0 },
    afterwards: { callsDone: 0, dueAt: null },
    // It has to be in the backup, so it is looked at once more.
    ended: { outcome: 'completed', final: 0 },
  });
  expect(rows['simple']?.readyAt).toBeGreaterThan(STOPPED_AT);
  expect(await undoInLedger(of, span)).toEqual({ undone: 2 });
}, 60_000);

test('what was ended before the backup and is not there any more is lost, and nothing else', async () => {
  const policy = LoadPolicy.parse({});
  const connection = { address: server.address };
  const summary = await verifyLedger({ ledgerFile, loadId: LOAD, connection, policy });
  expect(summary).toMatchObject({ started: NAMES.length, undone: 2, lost: 1, running: 6, wrong: 0, failed: 0 });
  expect(ledgerLine(summary)).toContain(
    '1 lost, 0 duplicated, 0 wrong, 0 failed; 0 failed calls; 2 lost by the restore',
  );
  expect(ledgerProblems(summary)).toEqual([
    '1 canaries did not end as they should',
    'canary ended: the target does not know it',
  ]);
}, 60_000);
