import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { HOP_PHASES, type HopPhase, type RolloutStatus } from '../../src/core/status.js';
import { ControlPlane, refusal, type RunningRollout } from '../helpers/control-plane.js';
import { LIVE_ALONE, NO_WAY_BACK, ONE_HOP } from '../helpers/plans.js';
import { judged, Script, type ActivityName } from '../helpers/scripted-activities.js';
import { LEDGER } from '../helpers/statuses.js';

let controlPlane: ControlPlane;
beforeAll(async () => {
  controlPlane = await ControlPlane.start();
}, 600_000);
afterAll(() => controlPlane.stop());

const HOP = 'live/1.31.2';
const GATE = `${HOP}/restore`;
const WHY = 'table tasks was dropped';
const DECISION = { by: 'ada', reason: 'data is wrong' };
const NODES = ['matching-1', 'history-1', 'frontend-1', 'worker-1'];
/** What a restore does, in order. */
const WORK: readonly ActivityName[] = [
  'prepareRestore',
  'stopServers',
  'restoreStores',
  'takeSnapshot',
  'startServers',
  'planRoll',
  ...NODES.map(() => 'replaceNode' as const),
  'refreshVisibility',
];

function allowedAt({ waiting }: RolloutStatus): readonly string[] {
  return waiting?.for === 'decision' ? waiting.allowed : [];
}

function evidenceAt({ waiting }: RolloutStatus): string {
  return waiting?.for === 'decision' ? waiting.evidence.join('\n') : '';
}

function callsSince({ script }: RunningRollout, count: number): ActivityName[] {
  return script.calls.slice(count).map(({ name }) => name);
}

/** At an incident in the settle of the hop on live. */
async function atSettle(script = new Script(LIVE_ALONE), plan = LIVE_ALONE) {
  script.fails('proveSettle', 'shard 7 has no owner');
  const run = await controlPlane.begin({ plan, script });
  const { name, status } = await run.atIncident(`${HOP}/settle`);
  return { run, script, name, status };
}

describe('asking for it', () => {
  test.concurrent('needs a name and a reason, and an incident after the backups', async () => {
    const { run, name, status } = await atSettle();
    expect(allowedAt(status)).toEqual(['retry', 'abort', 'rollBack', 'restore']);
    for (const half of [{}, { by: 'ada' }, { reason: 'bad' }])
      expect(await refusal(run.update('restore', { gate: name, ...half }))).toContain('needs a name and a reason');
    expect(await refusal(run.update('restore', { gate: HOP, ...DECISION }))).toContain('is not open');
    expect(run.script.count('estimateRestore')).toBe(0);
    await run.terminate();
  });

  test.concurrent.each(['preflight', 'baseline', 'backup'] as const)('is not possible in %s', async (phase) => {
    const script = new Script(LIVE_ALONE);
    if (phase === 'baseline') script.once('observe', judged('fail', 'bad'));
    else script.fails(phase === 'backup' ? 'backUpStore' : 'preflight', 'broken');
    const run = await controlPlane.begin({ script });
    const { name, status } = await run.atIncident(`${HOP}/${phase}`);
    expect(allowedAt(status)).not.toContain('restore');
    expect(await refusal(run.update('restore', { gate: name, ...DECISION }))).toContain('restore is not possible');
    await run.terminate();
  });

  test.concurrent('is possible in every phase after the backups', async () => {
    const after: readonly HopPhase[] = HOP_PHASES.slice(HOP_PHASES.indexOf('backup') + 1);
    const failing: Partial<Record<HopPhase, ActivityName>> = {
      schema: 'upgradeSchema',
      servers: 'replaceNode',
      settle: 'proveSettle',
      verify: 'verifyRunning',
    };
    const script = new Script(LIVE_ALONE).once('observe', judged('pass', 'fine'));
    for (const phase of after) {
      const activity = failing[phase];
      if (activity !== undefined) script.fails(activity, 'broken');
      else script.once('observe', judged('fail', 'bad')).once('observe', judged('pass', 'fine'));
    }
    const run = await controlPlane.begin({ script });
    for (const phase of after) {
      const { name, status } = await run.atIncident(`${HOP}/${phase}`);
      expect([phase, ...allowedAt(status)]).toContain('restore');
      await run.signal('retry', { gate: name });
    }
    expect(await run.result()).toMatchObject({ status: 'completed' });
  });

  test.concurrent('opens a gate with what would be lost, and changes nothing', async () => {
    const { run, script, name } = await atSettle();
    const before = script.calls.length;
    expect(await run.update('restore', { gate: name, ...DECISION })).toBe('restore taken');
    const open = await run.atGate(GATE);
    expect(open).toMatchObject({ state: 'waiting', current: { phase: 'restore' } });
    expect(allowedAt(open)).toEqual(['approve', 'reject', 'abort']);
    expect(evidenceAt(open)).toContain('everything since is undone');
    expect(callsSince(run, before)).toEqual(['estimateRestore']);
    expect(script.requests('estimateRestore')[0]).toMatchObject({
      from: '1.30.7',
      to: '1.31.2',
      backups: { default: { file: '/backups/default', sha256: 'f00d' }, visibility: { file: '/backups/visibility' } },
      schema: { default: '1.17', visibility: '1.9' },
    });

    // Refused, it is the same incident under another number; the old gate's name fits no later one.
    await run.signal('reject', { gate: GATE, by: 'ben', reason: 'too much' });
    const again = await run.atIncident(`${HOP}/settle`);
    expect(again.name).not.toBe(name);
    expect(evidenceAt(again.status)).toContain('shard 7 has no owner');
    expect(evidenceAt(again.status)).toContain(`ben rejected ${GATE}: too much; nothing was changed`);
    await run.signal('restore', { gate: again.name, ...DECISION });
    await run.atGate(`${GATE}/again/2`);
    expect(await refusal(run.update('approve', { gate: GATE, by: 'ada' }))).toContain('is not open');
    await run.signal('abort', { by: 'ada' });
    const result = await run.result();
    expect(result).toMatchObject({ status: 'aborted', hops: [{ outcome: 'aborted', servers: '1.31.2' }] });
    expect(script.count('prepareRestore') + script.count('stopServers') + script.count('restoreStores')).toBe(0);
  });

  test.concurrent('says when what it would lose cannot be found out, and leaves the incident as it was', async () => {
    const { run, script, name } = await atSettle();
    script.fails('estimateRestore', 'the backup is damaged');
    await run.signal('restore', { gate: name, ...DECISION });
    const { name: next, status } = await run.atGate(`${HOP}/settle/incident/2`).then((found) => ({
      name: `${HOP}/settle/incident/2`,
      status: found,
    }));
    expect(evidenceAt(status)).toContain('nothing was changed: the backup is damaged');
    await run.signal('retry', { gate: next });
    expect(await run.result()).toMatchObject({ status: 'completed' });
  });

  test.concurrent('can still end in a roll-back, named by the hop while its gate is open', async () => {
    const { run, name } = await atSettle();
    await run.signal('restore', { gate: name, ...DECISION });
    await run.atGate(GATE);
    await run.signal('rollBack', { gate: HOP, by: 'ada' });
    const { status } = await run.atIncident(`${HOP}/rolled-back`);
    expect(status.hops).toMatchObject([{ outcome: 'rolled-back' }]);
    expect(run.script.count('restoreStores')).toBe(0);
    await run.terminate();
  });
});

describe('once approved', () => {
  async function approved(script = new Script(LIVE_ALONE), plan = LIVE_ALONE) {
    const at = await atSettle(script, plan);
    await at.run.signal('restore', { gate: at.name, ...DECISION });
    await at.run.atGate(GATE);
    const before = script.calls.length;
    await at.run.signal('approve', { gate: GATE, by: 'ben' });
    return { ...at, before };
  }

  test.concurrent(
    'stops, restores, starts and proves; then a person is asked, and retry does the hop again',
    async () => {
      const { run, script, before } = await approved();
      const { name, status } = await run.atIncident(`${HOP}/restored`);
      expect(callsSince(run, before)).toEqual([...WORK, 'proveSettle']);
      expect(status).toMatchObject({ hops: [{ outcome: 'restored', servers: '1.30.7' }] });
      expect(allowedAt(status)).toEqual(['retry', 'abort']);
      const back = { from: '1.31.2', to: '1.30.7', restored: true };
      expect(script.requests('takeSnapshot').at(-1)).toMatchObject({ ...back, shardsOnly: true });
      expect(script.requests('proveSettle').at(-1)).toMatchObject(back);
      expect(script.requests('startServers')).toMatchObject([{ version: '1.30.7' }]);
      expect(script.requests('replaceNode').slice(-4)).toMatchObject(
        NODES.map((node) => ({ node, version: '1.30.7' })),
      );
      // Started a moment ago, all of them have to be there and quiet in the end.
      expect(script.requests('replaceNode').slice(-4)).toMatchObject([
        ...NODES.slice(0, -1).map((node) => expect.not.objectContaining({ node, mayBeNew: true })),
        { node: NODES.at(-1), mayBeNew: true, isLast: true },
      ]);
      // Nothing to put back to: the old version is all that fits the databases.
      expect(script.requests('replaceNode').at(-1)?.previous).toBeUndefined();
      const [hop] = status.hops;
      const restore = hop?.phases.find(({ phase }) => phase === 'restore');
      expect(restore?.summary).toMatch(/kept \(default: database temporal_before_restore_\d{14}/);

      await run.signal('retry', { gate: name });
      const result = await run.result();
      expect(result.hops).toMatchObject([{ outcome: 'restored' }, { outcome: 'completed' }]);
      expect(result.live.to).toBe('1.31.2');
      expect(script.requests('backUpStore').at(-1)).toMatchObject({ attempt: 2 });
    },
  );

  test.concurrent.each(WORK.filter((name, index) => WORK.indexOf(name) === index))(
    'a failure in %s is an incident; retry goes on from what is done',
    async (failing) => {
      const script = new Script(LIVE_ALONE);
      const at = await atSettle(script);
      await at.run.signal('restore', { gate: at.name, ...DECISION });
      await at.run.atGate(GATE);
      script.fails(failing, 'it is broken');
      const before = script.calls.length;
      await at.run.signal('approve', { gate: GATE, by: 'ben' });
      const { name, status } = await at.run.atIncident(GATE);
      expect(status.problem).toBe('it is broken');
      // Half-way there is no other way out, and no second restore.
      expect(allowedAt(status)).toEqual(['retry', 'abort']);
      await at.run.signal('retry', { gate: name });
      await at.run.atIncident(`${HOP}/restored`);
      const done = WORK.slice(0, WORK.indexOf(failing) + 1);
      // Databases that are restored stay so: what runs on them since is not stopped again.
      const again = WORK.slice(WORK.indexOf(failing) > 2 ? 3 : 0);
      expect(callsSince(at.run, before)).toEqual([...done, ...again, 'proveSettle']);
      const stamps = new Set(script.requests('restoreStores').map(({ stamp }) => stamp));
      expect(stamps.size).toBe(1);
      await at.run.terminate();
    },
  );

  test.concurrent('an abort at its incident tells that no server runs', async () => {
    const script = new Script(LIVE_ALONE);
    const at = await atSettle(script);
    script.fails('restoreStores', 'the disk is full');
    await at.run.signal('restore', { gate: at.name, ...DECISION });
    await at.run.approve(GATE);
    await at.run.atIncident(GATE);
    await at.run.signal('abort', { by: 'ada' });
    const result = await at.run.result();
    expect(result).toMatchObject({ status: 'aborted', live: { to: 'none: stopped for a restore' } });
    expect(script.count('startServers')).toBe(0);
  });

  test.concurrent('an activity that dies is tried again by itself', async () => {
    const script = new Script(LIVE_ALONE);
    for (const name of ['stopServers', 'restoreStores', 'startServers'] as const)
      script.once(name, () => Promise.reject(new Error('the worker died')));
    const { run } = await approved(script);
    const { status } = await run.atIncident(`${HOP}/restored`);
    expect(status.hops).toMatchObject([{ outcome: 'restored', incidents: 1 }]);
    await run.terminate();
  });

  test.concurrent('also from the incident of a roll-back that does not succeed', async () => {
    const script = new Script(LIVE_ALONE);
    const at = await atSettle(script);
    script.fails('replaceNode', 'the old server does not start');
    await at.run.signal('rollBack', { gate: at.name, by: 'ada' });
    const { name, status } = await at.run.atIncident(`${HOP}/roll-back`);
    expect(allowedAt(status)).toEqual(['retry', 'abort', 'restore']);
    await at.run.signal('restore', { gate: name, ...DECISION });
    await at.run.approve(GATE);
    const { status: held } = await at.run.atIncident(`${HOP}/restored`);
    expect(held.hops).toMatchObject([{ outcome: 'restored', servers: '1.30.7' }]);
    // The settings of the roll-back that was broken off are taken back before a server starts.
    const names = script.calls.map((call) => call.name);
    expect(names.lastIndexOf('takeBackRollSettings')).toBeGreaterThan(names.indexOf('restoreStores'));
    expect(names.lastIndexOf('takeBackRollSettings')).toBeLessThan(names.indexOf('startServers'));
    await at.run.terminate();
  });

  test.concurrent('canaries that it undid are told, and others that are not right are an incident', async () => {
    const script = new Script(ONE_HOP).fails('proveSettle', 'shard 7 has no owner');
    const run = await controlPlane.begin({ plan: ONE_HOP, script });
    const { name } = await run.atIncident('staging/1.31.2/settle');
    script
      .once('verifyLedger', () => Promise.resolve({ ...LEDGER, undone: 4, lost: 1 }))
      .once('verifyLedger', () => Promise.resolve({ ...LEDGER, undone: 4 }));
    await run.signal('restore', { gate: name, ...DECISION });
    await run.approve('staging/1.31.2/restore');
    const { name: lost, status } = await run.atIncident('staging/1.31.2/verify');
    expect(status.problem).toContain('4 lost by the restore');
    expect(status.problem).toContain('1 canaries did not end as they should');
    expect(script.requests('undoInLedger')).toMatchObject([
      { backupAt: '2026-01-01T00:00:00.000Z', stoppedAt: '2026-01-01T00:10:00.000Z' },
    ]);
    await run.signal('retry', { gate: lost });
    await run.atIncident('staging/1.31.2/restored');
    await run.terminate();
  });
});

describe('a hop over which the servers alone cannot go back', () => {
  test.concurrent('says so at the gate of the servers', async () => {
    const script = new Script(NO_WAY_BACK);
    const run = await controlPlane.begin({ plan: NO_WAY_BACK, script, policy: { gates: { live: ['servers'] } } });
    const open = await run.atGate(`${HOP}/servers`);
    expect(evidenceAt(open)).toContain('once a server of 1.31.2 has run, the servers alone cannot go back');
    expect(evidenceAt(open)).toContain(`no way back: ${WHY} (the scripts)`);
    await run.terminate();
  });

  test.concurrent(
    'refuses a roll-back with the reasons once a new server has run, in the middle of the roll too',
    async () => {
      const script = new Script(NO_WAY_BACK)
        .once('replaceNode', ({ node, version }) =>
          Promise.resolve({ node, before: null, after: version, changed: true, servingAt: '2026-01-01T00:00:00.000Z' }),
        )
        .fails('replaceNode', 'it does not start');
      const run = await controlPlane.begin({ plan: NO_WAY_BACK, script });
      const { name, status } = await run.atIncident(`${HOP}/servers`);
      expect(allowedAt(status)).toEqual(['retry', 'abort', 'restore']);
      for (const gate of [name, HOP]) {
        expect(await refusal(run.update('rollBack', { gate, by: 'ada' }))).toBe(
          `the servers alone cannot go back: ${WHY}. Only the backup can: decide restore at an incident of the hop`,
        );
        await run.signal('rollBack', { gate, by: 'ada' });
      }
      const shown = await run.until(
        'refused',
        ({ decisions }) => decisions.filter(({ counted }) => !counted).length === 2,
      );
      expect(shown.decisions.at(-1)?.refused).toContain(WHY);
      expect((await run.metadata()).currentDetails).toContain('Not counted');
      await run.signal('restore', { gate: name, ...DECISION });
      await run.approve(GATE);
      await run.atIncident(`${HOP}/restored`);
      await run.terminate();
    },
  );

  test.concurrent('still lets the servers go back before one of them has been replaced', async () => {
    const script = new Script(NO_WAY_BACK).fails('takeSnapshot', 'the frontend is away');
    const run = await controlPlane.begin({ plan: NO_WAY_BACK, script });
    const { name, status } = await run.atIncident(`${HOP}/servers`);
    expect(allowedAt(status)).toContain('rollBack');
    await run.signal('rollBack', { gate: name, by: 'ada' });
    await run.atIncident(`${HOP}/rolled-back`);
    await run.terminate();
  });

  test.concurrent('is not rolled back by the policy either: an incident says why', async () => {
    const script = new Script(NO_WAY_BACK);
    for (let fine = 0; fine < 3; fine += 1) script.once('observe', judged('pass', 'fine'));
    script.once('observe', judged('fail', 'error ratio 0.3'));
    const run = await controlPlane.begin({ plan: NO_WAY_BACK, script, policy: { onFail: 'rollBack' } });
    const { status } = await run.atIncident(`${HOP}/observe-servers`);
    expect(status.problem).toContain('error ratio 0.3');
    expect(status.problem).toContain('not rolled back by itself (policy.onFail): the servers alone cannot go back');
    expect(status.problem).toContain(WHY);
    expect(status.decisions).toEqual([]);
    await run.terminate();
  });
});
