import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ActivityFailure, RetryState, TimeoutFailure, TimeoutType } from '@temporalio/common';
import type { LedgerSummary } from '../../src/core/ledger.js';
import { HOP_PHASES, type HopPhase, type RolloutStatus } from '../../src/core/status.js';
import { describeFailure } from '../../src/workflows/describe-failure.js';
import { ControlPlane, refusal, type RunningRollout } from '../helpers/control-plane.js';
import { LIVE_ALONE, ONE_HOP, TWO_HOPS } from '../helpers/plans.js';
import { judged, OBSERVATION, Script, type ActivityName } from '../helpers/scripted-activities.js';
import { LEDGER } from '../helpers/statuses.js';

// A roll-out waits for its server most of the time, so those of this file run side by side.
let controlPlane: ControlPlane;
beforeAll(async () => {
  controlPlane = await ControlPlane.start();
}, 600_000);
afterAll(() => controlPlane.stop());

const HOP = 'live/1.31.2';
const OBSERVATIONS: readonly HopPhase[] = ['baseline', 'observe-schema', 'observe-roll', 'observe-servers'];
const OVERRIDABLE: readonly HopPhase[] = [
  'baseline',
  'backup',
  'observe-schema',
  'observe-roll',
  'observe-servers',
  'verify',
];
/** Phases that can be rolled back: servers have been touched. */
const REVERSIBLE: readonly HopPhase[] = ['servers', 'observe-roll', 'settle', 'observe-servers', 'verify'];
const LONG_SETTLE = { settle: { atLeast: '1h', reason: 'a test', proofTimeout: 1_000 } };

/** The activity of each phase that fails here, and all that the phase does. */
const WORK: Record<HopPhase, readonly ActivityName[]> = {
  preflight: ['preflight'],
  baseline: ['observe'],
  backup: ['backUpStore', 'backUpStore', 'backUpConfiguration'],
  schema: ['upgradeSchema', 'upgradeSchema'],
  'observe-schema': ['observe'],
  servers: [
    ...(['takeSnapshot', 'planRoll', 'applyRollSettings'] as const),
    ...(['replaceNode', 'replaceNode', 'replaceNode', 'replaceNode', 'takeBackRollSettings'] as const),
  ],
  'observe-roll': ['observe'],
  settle: ['proveSettle'],
  'observe-servers': ['observe'],
  verify: ['verifyRunning'],
};

/** Every phase of the hop fails the first time, in its first activity; `again` names those that are then done again. */
function failingOnceInEveryPhase(again: readonly HopPhase[]): Script {
  const script = new Script(LIVE_ALONE);
  for (const phase of HOP_PHASES) {
    if (OBSERVATIONS.includes(phase)) {
      script.once('observe', judged('fail', `too bad in ${phase}`));
      if (again.includes(phase)) script.once('observe', judged('pass', 'fine'));
    } else script.fails(WORK[phase][0] ?? 'preflight', `broken in ${phase}`);
  }
  return script;
}

function failingIn(phase: HopPhase, problem = 'it is broken'): Script {
  const script = new Script(LIVE_ALONE);
  if (!OBSERVATIONS.includes(phase)) return script.fails(WORK[phase][0] ?? 'preflight', problem);
  for (let before = 0; before < OBSERVATIONS.indexOf(phase); before += 1)
    script.once('observe', judged('pass', 'fine'));
  return script.once('observe', judged('fail', problem));
}

function allowedAt({ waiting }: RolloutStatus): readonly string[] | undefined {
  return waiting?.for === 'decision' ? waiting.allowed : undefined;
}

/** Activities of a hop that were called, in order. */
function calledInHop({ script }: RunningRollout): ActivityName[] {
  const names = script.calls.map(({ name }) => name).filter((name) => name !== 'runLoad' && name !== 'runMeter');
  return names.slice(names.indexOf('preflight'), names.indexOf('releaseTarget'));
}

test.concurrent('a failed phase waits for a person, and retry does just that phase again', async () => {
  const run = await controlPlane.begin({ script: failingOnceInEveryPhase(HOP_PHASES) });
  let last = '';
  for (const [index, phase] of HOP_PHASES.entries()) {
    const gate = `${HOP}/${phase}/incident/${index + 1}`;
    const status = await run.atGate(gate);
    expect(status).toMatchObject({
      state: 'incident',
      current: { environment: 'live', phase },
      problem: expect.stringContaining(OBSERVATIONS.includes(phase) ? `too bad in ${phase}` : `broken in ${phase}`),
      waiting: { kind: 'incident' },
    });
    const { currentDetails } = await run.metadata();
    expect(currentDetails).toContain(`## Incident: \`${gate}\``);
    expect(currentDetails).toContain(`in ${phase}`);
    expect(await run.searchAttributes()).toMatchObject({ UpgradeState: 'incident', UpgradePhase: `${HOP}/${phase}` });
    // A click on the incident before does not fit this one.
    if (last !== '') expect(await refusal(run.update('retry', { gate: last }))).toContain(`the open one is ${gate}`);
    await run.signal('retry', { gate, by: 'ada' });
    last = gate;
  }
  const { hops } = await run.result();
  expect(hops).toMatchObject([{ outcome: 'completed', incidents: HOP_PHASES.length, servers: '1.31.2' }]);
  expect(hops[0]?.phases.map(({ phase, overridden }) => [phase, overridden])).toEqual(
    HOP_PHASES.map((phase) => [phase, undefined]),
  );
  expect(calledInHop(run)).toEqual(HOP_PHASES.flatMap((phase) => [WORK[phase][0], ...WORK[phase]]));
});

test.concurrent(
  'approve goes on in spite of an incident, with a name and a reason, and never where it must not',
  async () => {
    const run = await controlPlane.begin({ script: failingOnceInEveryPhase([]) });
    for (const [index, phase] of HOP_PHASES.entries()) {
      const gate = `${HOP}/${phase}/incident/${index + 1}`;
      const status = await run.atGate(gate);
      const choices = OVERRIDABLE.includes(phase) ? ['approve', 'retry', 'abort'] : ['retry', 'abort'];
      // Never the backups: that none could be made was let pass.
      expect(allowedAt(status)).toEqual(REVERSIBLE.includes(phase) ? [...choices, 'rollBack'] : choices);
      if (OVERRIDABLE.includes(phase)) {
        for (const half of [{}, { by: 'ada' }, { reason: 'known' }])
          expect(await refusal(run.update('approve', { gate, ...half }))).toContain('needs a name and a reason');
        await run.update('approve', { gate, by: 'ada', reason: `known in ${phase}` });
      } else {
        expect(await refusal(run.update('approve', { gate, by: 'ada', reason: 'no matter' }))).toBe(
          `approve is not possible at ${gate}; possible: ${allowedAt(status)?.join(', ')}`,
        );
        await run.update('retry', { gate });
      }
    }
    const { hops } = await run.result();
    expect(hops[0]?.phases.map(({ phase, overridden }) => [phase, overridden])).toEqual(
      HOP_PHASES.map((phase) => [
        phase,
        OVERRIDABLE.includes(phase) ? { by: 'ada', reason: `known in ${phase}` } : undefined,
      ]),
    );
    expect(hops[0]?.phases[1]?.summary).toContain('went on in spite of: ');
    // What was measured before anything changed is the baseline all the same; without it nothing could be compared.
    const baselines = run.script.requests('observe').map(({ baseline }) => baseline);
    expect(baselines).toEqual([undefined, ...baselines.slice(1).map(() => OBSERVATION)]);
  },
);

test.concurrent('a failure that goes away by itself is no incident', async () => {
  const script = new Script(LIVE_ALONE).once('preflight', () => Promise.reject(new Error('not yet')));
  const run = await controlPlane.begin({ script });
  expect(await run.result()).toMatchObject({ hops: [{ incidents: 0 }] });
  expect(script.count('preflight')).toBe(2);
});

test('an activity that was not heard of any more says so, and where to look', () => {
  const timeout = new TimeoutFailure('activity Heartbeat timeout', undefined, TimeoutType.HEARTBEAT);
  const failure = new ActivityFailure('failed', 'replaceNode', '1', RetryState.MAXIMUM_ATTEMPTS_REACHED, '', timeout);
  expect(describeFailure(failure)).toBe(
    'replaceNode was not heard of any more (HEARTBEAT); is a worker running on its task queue?',
  );
});

describe('roll-back', () => {
  const FORWARD = ['matching-1', 'history-1', 'frontend-1', 'worker-1'];

  test.concurrent.each(REVERSIBLE)('at an incident in %s', async (phase) => {
    const script = failingIn(phase);
    const run = await controlPlane.begin({ script });
    const { name } = await run.atIncident(`${HOP}/${phase}`);
    const before = script.calls.length;
    await run.signal('rollBack', { gate: name, by: 'ada', reason: 'enough' });
    const { name: held, status } = await run.atIncident(`${HOP}/rolled-back`);
    expect(allowedAt(status)).toEqual(['retry', 'abort']);
    expect(status).toMatchObject({ state: 'incident', hops: [{ outcome: 'rolled-back', servers: '1.30.7' }] });
    // Servers in reverse order, shards looked at without a frontend, settled; the schema stays.
    expect(script.calls.slice(before).map(({ name: activity }) => activity)).toEqual([
      'takeSnapshot',
      'planRoll',
      'applyRollSettings',
      ...Array<ActivityName>(4).fill('replaceNode'),
      'takeBackRollSettings',
      'proveSettle',
    ]);
    expect(script.requests('replaceNode').slice(-4)).toMatchObject(
      FORWARD.toReversed().map((node) => ({ node, version: '1.30.7' })),
    );
    expect(script.requests('takeSnapshot').at(-1)).toMatchObject({ from: '1.31.2', to: '1.30.7', shardsOnly: true });
    // The lag of the queues, too, has to be back at what it was before anything changed.
    const lag = { baseline: expect.anything() };
    expect(script.requests('proveSettle').at(-1)).toMatchObject({ from: '1.31.2', to: '1.30.7', lag });
    expect(script.count('upgradeSchema')).toBe(2);

    await run.signal('retry', { gate: held });
    const result = await run.result();
    expect(result.hops).toMatchObject([
      { outcome: 'rolled-back', incidents: 1, from: '1.30.7', to: '1.31.2', servers: '1.30.7' },
      { outcome: 'completed', incidents: 0, from: '1.30.7', to: '1.31.2', servers: '1.31.2' },
    ]);
    expect(result.live.to).toBe('1.31.2');
    for (const activity of ['preflight', 'backUpStore', 'takeSnapshot', 'proveSettle', 'verifyRunning'] as const)
      expect(script.requests(activity).at(-1)).toMatchObject({ from: '1.30.7', to: '1.31.2', attempt: 2 });
  });

  test.concurrent('by naming the hop while the settle timer runs', async () => {
    const run = await controlPlane.begin({ policy: LONG_SETTLE });
    const inTimer = ({ waiting }: RolloutStatus) => waiting?.for === 'time';
    await run.until('in the settle', inTimer);
    expect(await refusal(run.update('rollBack', { gate: 'live/1.30.7' }))).toContain('is not open');
    expect(await run.update('rollBack', { gate: HOP, by: 'ada', reason: 'second thoughts' })).toBe('rollBack taken');
    const back = await run.until(
      'in the settle of the roll-back',
      (status) => inTimer(status) && status.phases.some(({ phase }) => phase === 'roll-back'),
    );
    expect(back.phases.map(({ phase }) => phase)).not.toContain('settle');
    expect(run.script.requests('replaceNode').map(({ version }) => version)).toEqual([
      ...Array<string>(4).fill('1.31.2'),
      ...Array<string>(4).fill('1.30.7'),
    ]);
    // It is being carried out; asking for it again has no effect.
    expect(await refusal(run.update('rollBack', { gate: HOP }))).toContain('is not open');
    await run.terminate();
  });

  test.concurrent('by naming the hop while a node is replaced: after that node', async () => {
    const script = new Script(LIVE_ALONE);
    const node = script.holds('replaceNode');
    const run = await controlPlane.begin({ script });
    await node.begun;
    await run.update('rollBack', { gate: HOP, by: 'ada' });
    node.release();
    await run.atIncident(`${HOP}/rolled-back`);
    expect(script.requests('replaceNode').map((request) => [request.node, request.version])).toEqual([
      ['matching-1', '1.31.2'],
      ...FORWARD.toReversed().map((name) => [name, '1.30.7']),
    ]);
    await run.terminate();
  });

  test.concurrent('is not possible before servers were touched', async () => {
    const script = failingIn('observe-schema');
    const schema = script.holds('upgradeSchema');
    const run = await controlPlane.begin({ script });
    await schema.begun;
    expect(await refusal(run.update('rollBack', { gate: HOP }))).toBe(`gate ${HOP} is not open; no gate is`);
    schema.release();
    const { name } = await run.atIncident(`${HOP}/observe-schema`);
    expect(await refusal(run.update('rollBack', { gate: HOP }))).toContain(`the open one is ${name}`);
    expect(await refusal(run.update('rollBack', { gate: name }))).toContain('rollBack is not possible');
    await run.terminate();
  });

  test.concurrent('that fails is an incident of its own, which cannot be rolled back again', async () => {
    const run = await controlPlane.begin({ script: failingIn('settle') });
    const { name } = await run.atIncident(`${HOP}/settle`);
    run.script
      .fails('replaceNode', 'the old server does not start')
      .fails('proveSettle', 'shard 7 has no owner after the roll-back');
    await run.signal('rollBack', { gate: name });

    const servers = await run.atGate(`${HOP}/roll-back/incident/2`);
    expect(servers).toMatchObject({ problem: 'the old server does not start' });
    expect(allowedAt(servers)).toEqual(['retry', 'abort', 'restore']);
    await run.signal('retry', { gate: `${HOP}/roll-back/incident/2` });

    const settle = await run.atGate(`${HOP}/settle/incident/3`);
    expect(allowedAt(settle)).toEqual(['retry', 'abort', 'restore']);
    await run.signal('retry', { gate: `${HOP}/settle/incident/3` });

    await run.atGate(`${HOP}/rolled-back/incident/4`);
    expect(
      run.script
        .requests('replaceNode')
        .slice(-4)
        .map(({ node }) => node),
    ).toEqual(FORWARD.toReversed());
    await run.terminate();
  });

  test.concurrent('lets the canaries end that were to cross the hop; the next try has its own', async () => {
    const script = new Script(ONE_HOP)
      .fails('proveSettle', 'shard 7 has no owner')
      .fails('releaseLongCanaries', 'the target does not answer');
    const run = await controlPlane.begin({ plan: ONE_HOP, script });
    const { name } = await run.atIncident('staging/1.31.2/settle');
    await run.signal('rollBack', { gate: name, by: 'ada' });
    // The servers have been changed, so a failure here must not end the roll-out either.
    const { name: release, status } = await run.atIncident('staging/1.31.2/load');
    expect(status.problem).toBe('the target does not answer');
    await run.signal('retry', { gate: release });
    const { name: held } = await run.atIncident('staging/1.31.2/rolled-back');
    await run.signal('retry', { gate: held });
    expect(await run.result()).toMatchObject({ status: 'completed', staging: { to: '1.31.2' } });
    expect(script.requests('startLongCanaries').map(({ hop }) => hop)).toEqual([
      'staging-1.31.2-1',
      'staging-1.31.2-2',
    ]);
    expect(script.requests('releaseLongCanaries').map(({ hop }) => hop)).toEqual([
      'staging-1.31.2-1',
      'staging-1.31.2-1',
    ]);
    // The one that went to its end: as it is verified.
    expect(script.requests('verifyLedger').map(({ release }) => release)).toEqual(['staging-1.31.2-2', undefined]);
  });
});

test.concurrent(
  'a workflow that hangs since the hop is an incident; one that hung before it is only told',
  async () => {
    const stuckRun = (count: number, sinceBefore: number) => () =>
      Promise.resolve({
        examined: 20,
        outcomes: { running: 20 },
        missing: [],
        stuck: {
          count,
          sinceBefore,
          examples: [
            { namespace: 'shop', workflowId: 'order-1', runId: 'r', why: 'its timer did not fire', since: 'noon' },
          ],
          historiesUnread: 0,
        },
      });
    const hangs = await controlPlane.begin({ script: new Script(LIVE_ALONE).once('verifyRunning', stuckRun(2, 1)) });
    const { status } = await hangs.atIncident(`${HOP}/verify`);
    expect(status.problem).toContain('1 workflows should have gone on since the hop and did not');
    expect(status.problem).toContain('shop/order-1: its timer did not fire, since noon');
    await hangs.terminate();
    const hung = await controlPlane.begin({ script: new Script(LIVE_ALONE).once('verifyRunning', stuckRun(1, 1)) });
    expect(await hung.result()).toMatchObject({ status: 'completed', hops: [{ incidents: 0 }] });
  },
);

describe('a policy that rolls back by itself', () => {
  const ON_FAIL = { onFail: 'rollBack' as const };

  test.concurrent('puts the servers back when new servers are judged bad, then waits for a person', async () => {
    const run = await controlPlane.begin({ script: failingIn('observe-servers', 'error ratio 0.3'), policy: ON_FAIL });
    const { status } = await run.atIncident(`${HOP}/rolled-back`);
    expect(status.hops).toMatchObject([{ outcome: 'rolled-back', servers: '1.30.7', incidents: 0 }]);
    expect(status.decisions).toMatchObject([
      { kind: 'rollBack', by: 'policy.onFail', via: 'policy', reason: expect.stringContaining('error ratio 0.3') },
    ]);
    await run.terminate();
  });

  test.concurrent('asks a person first about anything else', async () => {
    for (const phase of ['baseline', 'settle', 'verify'] as const) {
      const run = await controlPlane.begin({ script: failingIn(phase), policy: ON_FAIL });
      await run.atIncident(`${HOP}/${phase}`);
      await run.terminate();
    }
    const script = new Script(LIVE_ALONE);
    for (let fine = 0; fine < 3; fine += 1) script.once('observe', judged('pass', 'fine'));
    for (let more = 0; more < 3; more += 1) script.once('observe', judged('inconclusive', '3 requests'));
    const run = await controlPlane.begin({ script, policy: ON_FAIL });
    await run.atIncident(`${HOP}/observe-servers`);
    await run.terminate();
  });
});

describe('observation', () => {
  const windows = ({ script }: RunningRollout) => script.requests('observe').map(({ windowMs }) => windowMs);

  test.concurrent('without evidence is extended, each window twice as long, then it is an incident', async () => {
    const script = new Script(LIVE_ALONE);
    for (let count = 0; count < 3; count += 1) script.once('observe', judged('inconclusive', '3 requests'));
    const run = await controlPlane.begin({ script });
    const { name, status } = await run.atIncident(`${HOP}/baseline`);
    expect(windows(run)).toEqual([10, 20, 40]);
    expect(status.problem).toBe('baseline: inconclusive\ninconclusive: error-ratio: 3 requests');
    await run.signal('retry', { gate: name });
    await run.result();
    expect(windows(run)).toEqual([10, 20, 40, 10, 10, 10, 10]);
  });

  test.concurrent('that finds its evidence in a longer window goes on', async () => {
    const script = new Script(LIVE_ALONE).once('observe', judged('inconclusive', '3 requests'));
    const run = await controlPlane.begin({ script });
    expect(await run.result()).toMatchObject({ hops: [{ incidents: 0 }] });
    expect(windows(run)).toEqual([10, 20, 10, 10, 10]);
  });

  test.concurrent('of the roll that has too little evidence is told, and asked about at the next gate', async () => {
    const script = new Script(ONE_HOP);
    script.always('observe', (request) =>
      judged(request.kind === 'roll' ? 'inconclusive' : 'pass', 'the worker was away')(request),
    );
    // Live has no gate, but staging that is not proved is never promoted by itself.
    const run = await controlPlane.begin({ plan: ONE_HOP, script });
    const { waiting } = await run.atGate('live/1.31.2/promote');
    expect(waiting).toMatchObject({
      evidence: expect.arrayContaining([
        expect.stringMatching(/^not proved: observe-roll: while servers were replaced: inconclusive/),
      ]),
    });
    await run.approve('live/1.31.2/promote');
    expect(await run.result()).toMatchObject({ status: 'completed', hops: [{ incidents: 0 }, { incidents: 0 }] });
  });

  test.concurrent('is not extended where the policy does not allow it', async () => {
    const script = new Script(LIVE_ALONE).once('observe', judged('inconclusive', '3 requests'));
    const run = await controlPlane.begin({ script, policy: { observation: { window: 10, extensions: 0 } } });
    await run.atIncident(`${HOP}/baseline`);
    expect(windows(run)).toEqual([10]);
    await run.terminate();
  });

  test.concurrent('that failed is an incident at once', async () => {
    const script = new Script(LIVE_ALONE).once('observe', judged('fail', 'error ratio 0.2'));
    const run = await controlPlane.begin({ script });
    const { status } = await run.atIncident(`${HOP}/baseline`);
    expect(windows(run)).toEqual([10]);
    expect(status.problem).toBe('baseline: fail\nfail: error-ratio: error ratio 0.2');
    await run.terminate();
  });
});

describe('the account', () => {
  const BAD: readonly (keyof LedgerSummary)[] = ['lost', 'duplicated', 'wrong', 'failed'];

  test.concurrent('fails verify and drain for every canary that did not end as it should', async () => {
    const script = new Script(ONE_HOP);
    const bad = () => {
      for (const kind of BAD) script.once('verifyLedger', () => Promise.resolve({ ...LEDGER, [kind]: 1 }));
    };
    bad();
    // Calls that failed are the generator's business; a canary that runs is none that is lost.
    script.once('verifyLedger', () => Promise.resolve({ ...LEDGER, completed: 30, running: 10, failedCalls: 3 }));
    bad();
    script.once('verifyLedger', () => Promise.resolve({ ...LEDGER, completed: 39, running: 1 }));
    const examples = [{ workflowId: 'canary-7', reason: 'two runs under one id' }];
    script.once('verifyLedger', () => Promise.resolve({ ...LEDGER, duplicated: 1, examples }));
    const run = await controlPlane.begin({ plan: ONE_HOP, script });
    let incident = 0;
    const problem = async (of: string) => {
      incident += 1;
      const gate = `${of}/incident/${incident}`;
      const status = await run.atGate(gate);
      expect(allowedAt(status)).toEqual(expect.arrayContaining(['approve', 'retry', 'abort']));
      await run.signal('retry', { gate });
      return status.problem;
    };
    for (const kind of BAD) {
      const text = await problem('staging/1.31.2/verify');
      expect(text).toContain(`1 ${kind}`);
      expect(text).toContain('\n1 canaries did not end as they should');
    }
    for (const kind of BAD) expect(await problem('drain')).toContain(`1 ${kind}`);
    expect(await problem('drain')).toContain('1 canaries still run');
    expect(await problem('drain')).toContain('canary canary-7: two runs under one id');
    const { ledgers, staging } = await run.result();
    expect(ledgers).toEqual({ staging: LEDGER });
    expect(staging.to).toBe('1.31.2');
    expect(script.requests('verifyLedger').map(({ drain }) => drain)).toEqual([
      ...Array<boolean>(5).fill(false),
      ...Array<boolean>(7).fill(true),
    ]);
  });

  test.concurrent('of a canary that a person let pass is not held against the next hop', async () => {
    const script = new Script(TWO_HOPS);
    script.once('verifyLedger', () => Promise.resolve({ ...LEDGER, completed: 39, lost: 1 }));
    const run = await controlPlane.begin({ plan: TWO_HOPS, script });
    const { name } = await run.atIncident('staging/1.30.7/verify');
    const told = Date.now();
    await run.signal('approve', { gate: name, by: 'ada', reason: 'deleted by hand' });
    await run.until('the second hop is verified', ({ hops }) => hops.length === 2);
    const [first, second] = script.requests('verifyLedger');
    expect(first?.since).toBeUndefined();
    // What was found after she was told counts.
    expect(second?.since).toBeLessThanOrEqual(told);
    expect(second?.since).toBeGreaterThan(told - 60_000);
    await run.terminate();
  });

  test.concurrent('of a drain that a person let pass keeps what was found', async () => {
    const script = new Script(ONE_HOP);
    script.once('verifyLedger', () => Promise.resolve(LEDGER));
    script.once('verifyLedger', () => Promise.resolve({ ...LEDGER, completed: 39, lost: 1 }));
    const run = await controlPlane.begin({ plan: ONE_HOP, script });
    const { name } = await run.atIncident('drain');
    await run.signal('approve', { gate: name, by: 'ada', reason: 'deleted by hand' });
    await run.approve('live/1.31.2/promote');
    expect(await run.result()).toMatchObject({ status: 'completed', ledgers: { staging: { lost: 1 } } });
  });

  test.concurrent('names the workflows that are missing', async () => {
    const missing = ['order-7', 'order-8'];
    const script = new Script(LIVE_ALONE).once('verifyRunning', () =>
      Promise.resolve({ examined: 20, outcomes: { running: 18 }, missing }),
    );
    const run = await controlPlane.begin({ script });
    const { status } = await run.atIncident(`${HOP}/verify`);
    expect(status.problem).toContain('20 running workflows looked at, 2 missing');
    for (const id of missing)
      expect(status.problem).toContain(`workflow ${id} was running before the hop and is not there any more`);
    await run.terminate();
  });
});

test.concurrent('canaries that cannot be started are an incident before the hop', async () => {
  const script = new Script(ONE_HOP).fails('startLongCanaries', 'the namespace is full');
  const run = await controlPlane.begin({ plan: ONE_HOP, script });
  const status = await run.atGate('load/incident/1');
  expect(allowedAt(status)).toEqual(['retry', 'abort']);
  expect(script.count('preflight')).toBe(0);
  await run.signal('retry', { gate: 'load/incident/1' });
  expect(await run.result()).toMatchObject({ status: 'completed' });
});
