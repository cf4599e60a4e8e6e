import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { ControlPlane, refusal } from '../helpers/control-plane.js';
import { LIVE_ALONE } from '../helpers/plans.js';
import { isRecheck, judged, Script } from '../helpers/scripted-activities.js';

// A roll-out waits for its server most of the time, so those of this file run side by side.
let controlPlane: ControlPlane;
beforeAll(async () => {
  controlPlane = await ControlPlane.start();
}, 600_000);
afterAll(() => controlPlane.stop());

const SCHEMA = 'live/1.31.2/schema';
const SERVERS = 'live/1.31.2/servers';
const PROMOTE = 'live/1.31.2/promote';
const AT_SCHEMA = { gates: { live: ['schema' as const] } };

/** Nothing in its hop that a person has to look at. */
const NO_DOUBTS = {
  ...LIVE_ALONE,
  live: { ...LIVE_ALONE.live, hops: LIVE_ALONE.live.hops.map((hop) => ({ ...hop, findings: [] })) },
};

describe('who decided is read from the event', () => {
  test.concurrent('of a signal and of an update, beside what the payload says', async () => {
    const run = await controlPlane.begin({ policy: { gates: { live: ['schema', 'servers'] } } });
    await run.atGate(SCHEMA);
    await run.as('ben@ops').signal('pause', { by: 'ada' });
    await run.as('cleo@ops').signal('resume', {});
    await run.as('eve@ops').signal('approve', { gate: SCHEMA, by: 'ada' });
    await run.atGate(SERVERS);
    await run.as('dan@ops').update('approve', { gate: SERVERS });
    const { decisions } = await run.result();
    expect(decisions).toMatchObject([
      { kind: 'pause', by: 'ada', identity: { claimed: 'ben@ops' }, who: { name: 'ada', grade: 'said' } },
      { kind: 'resume', identity: { claimed: 'cleo@ops' }, who: { name: 'cleo@ops', grade: 'claimed' } },
      { kind: 'approve', by: 'ada', identity: { claimed: 'eve@ops' }, who: { name: 'ada' }, via: 'signal' },
      { kind: 'approve', identity: { claimed: 'dan@ops' }, who: { name: 'dan@ops' }, via: 'update' },
    ]);
  });

  test.concurrent('in each run of the chain', async () => {
    const run = await controlPlane.begin({ policy: { ...AT_SCHEMA, approval: { live: { identity: 'claimed' } } } });
    await run.as('ada@ops').signal('pause', {});
    await run.until('paused', ({ paused }) => paused !== undefined);
    await run.as('ben@ops').signal('resume', {});
    await run.atGate(SCHEMA);
    await run.as('cleo@ops').signal('approve', { gate: SCHEMA });
    const { decisions } = await run.result();
    expect(decisions.map(({ who }) => who?.name)).toEqual(['ada@ops', 'ben@ops', 'cleo@ops']);
  });

  test.concurrent('and is the empty name from a Web UI without a login, which is none', async () => {
    const run = await controlPlane.begin({ policy: { ...AT_SCHEMA, approval: { live: { identity: 'claimed' } } } });
    await run.atGate(SCHEMA);
    await run.rawSignal('approve', 'json/plain', JSON.stringify({ gate: SCHEMA, by: 'ada' }));
    expect(await run.decided(1)).toMatchObject({
      counted: false,
      refused: expect.stringMatching(/^policy\.approval\.live\.identity asks for who decides as claimed/),
      who: { name: 'ada', grade: 'said' },
    });
    await run.as('ben@ops').signal('approve', { gate: SCHEMA });
    expect(await run.result()).toMatchObject({ status: 'completed' });
  });
});

describe('a gate', () => {
  test.concurrent('that needs two people is passed by the second of them, and says how many it has', async () => {
    const approval = { live: { count: 2, identity: 'claimed' as const, approvers: ['*@ops'] } };
    const run = await controlPlane.begin({ policy: { ...AT_SCHEMA, approval } });
    await run.atGate(SCHEMA);
    expect(await run.as('ada@ops').update('approve', { gate: SCHEMA })).toBe('approve taken: 1 of 2');
    const { waiting } = await run.status();
    expect(waiting).toMatchObject({ name: SCHEMA, needs: { count: 2, given: ['ada@ops'], approvers: ['*@ops'] } });
    expect(await refusal(run.as('ada@ops').update('approve', { gate: SCHEMA }))).toMatch(/has approved already/);
    expect(await refusal(run.as('eve@else').update('approve', { gate: SCHEMA }))).toMatch(/^eve@else is not among/);
    expect(await refusal(run.as('ben@ops').update('approve', { gate: SCHEMA, by: 'cleo' }))).toMatch(/by cleo, but/);
    expect(run.script.count('upgradeSchema')).toBe(0);
    expect(await run.as('ben@ops').update('approve', { gate: SCHEMA })).toBe('approve taken');
    const { decisions } = await run.result();
    expect(decisions.map(({ counted }) => counted)).toEqual([true, false, false, false, true]);
  });

  test.concurrent('is not passed by who started the roll-out, where policy says so', async () => {
    const approval = { live: { identity: 'claimed' as const, starterMayApprove: false } };
    const run = await controlPlane.begin({ identity: 'ada@ops', policy: { ...AT_SCHEMA, approval } });
    await run.atGate(SCHEMA);
    expect(await refusal(run.as('ada@ops').update('approve', { gate: SCHEMA }))).toMatch(/^ada@ops started this/);
    await run.as('ben@ops').update('approve', { gate: SCHEMA });
    expect(await run.result()).toMatchObject({ status: 'completed' });
  });

  test.concurrent('of staging has the rules of staging', async () => {
    const plan = { ...LIVE_ALONE, staging: LIVE_ALONE.live };
    const approval = { live: { approvers: ['ben'] }, staging: { approvers: ['ada'] } };
    const run = await controlPlane.begin({
      plan,
      policy: { gates: { staging: ['schema'], live: ['promote'] }, approval },
    });
    const ofStaging = 'staging/1.31.2/schema';
    await run.atGate(ofStaging);
    expect(await refusal(run.update('approve', { gate: ofStaging, by: 'ben' }))).toMatch(/policy\.approval\.staging/);
    await run.update('approve', { gate: ofStaging, by: 'ada' });
    await run.atGate(PROMOTE);
    expect(await refusal(run.update('approve', { gate: PROMOTE, by: 'ada' }))).toMatch(/policy\.approval\.live/);
    // Nor does the roll-out end by somebody who is not listed, whatever gate they name.
    expect(await refusal(run.update('abort', { by: 'ada' }))).toMatch(/policy\.approval\.live/);
    const elsewhere = { gate: 'staging/1.31.2/servers', by: 'ada' };
    expect(await refusal(run.update('abort', elsewhere))).toMatch(/policy\.approval\.live/);
    await run.update('abort', { by: 'ben' });
    expect(await run.result()).toMatchObject({ status: 'aborted' });
  });

  test.concurrent('that nobody passes in time is an incident; retry observes anew and asks again', async () => {
    const run = await controlPlane.begin({ policy: { ...AT_SCHEMA, approval: { live: { expires: '1s' } } } });
    expect((await run.atGate(SCHEMA)).waiting).toMatchObject({ expiresAt: expect.any(String) });
    const { name, status } = await run.atIncident(SCHEMA);
    expect(status.problem).toBe(`nobody passed ${SCHEMA} within 1s`);
    const looks = run.script.count('observe');
    await run.signal('retry', { gate: name, by: 'ada' });
    await run.approve(`${SCHEMA}/again/2`);
    expect(await run.result()).toMatchObject({ status: 'completed' });
    expect(run.script.count('observe')).toBeGreaterThan(looks);
  });
});

describe('a gate that may pass by itself', () => {
  const AUTOMATIC = { gates: { live: ['schema' as const] }, approval: { live: { automatic: true } } };

  test.concurrent('does when all before it passed, and the evidence holds still', async () => {
    const run = await controlPlane.begin({ plan: NO_DOUBTS, policy: AUTOMATIC });
    const { decisions, status } = await run.result();
    expect(status).toBe('completed');
    expect(decisions).toMatchObject([
      { kind: 'approve', gate: SCHEMA, by: 'policy.approval.live.automatic', via: 'policy', counted: true },
    ]);
    const rechecks = run.script.requests('observe').filter(({ kind, past }) => kind === 'schema' && past !== undefined);
    expect(rechecks).toHaveLength(1);
  });

  test.concurrent('asks where there is something to look at', async () => {
    const run = await controlPlane.begin({ policy: AUTOMATIC });
    await run.approve(SCHEMA);
    expect((await run.result()).decisions).toMatchObject([{ kind: 'approve', by: 'ada', via: 'signal' }]);
  });

  test.concurrent('asks where a person let something pass', async () => {
    const script = new Script(NO_DOUBTS).once('observe', judged('fail', 'too bad'));
    const run = await controlPlane.begin({ plan: NO_DOUBTS, script, policy: AUTOMATIC });
    const { name } = await run.atIncident('live/1.31.2/baseline');
    await run.signal('approve', { gate: name, by: 'ada', reason: 'known' });
    await run.approve(SCHEMA);
    expect(await run.result()).toMatchObject({ status: 'completed' });
  });

  test.concurrent('does not on evidence that has broken since', async () => {
    const script = new Script(NO_DOUBTS);
    let bad = true;
    script.always('observe', (request) => {
      return judged(isRecheck(request) && bad ? 'fail' : 'pass', 'so it is')(request);
    });
    const run = await controlPlane.begin({ plan: NO_DOUBTS, script, policy: AUTOMATIC });
    const { name } = await run.atIncident(SCHEMA);
    expect(script.count('upgradeSchema')).toBe(0);
    bad = false;
    await run.signal('retry', { gate: name, by: 'ada' });
    const { decisions } = await run.result();
    expect(decisions.at(-1)).toMatchObject({ gate: `${SCHEMA}/again/4`, via: 'policy' });
  });
});

describe('a window', () => {
  const WINDOWS = { timeZone: 'UTC', open: [{ from: '00:00', to: '23:59' }] };
  const inMs = (ms: number) => () => Promise.resolve({ opensAt: new Date(Date.now() + ms).toISOString() });
  const policy = { ...AT_SCHEMA, approval: { live: { windows: WINDOWS } } };
  // By the real calendar it is open but for a minute a day.
  const scripted = () => new Script(LIVE_ALONE).always('nextOpening', ({ at }) => Promise.resolve({ opensAt: at }));

  test.concurrent('that is open is not waited for', async () => {
    const script = scripted();
    const run = await controlPlane.begin({ script, policy });
    await run.approve(SCHEMA);
    expect(await run.result()).toMatchObject({ status: 'completed' });
    // Before the schemas, and before the servers, which have no gate here.
    expect(script.count('nextOpening')).toBe(2);
  });

  test.concurrent('is waited for in sight, after the approval; then the evidence is looked at again', async () => {
    const script = scripted().once('nextOpening', inMs(1_500));
    const run = await controlPlane.begin({ script, policy });
    await run.approve(SCHEMA);
    const { waiting, current } = await run.until('waiting', (status) => status.waiting?.for === 'time');
    expect(waiting).toMatchObject({ what: expect.stringMatching(/^the window of schema, which opens at 2/) });
    expect(current?.phase).toBe('schema');
    expect(script.count('upgradeSchema')).toBe(0);
    expect(await run.result()).toMatchObject({ status: 'completed' });
    const rechecks = script.requests('observe').filter(({ kind, past }) => kind === 'schema' && past !== undefined);
    expect(rechecks).toHaveLength(2);
  });

  test.concurrent('after which the evidence has broken is an incident; retry observes anew', async () => {
    const script = scripted().once('nextOpening', inMs(500));
    let rechecks = 0;
    script.always('observe', (request) => {
      rechecks += isRecheck(request) ? 1 : 0;
      return judged(isRecheck(request) && rechecks === 2 ? 'fail' : 'pass', 'so it is')(request);
    });
    const run = await controlPlane.begin({ script, policy });
    await run.approve(SCHEMA);
    const { name, status } = await run.atIncident(SCHEMA);
    expect(status.problem).toMatch(/^what \S+ rests on has broken while its window was waited for/);
    expect(script.count('upgradeSchema')).toBe(0);
    await run.signal('retry', { gate: name, by: 'ada' });
    expect(await run.result()).toMatchObject({ status: 'completed' });
  });

  test.concurrent('that cannot be known is an incident', async () => {
    const script = scripted().once('nextOpening', () =>
      Promise.reject(ApplicationFailure.nonRetryable('no window opens within a year')),
    );
    const run = await controlPlane.begin({ script, policy });
    await run.approve(SCHEMA);
    const { name, status } = await run.atIncident(SCHEMA);
    expect(status.problem).toContain('no window opens within a year');
    await run.signal('retry', { gate: name, by: 'ada' });
    expect(await run.result()).toMatchObject({ status: 'completed' });
  });

  test.concurrent('is not waited for by who aborts', async () => {
    const run = await controlPlane.begin({ script: scripted().once('nextOpening', inMs(3_600_000)), policy });
    await run.approve(SCHEMA);
    await run.until('waiting', (status) => status.waiting?.for === 'time');
    await run.signal('abort', { by: 'ada' });
    expect(await run.result()).toMatchObject({ status: 'aborted' });
  });
});

describe('a signal under another name', () => {
  test.concurrent('that is only spelled otherwise counts, with its sender', async () => {
    const run = await controlPlane.begin({ policy: { ...AT_SCHEMA, approval: { live: { identity: 'claimed' } } } });
    await run.atGate(SCHEMA);
    await run.as('eve@ops').rawSignal('approve', 'json/plain', '{}');
    await run.as('ada@ops').latest.signal('Approved', { Gate: SCHEMA });
    const { decisions } = await run.result();
    expect(decisions).toMatchObject([
      { kind: 'approve', counted: false },
      { kind: 'approve', sentAs: 'Approved', gate: SCHEMA, counted: true, who: { name: 'ada@ops', grade: 'claimed' } },
    ]);
  });

  test.concurrent('that is no decision is told, and does nothing', async () => {
    const run = await controlPlane.begin({ policy: AT_SCHEMA });
    await run.atGate(SCHEMA);
    await run.latest.signal('approveAll', { gate: SCHEMA });
    expect(await run.decided(1)).toMatchObject({
      kind: 'unknown',
      sentAs: 'approveAll',
      counted: false,
      refused: expect.stringMatching(/^no decision is called approveAll; there are approve, reject, /),
    });
    await run.approve(SCHEMA);
    expect(await run.result()).toMatchObject({ status: 'completed' });
  });
});
