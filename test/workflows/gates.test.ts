import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { ControlPlane, refusal } from '../helpers/control-plane.js';
import { LIVE_ALONE, ONE_HOP } from '../helpers/plans.js';
import { isRecheck, judged, Script, type RequestOf } from '../helpers/scripted-activities.js';

// A roll-out waits for its server most of the time, so those of this file run side by side.
let controlPlane: ControlPlane;
beforeAll(async () => {
  controlPlane = await ControlPlane.start();
}, 600_000);
afterAll(() => controlPlane.stop());

const SCHEMA = 'live/1.31.2/schema';
const SERVERS = 'live/1.31.2/servers';
const PROMOTE = 'live/1.31.2/promote';
const BOTH = { gates: { live: ['schema', 'servers'] as ('schema' | 'servers')[] } };

function failsWhen(bad: (request: RequestOf<'observe'>) => boolean) {
  const failing = () => Promise.reject(ApplicationFailure.nonRetryable('the file of the samples is locked'));
  return (request: RequestOf<'observe'>) => (bad(request) ? failing() : judged('pass', 'fine')(request));
}

test.concurrent('nothing passes a gate before it is approved, and each gate needs an approval of its own', async () => {
  const run = await controlPlane.begin({ policy: BOTH });
  await run.atGate(SCHEMA);
  expect(run.script.count('upgradeSchema')).toBe(0);
  await run.signal('approve', { gate: SCHEMA, by: 'ada', reason: 'quiet hour' });
  await run.atGate(SERVERS);
  expect(run.script.count('upgradeSchema')).toBe(2);
  expect(run.script.count('replaceNode')).toBe(0);
  await run.signal('approve', { gate: SERVERS, by: 'ben' });
  const { decisions } = await run.result();
  expect(decisions).toMatchObject([
    { kind: 'approve', gate: SCHEMA, by: 'ada', reason: 'quiet hour', via: 'signal', counted: true },
    { kind: 'approve', gate: SERVERS, by: 'ben', via: 'signal', counted: true },
  ]);
});

describe('evidence that breaks while a gate is open', () => {
  const fail = { verdict: { verdict: 'fail' as const, checks: [], summary: '', lines: ['fail: history-1 is down'] } };

  test.concurrent('closes the gate; it is observed anew, and asked again under another name', async () => {
    const script = new Script(LIVE_ALONE).once('watchEvidence', () => Promise.resolve(fail));
    const run = await controlPlane.begin({ script, policy: { gates: { live: ['servers'] } } });
    const again = await run.atGate(`${SERVERS}/again/2`);
    expect(again.waiting).toMatchObject({
      evidence: expect.arrayContaining([
        expect.stringMatching(/^evidence broke at \S+: fail: history-1 is down$/),
        'observe-schema, again: pass: 9 checks',
      ]),
    });
    expect(again.phases.map(({ phase }) => phase).filter((phase) => phase === 'observe-schema')).toHaveLength(2);
    await run.signal('approve', { gate: SERVERS, by: 'ada' });
    expect(await run.decided(1)).toMatchObject({ counted: false, refused: expect.stringContaining('again/2') });
    expect(script.count('replaceNode')).toBe(0);
    await run.approve(`${SERVERS}/again/2`);
    expect(await run.result()).toMatchObject({ status: 'completed', hops: [{ incidents: 0 }] });
  });

  test.concurrent('makes an approval void that is given in spite of it', async () => {
    const script = new Script(LIVE_ALONE);
    let bad = true;
    script.always('observe', (request) => judged(isRecheck(request) && bad ? 'fail' : 'pass', 'so it is')(request));
    const run = await controlPlane.begin({ script, policy: { gates: { live: ['schema'] } } });
    await run.atGate(SCHEMA);
    await run.signal('approve', { gate: SCHEMA, by: 'ada' });
    await run.atGate(`${SCHEMA}/again/2`);
    expect(await run.decided(1)).toMatchObject({
      by: 'ada',
      counted: false,
      refused: 'void: the evidence had broken: fail: error-ratio: so it is',
    });
    expect(script.count('upgradeSchema')).toBe(0);
    const looks = script.requests('observe').filter(isRecheck);
    expect(looks).toMatchObject([{ past: { from: expect.any(String), to: expect.any(String) } }]);
    bad = false;
    await run.approve(`${SCHEMA}/again/2`);
    expect(await run.result()).toMatchObject({ status: 'completed' });
  });

  test.concurrent.each([
    ['cannot be looked at', () => new Script(LIVE_ALONE).always('observe', failsWhen(isRecheck))],
    [
      'is not enough',
      () =>
        new Script(LIVE_ALONE).always('observe', (request) =>
          judged(isRecheck(request) ? 'inconclusive' : 'pass', 'so it is')(request),
        ),
    ],
  ])(
    'when an approval is given, and %s: it is observed anew, and the approval counts if that is good',
    async (_, scripted) => {
      const script = scripted();
      const run = await controlPlane.begin({ script, policy: { gates: { live: ['schema'] } } });
      await run.approve(SCHEMA);
      const { phases = [] } = (await run.result()).hops[0] ?? {};
      expect(phases.filter(({ phase }) => phase === 'baseline')).toHaveLength(2);
      expect(script.count('upgradeSchema')).toBe(2);
    },
  );

  test.concurrent(
    'when an approval is given, and neither then nor anew is there enough: a person decides',
    async () => {
      const script = new Script(LIVE_ALONE).once('observe', judged('pass', 'fine'));
      script.always('observe', ({ kind, ...rest }) =>
        judged(kind === 'schema' || kind === 'baseline' ? 'inconclusive' : 'pass', 'nothing seen')({ kind, ...rest }),
      );
      const run = await controlPlane.begin({ script, policy: { gates: { live: ['schema'] } } });
      await run.approve(SCHEMA);
      await run.atIncident('live/1.31.2/baseline');
      expect(script.count('upgradeSchema')).toBe(0);
      await run.terminate();
    },
  );

  test.concurrent('again and again is an incident', async () => {
    const script = new Script(LIVE_ALONE).always('watchEvidence', () => Promise.resolve(fail));
    const run = await controlPlane.begin({ script, policy: { gates: { live: ['schema'] } } });
    const { status } = await run.atIncident(SCHEMA);
    expect(status.problem?.split('\n')[0]).toBe(`what ${SCHEMA} rests on has broken 3 times; retry observes anew`);
    expect(script.count('upgradeSchema')).toBe(0);
    await run.terminate();
  });

  test.concurrent('and stays bad is an incident; one who lets it pass is not asked for evidence again', async () => {
    const script = new Script(LIVE_ALONE).once('watchEvidence', () => Promise.resolve(fail));
    script.once('observe', judged('pass', 'fine')).once('observe', judged('pass', 'fine'));
    script.once('observe', judged('fail', 'still down'));
    const run = await controlPlane.begin({ script, policy: { gates: { live: ['servers'] } } });
    const { name } = await run.atIncident('live/1.31.2/observe-schema');
    await run.signal('approve', { gate: name, by: 'ada', reason: 'a known node' });
    await run.approve(`${SERVERS}/again/2`);
    expect(await run.result()).toMatchObject({ status: 'completed', hops: [{ incidents: 1 }] });
    expect(script.count('watchEvidence')).toBe(1);
  });

  test.concurrent('is not looked for where nobody passed an observation', async () => {
    const script = new Script(LIVE_ALONE).once('observe', judged('fail', 'too bad'));
    const run = await controlPlane.begin({ script, policy: { gates: { live: ['schema'] } } });
    const { name } = await run.atIncident('live/1.31.2/baseline');
    await run.signal('approve', { gate: name, by: 'ada', reason: 'known noise' });
    await run.approve(SCHEMA);
    await run.result();
    expect(script.count('watchEvidence')).toBe(0);
  });
});

test.concurrent('a second click on the gate just passed does not approve the next one', async () => {
  const run = await controlPlane.begin({ policy: BOTH });
  await run.atGate(SCHEMA);
  await Promise.all([run.signal('approve', { gate: SCHEMA }), run.signal('approve', { gate: SCHEMA })]);
  await run.atGate(SERVERS);
  await run.signal('approve', { gate: SCHEMA });
  expect(await run.decided(3)).toMatchObject({ counted: false, refused: expect.stringContaining(SERVERS) });
  const { waiting, decisions } = await run.status();
  expect(waiting).toMatchObject({ name: SERVERS });
  expect(decisions.map(({ counted }) => counted)).toEqual([true, false, false]);
  expect(run.script.count('replaceNode')).toBe(0);
  await run.terminate();
});

test.concurrent('an approval before its gate is open is recorded and ignored', async () => {
  const held = new Script(LIVE_ALONE);
  const preflight = held.holds('preflight');
  const run = await controlPlane.begin({ script: held, policy: BOTH });
  await preflight.begun;
  await run.signal('approve', { gate: SCHEMA, by: 'ada' });
  preflight.release();
  const { decisions } = await run.atGate(SCHEMA);
  expect(decisions).toMatchObject([
    { kind: 'approve', gate: SCHEMA, by: 'ada', counted: false, refused: `gate ${SCHEMA} is not open; no gate is` },
  ]);
  expect(held.count('upgradeSchema')).toBe(0);
  await run.terminate();
});

test.concurrent('a signal may be the bare name of the gate', async () => {
  const run = await controlPlane.begin({ policy: { gates: { live: ['schema'] } } });
  await run.atGate(SCHEMA);
  await run.signal('approve', SCHEMA);
  expect((await run.result()).decisions).toMatchObject([{ gate: SCHEMA, counted: true }]);
});

test.concurrent.each<[string, unknown[], RegExp]>([
  ['nothing', [], /^approve has to name its gate: \{"gate":"live\/1\.31\.2\/schema"\}$/],
  ['null', [null], /has to name its gate/],
  ['a number', [7], /^the payload is not a decision: /],
  ['a list', [[SCHEMA]], /^the payload is not a decision: /],
  ['an unknown field', [{ gate: SCHEMA, who: 'ada' }], /^the payload is not a decision: .*who/],
  ['an empty name', [{ gate: '' }], /^the payload is not a decision: /],
  ['a reason as long as a book', [{ gate: SCHEMA, reason: 'x'.repeat(100_000) }], /^the payload is not a decision: /],
  ['another gate', [{ gate: SERVERS }], /is not open; the open one is live\/1\.31\.2\/schema/],
])('a signal with %s is recorded, does not count, and does no harm', async (_, payload, reason) => {
  const run = await controlPlane.begin({ policy: { gates: { live: ['schema'] } } });
  await run.atGate(SCHEMA);
  await run.signal('approve', ...payload);
  expect(await run.decided(1)).toMatchObject({ counted: false, refused: expect.stringMatching(reason) });
  expect((await run.metadata()).currentDetails).toContain('Not counted:');
  await run.signal('approve', { gate: SCHEMA });
  expect(await run.result()).toMatchObject({ status: 'completed' });
});

test.concurrent.each([
  ['json/plain', '{"gate":', /cannot be decoded \(json\/plain: .*JSON/],
  ['binary/encrypted', 'secret', /cannot be decoded \(binary\/encrypted: Unknown encoding/],
])('a signal that cannot be decoded (%s) does no harm either', async (encoding, text, reason) => {
  const run = await controlPlane.begin({ policy: { gates: { live: ['schema'] } } });
  await run.atGate(SCHEMA);
  await run.rawSignal('approve', encoding, text);
  expect(await run.decided(1)).toMatchObject({ counted: false, refused: expect.stringMatching(reason) });
  await run.signal('approve', { gate: SCHEMA });
  expect(await run.result()).toMatchObject({ status: 'completed' });
});

test.concurrent('a signal with the other JSON encoding that the Web UI offers counts', async () => {
  const run = await controlPlane.begin({ policy: { gates: { live: ['schema'] } } });
  await run.atGate(SCHEMA);
  await run.rawSignal('approve', 'json/protobuf', JSON.stringify({ gate: SCHEMA, by: 'ada' }));
  expect(await run.result()).toMatchObject({ status: 'completed', decisions: [{ by: 'ada', counted: true }] });
});

test.concurrent('an update is answered, and one that does not count is refused with the reason', async () => {
  const run = await controlPlane.begin({ policy: BOTH });
  await run.atGate(SCHEMA);
  expect(await refusal(run.update('approve', { gate: SERVERS }))).toContain(`the open one is ${SCHEMA}`);
  expect(await refusal(run.update('approve', { gates: SCHEMA }))).toContain('the payload is not a decision');
  expect(await refusal(run.update('retry', { gate: SCHEMA }))).toContain('possible: approve, reject, abort');
  expect(await refusal(run.update('resume'))).toBe('it is not paused');
  expect(await run.update('approve', { gate: SCHEMA, by: 'ada' })).toBe('approve taken');
  await run.atGate(SERVERS);
  expect(await refusal(run.update('approve', { gate: SCHEMA }))).toContain('is not open');
  expect((await run.status()).decisions).toMatchObject([{ gate: SCHEMA, via: 'update', counted: true }]);
  await run.terminate();
});

test.concurrent('a rejected gate opens an incident, whose retry opens the gate again', async () => {
  const run = await controlPlane.begin({ policy: { gates: { live: ['schema'] } } });
  await run.atGate(SCHEMA);
  await run.signal('reject', { gate: SCHEMA, by: 'ada', reason: 'it is Friday' });
  const { name, status } = await run.atIncident(SCHEMA);
  expect(status).toMatchObject({
    state: 'incident',
    problem: `ada rejected ${SCHEMA}: it is Friday`,
    waiting: { kind: 'incident', allowed: ['retry', 'abort', 'restore'] },
  });
  await run.signal('approve', { gate: name, reason: 'no matter' });
  expect(await run.decided(2)).toMatchObject({ counted: false });
  await run.signal('retry', { gate: name });
  await run.approve(SCHEMA);
  expect(await run.result()).toMatchObject({ status: 'completed', hops: [{ incidents: 1 }] });
});

test.concurrent('the gate between staging and live shows what staging did', async () => {
  const run = await controlPlane.begin({ plan: ONE_HOP, policy: { gates: { live: ['promote'] } } });
  const { waiting } = await run.atGate(PROMOTE);
  expect(waiting).toMatchObject({
    evidence: expect.arrayContaining([
      'staging 1.30.7 → 1.31.2: completed, 0 incidents',
      expect.stringMatching(/^drain: staging: canaries: 40 started, 40 completed, 0 running/),
    ]),
  });
  expect(run.script.requests('preflight').map(({ environment }) => environment)).toEqual(['staging']);
  await run.approve(PROMOTE);
  expect(await run.result()).toMatchObject({
    status: 'completed',
    steps: expect.arrayContaining([expect.objectContaining({ phase: 'promote', summary: 'live approved by ada' })]),
  });
});

const TO_LOOK_AT = {
  id: 'single-process',
  severity: 'warn',
  found: 'there is one frontend alone',
  expected: 'two',
  action: 'Start another one',
  source: 'x',
} as const;

test.concurrent('what an examination finds stands at the gates and in the report', async () => {
  const script = new Script(ONE_HOP).once('examineTarget', () => Promise.resolve({ lines: [], findings: [] }));
  script.once('examineTarget', () => Promise.resolve({ lines: [], findings: [TO_LOOK_AT] }));
  script.once('preflight', () => Promise.resolve({ lines: [], findings: [] }));
  script.once('preflight', () =>
    Promise.resolve({ lines: ['x'], findings: [{ ...TO_LOOK_AT, found: 'a ring is split' }] }),
  );
  const run = await controlPlane.begin({ plan: ONE_HOP, script, policy: { gates: { live: ['promote', 'schema'] } } });
  const before = await run.atGate(PROMOTE);
  // Both examinations run side by side, so it may be of staging as well.
  expect([...(before.staging?.findings ?? []), ...(before.live?.findings ?? [])]).toContainEqual(TO_LOOK_AT);
  await run.approve(PROMOTE);
  const { waiting } = await run.atGate('live/1.31.2/schema');
  expect(waiting).toMatchObject({
    evidence: expect.arrayContaining(['warn: a ring is split; expected two. Start another one']),
  });
  await run.approve('live/1.31.2/schema');
  expect((await run.result()).findings).toContainEqual(TO_LOOK_AT);
});

test.concurrent('staging that was let pass in spite of a failure is never promoted by itself', async () => {
  const script = new Script(ONE_HOP).once('observe', judged('fail', 'error ratio 0.2'));
  const run = await controlPlane.begin({ plan: ONE_HOP, script });
  const { name } = await run.atIncident('staging/1.31.2/baseline');
  await run.signal('approve', { gate: name, by: 'ada', reason: 'known noise' });
  const { waiting } = await run.atGate(PROMOTE);
  expect(waiting).toMatchObject({
    evidence: expect.arrayContaining([expect.stringMatching(/^overridden by ada: baseline: .*\(known noise\)$/)]),
  });
  await run.approve(PROMOTE);
  expect(await run.result()).toMatchObject({ status: 'completed' });
});

test.concurrent('live that would go where staging did not is never promoted by itself', async () => {
  const unrehearsed = {
    id: 'not-rehearsed',
    severity: 'warn',
    found: 'live would pass 1.31.2',
    expected: 'staging first',
    action: 'Bring staging there',
    source: 'x',
  } as const;
  const run = await controlPlane.begin({ plan: { ...LIVE_ALONE, findings: [unrehearsed] } });
  const { waiting } = await run.atGate(PROMOTE);
  expect(waiting).toMatchObject({
    evidence: expect.arrayContaining(['live would pass 1.31.2; expected staging first. Bring staging there']),
  });
  await run.approve(PROMOTE);
  expect(await run.result()).toMatchObject({ status: 'completed' });
});

/** From when on nothing can be decided any more: clusters are let go a moment later. */
function isOver(answer: unknown): boolean {
  return answer instanceof WorkflowUpdateFailedError && answer.cause?.message === 'the roll-out is over';
}

test.concurrent('an update that comes while a hop ends and the next begins is answered, never lost', async () => {
  const run = await controlPlane.begin({ plan: ONE_HOP });
  let taken = 0;
  for (;;) {
    await sleep(30);
    const answer = await run.update(taken % 2 === 0 ? 'pause' : 'resume').catch((error: unknown) => error);
    if (typeof answer === 'string') {
      expect(answer).toMatch(/ taken$/);
      taken += 1;
    } else if (isOver(answer) || run.script.count('releaseTarget') > 0) break;
    else throw answer;
  }
  const { decisions } = await run.result();
  expect(decisions.filter(({ counted }) => counted).length).toBe(taken);
  expect(taken).toBeGreaterThan(2);
});
