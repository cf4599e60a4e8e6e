import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { WorkflowFailedError, WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import type { RolloutResult } from '../../src/core/rollout-result.js';
import type { RolloutStatus } from '../../src/core/status.js';
import { ControlPlane, type RunningRollout } from '../helpers/control-plane.js';
import { LIVE_ALONE, ONE_HOP } from '../helpers/plans.js';
import { judged, Script, watchingFor, type ActivityName } from '../helpers/scripted-activities.js';
import { LEDGER } from '../helpers/statuses.js';

// A roll-out waits for its server most of the time, so those of this file run side by side.
let controlPlane: ControlPlane;
beforeAll(async () => {
  controlPlane = await ControlPlane.start();
}, 600_000);
afterAll(() => controlPlane.stop());

const HOP = 'live/1.31.2';
const LONG_SETTLE = { settle: { atLeast: '1h', reason: 'a test', proofTimeout: 1_000 } };
const ABORT = { by: 'ada', reason: 'enough for today' };
/** What a roll-out that is over still does. */
const CLOSING: readonly ActivityName[] = [
  'identifySender',
  'takeBackRollSettings',
  'releaseTarget',
  'verifyLedger',
  'gatherEvidence',
  'findEarlier',
  'writeReport',
];

const waitsFor =
  (what: string) =>
  ({ waiting }: RolloutStatus) =>
    waiting?.for === 'time' && waiting.what.startsWith(what);
const inSettle = waitsFor('shard settle');

/** Aborts it, and sees that it ends as every aborted roll-out does. */
async function abort(run: RunningRollout, release?: () => void): Promise<RolloutResult> {
  expect(await run.update('abort', ABORT)).toBe('abort taken');
  release?.();
  const result = await run.result();
  expect(result).toMatchObject({ status: 'aborted', reason: ABORT.reason });
  expect(result.decisions.at(-1)).toMatchObject({ kind: 'abort', ...ABORT, counted: true });
  // By the history: what was begun a moment before may reach its worker only after the abort.
  const history = await events(run);
  const aborted = history.findLastIndex((event) => event.workflowExecutionUpdateAcceptedEventAttributes);
  const after = history.slice(aborted).map((event) => event.activityTaskScheduledEventAttributes?.activityType?.name);
  expect(aborted).toBeGreaterThan(0);
  expect(after.filter((name) => name && !CLOSING.includes(name as ActivityName))).toEqual([]);
  expect(run.script.requests('releaseTarget').map(({ target }) => target.name)).toEqual([
    `${run.name}-staging`,
    run.name,
  ]);
  const report = await readFile(join(result.reportDir ?? '', 'report.md'), 'utf8');
  expect(report).toContain(`# Roll-out ${run.workflowId}: aborted`);
  expect(report).toContain(ABORT.reason);
  expect(await run.status()).toMatchObject({ state: 'aborted', next: '' });
  expect(await run.searchAttributes()).toMatchObject({ UpgradeState: 'aborted' });
  return result;
}

async function events(run: RunningRollout) {
  return (await run.histories()).flatMap(({ history }) => history.events ?? []);
}

/** Waits until a pause holds it: its long timer has begun. */
async function held(run: RunningRollout): Promise<void> {
  const text = (data: Uint8Array | null | undefined) => Buffer.from(data ?? []).toString();
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const { events: latest } = await run.latest.fetchHistory();
    const timers = (latest ?? []).filter((event) => event.timerStartedEventAttributes);
    if (timers.some(({ userMetadata }) => text(userMetadata?.summary?.data).includes('paused'))) return;
    await sleep(50);
  }
  throw new Error('it never waited for resume');
}

test.concurrent('abort at a gate leaves the servers as they are', async () => {
  const run = await controlPlane.begin({ policy: { gates: { live: ['schema'] } } });
  await run.atGate(`${HOP}/schema`);
  const { hops, live, staging } = await abort(run);
  expect(hops).toMatchObject([{ outcome: 'aborted', servers: '1.30.7' }]);
  expect([staging.to, live.to]).toEqual(['1.31.2', '1.30.7']);
});

test.concurrent('abort in the settle ends its timer, and the watch over the shards', async () => {
  const script = new Script(LIVE_ALONE);
  const watch = script.holds('proveSettle');
  const run = await controlPlane.begin({ script, policy: LONG_SETTLE });
  await run.until('in the settle', inSettle);
  await watch.begun;
  const { hops, live } = await abort(run);
  expect(hops).toMatchObject([{ outcome: 'aborted', servers: '1.31.2' }]);
  expect(live.to).toBe('1.31.2');
  const all = await events(run);
  expect(all.filter((event) => event.timerCanceledEventAttributes).length).toBe(1);
  expect(all.filter((event) => event.activityTaskCancelRequestedEventAttributes).length).toBe(1);
});

test.concurrent('abort in a long observation cancels it', async () => {
  const script = new Script(LIVE_ALONE);
  const observation = script.holds('observe');
  const run = await controlPlane.begin({ script });
  await observation.begun;
  await abort(run);
  const cancelled = (await events(run)).filter((event) => event.activityTaskCanceledEventAttributes);
  expect(cancelled.length).toBe(1);
});

test.concurrent('abort while it is paused', async () => {
  const script = new Script(LIVE_ALONE);
  const backup = script.holds('backUpConfiguration');
  const run = await controlPlane.begin({ script });
  await backup.begun;
  await run.update('pause', { by: 'ben' });
  backup.release();
  await held(run);
  const { hops } = await abort(run);
  expect(hops[0]?.phases.map(({ phase }) => phase)).toEqual(['preflight', 'baseline', 'backup']);
  expect(hops[0]?.backups.length).toBe(3);
});

test.concurrent('abort in an incident', async () => {
  const run = await controlPlane.begin({ script: new Script(LIVE_ALONE).fails('proveSettle', 'no owner') });
  await run.atIncident(`${HOP}/settle`);
  const { hops } = await abort(run);
  expect(hops).toMatchObject([{ outcome: 'aborted', incidents: 1, servers: '1.31.2' }]);
});

test.concurrent('abort between two nodes says that both versions run', async () => {
  const script = new Script(LIVE_ALONE);
  const node = script.holds('replaceNode');
  const run = await controlPlane.begin({ script });
  await node.begun;
  const { hops, live } = await abort(run, () => node.release());
  expect(script.count('replaceNode')).toBe(1);
  expect(hops).toMatchObject([{ outcome: 'aborted', servers: '1.30.7 and 1.31.2' }]);
  expect(live).toMatchObject({ from: '1.30.7', to: '1.30.7 and 1.31.2' });
});

test.concurrent('abort before the first node says that the old version runs', async () => {
  const script = new Script(LIVE_ALONE);
  const order = script.holds('planRoll');
  const run = await controlPlane.begin({ script });
  await order.begun;
  const { hops } = await abort(run, () => order.release());
  expect(script.count('replaceNode')).toBe(0);
  expect(hops).toMatchObject([{ outcome: 'aborted', servers: '1.30.7' }]);
});

test.concurrent('abort in the settle of a roll-back says that the old version runs again', async () => {
  const run = await controlPlane.begin({ policy: LONG_SETTLE });
  await run.until('in the settle', inSettle);
  await run.update('rollBack', { gate: HOP });
  await run.until(
    'in the settle of the roll-back',
    (status) => inSettle(status) && status.phases.some(({ phase }) => phase === 'roll-back'),
  );
  const { hops, live } = await abort(run);
  expect(hops).toMatchObject([{ outcome: 'aborted', servers: '1.30.7' }]);
  expect(live.to).toBe('1.30.7');
});

test.concurrent('abort in a roll-back that failed says that both versions run', async () => {
  const run = await controlPlane.begin({ script: new Script(LIVE_ALONE).fails('proveSettle', 'no owner') });
  const { name } = await run.atIncident(`${HOP}/settle`);
  run.script.fails('replaceNode', 'it does not start');
  await run.signal('rollBack', { gate: name });
  await run.atIncident(`${HOP}/roll-back`);
  expect((await abort(run)).live.to).toBe('1.30.7 and 1.31.2');
});

test.concurrent('abort after a roll-back says that the old version runs', async () => {
  const run = await controlPlane.begin({ script: new Script(LIVE_ALONE).fails('proveSettle', 'no owner') });
  const { name } = await run.atIncident(`${HOP}/settle`);
  await run.signal('rollBack', { gate: name });
  await run.atIncident(`${HOP}/rolled-back`);
  const { hops, live } = await abort(run);
  expect(hops.map(({ outcome }) => outcome)).toEqual(['rolled-back']);
  expect(live.to).toBe('1.30.7');
});

test.concurrent('abort under load stops the load and says what became of its canaries', async () => {
  const script = new Script(ONE_HOP);
  const node = script.holds('replaceNode');
  script.always('verifyLedger', () => Promise.resolve({ ...LEDGER, completed: 38, running: 2 }));
  const run = await controlPlane.begin({ plan: ONE_HOP, script });
  await node.begun;
  const { staging, live, ledgers } = await abort(run, () => node.release());
  expect([staging.to, live.to]).toEqual(['1.30.7 and 1.31.2', '1.30.7']);
  expect(ledgers).toMatchObject({ staging: { running: 2 } });
  expect(script.requests('verifyLedger')).toMatchObject([{ drain: false }]);
  // Ended by itself, else there would be no result to wait for.
  expect(
    (await run.historyBeside('load', 'staging')).events?.at(-1)?.workflowExecutionCompletedEventAttributes,
  ).toBeTruthy();
});

test.concurrent('abort between staging and live leaves live untouched', async () => {
  const run = await controlPlane.begin({ plan: ONE_HOP, policy: { gates: { live: ['promote'] } } });
  await run.atGate(`${HOP}/promote`);
  const { staging, live, ledgers } = await abort(run);
  expect([staging.to, live.to]).toEqual(['1.31.2', '1.30.7']);
  expect(ledgers).toEqual({ staging: LEDGER });
  expect(run.script.requests('preflight').map(({ environment }) => environment)).toEqual(['staging']);
});

test.concurrent('abort during the preparation changes nothing', async () => {
  const script = new Script(LIVE_ALONE);
  const claim = script.holds('claimTarget');
  const run = await controlPlane.begin({ script });
  await claim.begun;
  await run.update('abort', ABORT);
  claim.release();
  const { status, live } = await run.result();
  expect([status, live.to]).toEqual(['aborted', '1.30.7']);
  expect(script.count('preflight')).toBe(0);
  expect(script.count('releaseTarget')).toBe(2);
});

test.concurrent('abort while live is watched', async () => {
  const run = await controlPlane.begin({ script: watchingFor(LIVE_ALONE), policy: { watchLive: '2 days' } });
  await run.until('watching', waitsFor(`watch ${run.name}`));
  const { hops, live } = await abort(run);
  expect(hops).toMatchObject([{ outcome: 'completed' }]);
  expect(live.to).toBe('1.31.2');
});

test.concurrent('abort in the very last step counts, as it said', async () => {
  const script = new Script(LIVE_ALONE);
  const last = script.holds('verifyRunning');
  const run = await controlPlane.begin({ script });
  await last.begun;
  const { hops, live } = await abort(run, () => last.release());
  expect(hops).toMatchObject([{ outcome: 'completed' }]);
  expect(live.to).toBe('1.31.2');
});

test.concurrent('a pause stops before the next phase, and resume goes on', async () => {
  const script = new Script(LIVE_ALONE);
  const backup = script.holds('backUpConfiguration');
  const run = await controlPlane.begin({ script });
  await backup.begun;
  await run.signal('pause', { by: 'ada', reason: 'lunch' });
  backup.release();
  await held(run);
  const status = await run.status();
  expect(status).toMatchObject({ state: 'paused', paused: { by: 'ada', reason: 'lunch' } });
  expect(status.phases.map(({ phase }) => phase)).toEqual(['preflight', 'baseline', 'backup']);
  expect((await run.metadata()).currentDetails).toContain('**Paused** by ada: lunch');
  expect(script.count('upgradeSchema')).toBe(0);
  await run.signal('resume', { by: 'ada' });
  expect(await run.result()).toMatchObject({ status: 'completed', decisions: [{ kind: 'pause' }, { kind: 'resume' }] });
});

test.concurrent('a pause stops between two nodes', async () => {
  const script = new Script(LIVE_ALONE);
  const node = script.holds('replaceNode');
  const run = await controlPlane.begin({ script });
  await node.begun;
  await run.signal('pause');
  await run.until('paused', ({ state }) => state === 'paused');
  node.release();
  await held(run);
  expect(script.count('replaceNode')).toBe(1);
  await run.signal('resume');
  await run.result();
  expect(script.count('replaceNode')).toBe(4);
});

test.concurrent('a pause holds in the run that comes after', async () => {
  const script = new Script(ONE_HOP);
  const last = script.holds('verifyLedger');
  const run = await controlPlane.begin({ plan: ONE_HOP, script });
  await last.begun;
  await run.update('pause', { by: 'ada', reason: 'overnight' });
  last.release();
  await run.until('in the next run', ({ hops }) => hops.length === 1);
  await held(run);
  expect(await run.status()).toMatchObject({ state: 'paused', paused: { by: 'ada', reason: 'overnight' } });
  expect(script.count('verifyLedger')).toBe(1);
  await run.update('resume');
  expect(await run.result()).toMatchObject({ status: 'completed' });
});

test.concurrent('a roll-out that is cancelled ends between two nodes and lets both clusters go', async () => {
  const script = new Script(ONE_HOP);
  const node = script.holds('replaceNode');
  const run = await controlPlane.begin({ plan: ONE_HOP, script });
  await node.begun;
  await run.latest.cancel();
  node.release();
  await expectCancelled(run);
  expect(script.count('replaceNode')).toBe(1);
  // The node was replaced to the end: a cancelled one may be stopped and not started.
  expect((await events(run)).filter((event) => event.activityTaskCancelRequestedEventAttributes)).toEqual([]);
  await run.historyBeside('load', 'staging');
});

test.concurrent('a roll-out that is cancelled finishes the schema that it is at', async () => {
  const script = new Script(LIVE_ALONE);
  const schema = script.holds('upgradeSchema');
  const run = await controlPlane.begin({ script });
  await schema.begun;
  await run.latest.cancel();
  schema.release();
  await expectCancelled(run);
  expect(script.count('replaceNode')).toBe(0);
  expect((await events(run)).filter((event) => event.activityTaskCancelRequestedEventAttributes)).toEqual([]);
});

test.concurrent.each([
  ['at a gate', { gates: { live: ['schema' as const] } }, ({ state }: RolloutStatus) => state === 'waiting'],
  ['in the settle timer', LONG_SETTLE, inSettle],
  ['while live is watched', { watchLive: '2 days' }, waitsFor('watch')],
])('a roll-out that is cancelled %s lets both clusters go', async (_, policy, there) => {
  const run = await controlPlane.begin({ script: watchingFor(LIVE_ALONE), policy });
  await run.until('there', there);
  await run.latest.cancel();
  await expectCancelled(run);
});

test.concurrent('a roll-out that is cancelled while it prepares lets go of what it held', async () => {
  const script = new Script(LIVE_ALONE).once('claimTarget', () => Promise.resolve());
  const second = script.holds('claimTarget');
  const run = await controlPlane.begin({ script });
  await second.begun;
  await run.latest.cancel();
  const error = await failureOf(run);
  expect(error.cause).toBeInstanceOf(CancelledFailure);
  expect(script.requests('releaseTarget').map(({ target }) => target.name)).toContain(`${run.name}-staging`);
});

test.concurrent(
  'a roll-out that is cancelled at its end still lets both clusters go and writes its report',
  async () => {
    const script = new Script(LIVE_ALONE);
    const release = script.holds('releaseTarget');
    const run = await controlPlane.begin({ script });
    await release.begun;
    await run.latest.cancel();
    release.release();
    const { status, reportDir } = await run.result();
    expect(status).toBe('completed');
    expect(reportDir).toBeDefined();
    expect(script.count('releaseTarget')).toBe(2);
  },
);

test.concurrent('a report that cannot be written and clusters that cannot be let go do not make it fail', async () => {
  const script = new Script(LIVE_ALONE)
    .fails('releaseTarget', 'the target does not answer')
    .fails('releaseTarget', 'the target does not answer')
    .fails('writeReport', 'the disk is full');
  const run = await controlPlane.begin({ script });
  const result = await run.result();
  expect(result).toMatchObject({ status: 'completed', hops: [{ outcome: 'completed' }] });
  expect(result.reportDir).toBeUndefined();
  expect([script.count('releaseTarget'), script.count('writeReport')]).toEqual([2, 1]);
});

test.concurrent('an aborted roll-out whose ledger cannot be read ends all the same', async () => {
  const script = new Script(ONE_HOP).once('observe', judged('fail', 'too bad')).fails('verifyLedger', 'no ledger');
  const run = await controlPlane.begin({ plan: ONE_HOP, script });
  await run.atIncident('staging/1.31.2/baseline');
  expect((await abort(run)).ledgers).toEqual({});
});

test.concurrent('what is decided while it closes does not count, and what comes later is refused', async () => {
  const script = new Script(LIVE_ALONE);
  const release = script.holds('releaseTarget');
  const run = await controlPlane.begin({ script });
  await release.begun;
  const error: unknown = await run.update('abort', ABORT).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(WorkflowUpdateFailedError);
  expect((error as WorkflowUpdateFailedError).cause?.message).toBe('the roll-out is over');
  await run.signal('pause');
  await run.until('noted', ({ decisions }) => decisions.length === 1);
  release.release();
  expect(await run.result()).toMatchObject({
    status: 'completed',
    decisions: [{ kind: 'pause', counted: false, refused: 'the roll-out is over' }],
  });
  await expect(run.update('abort', ABORT)).rejects.toThrow(WorkflowNotFoundError);
  await expect(run.signal('abort', ABORT)).rejects.toThrow(WorkflowNotFoundError);
});

async function failureOf(run: RunningRollout): Promise<WorkflowFailedError> {
  const error: unknown = await run.result().catch((reason: unknown) => reason);
  if (!(error instanceof WorkflowFailedError)) throw error;
  return error;
}

async function expectCancelled(run: RunningRollout): Promise<void> {
  expect((await failureOf(run)).cause).toBeInstanceOf(CancelledFailure);
  expect(run.script.requests('releaseTarget').map(({ target }) => target.name)).toEqual([
    `${run.name}-staging`,
    run.name,
  ]);
}
