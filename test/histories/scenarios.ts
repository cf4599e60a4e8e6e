import type { ControlPlane, RunningRollout } from '../helpers/control-plane.js';
import { LIVE_ALONE, NO_WAY_BACK, ONE_HOP } from '../helpers/plans.js';
import { judged, Script, watchingFor } from '../helpers/scripted-activities.js';

/** A roll-out that is recorded for replay: played to its end, every run of its chain becomes a file. */
export interface Scenario {
  readonly name: string;
  /** Whether load and meter of staging, workflows of their own, are recorded too. */
  readonly beside?: true;
  play(controlPlane: ControlPlane): Promise<RunningRollout>;
}

const SCHEMA = 'live/1.31.2/schema';
const SERVERS = 'live/1.31.2/servers';
const RESTORE = { by: 'ada', reason: 'data is wrong' };
const LONG_SETTLE = { settle: { atLeast: '1h', reason: 'a test', proofTimeout: 1_000 } };

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'staging-then-live',
    beside: true,
    async play(controlPlane) {
      const gates = { staging: [], live: ['schema' as const, 'servers' as const, 'promote' as const] };
      const run = await controlPlane.begin({ plan: ONE_HOP, policy: { gates, watchLive: 20 } });
      await run.approve('live/1.31.2/promote');
      await run.atGate(SCHEMA);
      await run.signal('approve', { gate: SERVERS, by: 'ada' });
      await run.signal('pause', { by: 'ada', reason: 'lunch' });
      await run.signal('approve', { gate: SCHEMA, by: 'ada', reason: 'quiet hour' });
      await run.until('paused', ({ state }) => state === 'paused');
      await run.signal('resume', { by: 'ada' });
      await run.atGate(SERVERS);
      await run.update('approve', { gate: SERVERS, by: 'ben' });
      return run;
    },
  },
  {
    name: 'incidents',
    async play(controlPlane) {
      const script = new Script(LIVE_ALONE)
        .once('observe', judged('inconclusive', '3 requests'))
        .once('observe', judged('fail', 'error ratio 0.2'))
        .fails('proveSettle', 'shard 7 has no owner');
      const run = await controlPlane.begin({ script, policy: { gates: { live: ['schema'] } } });
      const { name: baseline } = await run.atIncident('live/1.31.2/baseline');
      await run.signal('approve', { gate: baseline, by: 'ada', reason: 'known noise' });
      await run.atGate(SCHEMA);
      await run.signal('reject', { gate: SCHEMA, by: 'ada', reason: 'it is Friday' });
      const { name: rejected } = await run.atIncident(SCHEMA);
      await run.signal('retry', { gate: rejected, by: 'ada' });
      await run.approve(SCHEMA);
      const { name: settle } = await run.atIncident('live/1.31.2/settle');
      await run.signal('retry', { gate: settle, by: 'ada' });
      return run;
    },
  },
  {
    name: 'rolled-back',
    async play(controlPlane) {
      const script = new Script(LIVE_ALONE)
        .once('observe', judged('pass', 'fine'))
        .once('observe', judged('pass', 'fine'))
        .once('observe', judged('pass', 'fine'));
      script.once('observe', judged('fail', 'error ratio 0.2'));
      const run = await controlPlane.begin({ script });
      const { name } = await run.atIncident('live/1.31.2/observe-servers');
      await run.signal('rollBack', { gate: name, by: 'ada', reason: 'errors' });
      const { name: back } = await run.atIncident('live/1.31.2/rolled-back');
      await run.signal('retry', { gate: back, by: 'ada' });
      return run;
    },
  },
  {
    name: 'rolled-back-by-policy-then-aborted',
    async play(controlPlane) {
      const script = new Script(LIVE_ALONE)
        .once('observe', judged('pass', 'fine'))
        .once('observe', judged('pass', 'fine'))
        .once('observe', judged('fail', 'error ratio 0.2'));
      const run = await controlPlane.begin({ script, policy: { onFail: 'rollBack' } });
      await run.atIncident('live/1.31.2/rolled-back');
      await run.signal('abort', { by: 'ada', reason: 'enough for today' });
      return run;
    },
  },
  {
    name: 'evidence-that-broke',
    async play(controlPlane) {
      const broken = { verdict: 'fail' as const, checks: [], summary: '', lines: ['fail: history-1 is down'] };
      const script = new Script(LIVE_ALONE)
        .once('watchEvidence', () => Promise.resolve({ verdict: broken }))
        // Baseline, schema, the look after the evidence broke; then the look at an approval, which makes it void.
        .once('observe', judged('pass', 'fine'))
        .once('observe', judged('pass', 'fine'))
        .once('observe', judged('pass', 'fine'))
        .once('observe', judged('fail', 'down again'));
      const run = await controlPlane.begin({ script, policy: { gates: { live: ['servers'] } } });
      await run.approve(`${SERVERS}/again/2`);
      await run.approve(`${SERVERS}/again/3`);
      return run;
    },
  },
  {
    name: 'rolled-back-in-settle-then-aborted',
    async play(controlPlane) {
      const script = new Script(LIVE_ALONE);
      const watches = [script.holds('proveSettle'), script.holds('proveSettle')];
      const run = await controlPlane.begin({ script, policy: LONG_SETTLE });
      await run.until('in the settle', ({ waiting }) => waiting?.for === 'time');
      await watches[0]?.begun;
      await run.signal('rollBack', { gate: 'live/1.31.2', by: 'ada', reason: 'second thoughts' });
      await run.until(
        'in the settle of the roll-back',
        ({ waiting, phases }) => waiting?.for === 'time' && phases.some(({ phase }) => phase === 'roll-back'),
      );
      await watches[1]?.begun;
      await run.signal('abort', { by: 'ada', reason: 'enough for today' });
      return run;
    },
  },
  {
    name: 'taken-back-while-watched',
    async play(controlPlane) {
      const script = watchingFor(LIVE_ALONE);
      const run = await controlPlane.begin({ script, policy: { watchLive: '2 days' } });
      await run.until('watching', ({ waiting }) => waiting?.for === 'time' && waiting.what.startsWith('watch '));
      await run.signal('rollBack', { gate: 'live/1.31.2', by: 'ada', reason: 'customers complain' });
      const { name } = await run.atIncident('live/1.31.2/rolled-back');
      await run.signal('retry', { gate: name, by: 'ada' });
      await run.until('watching again', ({ hops, waiting }) => hops.length === 3 && waiting?.for === 'time');
      await run.signal('abort', { by: 'ada', reason: 'enough for today' });
      return run;
    },
  },
  {
    name: 'restored-then-retried',
    async play(controlPlane) {
      // Under load, so that the ledger is told what was undone.
      const script = new Script(ONE_HOP).fails('proveSettle', 'shard 7 has no owner');
      const run = await controlPlane.begin({ plan: ONE_HOP, script });
      const { name } = await run.atIncident('staging/1.31.2/settle');
      await run.update('restore', { gate: name, ...RESTORE });
      script.fails('startServers', 'the port is taken');
      await run.approve('staging/1.31.2/restore');
      const { name: half } = await run.atIncident('staging/1.31.2/restore');
      await run.signal('retry', { gate: half, by: 'ada' });
      const { name: restored } = await run.atIncident('staging/1.31.2/restored');
      await run.signal('retry', { gate: restored, by: 'ada' });
      return run;
    },
  },
  {
    name: 'restore-rejected-then-aborted',
    async play(controlPlane) {
      const script = new Script(LIVE_ALONE).fails('proveSettle', 'shard 7 has no owner');
      const run = await controlPlane.begin({ script });
      const { name } = await run.atIncident('live/1.31.2/settle');
      await run.signal('restore', { gate: name, ...RESTORE });
      await run.atGate('live/1.31.2/restore');
      await run.signal('reject', { gate: 'live/1.31.2/restore', by: 'ben', reason: 'too much would be lost' });
      await run.atIncident('live/1.31.2/settle');
      await run.signal('abort', { by: 'ada', reason: 'enough for today' });
      return run;
    },
  },
  {
    name: 'restored-after-a-failed-roll-back',
    async play(controlPlane) {
      const script = new Script(LIVE_ALONE).fails('proveSettle', 'shard 7 has no owner');
      const run = await controlPlane.begin({ script });
      const { name } = await run.atIncident('live/1.31.2/settle');
      script.fails('replaceNode', 'the old server does not start');
      await run.signal('rollBack', { gate: name, by: 'ada' });
      const { name: failed } = await run.atIncident('live/1.31.2/roll-back');
      await run.signal('restore', { gate: failed, ...RESTORE });
      await run.approve('live/1.31.2/restore');
      await run.atIncident('live/1.31.2/restored');
      await run.signal('abort', { by: 'ada', reason: 'enough for today' });
      return run;
    },
  },
  {
    name: 'roll-back-refused',
    async play(controlPlane) {
      const script = new Script(NO_WAY_BACK);
      for (let fine = 0; fine < 3; fine += 1) script.once('observe', judged('pass', 'fine'));
      script.once('observe', judged('fail', 'error ratio 0.2'));
      const run = await controlPlane.begin({ plan: NO_WAY_BACK, script, policy: { onFail: 'rollBack' } });
      const { name } = await run.atIncident('live/1.31.2/observe-servers');
      await run.signal('rollBack', { gate: name, by: 'ada' });
      await run.until('refused', ({ decisions }) => decisions.some(({ counted }) => !counted));
      await run.signal('approve', { gate: name, by: 'ada', reason: 'known noise' });
      return run;
    },
  },
  {
    name: 'aborted-in-observation',
    async play(controlPlane) {
      const script = new Script(ONE_HOP);
      const observation = script.holds('observe');
      const run = await controlPlane.begin({ plan: ONE_HOP, script });
      await observation.begun;
      await run.signal('abort', { by: 'ada', reason: 'wrong cluster' });
      return run;
    },
  },
];
