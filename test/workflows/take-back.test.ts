import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { RolloutStatus } from '../../src/core/status.js';
import { ControlPlane, refusal, type RunningRollout } from '../helpers/control-plane.js';
import { LIVE_ALONE, NO_WAY_BACK } from '../helpers/plans.js';
import { judged, Script, watchingFor } from '../helpers/scripted-activities.js';

// What live shows only while it is watched: its last hop is over, and its servers can still go back.
let controlPlane: ControlPlane;
beforeAll(async () => {
  controlPlane = await ControlPlane.start();
}, 600_000);
afterAll(() => controlPlane.stop());

const HOP = 'live/1.31.2';
const WATCHED = { watchLive: '2 days' };
const watching = ({ waiting }: RolloutStatus) => waiting?.for === 'time' && waiting.what.startsWith('watch ');

/** A roll-out that is watched until its servers go back, and not once more. */
async function rolledBack(run: RunningRollout) {
  await run.until('watching', watching);
  expect(await run.update('rollBack', { gate: HOP, by: 'ada', reason: 'customers complain' })).toBe('rollBack taken');
  return run.atIncident(`${HOP}/rolled-back`);
}

test.concurrent('puts the servers back with the same care, and asks a person', async () => {
  const script = watchingFor(LIVE_ALONE);
  const run = await controlPlane.begin({ script, policy: WATCHED });
  const { status } = await rolledBack(run);
  expect(status.hops).toMatchObject([
    { outcome: 'completed', servers: '1.31.2' },
    { outcome: 'rolled-back', servers: '1.30.7', backups: [] },
  ]);
  expect(status.hops[1]?.phases.map(({ phase }) => phase)).toEqual(['roll-back', 'settle']);
  const back = script.requests('replaceNode').slice(-4);
  expect(back.map(({ version }) => version)).toEqual(['1.30.7', '1.30.7', '1.30.7', '1.30.7']);
  // Its files are not those of the hop, nor is the next try's.
  expect(script.requests('takeSnapshot').map(({ attempt }) => attempt)).toEqual([1, 2]);
  await run.signal('abort', { by: 'ada' });
  expect(await run.result()).toMatchObject({ status: 'aborted', live: { from: '1.30.7', to: '1.30.7' } });
});

test.concurrent('retry does the hop again, and watches live again', async () => {
  const script = watchingFor(LIVE_ALONE);
  const run = await controlPlane.begin({ script, policy: WATCHED });
  const { name } = await rolledBack(run);
  await run.signal('retry', { gate: name, by: 'ada' });
  const status = await run.until('watching again', watching);
  expect(status.hops.map(({ outcome }) => outcome)).toEqual(['completed', 'rolled-back', 'completed']);
  expect(script.requests('backUpStore').map(({ attempt }) => attempt)).toEqual([1, 1, 3, 3]);
  await run.signal('abort', { by: 'ada' });
  expect(await run.result()).toMatchObject({ status: 'aborted', live: { to: '1.31.2' } });
});

test.concurrent(
  'what a look finds to be bad is an incident, at which a person may say so; the policy does not',
  async () => {
    const script = new Script(LIVE_ALONE);
    for (let fine = 0; fine < 5; fine += 1) script.once('observe', judged('pass', 'fine'));
    script.once('observe', judged('fail', 'error ratio 0.3'));
    const run = await controlPlane.begin({ script, policy: { watchLive: '3h', onFail: 'rollBack' } });
    const { name, status } = await run.atIncident('watch');
    expect(status.problem).toContain('error ratio 0.3');
    expect(status.waiting).toMatchObject({ allowed: ['approve', 'retry', 'abort', 'rollBack'] });
    await run.signal('rollBack', { gate: name, by: 'ada' });
    const { status: back } = await run.atIncident(`${HOP}/rolled-back`);
    expect(back.hops).toMatchObject([{ outcome: 'completed' }, { outcome: 'rolled-back' }]);
    await run.terminate();
  },
);

test.concurrent('is refused with the reasons where the servers alone cannot go back', async () => {
  const script = watchingFor(NO_WAY_BACK);
  const run = await controlPlane.begin({ plan: NO_WAY_BACK, script, policy: WATCHED });
  await run.until('watching', watching);
  expect(await refusal(run.update('rollBack', { gate: HOP, by: 'ada' }))).toContain(
    'the servers alone cannot go back: table tasks was dropped',
  );
  await run.terminate();
});
