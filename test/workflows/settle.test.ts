import { heartbeat } from '@temporalio/activity';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { queryStatus } from '../../src/client.js';
import type { ShardPicture } from '../../src/core/shard-picture.js';
import { ControlPlane } from '../helpers/control-plane.js';
import { LIVE_ALONE } from '../helpers/plans.js';
import { judged, pictureOf, Script } from '../helpers/scripted-activities.js';

// The settle of a hop: a timer, and beside it a watch over the shards.
let controlPlane: ControlPlane;
beforeAll(async () => {
  controlPlane = await ControlPlane.start();
}, 600_000);
afterAll(() => controlPlane.stop());

const settle = (atLeast: string | number) => ({ settle: { atLeast, reason: 'a test', proofTimeout: 1_000 } });
const secondsOfSettle = (phases: readonly { readonly phase: string; readonly seconds: number }[] = []) =>
  phases.find(({ phase }) => phase === 'settle')?.seconds ?? 0;

test.concurrent('a proof that is there at once does not shorten the timer', async () => {
  const run = await controlPlane.begin({ policy: settle('3s') });
  const { hops } = await run.result();
  expect(secondsOfSettle(hops[0]?.phases)).toBeGreaterThanOrEqual(3);
  expect(run.script.count('proveSettle')).toBe(1);
});

test.concurrent('a timer that is over does not stand for the proof', async () => {
  const script = new Script(LIVE_ALONE);
  const watch = script.holds('proveSettle');
  const run = await controlPlane.begin({ script, policy: settle(20) });
  await watch.begun;
  const { current } = await run.until('waiting for the proof', ({ waiting, current: now }) => {
    return now?.phase === 'settle' && waiting === undefined;
  });
  expect(current?.phase).toBe('settle');
  watch.release();
  expect(await run.result()).toMatchObject({ status: 'completed' });
});

test.concurrent('the watch begins with the timer, and is told how long and what is asked', async () => {
  const run = await controlPlane.begin({ policy: { settle: { atLeast: '10m' } } });
  await run.until('in the settle', ({ waiting }) => waiting?.for === 'time');
  await run.until('watched', () => run.script.count('proveSettle') === 1);
  const { waiting } = await run.status();
  const [request] = run.script.requests('proveSettle');
  expect(request).toMatchObject({
    until: waiting?.for === 'time' ? waiting.until : '',
    demands: { steadyMs: 120_000, updates: 2 },
    lag: { meter: { target: { name: run.name } }, baseline: { kind: 'settled' } },
  });
  await run.terminate();
});

test.concurrent('what cannot be proved is told at once, however long the timer', async () => {
  const script = new Script(LIVE_ALONE).fails('proveSettle', 'there is no snapshot');
  const run = await controlPlane.begin({ script, policy: settle('1h') });
  const { name, status } = await run.atIncident('live/1.31.2/settle');
  expect(status.problem).toBe('there is no snapshot');
  await run.signal('retry', { gate: name });
  // The timer begins anew.
  await run.until('in the settle again', ({ waiting }) => waiting?.for === 'time');
  await run.terminate();
});

test.concurrent('a roll-out that was paused in the settle proves it again', async () => {
  const run = await controlPlane.begin({ policy: settle('2s') });
  await run.until('in the settle', ({ waiting }) => waiting?.for === 'time');
  await run.signal('pause', { by: 'ada' });
  await run.until('paused, the timer over', ({ state, waiting }) => state === 'paused' && waiting === undefined);
  expect(run.script.count('proveSettle')).toBe(1);
  await run.signal('resume', { by: 'ada' });
  expect(await run.result()).toMatchObject({ status: 'completed' });
  expect(run.script.count('proveSettle')).toBe(2);
});

test.concurrent('status shows who owns the shards: as the watch sees it, and then as it was proved', async () => {
  const seen: ShardPicture = {
    at: '2026-01-01T10:00:00.000Z',
    wanted: '1.31.2',
    shards: 64,
    owners: [
      { address: 'history-1', version: '1.31.2', shards: 60 },
      { address: 'history-2', version: '1.30.7', shards: 4 },
    ],
    unproved: 4,
    waitsFor: ['shard 3 its owner is still history-2'],
  };
  const script = new Script(LIVE_ALONE);
  const release = Promise.withResolvers<void>();
  script.once('proveSettle', async ({ to }) => {
    heartbeat(seen);
    await release.promise;
    return {
      shards: 64,
      owners: { 'history-1': 64 },
      provedAt: seen.at,
      queueLag: 'lag of the queues not judged: there is no baseline',
      picture: pictureOf(to),
    };
  });
  // The last look at the hop fails, so that it can be looked at after the settle.
  for (let good = 0; good < 3; good += 1) script.once('observe', judged('pass', 'fine'));
  script.once('observe', judged('fail', 'error ratio 0.2'));
  const run = await controlPlane.begin({ script });
  await run.until('in the settle', ({ current }) => current?.phase === 'settle');
  let shown: ShardPicture | undefined;
  while (shown === undefined) ({ shards: shown } = await queryStatus(controlPlane.client, run.workflowId));
  expect(shown).toEqual(seen);
  release.resolve();

  await run.atIncident('live/1.31.2/observe-servers');
  expect((await queryStatus(controlPlane.client, run.workflowId)).shards).toEqual(pictureOf('1.31.2'));
  expect((await run.metadata()).currentDetails).toContain('| history-1 | 1.31.2 | 64 |');
  const { phases } = await run.status();
  expect(phases.find(({ phase }) => phase === 'settle')?.summary).toBe(
    '64 shards, each owned once by a new process (history-1: 64); no owner changed for 20ms; writes of the rows were not waited for; lag of the queues not judged: there is no baseline',
  );
  await run.terminate();
});
