import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@temporalio/client';
import { defaultPayloadConverter, toPayloads } from '@temporalio/common';
import { hasCode } from '../../src/adapters/cluster/target-connection.js';
import { LoadPolicy } from '../../src/core/input/input.js';
import { CANARY_SIGNAL, SCENARIOS } from '../../src/load/canary-plan.js';
import { CanaryTarget } from '../../src/load/canary-target.js';
import { Ledger, type EntryKind } from '../../src/load/ledger.js';
import { copyMix } from '../../src/load/live-mix.js';
import type { LoadOptions } from '../../src/load/load-options.js';
import { drainLoad } from '../../src/load/run-load.js';
import { canaryCommand, canaryTaskQueueOf } from '../../src/load/start-command.js';
import { verifyLedger } from '../../src/load/verify-ledger.js';
import { askVisibility } from '../../src/load/witness.js';
import { LoadLab } from '../helpers/load-lab.js';
import { expectAllAccountedFor } from '../helpers/load-run.js';

const MINUTE = 60_000;
const NOT_FOUND = 5;
const NAMESPACE = 'canaries';
const EVERY_MS = 2_000;

let lab: LoadLab;
let server: LoadLab['server'];
let connection: LoadLab['connection'];

beforeAll(async () => {
  lab = await LoadLab.start();
  ({ server, connection } = lab);
}, 2 * MINUTE);
afterAll(() => lab?.remove());

function optionsOf(loadId: string, profile: object): LoadOptions {
  return {
    connection: { address: server.address },
    policy: LoadPolicy.parse({ namespace: NAMESPACE, longRunning: 0, ...profile }),
    ledgerFile: join(lab.folder, `${loadId}.sqlite`),
    loadId,
  };
}

/** How many entries of each kind, by place. */
function countKinds(ledger: Ledger, where = 'TRUE'): ReadonlyMap<EntryKind, number> {
  const rows = ledger.entries.all(`SELECT kind, count(*) AS n FROM canary WHERE ${where} GROUP BY kind`);
  return new Map(rows.map(({ kind, n }) => [kind as EntryKind, Number(n)]));
}

test(
  'every scenario runs, in every namespace, cached or not, and each item is accounted for, whatever is killed',
  async () => {
    const loadId = 'all';
    const own = { taskQueue: canaryTaskQueueOf(loadId), namespace: NAMESPACE };
    const options = optionsOf(loadId, {
      startsPerSecond: 6,
      mix: 'everything',
      rampUp: 2_000,
      moreNamespaces: ['canaries-2'],
      uncachedShare: 0.3,
      scheduleEvery: EVERY_MS,
      own: [
        { workflowType: 'canaryTick', ...own },
        { workflowType: 'canaryChild', ...own, arguments: [1], startsPerSecond: 0.5 },
      ],
    });
    const first = lab.run(options);
    await first.until(({ started }) => started >= 40);
    await first.kill();
    const second = lab.run(options);
    const { leftOut } = await second.until(({ started }) => started >= 110);
    expect(leftOut).toEqual([]);
    expect(await second.stop()).toBeUndefined();

    while ((await verifyLedger(options)).running > 0) {
      await drainLoad({ ...options, mainFile: lab.mainFile, signal: new AbortController().signal });
    }
    const summary = await verifyLedger(options);
    expectAllAccountedFor(summary);
    expect(summary.failedCalls).toBe(0);
    using ledger = new Ledger(options.ledgerFile, loadId);
    const kinds = countKinds(ledger);
    for (const kind of [...SCENARIOS, 'tick', 'own'] as const) expect(kinds.get(kind)).toBeGreaterThan(2);
    const places = ledger.entries.all(`SELECT DISTINCT command FROM canary WHERE kind NOT IN ('own', 'tick')`);
    // Cached, uncached and simple ones, in two namespaces.
    expect(places).toHaveLength(6);
    expectTicksInARow(ledger);
    // Both were stopped and have started all that they promised, so they are gone.
    for (const { id } of ledger.entries.all('SELECT id FROM schedule')) {
      const request = { namespace: NAMESPACE, scheduleId: String(id) };
      const answer = await connection.workflowService.describeSchedule(request).catch((error: unknown) => error);
      expect(hasCode(answer, NOT_FOUND)).toBe(true);
    }
    // The second witness has seen them all.
    const target = new CanaryTarget(connection, loadId);
    const unseen = () => countKinds(ledger, `seen = 0 AND kind <> 'own'`);
    for (let look = 0; look < 30 && unseen().size > 0; look += 1) {
      await askVisibility(ledger, target);
      await sleep(500);
    }
    expect(unseen()).toEqual(new Map());
    expect(ledger.summary().unseen).toBe(0);
    await expectCopiedMix(options);
  },
  5 * MINUTE,
);

function expectTicksInARow(ledger: Ledger): void {
  const ticks = ledger.entries.all(`SELECT intendedAt FROM canary WHERE kind = 'tick' ORDER BY row`);
  const gaps = ticks.slice(1).map(({ intendedAt }, index) => Number(intendedAt) - Number(ticks[index]?.['intendedAt']));
  // Also over the time in which no load process lived.
  expect(new Set(gaps)).toEqual(new Set([EVERY_MS]));
}

async function expectCopiedMix({ connection: reachedBy }: LoadOptions): Promise<void> {
  const from = { connection: reachedBy, namespaces: [NAMESPACE, 'canaries-2'] };
  const { own = [] } = LoadPolicy.parse({
    own: [
      { workflowType: 'canary', taskQueue: 'q' },
      { workflowType: 'canaryTick', taskQueue: 'q' },
    ],
  });
  const { weights, leftOut } = await copyMix(from, own);
  expect(weights['canary']).toBeGreaterThan(weights['canaryTick'] ?? 1);
  // Beside the children only the workflows of the probe, which are started in the same namespace.
  const withoutStart = leftOut.map((line) => /^(\S+) \(.* `own` has no start for it\)$/.exec(line)?.[1]);
  expect(withoutStart.toSorted()).toEqual(['canaryChild', 'temporal-upgrade-probe']);
}

test(
  'what a scenario shows to be wrong is said, each by its name',
  async () => {
    const loadId = 'spoilt';
    const options = optionsOf(loadId, {
      startsPerSecond: 1,
      mix: { simple: 1 },
      scheduleEvery: EVERY_MS,
      own: [
        // Nobody works on it, so it times out.
        {
          workflowType: 'nobodys',
          taskQueue: 'nobodys',
          namespace: NAMESPACE,
          startsPerSecond: 0.2,
          endsWithin: 3_000,
        },
      ],
    });
    const load = lab.run(options);
    await load.until(({ started }) => started >= 3);
    using ledger = new Ledger(options.ledgerFile, loadId);
    const target = new CanaryTarget(connection, loadId);
    const client = new Client({ connection, namespace: NAMESPACE });
    const begin = async (name: string, kind: EntryKind, number = 1) => {
      const canary = { workflowId: `${loadId}-${name}`, number, kind, command: canaryCommand(NAMESPACE, loadId) };
      ledger.intend({ ...canary, hop: 'by-hand', intendedAt: Date.now(), dueAt: null });
      const row = ledger.longCanaries('by-hand').find(({ workflowId }) => workflowId === canary.workflowId)?.row ?? -1;
      ledger.confirmStart(row, { runId: await target.start(canary), at: Date.now(), dueAt: null });
      return { row, ...canary };
    };

    // A query that is answered with one signal too many.
    const asked = await begin('asked', 'queries');
    await signal(asked.workflowId, 'stray');
    const { wrongAnswer } = await target.call(asked, 0);
    expect(wrongAnswer).toContain('"signals":1');
    await target.call(asked, 1);
    ledger.confirmCall(asked.row, { callsDone: 2, at: Date.now(), dueAt: null, wrongAnswer });
    // An update that was confirmed and never made.
    const updated = await begin('updated', 'updates');
    ledger.confirmCall(updated.row, { callsDone: 2, at: 1, dueAt: null });
    // The same one, made twice, is made once.
    const twice = await begin('twice', 'updates', 2);
    for (const index of [0, 0, 1]) expect(await target.call(twice, index)).toEqual({ taken: true, wrongAnswer: null });
    ledger.confirmCall(twice.row, { callsDone: 2, at: Date.now(), dueAt: null });
    // A result that is another's, of the last run of three.
    const continued = await begin('continued', 'continueAsNew');
    ledger.entries.run('UPDATE canary SET number = 9 WHERE row = ?', continued.row);

    await load.until(({ started }) => started >= 8);
    const missing = await missTick(ledger, client);
    const summary = await verifyLedger({ ...options, settleMs: 0 });
    await load.kill();

    const reasons = new Map(
      ledger.entries
        .all(`SELECT workflowId, outcome || ': ' || reason AS why FROM canary WHERE reason IS NOT NULL`)
        .map(({ workflowId, why }) => [String(workflowId), String(why)]),
    );
    expect(reasons.get(asked.workflowId)).toMatch(/^wrong: query .* was answered with/);
    expect(reasons.get(updated.workflowId)).toMatch(/^failed: still running .*update .* was confirmed, and is not/);
    expect(reasons.has(twice.workflowId)).toBe(false);
    expect(reasons.get(continued.workflowId)).toMatch(/^wrong: activity c-9/);
    expect(reasons.get(missing)).toMatch(/^lost: its schedule has not started it/);
    expect([...reasons.values()].filter((why) => why === 'failed: it timed out').length).toBeGreaterThan(0);
    expect(summary).toMatchObject({ duplicated: 0, wrong: 2 });
    expect(summary.lost).toBeGreaterThan(0);
  },
  4 * MINUTE,
);

function signal(workflowId: string, id: string): Promise<unknown> {
  return connection.workflowService.signalWorkflowExecution({
    namespace: NAMESPACE,
    workflowExecution: { workflowId },
    signalName: CANARY_SIGNAL,
    input: { payloads: toPayloads(defaultPayloadConverter, { id, value: 1 }) ?? null },
  });
}

/** Pauses the schedule of the load behind its back, for two ticks, and returns the workflow id of the second. */
async function missTick(ledger: Ledger, client: Client): Promise<string> {
  const id = String(ledger.entries.get('SELECT id FROM schedule')?.['id']);
  await client.schedule.getHandle(id).pause('by the test');
  const paused = Date.now();
  const ticks = () =>
    ledger.entries.all(`SELECT workflowId FROM canary WHERE kind = 'tick' AND intendedAt > ? ORDER BY row`, paused);
  while (ticks().length < 2) await sleep(200);
  return String(ticks()[1]?.['workflowId']);
}
