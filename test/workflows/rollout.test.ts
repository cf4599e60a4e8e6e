import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { HOP_PHASES } from '../../src/core/status.js';
import { ControlPlane } from '../helpers/control-plane.js';
import { LIVE_ALONE, ONE_HOP, TWO_HOPS } from '../helpers/plans.js';
import { OBSERVATION, Script, judged, type ActivityName } from '../helpers/scripted-activities.js';

// A roll-out waits for its server most of the time, so those of this file run side by side.
let controlPlane: ControlPlane;
// The Temporal CLI may have to be brought first.
beforeAll(async () => {
  controlPlane = await ControlPlane.start();
}, 600_000);
afterAll(() => controlPlane.stop());

const PREPARATION: ActivityName[] = [
  'validateInput',
  'inspectTarget',
  'inspectTarget',
  'makePlan',
  'bringTools',
  'bringTools',
  'examineTarget',
  'examineTarget',
  'claimTarget',
  'claimTarget',
];
const HOP: ActivityName[] = [
  'preflight',
  'observe',
  'backUpStore',
  'backUpStore',
  'backUpConfiguration',
  'upgradeSchema',
  'upgradeSchema',
  'observe',
  'takeSnapshot',
  'planRoll',
  'applyRollSettings',
  ...Array<ActivityName>(4).fill('replaceNode'),
  'takeBackRollSettings',
  'observe',
  'proveSettle',
  'observe',
  'verifyRunning',
];
const HOP_UNDER_LOAD: ActivityName[] = ['startLongCanaries', ...HOP, 'verifyLedger'];

test.concurrent('staging goes hop by hop under load, then live, each phase in its order', async () => {
  const run = await controlPlane.begin({ plan: TWO_HOPS });
  const result = await run.result();

  // The load runs beside the hops, so its call may come at any place after its start.
  const { calls } = run.script;
  expect(calls.map(({ name }) => name).filter((name) => name !== 'runLoad' && name !== 'runMeter')).toEqual([
    ...PREPARATION,
    ...HOP_UNDER_LOAD,
    ...HOP_UNDER_LOAD,
    'verifyLedger',
    ...HOP,
    ...HOP,
    'releaseTarget',
    'releaseTarget',
    'gatherEvidence',
    'gatherEvidence',
    'findEarlier',
    'writeReport',
  ]);
  expect(run.script.requests('preflight').map(({ environment, from, to }) => [environment, from, to])).toEqual([
    ['staging', '1.29.1', '1.30.7'],
    ['staging', '1.30.7', '1.31.2'],
    ['live', '1.29.1', '1.30.7'],
    ['live', '1.30.7', '1.31.2'],
  ]);
  expect(result).toMatchObject({
    rolloutId: run.workflowId,
    status: 'completed',
    staging: { name: `${run.name}-staging`, from: '1.29.1', to: '1.31.2' },
    live: { name: run.name, from: '1.29.1', to: '1.31.2' },
    decisions: [],
    settle: { atLeastMs: 20, reason: 'a test' },
    ledgers: { staging: { started: 40, completed: 40 } },
  });
  expect(result.hops.map(({ outcome, phases }) => [outcome, phases.map(({ phase }) => phase)])).toEqual(
    Array(4).fill(['completed', HOP_PHASES]),
  );

  const histories = await run.histories();
  expect(histories.length).toBe(6);
  for (const { history } of histories) expect(history.events?.length).toBeLessThanOrEqual(250);
});

test.concurrent(
  'load and meter have ids that no other roll-out of this workflow id has, in every run of it',
  async () => {
    const run = await controlPlane.begin({ plan: ONE_HOP });
    await run.result();
    const mark = run.handle.firstExecutionRunId.slice(-8);
    const { script, workflowId } = run;
    const ofLoad = [...script.requests('runLoad'), ...script.requests('startLongCanaries')].map(({ loadId }) => loadId);
    expect(new Set(ofLoad)).toEqual(new Set([`${workflowId}-staging-${mark}`]));
    const ofMeter = [
      ...script.requests('runMeter').map(({ meterId }) => meterId),
      ...script.requests('observe').map(({ meter }) => meter.meterId),
    ];
    expect(new Set(ofMeter)).toEqual(new Set(['staging', 'live'].map((name) => `${workflowId}-${name}-${mark}`)));
    const beside = ['load-staging', 'meter-staging', 'meter-live'].map((what) => `${workflowId}-${what}-${mark}`);
    for (const id of beside) await controlPlane.client.workflow.getHandle(id).describe();
  },
);

test.concurrent('a hop of eight nodes with every gate fits in 250 events', async () => {
  const roll = Array.from({ length: 8 }, (_, index) => ({ node: `node-${index}`, role: 'history' }));
  const script = new Script(ONE_HOP).always('planRoll', () => Promise.resolve(roll));
  const gates = {
    staging: ['schema' as const, 'servers' as const],
    live: ['promote' as const, 'schema' as const, 'servers' as const],
  };
  const load = { staging: { namespace: 'canaries', moreNamespaces: ['more'] } };
  const run = await controlPlane.begin({ plan: ONE_HOP, script, policy: { gates, load } });
  await run.approve('staging/1.31.2/schema');
  await run.approve('staging/1.31.2/servers');
  await run.approve('live/1.31.2/promote');
  await run.approve('live/1.31.2/schema');
  await run.approve('live/1.31.2/servers');
  const { hops } = await run.result();
  const histories = await run.histories();
  expect(histories.length).toBe(4);
  for (const { history } of histories) expect(history.events?.length).toBeLessThanOrEqual(250);
  for (const { historyEvents } of hops) expect(historyEvents).toBeLessThanOrEqual(250);
  expect(script.count('replaceNode')).toBe(16);
  // What runs there is not the target's own work.
  expect(script.requests('takeSnapshot').map(({ canaryNamespaces }) => canaryNamespaces)).toEqual([
    ['canaries', 'more'],
    [],
  ]);
});

test.concurrent('staging that is there already is left alone, and needs no load', async () => {
  const run = await controlPlane.begin({ plan: LIVE_ALONE });
  const { status, hops, ledgers } = await run.result();
  expect({ status, ledgers, hops: hops.map(({ environment }) => environment) }).toEqual({
    status: 'completed',
    ledgers: {},
    hops: ['live'],
  });
  expect(run.script.count('runLoad')).toBe(0);
});

test.concurrent(
  'at a gate it says where it is, why it waits, what comes next, and the command that answers',
  async () => {
    const run = await controlPlane.begin({ plan: LIVE_ALONE, policy: { gates: { live: ['servers'] } } });
    const status = await run.atGate('live/1.31.2/servers');
    expect(status).toMatchObject({
      state: 'waiting',
      to: '1.31',
      current: { environment: 'live', from: '1.30.7', to: '1.31.2', phase: 'servers' },
      next: 'replace the servers, node by node',
      waiting: { for: 'decision', kind: 'approval', allowed: ['approve', 'reject', 'abort'] },
      live: { name: run.name, path: ['1.30.7', '1.31.2'] },
      settle: { atLeastMs: 20, reason: 'a test' },
    });
    expect(status.phases.map(({ phase }) => phase)).toEqual(HOP_PHASES.slice(0, 5));
    expect(status.waiting).toMatchObject({ evidence: expect.arrayContaining([expect.stringMatching(/^backup: /)]) });

    const { currentDetails, definition } = await run.metadata();
    expect(currentDetails).toContain('## Waits for a decision: `live/1.31.2/servers`');
    expect(currentDetails).toContain(
      `temporal workflow signal \\\n  --workflow-id ${run.workflowId} \\\n  --name approve \\\n  --input '{"gate":"live/1.31.2/servers"}'`,
    );
    expect(currentDetails).toContain('shortened to 20ms: a test');
    expect(definition?.signalDefinitions?.find(({ name }) => name === 'approve')?.description).toContain('"gate"');

    expect(await run.searchAttributes()).toEqual({
      UpgradeCluster: run.name,
      UpgradeState: 'waiting',
      UpgradePhase: 'live/1.31.2/servers',
      UpgradeTo: '1.31',
    });

    await run.approve('live/1.31.2/servers');
    expect((await run.result()).hops[0]?.waitedSeconds).toBeGreaterThanOrEqual(0);
    expect(await run.searchAttributes()).toMatchObject({ UpgradeState: 'completed' });
    // Of a roll-out that is over, too.
    expect(await run.status()).toMatchObject({ state: 'completed', next: '' });
  },
);

test.concurrent('a wait for time says until when', async () => {
  const settle = { atLeast: '1h', reason: 'a test', proofTimeout: 1 };
  const run = await controlPlane.begin({ plan: LIVE_ALONE, policy: { settle } });
  const { state, waiting } = await run.until('in the settle', (status) => status.waiting?.for === 'time');
  expect(state).toBe('running');
  expect(waiting).toEqual({
    for: 'time',
    what: 'shard settle of live, shortened: a test',
    since: expect.stringMatching(/^\d{4}-.*Z$/),
    until: expect.stringMatching(/^\d{4}-.*Z$/),
  });
  expect((await run.metadata()).currentDetails).toContain('Waits for **shard settle of live');
  await run.terminate();
});

test.concurrent('where the search attributes are not registered it runs without them', async () => {
  const bare = await controlPlane.addNamespace('bare');
  const run = await controlPlane.begin({ plan: LIVE_ALONE, namespace: bare });
  expect(await run.result()).toMatchObject({ status: 'completed' });
  expect(await run.searchAttributes()).toEqual({});
});

test.concurrent('work on a target is done by the workers of its task queue', async () => {
  const run = await controlPlane.begin({ plan: LIVE_ALONE, liveTaskQueue: 'near-live' });
  await run.until('waiting for live', () => run.script.count('inspectTarget') === 1);
  const stop = await controlPlane.startWorker('near-live', { workflowBundle: undefined });
  expect(await run.result()).toMatchObject({ status: 'completed' });
  await stop();
});

test.concurrent('a worker that starts anew takes a roll-out up where it is', async () => {
  const stopFirst = await controlPlane.startWorker('restarts');
  const policy = { gates: { live: ['servers' as const] } };
  const run = await controlPlane.begin({ plan: LIVE_ALONE, taskQueue: 'restarts', policy });
  await run.atGate('live/1.31.2/servers');
  await stopFirst();
  await run.signal('approve', { gate: 'live/1.31.2/servers' });
  const stopSecond = await controlPlane.startWorker('restarts');
  expect(await run.result()).toMatchObject({ status: 'completed' });
  expect(run.script.count('preflight')).toBe(1);
  await stopSecond();
});

test.concurrent('a roll-out whose every workflow task is replayed from the start comes to the same end', async () => {
  const stop = await controlPlane.startWorker('uncached', { maxCachedWorkflows: 0 });
  const script = new Script(LIVE_ALONE).fails('proveSettle', 'shard 7 has no owner');
  const policy = { gates: { live: ['schema' as const] } };
  const run = await controlPlane.begin({ plan: LIVE_ALONE, script, policy, taskQueue: 'uncached' });
  await run.approve('live/1.31.2/schema');
  const { name } = await run.atIncident('live/1.31.2/settle');
  await run.signal('retry', { gate: name });
  expect(await run.result()).toMatchObject({ status: 'completed', hops: [{ incidents: 1 }] });
  await stop();
});

test.concurrent(
  'live that is watched is looked at every hour, against what it was before; a bad look is an incident',
  async () => {
    const script = new Script(LIVE_ALONE);
    const policy = { watchLive: '3h', observation: { window: 20, extensions: 2 } };
    // Four looks of the hop, the one at live as it was before, and the first of the watch; then one that is bad.
    for (let good = 0; good < 6; good += 1) script.once('observe', judged('pass', 'fine'));
    script.once('observe', judged('fail', 'error ratio 0.3'));
    const run = await controlPlane.begin({ script, policy });
    const { name, status } = await run.atIncident('watch');
    expect(status.problem).toBe(`watch ${run.name}: look 2 of 3: fail\nfail: error-ratio: error ratio 0.3`);
    // Staging is free for others by then.
    expect(script.requests('releaseTarget').map(({ target }) => target.name)).toEqual([`${run.name}-staging`]);
    await run.signal('retry', { gate: name });
    const { steps, live, hops } = await run.result();
    expect(live.to).toBe('1.31.2');
    expect(steps.at(-1)).toMatchObject({
      phase: 'watch',
      summary: `${run.name} was looked at 3 times while it was watched, 3 times well`,
    });
    const looks = script.requests('observe').slice(4);
    // Somebody who says retry goes on with the look that was bad, not with the first.
    expect(looks.map(({ kind }) => kind)).toEqual(['baseline', 'watch', 'watch', 'baseline', 'watch', 'watch']);
    const untouchedUntil = hops[0]?.startedAt;
    expect(looks[0]?.past?.to).toBe(untouchedUntil);
    expect(looks[1]).toMatchObject({ windowMs: 3_600_000, sameHoursUntil: untouchedUntil, baseline: OBSERVATION });
  },
);
