import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ledger } from '../../../src/load/ledger.js';
import { ProbeStore } from '../../../src/load/probe/probe-store.js';
import { ProbeTally } from '../../../src/load/probe/probe-tally.js';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'probe-'));
  file = join(folder, 'ledger.sqlite');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const FAILURE = { code: 'UNAVAILABLE', reason: 'shard closed', ms: 12 };

/** Ten seconds of two kinds: successes each second, one failure in the middle. */
function record(store: ProbeStore, startedAt: number): void {
  const tally = new ProbeTally(['frontend', 'matching']);
  for (let at = startedAt; at < startedAt + 10_000; at += 1_000) {
    tally.succeeded({ kind: 'frontend', way: 'raw', at }, 4);
    tally.succeeded({ kind: 'matching', way: 'retried', at }, 4_000);
  }
  tally.failed({ kind: 'frontend', way: 'raw', at: startedAt + 5_500 }, FAILURE);
  store.record(tally.interval({ stretch: 's', startedAt, endedAt: startedAt + 10_000 }));
}

test('what is recorded can be read by another process, beside the ledger in the same file', () => {
  using ledger = new Ledger(file, 'load');
  using writer = new ProbeStore(file);
  record(writer, 1_000_000);
  ledger.noteProblem(1, 'away');
  record(writer, 1_010_000);
  using reader = new ProbeStore(file);
  expect(reader.window({ from: 1_000_000, to: 1_020_000 })).toEqual({
    attempts: 22,
    failedAttempts: 2,
    calls: 20,
    failedCalls: 0,
    latencyMs: { p50: expect.closeTo(4, 1), p99: expect.closeTo(4, 1), max: expect.closeTo(4, 1) },
    longestGapMs: 1_000,
    longestGapKind: expect.any(String),
    byCode: { UNAVAILABLE: 2 },
    byKind: { frontend: 2 },
    failures: [
      { at: 1_005_500, kind: 'frontend', way: 'raw', ...FAILURE },
      { at: 1_015_500, kind: 'frontend', way: 'raw', ...FAILURE },
    ],
    missingMs: 0,
  });
});

test('a file of an earlier release, which had no reasons, is gone on with', async () => {
  const { DatabaseSync } = await import('node:sqlite');
  const db = new DatabaseSync(file);
  db.exec('CREATE TABLE probeFailure (at INTEGER NOT NULL, kind TEXT NOT NULL, way TEXT NOT NULL, code TEXT NOT NULL)');
  db.exec(`INSERT INTO probeFailure VALUES (1000001, 'matching', 'raw', 'INTERNAL')`);
  db.close();
  using store = new ProbeStore(file);
  record(store, 1_000_000);
  using again = new ProbeStore(file);
  expect(again.window({ from: 1_000_000, to: 1_010_000 }).failures).toEqual([
    { at: 1_000_001, kind: 'matching', way: 'raw', code: 'INTERNAL', reason: '', ms: 0 },
    { at: 1_005_500, kind: 'frontend', way: 'raw', ...FAILURE },
  ]);
});

test('failures are cut to the millisecond, counts by the intervals that the window touches', () => {
  using store = new ProbeStore(file);
  record(store, 1_000_000);
  record(store, 1_010_000);
  expect(store.window({ from: 1_006_000, to: 1_015_500 })).toMatchObject({ attempts: 22, failedAttempts: 0 });
  expect(store.window({ from: 1_005_500, to: 1_010_000 })).toMatchObject({ attempts: 11, failedAttempts: 1 });
  expect(store.window({ from: 0, to: 1_000_000 })).toMatchObject({ attempts: 0, missingMs: 1_000_000 });
});

test('a tally that was written down begins anew', () => {
  const tally = new ProbeTally(['frontend']);
  tally.succeeded({ kind: 'frontend', way: 'raw', at: 5 }, 1);
  tally.failed({ kind: 'frontend', way: 'retried', at: 6 }, FAILURE);
  tally.reset();
  expect(tally.interval({ stretch: 's', startedAt: 6, endedAt: 7 })).toEqual({
    stretch: 's',
    startedAt: 6,
    endedAt: 7,
    kinds: { frontend: { attempts: 0, calls: 0, firstSuccessAt: null, lastSuccessAt: null, longestGapMs: 0 } },
    failures: [],
    latency: null,
  });
});

test('what cannot be written is told with its cause, also when SQLite has rolled back by itself', async () => {
  using store = new ProbeStore(file);
  const { DatabaseSync } = await import('node:sqlite');
  const db = new DatabaseSync(file);
  db.exec(`CREATE TRIGGER full BEFORE INSERT ON probeFailure BEGIN SELECT RAISE(ROLLBACK, 'the disk is full'); END`);
  db.close();
  expect(() => record(store, 1_000_000)).toThrow('the disk is full');
  expect(store.window({ from: 0, to: 2_000_000 }).attempts).toBe(0);
});
