import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ledgerProblems } from '../../src/core/ledger.js';
import { lockGenerator } from '../../src/load/generator-lock.js';
import { Ledger } from '../../src/load/ledger.js';
import { compileSource } from '../helpers/compiled-source.js';

let folder: string;
let compiled: ReturnType<typeof compileSource>;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ledger-'));
  compiled = compileSource(['core', 'adapters', 'load']);
});
afterAll(() => {
  compiled.remove();
  rmSync(folder, { recursive: true });
});

/** Runs `body` in a Node process of its own, kills it with SIGKILL once `lines` lines were read, and returns all it said. */
async function killAfter(lines: number, body: string): Promise<string[]> {
  const source = `
    const load = ${JSON.stringify(`file://${compiled.directory}/load/`)};
    const { Ledger } = await import(load + 'ledger.js');
    const { lockGenerator } = await import(load + 'generator-lock.js');
    // Ends with the process that wanted it, whatever becomes of that.
    process.stdin.on('end', () => process.exit(1)).resume();
    ${body}`;
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', source],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  const said: string[] = [];
  const closed = once(child, 'close');
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(line);
    if (said.length === lines) child.kill('SIGKILL');
  }
  await closed;
  expect(child.signalCode).toBe('SIGKILL');
  return said;
}

const command = { namespace: 'n', taskQueue: 'q' };
const row = (number: number, dueAt: number | null = 0) =>
  ({ workflowId: `w-${number}`, number, kind: 'steps', command, hop: null, intendedAt: number, dueAt }) as const;

test('a process killed at any moment loses nothing that it said it had written', async () => {
  const file = join(folder, 'killed.sqlite');
  const body = `
    const ledger = new Ledger(${JSON.stringify(file)}, 'a');
    const command = { namespace: 'n', taskQueue: 'q' };
    for (let number = ledger.nextNumber(); ; number += 1) {
      ledger.intend({ workflowId: 'w-' + number, number, kind: 'steps', command, hop: null, intendedAt: number, dueAt: 0 });
      console.log('intended ' + number);
      const [due] = ledger.takeDue(1, 1000, 1);
      ledger.confirmStart(due.row, { runId: 'r-' + number, at: number, dueAt: null });
      console.log('started ' + number);
      // Lets what was said out, and the process end when nobody listens any more.
      await new Promise((resolve) => setImmediate(resolve));
    }`;
  const said = [...(await killAfter(301, body)), ...(await killAfter(100, body))];
  using ledger = new Ledger(file, 'a');
  const intended = said.filter((line) => line.startsWith('intended ')).length;
  const started = said.filter((line) => line.startsWith('started ')).length;
  // There may be more: what was written and not yet said, or said into a pipe that was still full.
  expect(ledger.countStarted()).toBeGreaterThanOrEqual(started);
  expect(ledger.nextNumber()).toBeGreaterThanOrEqual(intended);
  // Those that were intended and not confirmed are still to be called.
  expect(ledger.nextNumber() - ledger.countStarted()).toBe(ledger.callsLeft());
});

test('a call taken by a process that was killed is due again for the next one', () => {
  using ledger = new Ledger(join(folder, 'leases.sqlite'), 'a');
  for (const number of [1, 2, 3]) ledger.intend(row(number, 10));
  expect(ledger.takeDue(10, 90_000, 2).map(({ number }) => number)).toEqual([1, 2]);
  expect(ledger.takeDue(10, 90_000, 5).map(({ number }) => number)).toEqual([3]);
  expect(ledger.takeDue(10, 90_000, 5)).toEqual([]);
  ledger.dropLeases(20);
  expect(ledger.takeDue(20, 90_000, 5)).toHaveLength(3);
});

test('writing the same intention twice leaves one entry, and the first confirmation stays', () => {
  using ledger = new Ledger(join(folder, 'twice.sqlite'), 'a');
  ledger.intend(row(1));
  ledger.intend(row(1));
  const [canary] = ledger.takeDue(1, 2, 9);
  ledger.confirmStart(canary?.row ?? -1, { runId: 'first', at: 5, dueAt: 9 });
  ledger.confirmStart(canary?.row ?? -1, { runId: 'second', at: 7, dueAt: 9 });
  expect(ledger.takeDue(9, 10, 9)).toMatchObject([{ runId: 'first', startedAt: 5 }]);
  expect(ledger.countStarted()).toBe(1);
});

test('a ledger belongs to one load', () => {
  const file = join(folder, 'owned.sqlite');
  new Ledger(file, 'a')[Symbol.dispose]();
  expect(() => new Ledger(file, 'b')).toThrow('belongs to load a, not to b');
});

test('two generators on one ledger cannot be, and a killed one makes room', async () => {
  const file = join(folder, 'locked.sqlite');
  const first = await lockGenerator(file, 0);
  await expect(lockGenerator(file, 0)).rejects.toThrow('another process generates load');
  first[Symbol.dispose]();
  await killAfter(
    1,
    `const lock = await lockGenerator(${JSON.stringify(file)}, 0);
     console.log('locked');
     setInterval(() => lock, 1000);`,
  );
  const second = await lockGenerator(file, 0);
  second[Symbol.dispose]();
});

test('the lock of a living process holds against another process', async () => {
  const file = join(folder, 'held.sqlite');
  const lock = await lockGenerator(file, 0);
  const [said] = await killAfter(
    1,
    `await lockGenerator(${JSON.stringify(file)}, 0).then(() => console.log('got it'), (e) => console.log(e.name));
     setInterval(() => undefined, 1000);`,
  );
  expect(said).toBe('PreconditionError');
  lock[Symbol.dispose]();
});

test('the summary adds up, each canary in one place, and names those that are wrong', () => {
  using ledger = new Ledger(join(folder, 'summary.sqlite'), 'a');
  const outcomes = ['completed', 'running', 'lost', 'duplicated', 'wrong', 'failed', null, undefined] as const;
  for (const number of outcomes.keys()) ledger.intend(row(number));
  for (const canary of ledger.takeDue(1, 2, 99)) {
    const outcome = outcomes[canary.number];
    if (outcome === undefined) continue; // stays intended: nobody promised it
    ledger.confirmStart(canary.row, { runId: 'r', at: 1_000 + canary.number, dueAt: null });
    if (outcome !== null) ledger.recordOutcome(canary.row, { outcome, reason: `is ${outcome}`, final: true });
  }
  ledger.recordFailedCall({ at: 1_500, call: 'start', workflowId: 'w-7', reason: 'away' });
  expect(ledger.summary()).toEqual({
    started: 7,
    completed: 1,
    running: 2,
    lost: 1,
    duplicated: 1,
    wrong: 1,
    failed: 1,
    failedCalls: 1,
    runningBecause: { 'not looked at yet': 1, 'on their way to the end': 1 },
    examples: ['lost', 'duplicated', 'wrong', 'failed'].map((outcome, index) => ({
      workflowId: `w-${index + 2}`,
      reason: `is ${outcome}`,
      outcome,
    })),
  });
});

test('every outcome has an example, however many there are of another', () => {
  using ledger = new Ledger(join(folder, 'examples.sqlite'), 'a');
  for (let number = 0; number < 14; number += 1) ledger.intend(row(number));
  for (const canary of ledger.takeDue(1, 2, 99)) {
    ledger.confirmStart(canary.row, { runId: 'r', at: 1_000, dueAt: null });
    const outcome = canary.number < 12 ? 'failed' : canary.number === 12 ? 'lost' : 'completed';
    ledger.recordOutcome(canary.row, { outcome, reason: null, final: true });
  }
  const { examples } = ledger.window(0, 2_000);
  expect(examples).toHaveLength(10);
  expect(examples.slice(0, 3)).toEqual([
    { workflowId: 'w-0', reason: 'failed', outcome: 'failed' },
    { workflowId: 'w-12', reason: 'lost', outcome: 'lost' },
    { workflowId: 'w-1', reason: 'failed', outcome: 'failed' },
  ]);
});

test('a window has what fell due in it, and what of that waited', () => {
  using ledger = new Ledger(join(folder, 'window.sqlite'), 'a');
  for (let number = 0; number < 10; number += 1) ledger.intend({ ...row(number), intendedAt: number * 100 });
  ledger.intend({ ...row(99), kind: 'long', intendedAt: 500, dueAt: null });
  for (const canary of ledger.takeDue(1, 2, 99)) {
    // The last two are not confirmed; number 7 is, after the window.
    if (canary.number < 8)
      ledger.confirmStart(canary.row, {
        runId: 'r',
        at: canary.intendedAt + (canary.number === 7 ? 5_000 : 10),
        dueAt: null,
      });
  }
  ledger.recordFailedCall({ at: 1_500, call: 'start', workflowId: 'w-7', reason: 'away' });
  expect(ledger.window(0, 1_000)).toMatchObject({
    started: 7,
    intended: 10,
    failedCalls: 0,
    startLatencyMs: { p50: 10, p99: 300, max: 300 },
  });
  expect(ledger.window(1_500, 1_501)).toMatchObject({ started: 0, intended: 0, failedCalls: 1, startLatencyMs: null });
  expect(ledger.window(5_000, 6_000)).toMatchObject({ started: 1, intended: 0 });
});

test('a ledger of an older build is refused, not misread', async () => {
  const file = join(folder, 'older.sqlite');
  const { DatabaseSync } = await import('node:sqlite');
  const db = new DatabaseSync(file);
  db.exec('CREATE TABLE canary (row INTEGER PRIMARY KEY)');
  db.close();
  expect(() => new Ledger(file, 'a')).toThrow('has format 0');
});

test('tables without their format, as a killed process could leave them, are never there', async () => {
  const { DatabaseSync } = await import('node:sqlite');
  const look = (file: string) => {
    const db = new DatabaseSync(file, { readOnly: true });
    try {
      db.exec('BEGIN'); // both as they are at one moment
      const tables = Number(db.prepare('SELECT count(*) AS n FROM sqlite_master').get()?.['n']);
      return { tables, format: Number(db.prepare('PRAGMA user_version').get()?.['user_version']) };
    } finally {
      db.close();
    }
  };
  // Looks at a ledger in the making from another process, as often as it can.
  const seen = new Set<boolean>();
  for (let round = 0; round < 5; round += 1) {
    const file = join(folder, `made-${round}.sqlite`);
    const making = killAfter(
      1,
      `new Ledger(${JSON.stringify(file)}, 'a'); console.log('made'); setInterval(() => 0, 1000);`,
    );
    let made = false;
    void making.then(() => (made = true));
    while (!made) {
      try {
        const { tables, format } = look(file);
        seen.add(tables === 0 ? format === 0 : format > 0);
      } catch {
        // not there yet
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    await making;
  }
  expect(seen).toEqual(new Set([true]));
});

test('what fails in a transaction is told with its cause, also when SQLite has rolled back by itself', () => {
  using ledger = new Ledger(join(folder, 'rolled-back.sqlite'), 'a');
  const work = () => ledger.entries.run(`INSERT OR ROLLBACK INTO meta VALUES ('loadId', 'another')`);
  expect(() => ledger.inTransaction(work)).toThrow('UNIQUE constraint failed: meta.key');
  expect(ledger.inTransaction(() => ledger.entries.readMeta('loadId'))).toBe('a');
});

/** A ledger with one canary that has completed, as was seen at `verifiedAt`. */
function completedOne(name: string, verifiedAt: number): Ledger {
  const ledger = new Ledger(join(folder, `${name}.sqlite`), 'a');
  ledger.intend(row(1));
  ledger.confirmStart(1, { runId: 'r', at: 5, dueAt: null });
  ledger.recordOutcome(1, { outcome: 'completed', reason: null, final: true }, verifiedAt);
  return ledger;
}

test('visibility counts only once it was asked, and only for what it was asked for long after that was completed', () => {
  using ledger = completedOne('unseen', 1_000_000);
  expect(ledger.summary().unseen).toBeUndefined();
  // It answers, and nobody came to ask for this one yet, however long ago it was completed.
  ledger.entries.writeMeta('witnessedAt', '9000000');
  expect(ledger.summary().unseen).toBe(0);
  const ask = (askedAt: number) => ledger.entries.run('UPDATE canary SET askedAt = ?', askedAt);
  ask(1_119_000);
  expect(ledger.summary().unseen).toBe(0);
  ask(1_120_000);
  expect(ledger.summary().unseen).toBe(1);
  expect(ledgerProblems(ledger.summary())).toEqual([expect.stringContaining('visibility does not show 1')]);
  // What was found before was judged then.
  expect(ledger.summary(1_120_000).unseen).toBe(1);
  expect(ledger.summary(1_120_001).unseen).toBe(0);
});

test('a bad canary counts from when it turned bad: not in a later window, nor in a summary since then', () => {
  using ledger = new Ledger(join(folder, 'bad-since.sqlite'), 'a');
  for (const number of [1, 2]) {
    ledger.intend(row(number));
    ledger.confirmStart(number, { runId: 'r', at: 5, dueAt: null });
  }
  const lost = { outcome: 'lost', reason: 'gone', final: false } as const;
  ledger.recordOutcome(1, lost, 1_000);
  ledger.recordOutcome(1, lost, 2_000);
  ledger.recordOutcome(2, { outcome: 'wrong', reason: 'another result', final: true }, 3_000);
  const examples = (...numbers: number[]) =>
    numbers.map((number) => expect.objectContaining({ workflowId: `w-${number}` }));
  expect(ledger.window(500, 900)).toMatchObject({ lost: 1, wrong: 1, examples: examples(1, 2) });
  expect(ledger.window(1_001, 4_000)).toMatchObject({ lost: 0, wrong: 1, examples: examples(2) });
  expect(ledger.window(3_001, 4_000)).toMatchObject({ lost: 0, wrong: 0, examples: [] });
  expect(ledger.summary()).toMatchObject({ started: 2, lost: 1, wrong: 1 });
  expect(ledger.summary(1_001)).toMatchObject({ started: 2, lost: 0, wrong: 1, examples: examples(2) });
  expect(ledgerProblems(ledger.summary(3_001))).toEqual([]);

  // It was found again, and lost again: that is news.
  ledger.recordOutcome(1, { outcome: 'running', reason: null, final: false }, 5_000);
  expect(ledger.summary()).toMatchObject({ lost: 0, running: 1 });
  ledger.recordOutcome(1, lost, 6_000);
  expect(ledger.window(5_500, 7_000)).toMatchObject({ lost: 1 });
});

test('a window says why calls failed: the three most frequent reasons, whatever moments their messages carry', () => {
  using ledger = new Ledger(join(folder, 'reasons.sqlite'), 'a');
  const fail = (call: string, reason: string, times: number) => {
    for (let n = 0; n < times; n += 1) ledger.recordFailedCall({ at: 10, call, workflowId: `w-${n}`, reason });
  };
  for (const second of [1, 2, 3]) fail('start', `14 UNAVAILABLE: refused (2026-01-01T00:00:0${second}.000Z)`, 1);
  fail('signal', '4 DEADLINE_EXCEEDED', 2);
  fail('start', '4 DEADLINE_EXCEEDED', 1);
  fail('update', 'rare', 1);
  expect(ledger.window(0, 20).failedCallReasons).toEqual([
    'start: 14 UNAVAILABLE: refused (3 times)',
    'signal: 4 DEADLINE_EXCEEDED (2 times)',
    expect.stringMatching(/\(once\)$/),
  ]);
  expect(ledger.window(20, 30)).not.toHaveProperty('failedCallReasons');
});

test('what a later process of the load leaves out, and the first one did not, is said of the windows in which it was so', () => {
  using ledger = new Ledger(join(folder, 'left-out.sqlite'), 'a');
  const later = (from: number, to: number) => ledger.window(from, to).leftOutLater;
  ledger.noteLeftOut(['updates (off)', 'copied (1 %)'], ['updates (off)'], 100);
  ledger.noteLeftOut(['updates (in other words)', 'copied (2 %)', 'more (3 %)'], ['updates (in other words)'], 200);
  expect(later(0, 300)).toBeUndefined();
  ledger.noteLeftOut(['updates (off)', 'searchAttributes (away)'], undefined, 300);
  expect(later(0, 300)).toBeUndefined();
  expect(later(0, 301)).toEqual(['searchAttributes (away)']);
  expect(ledger.summary().leftOut).toEqual(['updates (off)', 'searchAttributes (away)']);
  ledger.noteLeftOut([], [], 400);
  expect(later(350, 500)).toEqual(['searchAttributes (away)']);
  expect(later(400, 500)).toBeUndefined();
  // Nor is it the target's fault that there is no load while the cluster whose mix is copied is away.
  ledger.noteProblem(450, 'the cluster of copyMixOf cannot be asked: away');
  expect(later(400, 500)).toEqual(['everything (the cluster of copyMixOf cannot be asked: away)']);
  expect(ledger.window(400, 500).failedCalls).toBe(0);
});

test('after a hold-up everything waits as though that time had not been', () => {
  using ledger = new Ledger(join(folder, 'shift.sqlite'), 'a');
  for (const number of [1, 2, 3]) ledger.intend({ ...row(number, 1_000), intendedAt: 1_000 });
  ledger.confirmStart(1, { runId: 'r', at: 1_010, dueAt: null });
  ledger.confirmStart(2, { runId: 'r', at: 1_010, dueAt: 1_700 });
  ledger.shiftWaiting(-60_000);
  expect(ledger.takeDue(-58_300, 0, 9)).toMatchObject([
    { number: 3, intendedAt: -59_000 },
    { number: 2, intendedAt: 1_000 },
  ]);
  expect(ledger.callsLeft()).toBe(2);
});

test('what is final stays, whatever a slower verification saw before', () => {
  using ledger = new Ledger(join(folder, 'final.sqlite'), 'a');
  ledger.intend(row(1));
  ledger.confirmStart(1, { runId: 'r', at: 5, dueAt: null });
  ledger.recordOutcome(1, { outcome: 'running', reason: null, final: false });
  ledger.recordOutcome(1, { outcome: 'completed', reason: null, final: true });
  ledger.recordOutcome(1, { outcome: 'running', reason: null, final: false });
  expect(ledger.summary()).toMatchObject({ completed: 1, running: 0 });
});

test('the kinds of work and where it is done are kept with the entries, once each', () => {
  const file = join(folder, 'commands.sqlite');
  const own = {
    namespace: 'default',
    taskQueue: 'mine',
    own: { workflowType: 't', arguments: [1, 'a'], endsWithinMs: 5 },
  };
  {
    using ledger = new Ledger(file, 'a');
    ledger.intend({ ...row(1), kind: 'own', command: own });
    ledger.intend({ ...row(2), kind: 'own', command: { ...own } });
    ledger.intend(row(3));
  }
  using ledger = new Ledger(file, 'a');
  const rows = ledger.takeDue(1, 2, 9);
  expect(rows.map((canary) => canary.command)).toEqual([own, own, command]);
  expect(rows[0]?.command).toBe(rows[1]?.command);
});
