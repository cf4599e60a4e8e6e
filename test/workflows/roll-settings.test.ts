import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { RollSettingsResult } from '../../src/contract/activities.js';
import { ControlPlane, type RunningRollout } from '../helpers/control-plane.js';
import { LIVE_ALONE } from '../helpers/plans.js';
import { Script } from '../helpers/scripted-activities.js';

// The settings with which servers drain: there before the first stops, gone after the last, wherever the roll-out ends.
let controlPlane: ControlPlane;
beforeAll(async () => {
  controlPlane = await ControlPlane.start();
}, 600_000);
afterAll(() => controlPlane.stop());

const HOP = 'live/1.31.2';
const KEYS = ['frontend.shutdownDrainDuration', 'history.shutdownDrainDuration'];
const PICKED_UP = { 'frontend-1': 'seen' } as const;
const UNREACHED = 'worker-1 stops by its own settings: its file is not on this machine';
const done = (keys: readonly string[], limits: readonly string[] = []): RollSettingsResult => ({
  keys,
  nodes: PICKED_UP,
  lines: ['as the test says'],
  limits,
});

function settingScript(): Script {
  return new Script(LIVE_ALONE)
    .always('applyRollSettings', () => Promise.resolve(done(KEYS, [UNREACHED])))
    .always('takeBackRollSettings', () => Promise.resolve(done(KEYS)));
}

const OF_A_ROLL = ['applyRollSettings', 'replaceNode', 'takeBackRollSettings'];

/** What was done to the servers, in order; nodes with the version that they got. */
function rolled({ script }: RunningRollout): string[] {
  return script.calls
    .filter(({ name }) => OF_A_ROLL.includes(name))
    .map(({ name, request }) => (name === 'replaceNode' ? (request as { version: string }).version : name));
}

function serversSummary(phases: readonly { readonly phase: string; readonly summary: string }[] = []) {
  return phases.filter(({ phase }) => phase === 'servers').map(({ summary }) => summary);
}

const FORWARD = ['1.31.2', '1.31.2', '1.31.2', '1.31.2'];
const BACK = ['1.30.7', '1.30.7', '1.30.7', '1.30.7'];

test.concurrent('are set before the first node, taken back after the last, and told', async () => {
  const run = await controlPlane.begin({ script: settingScript(), policy: { roll: { style: 'strict' } } });
  const { hops } = await run.result();
  expect(rolled(run)).toEqual(['applyRollSettings', ...FORWARD, 'takeBackRollSettings']);
  expect(run.script.requests('applyRollSettings')).toMatchObject([
    { direction: 'forward', from: '1.30.7', to: '1.31.2', roll: { style: 'strict' } },
  ]);
  expect(serversSummary(hops[0]?.phases)).toEqual([
    `4 nodes replaced; 2 settings for the roll; ${UNREACHED}; 2 of them taken back`,
  ]);
});

test.concurrent('are shown at the gate before the servers, with what clients can notice all the same', async () => {
  const [hop] = LIVE_ALONE.live.hops;
  if (hop === undefined) throw new Error('the plan has no hop');
  const setting = {
    key: 'frontend.shutdownDrainDuration',
    value: '15s',
    role: 'frontend',
    why: '',
    source: '',
  } as const;
  const limit = { id: 'single-process', text: 'history has one process', source: '' };
  const roll = { style: 'careful', settings: [setting], kept: [], limits: [limit] } as const;
  const plan = { ...LIVE_ALONE, live: { ...LIVE_ALONE.live, hops: [{ ...hop, roll }] } };
  const run = await controlPlane.begin({ script: new Script(plan), policy: { gates: { live: ['servers'] } } });
  const { waiting } = await run.atGate(`${HOP}/servers`);
  expect(waiting).toMatchObject({
    evidence: expect.arrayContaining([
      'set while servers are replaced, taken back after it: frontend.shutdownDrainDuration 15s',
      'while servers are replaced: history has one process',
    ]),
  });
  await run.approve(`${HOP}/servers`);
  await run.result();
});

test.concurrent('that cannot be set are an incident before any server was touched', async () => {
  const script = settingScript().fails('applyRollSettings', 'development.yaml: cannot be written');
  const run = await controlPlane.begin({ script });
  const { name, status } = await run.atIncident(`${HOP}/servers`);
  expect(status.problem).toContain('development.yaml: cannot be written');
  expect(rolled(run)).toEqual(['applyRollSettings']);
  await run.signal('retry', { gate: name });
  await run.result();
  expect(rolled(run)).toEqual(['applyRollSettings', 'applyRollSettings', ...FORWARD, 'takeBackRollSettings']);
});

describe('in the middle of a roll', () => {
  async function atBrokenNode(script: Script) {
    script.fails('replaceNode', 'matching-1 is broken');
    const run = await controlPlane.begin({ script });
    return { run, ...(await run.atIncident(`${HOP}/servers`)) };
  }

  test.concurrent('are taken back when a person ends the roll-out', async () => {
    const { run, name } = await atBrokenNode(settingScript());
    await run.signal('abort', { gate: name, by: 'ada' });
    const { status, hops } = await run.result();
    expect(status).toBe('aborted');
    expect(rolled(run)).toEqual(['applyRollSettings', '1.31.2', 'takeBackRollSettings']);
    expect(serversSummary(hops[0]?.phases)).toEqual([
      'ended while servers were replaced; they run 1.30.7 and 1.31.2, the settings of the roll are taken back',
    ]);
  });

  test.concurrent('are named when they cannot be taken back then', async () => {
    const script = settingScript().fails('takeBackRollSettings', 'development.yaml: the disk is read-only');
    const { run, name } = await atBrokenNode(script);
    await run.signal('abort', { gate: name, by: 'ada' });
    const { hops } = await run.result();
    expect(serversSummary(hops[0]?.phases)).toEqual([
      expect.stringMatching(/settings of the roll are left behind: .*development\.yaml: the disk is read-only/s),
    ]);
  });

  test.concurrent('are taken back when the workflow is cancelled', async () => {
    const script = settingScript();
    const node = script.holds('replaceNode');
    const run = await controlPlane.begin({ script });
    await node.begun;
    await run.latest.cancel();
    node.release();
    await expect(run.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
    expect(rolled(run)).toEqual(['applyRollSettings', '1.31.2', 'takeBackRollSettings']);
  });

  test.concurrent('are those of the way back when the servers go back', async () => {
    const { run, name } = await atBrokenNode(settingScript());
    await run.signal('rollBack', { gate: name });
    await run.atIncident(`${HOP}/rolled-back`);
    expect(rolled(run)).toEqual(['applyRollSettings', '1.31.2', 'applyRollSettings', ...BACK, 'takeBackRollSettings']);
    expect(run.script.requests('applyRollSettings').map(({ direction }) => direction)).toEqual(['forward', 'back']);
    await run.terminate();
  });

  test.concurrent('keep nobody from going back when they cannot be set for that', async () => {
    const script = settingScript().once('applyRollSettings', () => Promise.resolve(done(KEYS)));
    script.fails('applyRollSettings', 'development.yaml: cannot be written');
    const { run, name } = await atBrokenNode(script);
    await run.signal('rollBack', { gate: name });
    const { status } = await run.atIncident(`${HOP}/rolled-back`);
    expect(rolled(run)).toEqual(['applyRollSettings', '1.31.2', 'applyRollSettings', ...BACK, 'takeBackRollSettings']);
    const [summary] = status.hops[0]?.phases.filter(({ phase }) => phase === 'roll-back') ?? [];
    expect(summary?.summary).toContain('not set for the roll: ');
    await run.terminate();
  });
});
